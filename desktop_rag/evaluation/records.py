"""The record of every measurement: what was asked of which files with which versions, and every row it gave.

One JSON file a run in the data directory's `bench` folder. The tables are made from the rows again.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import desktop_rag
from desktop_rag.evaluation.prompts import DIGEST
from desktop_rag.store.files import write_private

RECORD_VERSION = 1
FOLDER = "bench"
SEED = 0
_PACKAGES = ("llama-cpp-python", "ctranslate2", "gpt4all", "transformers", "torch", "numpy")
_WEIGHTS = ("*.safetensors", "model.bin", "*.gguf")
_BLOCK = 1 << 20


def save(data_dir: Path, kind: str, result: Mapping[str, Any], models: Iterable[Path] = ()) -> Path:
    """Write the record of a run of `kind` ("bench", "targets", "probe"); returns its file. Raises StoreError."""
    now = datetime.now(UTC)
    record = {
        "version": RECORD_VERSION,
        "kind": kind,
        "at": now.isoformat(timespec="seconds"),
        "application": desktop_rag.__version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "versions": _versions(),
        "prompts_sha256": DIGEST,
        "models_sha256": {path.name: fingerprint(path) for path in dict.fromkeys(models)},
        "seed": SEED,
        "result": result,
    }
    target = data_dir / FOLDER / f"{now:%Y%m%dT%H%M%S%f}-{kind}.json"
    write_private(target, json.dumps(record, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace"))
    return target


def recent(data_dir: Path, kind: str, limit: int = 20) -> list[dict[str, Any]]:
    """The last records of a kind, the newest first; damaged and newer ones are passed over."""
    records = []
    for path in sorted((data_dir / FOLDER).glob(f"*-{kind}.json"), reverse=True):
        record = _read(path)
        if record is not None:
            records.append(record)
        if len(records) == limit:
            break
    return records


def fingerprint(path: Path) -> str | None:
    """SHA-256 of a model file; of a folder, of its weight files' names and hashes. None where nothing can be read."""
    try:
        if path.is_file():
            return _sha256(path)
        parts = sorted({file for pattern in _WEIGHTS for file in path.glob(pattern)})
        listed = "\n".join(f"{file.name} {_sha256(file)}" for file in parts)
        return hashlib.sha256(listed.encode()).hexdigest() if parts else None
    except OSError:
        return None


def _read(path: Path) -> dict[str, Any] | None:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return dict(record) if record["version"] == RECORD_VERSION else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found
