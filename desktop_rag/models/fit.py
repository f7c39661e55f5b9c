"""Will it fit, and how fast can it be: inference arithmetic, pure.

Formulas: KV bytes a token = 2 · layers · KV heads · head size · bytes (kipply, "Transformer inference
arithmetic", with grouped heads); time a token = max(bytes read / bandwidth, batch · 2 · parameters / FLOPS);
break-even batch where both are equal. Sizes are bytes, bandwidths bytes a second, times seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from desktop_rag.models.footprint import (
    compute_bytes,
    is_mapped,
    kv_bytes,
    kv_token_bytes,
    process_bytes,
    repacked_bytes,
    weights_in_memory,
)
from desktop_rag.models.offload import Plan, plan_offload
from desktop_rag.models.shape import Shape

__all__ = [
    "Estimate", "Plan", "Roofline", "compute_bytes", "context_limit", "estimate", "expected_tps", "fit_sentence",
    "kv_bytes", "kv_token_bytes", "plan_offload", "roofline", "roofline_of",
]  # fmt: skip

GB = 1e9
CONTEXT_STEP = 256
# What decoding reached of the limit on the machines it was measured on: low for models whose layers are
# so small that starting threads costs, high for those of 1B and more.
USUAL_FRACTIONS = (0.7, 0.97)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a loaded model takes, in bytes: `total` in main memory, `device` on accelerators.

    `weights` are the file's bytes, with what the engine keeps rearranged beside a mapped file;
    `kv` is the memory of the context, `compute` the buffers that prefill touches, `process` the
    interpreter with the engine's libraries. `fits` and `free_after` are None when no free memory was given.
    """

    weights: int
    kv: int
    compute: int
    process: int
    total: int
    device: int
    fits: bool | None
    free_after: int | None

    @property
    def megabytes(self) -> dict[str, float]:
        """The parts in MiB, for people and JSON."""
        parts = {"weights": self.weights, "kv": self.kv, "compute": self.compute, "process": self.process}
        return {name: round(value / 2**20, 1) for name, value in {**parts, "total": self.total}.items()}


@dataclass(frozen=True, slots=True)
class Roofline:
    """The fastest a machine can decode: tokens a second of the whole batch, and what bounds it.

    `break_even_batch` is the batch from which computing takes longer than reading; None without a FLOPS figure.
    """

    tok_s: float
    bound: Literal["memory", "compute"]
    break_even_batch: float | None
    mem_time: float
    compute_time: float


def estimate(
    shape: Shape,
    *,
    context: int,
    kv_type: str = "f16",
    micro_batch: int | None = None,
    engine: str = "llama.cpp",
    compute_type: str | None = None,
    flash_attention: bool | None = None,
    gpu_layers: int = 0,
    free_bytes: int | None = None,
) -> Estimate:
    """What `engine` takes for this model and context; `gpu_layers` (-1 all, the output counts as one) go to a device.

    `free_bytes` is the main memory that is free before loading.
    """
    share = _device_share(shape, gpu_layers)
    weights = weights_in_memory(shape, engine, compute_type)
    # What lies on a device is not rearranged for the processor.
    twice = engine == "llama.cpp" and is_mapped(shape, free_bytes, gpu_layers)
    copied = round(repacked_bytes(shape) * (1 - share)) if twice else 0
    kv = kv_bytes(shape, context, kv_type, engine, compute_type)
    compute = compute_bytes(shape, micro_batch, context, engine, flash_attention)
    process = process_bytes(engine, shape.vocabulary)
    on_device = round((weights + kv) * share) + (compute if share > 0 else 0)
    weights += copied
    total = weights + kv + compute + process - on_device
    fits = None if free_bytes is None else total <= free_bytes
    free_after = None if free_bytes is None else free_bytes - total
    return Estimate(weights, kv, compute, process, total, on_device, fits, free_after)


