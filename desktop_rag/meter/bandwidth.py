"""Measure what this machine reads and computes a second: the limit that decoding is held against.

No real run may beat the limit, so several kernels are tried and the fastest counts: ggml's own
matrix-vector products (what decoding does), copying. Every buffer is written before it is read
(untouched memory is one page of zeros and shows fantasies), warm passes come first, the fastest pass
counts because everything else on the machine can only slow one down. Each kernel runs on all cores
and on one: with a busy neighbour one core alone may read more than two that wait for each other.
BLAS is asked only where ggml is missing: it is no faster, and its work memory stays in the process.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import psutil  # type: ignore[import-untyped]

from desktop_rag.meter.kernels import TYPES, Kernels
from desktop_rag.meter.machine import DISTURBED, DISTURBED_FLAG, Machine, cpu_name

MIB = 2**20
SIZES = (32, 64, 128, 256, 512)
RATE_MB = 96
COMPUTE_MB = 8
COMPUTE_BATCH = 256
COMPUTE_KINDS = ("F32", "F16", "Q4_0", "Q8_0")
# Of the time: reading at all sizes, the weight types, computing, copying.
SHARES = {"read": 0.45, "rates": 0.25, "compute": 0.12, "copy": 0.08}


@dataclass
class _Numbers:
    """What has been measured so far: GB/s by kernel and by size, GB/s by weight type, FLOPS by kernel."""

    kernels: dict[str, float] = field(default_factory=dict)
    by_size: dict[int, float] = field(default_factory=dict)
    best: dict[int, str] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)
    flops: dict[str, float] = field(default_factory=dict)

    def read(self, name: str, size: int, gbs: float) -> None:
        """One reading kernel at one size."""
        self.kernels[f"{name}, {size} MiB"] = round(gbs, 2)
        if gbs > self.by_size.get(size, 0.0):
            self.by_size[size] = gbs
            self.best[size] = name


def measure(seconds: float = 3.0) -> Machine:
    """Measure for about `seconds`; see `steps` for doing it piece by piece."""
    *_, machine = steps(seconds)
    assert machine is not None
    return machine


def steps(seconds: float = 3.0) -> Iterator[Machine | None]:
    """The measurement in steps of a fraction of a second (None each), then the machine."""
    numbers = _Numbers()
    before = _cpu_seconds()
    sizes = _sizes()
    cores = _cores()
    kernels = _kernels()
    if kernels is not None:
        try:
            for step in (_read, _rate, _compute):
                for _ in step(kernels, numbers, sizes, cores, seconds):
                    yield None
        finally:
            kernels.close()
    _copy(numbers, sizes[-1], seconds * SHARES["copy"])
    if kernels is None:
        _blas(numbers, sizes, seconds)
    yield _machine(numbers, cores, _others(before, _cpu_seconds()))


def _read(
    kernels: Kernels, numbers: _Numbers, sizes: Sequence[int], cores: Sequence[int], seconds: float
) -> Iterator[None]:
    slot = seconds * SHARES["read"] / (len(sizes) * len(cores))
    with kernels.weights("F32", sizes[-1]) as weights:
        for size in sizes:
            for threads in cores:
                taken, read = weights.best_seconds(threads, slot, size * MIB)
                numbers.read(f"ggml F32 mat-vec, {_threads(threads)}", size, read / taken / 1e9)
                yield


def _rate(
    kernels: Kernels, numbers: _Numbers, sizes: Sequence[int], cores: Sequence[int], seconds: float
) -> Iterator[None]:
    slot = seconds * SHARES["rates"] / (len(TYPES) * len(cores))
    size = min(RATE_MB, sizes[-1])
    for kind in TYPES:
        with kernels.weights(kind, size) as weights:
            for threads in cores:
                taken, read = weights.best_seconds(threads, slot)
                gbs = read / taken / 1e9
                numbers.kernels[f"ggml {kind} mat-vec, {_threads(threads)}, {size} MiB"] = round(gbs, 2)
                numbers.rates[kind] = max(numbers.rates.get(kind, 0.0), gbs)
        yield


def _compute(
    kernels: Kernels, numbers: _Numbers, _sizes: Sequence[int], cores: Sequence[int], seconds: float
) -> Iterator[None]:
    slot = seconds * SHARES["compute"] / (len(COMPUTE_KINDS) * len(cores))
    for kind in COMPUTE_KINDS:
        _, per_block, block_bytes, _ = TYPES[kind]
        with kernels.weights(kind, COMPUTE_MB, COMPUTE_BATCH) as weights:
            for threads in cores:
                taken, read = weights.best_seconds(threads, slot)
                flops = 2 * COMPUTE_BATCH * (read / block_bytes * per_block) / taken
                numbers.flops[f"ggml {kind} product, {_threads(threads)}"] = flops
        yield


def _copy(numbers: _Numbers, size: int, seconds: float) -> None:
    half = np.ones(size * MIB // 8, np.float32)
    other = np.full_like(half, 2.0)
    taken = _best(lambda: np.copyto(other, half), seconds)
    numbers.read("copy, read and written", size, 2 * half.nbytes / taken / 1e9)


def _blas(numbers: _Numbers, sizes: Sequence[int], seconds: float) -> None:
    """Reading and computing with the library behind numpy, where there is no ggml."""
    slot = seconds * (1 - SHARES["copy"]) / (len(sizes) + 1)
    for size in sizes:
        vector = np.ones(size * MIB // 4, np.float32)
        taken = _best(lambda values=vector: np.dot(values, values), slot)  # type: ignore[misc]
        numbers.read("BLAS dot", size, vector.nbytes / taken / 1e9)
    square = np.ones((512, 512), np.float32)
    numbers.flops["BLAS sgemm"] = 2 * 512**3 / _best(lambda: square @ square, slot)


def _best(work: Callable[[], object], seconds: float) -> float:
    work()
    best = float("inf")
    end = time.perf_counter() + seconds
    while True:
        started = time.perf_counter()
        work()
        finished = time.perf_counter()
        best = min(best, finished - started)
        if finished >= end:
            return best


def _cpu_seconds() -> tuple[float, float, float]:
    """Seconds on the clock, of processor time of everything, and of this process's own part of it."""
    times, own = psutil.cpu_times(), os.times()
    busy = sum(getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq", "steal"))
    return time.perf_counter(), busy, own.user + own.system


def quiet(seconds: float = 0.1) -> bool:
    """Whether other programs leave the processor alone now; looks for so long."""
    before = _cpu_seconds()
    time.sleep(seconds)
    return _others(before, _cpu_seconds()) <= DISTURBED


def _others(before: tuple[float, float, float], after: tuple[float, float, float]) -> float:
    """How many cores other programs kept busy, on average."""
    clock, busy, own = (end - start for start, end in zip(before, after, strict=True))
    return round(max(0.0, (busy - own) / clock), 2) if clock > 0 else 0.0


def _machine(numbers: _Numbers, cores: Sequence[int], others: float) -> Machine:
    largest = max(numbers.by_size)
    fastest, points = 0.0, []
    for size in sorted(numbers.by_size, reverse=True):
        # A smaller working set is never slower: where it seems so, something disturbed it.
        fastest = max(fastest, numbers.by_size[size])
        points.append((size * MIB, round(fastest, 2)))
    return Machine(
        read_gbs=round(numbers.by_size[largest], 2),
        kernel=numbers.best[largest],
        flops=max(numbers.flops.values()),
        cores=max(cores),
        cpu=cpu_name(),
        kernels={**numbers.kernels, **{f"{name}, GFLOPS": round(f / 1e9, 1) for name, f in numbers.flops.items()}},
        by_size=tuple(sorted(points)),
        rates={kind: round(rate, 2) for kind, rate in numbers.rates.items()},
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        others=others,
        flag=DISTURBED_FLAG if others > DISTURBED else None,
    )


def _sizes() -> list[int]:
    """Working sets in MiB; the largest stays under an eighth of the free memory."""
    room = int(psutil.virtual_memory().available) // 8 // MIB
    return [size for size in SIZES if size <= max(room, SIZES[0])]


def _cores() -> list[int]:
    """Thread counts to try: all physical cores of this process, and one."""
    physical = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else physical
    return sorted({max(1, min(physical, usable)), 1}, reverse=True)


def _threads(count: int) -> str:
    return f"{count} thread{'' if count == 1 else 's'}"


def _kernels() -> Kernels | None:
    try:
        return Kernels()
    except (OSError, AttributeError):
        return None
