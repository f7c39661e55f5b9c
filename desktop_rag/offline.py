"""The environment every process starts with: no hub, no telemetry, one thread budget.

Imported first by `__main__`, before any library that reads these variables at import time.
"""

from __future__ import annotations

import os

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
    "OMP_WAIT_POLICY": "PASSIVE",
}


def set_environment() -> None:
    """Make libraries stay offline and silent; an offline switch is never left to the caller's shell."""
    os.environ.update(_OFFLINE)
    os.environ.pop("OPENTELEMETRY_ENDPOINT", None)


def thread_budget(role: str) -> int:
    """How many threads native code may use in a process of this role."""
    cores = os.cpu_count() or 2
    return 1 if role == "parse" else max(1, min(cores, 8))