def context_limit(
    shape: Shape,
    budget_bytes: int,
    *,
    kv_type: str = "f16",
    micro_batch: int | None = None,
    engine: str = "llama.cpp",
    compute_type: str | None = None,
) -> int:
    """The largest context (steps of 256, at most the trained one) whose estimate stays in `budget_bytes`, or 0."""

    def total(context: int) -> int:
        return estimate(
            shape, context=context, kv_type=kv_type, micro_batch=micro_batch, engine=engine, compute_type=compute_type
        ).total

    low, high = 0, (shape.context or 1 << 20) // CONTEXT_STEP
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if total(middle * CONTEXT_STEP) <= budget_bytes else (low, middle - 1)
    return low * CONTEXT_STEP


def roofline(
    shape: Shape,
    bandwidth: float,
    flops: float | None = None,
    *,
    context_used: float = 0,
    batch: int = 1,
    kv_type: str = "f16",
    devices: int = 1,
) -> Roofline:
    """The decode limit of `shape` with `context_used` tokens already in every sequence of the batch."""
    # Of a mixture of experts, or an embedding table, only what is read is computed with.
    used = (shape.parameters or 0) * (shape.read_bytes / shape.weights_bytes if shape.weights_bytes else 1)
    kv = kv_token_bytes(shape, kv_type) * context_used
    return roofline_of(shape.read_bytes, used, bandwidth, flops, kv_bytes=kv, batch=batch, devices=devices)


def roofline_of(
    read_bytes: float,
    parameters: float,
    bandwidth: float,
    flops: float | None = None,
    *,
    kv_bytes: float = 0,
    batch: int = 1,
    devices: int = 1,
) -> Roofline:
    """The limit from plain numbers: `read_bytes` of weights a step, `kv_bytes` a sequence, shared by `devices`."""
    mem_time = (read_bytes + batch * kv_bytes) / bandwidth / devices
    compute_time = batch * 2 * parameters / flops / devices if flops else 0.0
    break_even = flops * read_bytes / (2 * parameters * bandwidth) if flops and parameters else None
    slowest = max(mem_time, compute_time)
    return Roofline(
        tok_s=batch / slowest if slowest > 0 else math.inf,
        bound="memory" if mem_time >= compute_time else "compute",
        break_even_batch=break_even,
        mem_time=mem_time,
        compute_time=compute_time,
    )


def expected_tps(
    shape: Shape,
    bandwidth: float,
    *,
    context_used: int = 1024,
    kv_type: str = "f16",
    fractions: tuple[float, float] = USUAL_FRACTIONS,
) -> tuple[float, float]:
    """Low and high of the decode speed to expect: usual fractions of the limit, later and at the start.

    `bandwidth` is best the measured rate of the kernel for this model's type of weights: on few cores
    unpacking the weights may be slower than reading them.
    """
    start = roofline(shape, bandwidth, kv_type=kv_type).tok_s
    later = roofline(shape, bandwidth, context_used=context_used, kv_type=kv_type).tok_s
    return later * fractions[0], start * fractions[1]


def fit_sentence(
    needed: Estimate, memory_total: int, tok_s: tuple[float, float] | None, *, gpu: str | None = None
) -> str:
    """One line for the catalogue: "fits: 3.1 of 8 GB, about 9–12 tok/s on this machine"."""
    size = f"{needed.total / GB:.1f} of {memory_total / GB:.0f} GB"
    if needed.fits is False:
        return f"does not fit: needs {size}, {max(0.1, -(needed.free_after or 0) / GB):.1f} GB too much now"
    speed = f", about {_range(tok_s)} tok/s on this machine" if tok_s else ""
    return f"fits: {size}{f', {gpu}' if gpu else ''}{speed}"


def _range(pair: Sequence[float]) -> str:
    """One decimal below 10, whole numbers above: "1.6–2.4", "9–12"."""
    low, high = pair
    digits = 1 if round(high, 1) < 10 else 0
    return (
        f"{low:.{digits}f}–{high:.{digits}f}" if f"{low:.{digits}f}" != f"{high:.{digits}f}" else f"{high:.{digits}f}"
    )


def _device_share(shape: Shape, gpu_layers: int) -> float:
    """The part of layers and output that lies on a device; llama.cpp counts the output as the first layer it moves."""
    everything = shape.layers + 1
    return min(everything, everything if gpu_layers < 0 else gpu_layers) / everything
