"""What this machine can do, as measured: bandwidth by working set, rates of the weight kernels, FLOPS; kept on disk.

A limit that a real run beats was measured too low (another program was running): it is raised to what
was reached, and flagged.
"""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from desktop_rag.meter.roofline import at_size
from desktop_rag.store.files import write_private

FILE = "machine.json"
VERSION = 2
NOISE = 1.05
DISTURBED = 0.25
DISTURBED_FLAG = "Other programs were busy during the measurement: the limit may be too low."


@dataclass(frozen=True, slots=True)
class Machine:
    """One measurement. Bandwidths in GB/s (10⁹ bytes), `flops` a second.

    `read_gbs` is what the best `kernel` reads from memory with a working set far larger than the
    caches; `by_size` the same for smaller ones (bytes, GB/s), part of which stays in a cache from one
    token to the next. `rates` is how fast the engine's own kernel for a type of weights gets through
    them on all cores: lower where unpacking them, not reading them, is the bound. `kernels` has every
    number that was measured. `others` is how many cores other programs used meanwhile: a measurement
    that was `disturbed` is worth repeating. `flag` says why a limit was raised, or may be too low.
    """

    read_gbs: float
    kernel: str
    flops: float
    cores: int
    cpu: str
    kernels: Mapping[str, float] = field(default_factory=dict)
    by_size: tuple[tuple[int, float], ...] = ()
    rates: Mapping[str, float] = field(default_factory=dict)
    measured_at: str = ""
    others: float = 0.0
    flag: str | None = None

    @property
    def disturbed(self) -> bool:
        """Whether other programs were busy during the measurement."""
        return self.others > DISTURBED

    def gbs_for(self, read_bytes: float) -> float:
        """The read bandwidth for a model that reads `read_bytes` a token: the roofline's denominator."""
        return at_size(self.by_size, read_bytes) if self.by_size else self.read_gbs

    def rate_for(self, weights: str | Mapping[str, int], read_bytes: float) -> float:
        """The rate at which a model's weights can be worked through, at most `gbs_for`.

        `weights` is a quantisation such as "Q4_K_M", or bytes by tensor type for a mixture.
        """
        limit = self.gbs_for(read_bytes)
        if isinstance(weights, str):
            return min(limit, self.kernel_gbs(weights) or limit)
        total = sum(weights.values())
        seconds = sum(size / min(limit, self.kernel_gbs(kind) or limit) for kind, size in weights.items())
        return total / seconds if seconds else limit

    def kernel_gbs(self, kind: str) -> float | None:
        """How fast the engine's kernel gets through weights of type `kind`, whatever memory allows; None if unmeasured.

        "Q4_K_M" is taken for its main type.
        """
        fitting = [name for name in self.rates if kind == name or kind.startswith(f"{name}_")]
        return self.rates[max(fitting, key=len)] if fitting else None

    def to_json(self) -> dict[str, Any]:
        """A plain mapping; `from_json` reads it back."""
        return {**dataclasses.asdict(self), "by_size": [list(point) for point in self.by_size], "version": VERSION}


def from_json(row: Mapping[str, Any]) -> Machine | None:
    """A measurement from its mapping; None for one of another version or a damaged one."""
    if row.get("version") != VERSION:
        return None
    known = {item.name for item in dataclasses.fields(Machine)}
    values = {name: value for name, value in row.items() if name in known}
    try:
        values["by_size"] = tuple((int(size), float(speed)) for size, speed in values.get("by_size", ()))
        return Machine(**values)
    except (TypeError, ValueError):
        return None


def raised(machine: Machine, reached_gbs: float, read_bytes: int) -> Machine:
    """The machine after a real run that read `reached_gbs` with `read_bytes` a token: unchanged, or raised and flagged.

    Up to 5 % above the limit is taken for noise of the clock; then the limit is raised without a flag.
    """
    limit = machine.gbs_for(read_bytes)
    if reached_gbs <= limit:
        return machine
    points = {size: max(speed, reached_gbs) if size <= read_bytes else speed for size, speed in machine.by_size}
    points[read_bytes] = reached_gbs
    beyond_caches = read_bytes >= max((size for size, _ in machine.by_size), default=0)
    flag = machine.flag
    if reached_gbs > NOISE * limit:
        flag = f"A run reached {reached_gbs:.1f} GB/s where {limit:.1f} had been measured: the limit was raised."
    return dataclasses.replace(
        machine,
        by_size=tuple(sorted(points.items())),
        read_gbs=max(machine.read_gbs, reached_gbs) if beyond_caches else machine.read_gbs,
        flag=flag,
    )


def machine_key() -> dict[str, Any]:
    """What a measurement belongs to: another processor, core count or engine library needs a new one."""
    try:
        library = metadata.version("llama-cpp-python")
    except metadata.PackageNotFoundError:
        library = ""
    return {"cpu": cpu_name(), "cores": os.cpu_count() or 1, "library": library}


def cpu_name() -> str:
    """The processor's name as the system gives it."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.startswith(("model name", "Model", "Hardware")):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def remembered(data_dir: Path) -> Machine | None:
    """The measurement kept in `data_dir`; None when there is none, or one of another machine."""
    try:
        kept = json.loads((data_dir / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(kept, dict) or kept.get("key") != machine_key() or not isinstance(kept.get("machine"), dict):
        return None
    return from_json(kept["machine"])


def remember(data_dir: Path, machine: Machine) -> None:
    """Keep a measurement in `data_dir`. Raises StoreError where that cannot be written."""
    content = json.dumps({"key": machine_key(), "machine": machine.to_json()})
    write_private(data_dir / FILE, content.encode())
