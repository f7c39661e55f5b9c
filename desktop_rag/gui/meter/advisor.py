"""The two cards of the performance page: the last answer, this machine and earlier runs, put to the advice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.models.state import ModelsState
from desktop_rag.meter import advice, machine
from desktop_rag.meter.record import BENCHMARK, MeterRecord, from_json, record_of


class Advisor:
    """Call it in a task: it asks the models worker what one token reads, once for each model."""

    def __init__(self, backend: Backend, models: ModelsState, data_dir: Path) -> None:
        self._backend, self._models, self._data_dir = backend, models, data_dir
        self._known: dict[str, Event] = {}
        # How the model was loaded for each answer that is still shown: the next may have another one.
        self._told: dict[str, Event] = {}

    def __call__(self, done: Event, earlier: list[Event], loaded: dict[str, Any]) -> Event:
        """{why, faster}: rows of {name, value, text}."""
        model = str(loaded.get("model") or "")
        about, family = self._arithmetic(model), self._family(model)
        told = {**loaded, **about, "family": family}
        self._told = {_name(other): self._told.get(_name(other), {}) for other in earlier} | {_name(done): told}
        records = [record_of(other, self._told[_name(other)]) for other in earlier] + self._measured(family)
        return advice.advise(
            record_of(done, told), records, machine.remembered(self._data_dir), about.get("read_types")
        )

    def _arithmetic(self, model: str) -> Event:
        """Bytes a token reads, of the weights by type and of the context; empty where nobody can tell."""
        if model not in self._known:
            try:
                inside = self._backend.models.call("inspect", model=model)
                fit = self._backend.models.call("fit", model=model)
            except DesktopRagError:
                return {}
            shape = inside.get("shape") or {}
            self._known[model] = {
                "read_bytes": shape.get("read_bytes"),
                "kv_token_bytes": fit.get("kv_token_bytes"),
                "kv_type": fit.get("kv_type"),
                "read_types": {str(kind): int(size) for kind, size in shape.get("read_types") or ()},
            }
        return self._known[model]

    def _family(self, model: str) -> str:
        """Copies in other formats and quantisations belong to the model they were made from."""
        row = self._models.row(model) or {}
        return str(row.get("parent") or row.get("id") or model)

    def _measured(self, family: str) -> list[MeterRecord]:
        """The rows of earlier benchmarks with a model of this family, the newest first, as records of this machine."""
        rows = [
            row
            for record in self._backend.benchmarks("bench")
            for row in (record.get("result") or {}).get("rows") or ()
        ]
        return [self._row(row, family) for row in rows if self._family(str(row.get("model") or "")) == family]

    def _row(self, row: Event, family: str) -> MeterRecord:
        """A benchmark row; what older ones do not say is how every benchmark loads a model."""
        loaded = {
            "kv_type": row.get("kv_type") or "f16",
            "gpu_layers": row.get("gpu_layers") or 0,
            "read_bytes": self._arithmetic(str(row.get("model") or "")).get("read_bytes"),
        }
        told = {"engine": row.get("platform"), "family": family, "lookup": False, "source": BENCHMARK}
        return from_json({**row, **told, **loaded})


def _name(done: Event) -> str:
    return f"{done.get('conversation')} {done.get('message')}"
