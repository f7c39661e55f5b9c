"""Delete a model: its folder for the user's own, only its card for one that belongs to another program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from desktop_rag.errors import UsageError
from desktop_rag.models.cards import user_models
from desktop_rag.models.installed import find_installed, installed
from desktop_rag.models.lora import set_adapters
from desktop_rag.models.making import remove_folder
from desktop_rag.settings import Settings


def delete(name: str, data_dir: Path) -> dict[str, Any]:
    """Delete the model that `name` means and say what became of it.

    Returns {deleted, name, freed (bytes), kept (path of a file that stays, or null), made_from_it
    (ids of copies that stay), was_chosen}. Raises UsageError("bad_request") for a starter model,
    ModelError("not_installed"), StoreError where the folder cannot be removed.
    """
    model = find_installed(name, data_dir)
    if model.source == "starter":
        raise UsageError(
            "bad_request", f"{model.name} comes with the application and stays.", "Only your own models are deleted."
        )
    folder = user_models(data_dir) / model.id
    adopted = model.source.startswith("adopted")
    freed = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    remove_folder(folder)
    set_adapters(data_dir, model.id, ())
    settings = Settings(data_dir)
    was_chosen = settings["model"] == model.id
    if was_chosen:
        settings.set("model", "")
    return {
        "deleted": model.id,
        "name": model.name,
        "freed": 0 if adopted else freed,
        "kept": str(model.path) if adopted and not model.missing else None,
        "made_from_it": [other.id for other in installed(data_dir) if other.parent == model.id],
        "was_chosen": was_chosen,
    }
