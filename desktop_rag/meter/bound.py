"""What bounds decoding on this processor: reading the weights from memory, or the cores that unpack them. Pure.

One rule for every place that says so: the model's details before anything ran, the terminal, and the
reasons for an answer's speed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from desktop_rag.meter.machine import Machine
from desktop_rag.models.inspect import BLOCKS, TYPE_NAMES

# The kernels have to be this much slower than reading before the cores are called the bound.
CLEARLY = 0.95
_BITS = {TYPE_NAMES[code]: 8 * size / values for code, (values, size) in BLOCKS.items()}


@dataclass(frozen=True, slots=True)
class Bound:
    """`kind` and the two speeds in GB/s behind it: memory's (`read_gbs`) and that of the engine's kernels.

    `main` is the type of weights that takes most of the time, `faster` one that these cores would get
    through clearly faster, weight by weight; "" where none was measured to be.
    """

    kind: Literal["memory", "cores"]
    read_gbs: float
    kernel_gbs: float
    cores: int
    main: str
    faster: str = ""

    @property
    def sentence(self) -> str:
        """What it is and what would help, in two sentences."""
        cores = counted_cores(self.cores)
        if self.kind == "memory":
            works = "works" if self.cores == 1 else "work"
            return (
                f"The {cores} {works} through {self.main} weights as fast as memory delivers them"
                f" ({self.kernel_gbs:.1f} GB/s). Fewer bits a weight help, more cores do not."
            )
        helps = (
            f"{self.faster} weights are faster here; more cores help as well." if self.faster else "More cores help."
        )
        return (
            f"Unpacking {self.main} weights on {cores} runs at {self.kernel_gbs:.1f} GB/s,"
            f" slower than reading them ({self.read_gbs:.1f} GB/s). {helps}"
        )


def bound_of(
    machine: Machine, read_types: Mapping[str, int], read_bytes: float, proven_gbs: float = 0.0
) -> Bound | None:
    """What bounds llama.cpp on the processor with weights of these types (bytes a token reads by type).

    `proven_gbs` is what an answer reached: the kernels are at least that fast, whatever was measured.
    None where nobody knows: the main type's kernel was not measured, and no answer proved it fast enough.
    """
    if not read_types or not read_bytes:
        return None
    read_gbs = machine.gbs_for(read_bytes)
    main = max(read_types, key=lambda kind: read_types[kind] / machine.rate_for(kind, read_bytes))
    measured = machine.kernel_gbs(main) is not None
    rate = max(machine.rate_for(read_types, read_bytes) if measured else 0.0, min(read_gbs, proven_gbs))
    cores = machine.cores
    if rate >= CLEARLY * read_gbs:
        return Bound("memory", read_gbs, rate, cores, main)
    return Bound("cores", read_gbs, rate, cores, main, _faster(machine, main, read_bytes)) if measured else None


def counted_cores(number: int) -> str:
    """ "1 core", "2 cores"."""
    return f"{number} core{'' if number == 1 else 's'}"


def _faster(machine: Machine, main: str, read_bytes: float) -> str:
    """The measured type of weights that takes the least time a weight, if that is clearly less than `main` takes."""
    times = {kind: _BITS[kind] / machine.rate_for(kind, read_bytes) for kind in {*machine.rates, main} if kind in _BITS}
    best = min(times, key=lambda kind: times[kind], default=main)
    return best if main in times and times[best] < CLEARLY * times[main] else ""
