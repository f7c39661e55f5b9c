"""Which layers of a model go onto which accelerator: planned from the tensor table, before anything is loaded.

llama.cpp moves the output matrix first, then the last layers, and spreads what it moves over the
devices in order; a layer's KV memory lies beside it. The plan keeps a margin free on every device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from desktop_rag.models.footprint import kv_bytes, reserved_bytes
from desktop_rag.models.shape import Shape

MARGIN = 1 << 30


class DeviceMemory(Protocol):
    """A device as the plan sees it: `free_bytes` before loading."""

    @property
    def name(self) -> str:
        """How the library calls it."""
        ...

    @property
    def free_bytes(self) -> int:
        """Memory that is free on it."""
        ...


@dataclass(frozen=True, slots=True)
class Share:
    """What one device gets: `parts` of the moved layers (the output counts as one), bytes used, bytes left."""

    name: str
    parts: int
    used: int
    free: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The split: `gpu_layers` is the number to load with (the output matrix is one of them).

    `on_device` of `layers` layers lie on devices; `sentence` says so to people.
    """

    gpu_layers: int
    on_device: int
    layers: int
    context: int
    shares: tuple[Share, ...]
    sentence: str

    @property
    def split(self) -> tuple[int, ...]:
        """Parts for each device, in order: llama.cpp's tensor split."""
        return tuple(share.parts for share in self.shares)


def plan_offload(
    shape: Shape,
    devices: Sequence[DeviceMemory],
    context: int,
    kv_type: str = "f16",
    *,
    micro_batch: int | None = None,
    margin: int = MARGIN,
    at_most: int | None = None,
) -> Plan:
    """The most layers that fit with `margin` bytes left on every device; `at_most` caps them, to back off a step."""
    buffers = reserved_bytes(shape, micro_batch, context)
    room = [max(0, device.free_bytes - margin - buffers) for device in devices]
    parts = _part_bytes(shape, context, kv_type)
    most = len(parts) if at_most is None else min(at_most, len(parts))
    for count in range(most, 0, -1):
        counts = _spread(parts[len(parts) - count :], room)
        if counts is not None:
            return _plan(shape, devices, context, parts[len(parts) - count :], counts, buffers)
    return _plan(shape, devices, context, [], [0] * len(devices), buffers)


def _part_bytes(shape: Shape, context: int, kv_type: str) -> list[int]:
    """Bytes of every movable part: the layers with their KV, then the output matrix."""
    kv = kv_bytes(shape, context, kv_type) / max(1, shape.layers)
    return [round(layer + kv) for layer in shape.layer_bytes] + [shape.output_bytes]


def _spread(parts: Sequence[int], room: Sequence[int]) -> list[int] | None:
    """How many of the consecutive parts each device takes, filled in order; None when they do not fit."""
    counts, at = [], 0
    for space in room:
        taken = used = 0
        while at < len(parts) and used + parts[at] <= space:
            used += parts[at]
            taken += 1
            at += 1
        counts.append(taken)
    return counts if at == len(parts) else None


def _plan(
    shape: Shape,
    devices: Sequence[DeviceMemory],
    context: int,
    parts: Sequence[int],
    counts: Sequence[int],
    buffers: int,
) -> Plan:
    shares, at = [], 0
    for device, taken in zip(devices, counts, strict=True):
        used = sum(parts[at : at + taken]) + (buffers if taken else 0)
        shares.append(Share(device.name, taken, used, device.free_bytes - used))
        at += taken
    on_device = max(0, len(parts) - 1)
    free = sum(share.free for share in shares)
    return Plan(
        len(parts), on_device, shape.layers, context, tuple(shares), _sentence(shape.layers, on_device, shares, free)
    )


def _sentence(layers: int, on_device: int, shares: Sequence[Share], free: int) -> str:
    if not shares:
        return f"0 of {layers} layers on GPU: no device"
    names = "GPU" if len(shares) == 1 else f"{len(shares)} GPUs"
    return f"{on_device} of {layers} layers on {names}, {free / 1e9:.1f} GB free"
