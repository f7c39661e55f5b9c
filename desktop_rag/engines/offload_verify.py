"""Trust no plan: try it where a crash costs nothing, and take one step back at a time until it holds.

First layers go, then context. When nothing holds the person is told so; that the processor computes
instead is their decision and never happens silently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from desktop_rag.engines.offload_trial import Held, Trial
from desktop_rag.errors import DesktopRagError, EngineError, ModelError

LEAST_CONTEXT = 512

Attempt = Callable[[Trial], Held]

# What another try with less can cure: the memory ran out, the process crashed or hung doing it.
_CURABLE = {(ModelError, "out_of_memory"), (EngineError, "crashed"), (EngineError, "hung")}


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt; `error` is the sentence of its failure, None for the one that held."""

    gpu_layers: int
    context: int
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What holds, what the devices took for it, and everything that was tried."""

    gpu_layers: int
    context: int
    held: Held
    tried: tuple[Tried, ...]

    @property
    def sentence(self) -> str:
        """What the model's card says, such as "22 of 32 layers on GPU, 0.4 GB free"."""
        # The library counts the output matrix as a layer.
        layers = max(0, self.held.layers - 1)
        free = sum(self.held.free_after.values()) / 1e9
        return f"{min(self.held.gpu_layers, layers)} of {layers} layers on GPU, {free:.1f} GB free"

    def to_payload(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "gpu_layers": self.gpu_layers,
            "context": self.context,
            "sentence": self.sentence,
            "held": self.held.to_payload(),
            "tried": [{"gpu_layers": t.gpu_layers, "context": t.context, "error": t.error} for t in self.tried],
        }


def verify_plan(trial: Trial, attempt: Attempt) -> Verified:
    """Try `trial` and, where it does not hold, ever less; `attempt` loads in a process of its own.

    Raises ModelError("out_of_memory") with every attempt in its details when not even one layer holds;
    what less cannot cure (no device, a damaged file) is raised as it is.
    """
    tried: list[Tried] = []
    for step in _steps(trial):
        try:
            held = attempt(step)
        except DesktopRagError as error:
            if (type(error), error.code) not in _CURABLE:
                raise
            tried.append(Tried(step.gpu_layers, step.context, error.message))
            continue
        if step.gpu_layers and not held.gpu_layers:
            raise ModelError(
                "backend_missing",
                "The library loaded the model but moved no layer to the device.",
                "Set the layers on the GPU to 0 to compute on the processor.",
            )
        tried.append(Tried(step.gpu_layers, step.context))
        return Verified(held.gpu_layers, held.context, held, tuple(tried))
    raise ModelError(
        "out_of_memory",
        f"The model does not hold on the device, not even with {tried[-1].gpu_layers} layers.",
        "Set the layers on the GPU to 0 to compute on the processor, or choose a smaller model.",
        details={"tried": [(row.gpu_layers, row.context, row.error) for row in tried]},
    )


def _steps(trial: Trial) -> Iterator[Trial]:
    """The plan, then an eighth fewer layers each time; at half of them shorter contexts, at last one layer."""
    yield trial
    if trial.gpu_layers <= 0:
        # 0, or -1 for all layers whatever their number: half of them is not known here.
        return
    last = trial.gpu_layers
    for eighths in (7, 6, 5, 4):
        layers = max(1, min(last - 1, trial.gpu_layers * eighths // 8))
        if layers < last:
            last = layers
            yield replace(trial, gpu_layers=layers)
    context = trial.context
    while context // 2 >= LEAST_CONTEXT:
        context //= 2
        yield replace(trial, gpu_layers=last, context=context)
    if last > 1:
        yield replace(trial, gpu_layers=1, context=context)
