"""Which LoRA adapters go with which model: files beside the models, with a scale each, kept in `adapters.json`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from desktop_rag.errors import ModelError, UsageError
from desktop_rag.models.cards import user_models
from desktop_rag.models.inspect import inspect
from desktop_rag.store.files import write_private

RECORD = "adapters.json"
LOWEST_SCALE, HIGHEST_SCALE = -4.0, 4.0

Adapters = tuple[tuple[str, float], ...]


def chosen_adapters(data_dir: Path) -> dict[str, Adapters]:
    """Model id -> its adapters as (absolute path, scale). A damaged record counts as empty."""
    try:
        record = json.loads((user_models(data_dir) / RECORD).read_text(encoding="utf-8"))
        return {str(model): tuple((str(path), float(scale)) for path, scale in rows) for model, rows in record.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def set_adapters(data_dir: Path, model: str, adapters: Sequence[tuple[str, float]]) -> None:
    """Remember the adapters of a model; an empty list forgets them. Raises StoreError."""
    record = chosen_adapters(data_dir)
    record.pop(model, None)
    if adapters:
        record[model] = tuple((path, float(scale)) for path, scale in adapters)
    content = json.dumps(record, indent=1, ensure_ascii=False).encode("utf-8")
    write_private(user_models(data_dir) / RECORD, content)


def check_adapter(path: Path, scale: float, architecture: str) -> None:
    """Refuse what is no LoRA adapter for a model of this architecture.

    Raises ModelError("not_installed" | "incompatible" | "truncated"), UsageError("bad_request") for the scale.
    """
    if not LOWEST_SCALE <= scale <= HIGHEST_SCALE:
        message = f"The scale of an adapter goes from {LOWEST_SCALE:g} to {HIGHEST_SCALE:g}."
        raise UsageError("bad_request", message, "1 is its full strength, 0 switches it off.")
    info = inspect(path)
    if info.metadata.get("general.type") != "adapter" or info.metadata.get("adapter.type") != "lora":
        hint = "Choose a LoRA adapter in GGUF format; a whole model is imported instead."
        raise ModelError("incompatible", f"{path.name} is not a LoRA adapter.", hint)
    if info.architecture != architecture:
        message = f"{path.name} is an adapter for {info.architecture} models; this model is {architecture}."
        raise ModelError("incompatible", message, "Choose an adapter made for this model.")
