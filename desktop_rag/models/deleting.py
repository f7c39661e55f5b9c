"""Delete a model: its folder for the user's own, only its card for one that belongs to another program.

An unfinished download is deleted by the same word: what has arrived of it goes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from desktop_rag.errors import UsageError
from desktop_rag.models.cards import user_models
from desktop_rag.models.installed import find_installed, installed
from desktop_rag.models.lora import set_adapters
from desktop_rag.models.making import remove_folder
from desktop_rag.models.unfinished import remove_unfinished, unfinished
from desktop_rag.settings import Settings


def delete(name: str, data_dir: Path) -> dict[str, Any]:
    """Delete the model, or the unfinished download, that `name` means and say what became of it.

    Returns {deleted, name, freed (bytes), kept (path of a file that stays, or null), made_from_it
    (ids of copies that stay), was_chosen, unfinished (whether it was a download)}. Raises
    UsageError("bad_request") for a starter model, ModelError("not_installed"), StoreError where the
    folder cannot be removed or a download is going on in it.
    """
    if not any(model.id == name for model in installed(data_dir)):
        left = next((one for one in unfinished(data_dir) if one.is_called(name)), None)
        if left is not None:
            freed = remove_unfinished(left, data_dir)
            return _told(left.id, left.name, freed) | {"unfinished": True}
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
    return _told(model.id, model.name, 0 if adopted else freed) | {
        "kept": str(model.path) if adopted and not model.missing else None,
        "made_from_it": [other.id for other in installed(data_dir) if other.parent == model.id],
        "was_chosen": was_chosen,
    }


def _told(deleted: str, name: str, freed: int) -> dict[str, Any]:
    """The reply in the plainest case: nothing stays, nothing else changes."""
    return {
        "deleted": deleted,
        "name": name,
        "freed": freed,
        "kept": None,
        "made_from_it": [],
        "was_chosen": False,
        "unfinished": False,
    }
