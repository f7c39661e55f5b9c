"""The environment every process starts with: no hub, no telemetry, one thread budget.

Imported first by `__main__`, before any library that reads these variables at import time.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "ANONYMIZED_TELEMETRY": "False",
    "CHROMA_TELEMETRY_IMPL": "chromadb.telemetry.product.ProductTelemetryClient",
    "PRESIDIO_DEVICE": "cpu",
    "REGEX_TIMEOUT_SECONDS": "2",
}
# Threads that wait for each other hundreds of times a token must spin for some microseconds: put to sleep at
# every barrier, two threads decode at a third of their speed. Unbounded spinning would burn what others need.
_SPINNING = {"GOMP_SPINCOUNT": "10000"}
_RESTING = {"OMP_WAIT_POLICY": "PASSIVE"}
_DECODING_ROLES = ("chat", "bench", "models", "trial")
# numpy multiplies small matrices here: a second thread costs more than it brings, and takes a core from the encoder.
_ALONE = {"OPENBLAS_NUM_THREADS": "1"}
_INDEXING_ROLES = ("library", "parse", "pii", "retrieval")
_PROCESSOR = Path("/proc/cpuinfo")
_FIRST_PROCESSOR_BYTES = 8192


def set_environment(role: str | None = None) -> None:
    """Make libraries stay offline and silent; an offline switch is never left to the caller's shell.

    `role` is that of a worker, None the parent's: only those that run language models let threads spin.
    """
    os.environ.update(_OFFLINE)
    os.environ.pop("OPENTELEMETRY_ENDPOINT", None)
    chosen, other = (_SPINNING, _RESTING) if role in _DECODING_ROLES else (_RESTING, _SPINNING)
    os.environ.update(chosen)
    for name in other:
        os.environ.pop(name, None)
    if role in _INDEXING_ROLES:
        os.environ.update(_ALONE)
    if role is not None and (core := _older_core(_PROCESSOR)):
        os.environ.setdefault("OPENBLAS_CORETYPE", core)


def _older_core(told: Path) -> str | None:
    """The kernels that numpy's OpenBLAS must use on an x86-64 processor without AVX2; None for all others.

    What it chooses there by itself (0.3.31) ends the process with an illegal instruction.
    """
    try:
        with told.open("rb") as file:
            found = re.search(rb"^flags\s*:(.*)$", file.read(_FIRST_PROCESSOR_BYTES), re.MULTILINE)
    except OSError:
        return None
    flags = found.group(1).split() if found else []
    if not flags or b"avx2" in flags:
        return None
    return "Sandybridge" if b"avx" in flags else "Nehalem"


def thread_budget(role: str) -> int:
    """How many threads native code may use in a process of this role."""
    cores = os.cpu_count() or 2
    return 1 if role == "parse" else max(1, min(cores, 8))


def worker_environment(role: str) -> dict[str, str] | None:
    """What must be set before a worker's process begins; None for the parent's own environment.

    The C library reads its tunables at the start of a process. Weights that llama.cpp rearranges and its KV memory
    lie in memory from malloc: in large pages they are read faster.
    """
    if role not in _DECODING_ROLES or sys.platform != "linux":
        return None
    tunables = [part for part in os.environ.get("GLIBC_TUNABLES", "").split(":") if part]
    if not any(part.startswith("glibc.malloc.hugetlb=") for part in tunables):
        tunables.append("glibc.malloc.hugetlb=1")
    return os.environ | {"GLIBC_TUNABLES": ":".join(tunables)}
