"""The card of a model of the user's (`model.json`): what it is, where it lies, what it was made from.

A model of the user's is a folder `models/<id>/` of the data directory with such a card. The card is
written last, so a folder without one is unfinished and counts as nothing. `path` is relative to the
folder for files the application owns, absolute for adopted ones, which belong to another program.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from desktop_rag.models.facts import Facts
from desktop_rag.store.files import write_private

CARD = "model.json"
CARD_VERSION = 1
INCOMING = ".incoming"
MAX_ID = 80
# Names Windows keeps for devices, whatever the extension.
RESERVED = frozenset(
    {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}
)


def user_models(data_dir: Path) -> Path:
    """The folder of the user's models; it may not exist yet."""
    return data_dir / "models"


def incoming(data_dir: Path, name: str) -> Path:
    """Where a download of this name lies until it is registered; it outlives a cancel, so that it can go on."""
    return user_models(data_dir) / INCOMING / slug(name)


def slug(text: str) -> str:
    """`text` as an id: lower case, digits, `.`, `_` and `-`; never empty, never a device's name."""
    plain = re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-._")[:MAX_ID].strip("-._")
    return "model" if not plain else f"model-{plain}" if plain.split(".")[0] in RESERVED else plain


def free_id(wanted: str, taken: Iterable[str]) -> str:
    """`wanted` as an id that nobody has: "-2", "-3" … is added where somebody does."""
    base, used = slug(wanted), set(taken)
    number = 1
    while (candidate := base if number == 1 else f"{base[: MAX_ID - 4]}-{number}") in used:
        number += 1
    return candidate


def write_card(folder: Path, card: dict[str, Any]) -> None:
    """Put the card into the model's folder; from now on the model is installed. Raises StoreError."""
    content = {"version": CARD_VERSION, **card}
    write_private(folder / CARD, json.dumps(content, indent=1, ensure_ascii=False).encode("utf-8"))


def read_card(folder: Path) -> dict[str, Any] | None:
    """The card, or None where there is none, a damaged one, or one of a newer application."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        usable = isinstance(card, dict) and card["version"] == CARD_VERSION and isinstance(card["path"], str)
        return card if usable and card["path"] else None
    except (OSError, ValueError, KeyError):
        return None


def card_of(facts: Facts, folder: Path, **more: Any) -> dict[str, Any]:
    """The card of what was read; `more` brings source, sha256, parent and whatever overrides a fact."""
    inside = facts.path.is_relative_to(folder)
    return {
        "name": facts.name,
        "kind": facts.kind,
        "format": facts.format,
        "path": facts.path.relative_to(folder).as_posix() if inside else str(facts.path),
        "size": facts.size,
        "quantisation": facts.quantisation,
        "architecture": facts.architecture,
        "context": facts.context,
        "layers": facts.layers,
        "parameters": facts.parameters,
        "licence": facts.licence,
        "chat_template": facts.chat_template,
        "pre_tokenizer": facts.pre_tokenizer,
        "sha256": None,
        "source": "import",
        "parent": None,
        **more,
    }
