"""The catalogue of models (`assets/models.json`): what each one is, where it comes from, what it needs.

An entry is read here and nowhere else. Files are pinned by SHA-256 and size; a model that is made
on this machine by conversion has files without a pin (`sha256` None), because its bytes depend on
the versions that wrote them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from desktop_rag import paths
from desktop_rag.errors import ModelError

Kind = Literal["chat", "encoder", "reranker", "pii"]
SPACY_MODEL = "en_core_web_sm-3.8.0"
"""The id of spaCy's English pipeline: the second opinion, and what stock Presidio runs on."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the files come from: a pinned package of data (`module`, `path` inside it), another entry that is
    converted here, or a `file` of a repository of the Hugging Face hub (downloaded only when the user asks for it).
    """

    package: str | None = None
    version: str | None = None
    module: str | None = None
    path: str = ""
    converted_from: str | None = None
    repo: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model; `name` is relative to the model's folder with `/`, `size` in bytes."""

    name: str
    sha256: str | None
    size: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One model.

    `context` is in tokens (characters for kind "pii"), `size` in bytes on disk, `memory_mb` the
    resident memory in MiB it adds to the process that holds it, at the default settings (measured
    for starters, None otherwise: `desktop_rag.models.fit` tells it from `shape`). `shape` has the
    numbers of the architecture that `desktop_rag.models.shape.shape_of_entry` reads. What is not
    known for sure is None, or not there.
    """

    id: str
    kind: Kind
    name: str
    source: Source
    files: tuple[ModelFile, ...]
    size: int
    licence: str
    context: int
    memory_mb: int | None
    quantisation: str
    languages: tuple[str, ...]
    starter: bool
    shape: Mapping[str, Any] | None = field(default=None, hash=False)

    @property
    def parameters(self) -> int | None:
        """The number of weights; None where nobody is sure."""
        count = (self.shape or {}).get("parameters")
        return count if isinstance(count, int) else None

    def folder(self, models_dir: Path) -> Path:
        """The folder this model lives in, whether or not it is there."""
        return models_dir / self.id

    def installed_path(self, models_dir: Path) -> Path | None:
        """The GGUF file of a chat model, the folder of any other; None where a file is missing or of a wrong size."""
        folder = self.folder(models_dir)
        for file in self.files:
            try:
                size = (folder / file.name).stat().st_size
            except OSError:
                return None
            if size == 0 or (file.size is not None and size != file.size):
                return None
        return folder / self.files[0].name if self.kind == "chat" else folder


def load_catalogue(path: Path | None = None) -> list[Entry]:
    """The models that come with the application, in the order of the file.

    Raises ModelError("incompatible") if the catalogue cannot be read.
    """
    return [entry for entry in _read(path or paths.assets_dir() / "models.json") if entry.starter]


def offered(path: Path | None = None) -> list[Entry]:
    """The models that can be downloaded, in the order of the file; errors as in `load_catalogue`."""
    return [entry for entry in _read(path or paths.assets_dir() / "models.json") if not entry.starter]


def find(model_id: str) -> Entry:
    """The entry with this id; ModelError("not_installed") if the catalogue does not have it."""
    entries = [*load_catalogue(), *offered()]
    for entry in entries:
        if entry.id == model_id:
            return entry
    known = ", ".join(entry.id for entry in entries)
    raise ModelError(
        "not_installed", f"There is no model called “{model_id}” in the catalogue.", f"Known models: {known}."
    )


@cache
def _read(path: Path) -> tuple[Entry, ...]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["models"]
        return tuple(_entry(row) for row in rows)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            "incompatible", f"The model catalogue {path} cannot be read: {error}.", "Install the application again."
        ) from error


def _entry(row: dict[str, Any]) -> Entry:
    plain = {key: value for key, value in row.items() if key not in ("source", "files", "languages")}
    return Entry(
        source=Source(**row["source"]),
        files=tuple(ModelFile(**file) for file in row["files"]),
        languages=tuple(row["languages"]),
        **plain,
    )
