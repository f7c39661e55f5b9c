"""What only the engine can show: llama.cpp's real adapters and precisions, and batches that must not be believed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from desktop_rag.engines.cancel import Cancellation
from desktop_rag.engines.protocol import Engine, EngineInfo, Finish, Piece, Prompt
from desktop_rag.errors import ModelError
from desktop_rag.evaluation import engine_probes
from desktop_rag.evaluation.trial_adapter import write_trial_adapter
from desktop_rag.models.installed import resolve
from tests.workers.driving import run


class Batching:
    """An engine whose batches say what they are told to."""

    def __init__(self, together: str) -> None:
        self.together = together
        self.closed = False
        self.info = EngineInfo("x", "x", 8, 8, 8, 1)

    def render(self, messages: Sequence[Any]) -> Prompt:
        return Prompt(text=messages[0]["content"])

    def generate(self, prompt: Prompt, **_options: Any) -> Iterator[Piece | Finish]:
        yield Piece("alone", 1, 0.0)
        yield Finish("end", 1, 0, 1, 0.0, 0.0)

    def generate_many(self, prompts: Sequence[Prompt], **_options: Any) -> list[str]:
        return [self.together] * len(prompts)

    def close(self) -> None:
        self.closed = True


def test_a_batch_that_says_something_else_earns_no_tick() -> None:
    engine = Batching("together")
    found = engine_probes.batching(cast(Engine, engine), Cancellation())
    assert found.holds is False
    assert found.evidence["same_texts"] == 0
    assert engine.closed


def test_an_engine_without_batches_says_so() -> None:
    engine = Batching("x")
    engine.generate_many = None  # type: ignore[assignment, method-assign]
    assert engine_probes.batching(cast(Engine, engine), Cancellation()).holds is False
    assert engine.closed


def test_an_adapter_needs_a_matrix_to_adapt(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        write_trial_adapter(tmp_path / "gone.gguf", tmp_path / "trial.gguf")


@pytest.mark.slow
def test_llama_cpp_earns_its_ticks(tmp_path: Path) -> None:
    path = resolve(None, tmp_path)[0].path
    options = {"threads": 1, "context": 256}
    events, done = run(engine_probes.run_probes("llama.cpp", path, options, Cancellation()))
    found = {row["capability"]: row for row in done["probes"]}
    assert [event["probe"] for event in events] == done["probes"]
    assert {name: row["holds"] for name, row in found.items() if name != "several_devices"} == {
        "custom_models": True,
        "batching": False,
        "adapters": True,
        "precision": True,
    }
    assert found["adapters"]["evidence"]["largest_change"]["removed"] < 1e-4
    kv = found["precision"]["evidence"]["kv_bytes"]
    # 8 bits and a scale of 16 for every 32 values: 34 bytes instead of 64.
    assert kv["q8_0"] / kv["f16"] == pytest.approx(34 / 64, abs=0.01)
