"""The two cards of the performance page: the last answer, this machine and earlier runs, put to the advice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.models.state import ModelsState
from desktop_rag.meter import advice, machine
from desktop_rag.meter.record import MeterRecord, from_json, record_of


class Advisor:
    """Call it in a task: it asks the models worker what one token reads, once for each model."""

    def __init__(self, backend: Backend, models: ModelsState, data_dir: Path) -> None:
        self._backend, self._models, self._data_dir = backend, models, data_dir
        self._known: dict[str, Event] = {}

    def __call__(self, done: Event, earlier: list[Event], loaded: dict[str, Any]) -> Event:
        """{why, faster}: rows of {name, value, text}."""
        about = self._arithmetic(str(loaded.get("model") or ""))
        told = {**loaded, **about, "family": self._family(str(loaded.get("model") or ""))}
        records = [record_of(other, told) for other in earlier] + self._measured()
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
            types = {str(row["type"]): int(row["bytes"]) for row in inside.get("tensors_by_type") or ()}
            self._known[model] = {
                "read_bytes": (inside.get("shape") or {}).get("read_bytes"),
                "kv_token_bytes": fit.get("kv_token_bytes"),
                "kv_type": fit.get("kv_type"),
                "read_types": types,
            }
        return self._known[model]

    def _family(self, model: str) -> str:
        """Copies in other formats and quantisations belong to the model they were made from."""
        row = self._models.row(model) or {}
        return str(row.get("parent") or row.get("id") or model)

    def _measured(self) -> list[MeterRecord]:
        """The rows of earlier benchmarks, as records of this machine."""
        rows = [
            row
            for record in self._backend.benchmarks("bench")
            for row in (record.get("result") or {}).get("rows") or ()
        ]
        return [
            from_json({**row, "engine": row.get("platform"), "family": self._family(str(row.get("model"))),
                       "gpu_layers": 0, "lookup": False, "kv_type": "f16"})
            for row in rows
        ]  # fmt: skip
