"""`doctor`: versions, paths, models, whether the index agrees with itself, how the processes are sealed."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any

import desktop_rag
from desktop_rag import paths, torch_part
from desktop_rag.errors import DesktopRagError, SearchError
from desktop_rag.models.catalogue import load_catalogue
from desktop_rag.models.starter import REPAIR
from desktop_rag.store.connection import transaction
from desktop_rag.workers import encoding
from desktop_rag.workers.compacting import free_bytes
from desktop_rag.workers.library import Library
from desktop_rag.workers.program import AS_ROOT, is_root

_PACKAGES = (
    *("PySide6-Essentials", "llama-cpp-python", "ctranslate2", "gpt4all", "sentence-transformers", "torch", "chromadb"),
    *("presidio-analyzer", "spacy", "sqlcipher3-wheels", "pypdfium2"),
)
_PROTECTION = {
    "file": "The library's key lies in a file of the configuration folder: protected by file permissions only.",
}


def examine(library: Library, seal: str) -> dict[str, Any]:
    """The library's part of `doctor`; the terminal adds the processes it knows."""
    index, problems = _index(library)
    problems += [_PROTECTION[library.key.protection]] if library.key.protection in _PROTECTION else []
    problems += [AS_ROOT] if is_root() else []
    models = []
    # An original is needed only where it is converted; the installed application brings the converted one.
    converted = {
        entry.source.converted_from
        for entry in load_catalogue()
        if entry.installed_path(paths.models_dir()) is not None
    }
    for entry in load_catalogue():
        installed = entry.installed_path(paths.models_dir())
        models.append(
            {"id": entry.id, "kind": entry.kind, "installed": installed is not None, "licence": entry.licence}
        )
        if installed is None and entry.id not in converted:
            problems.append(f"The model {entry.name} is not installed. {REPAIR}")
    readable = readable_collections(library)
    if readable:
        problems.append("Vectors of these collections lie unencrypted in Chroma's files: " + ", ".join(readable) + ".")
    encoders, not_installed = _encoders(library)
    problems += not_installed
    waiting = len(library.documents.unfinished())
    if waiting:
        problems.append(f"{waiting} documents are not indexed yet: add them again, or open the window to go on.")
    return {
        "versions": {"desktop-rag": desktop_rag.__version__, "python": platform.python_version(), **_versions()},
        "paths": {"data": str(library.data_dir), "models": str(paths.models_dir()), "config": str(paths.config_dir())},
        "models": models,
        "encoders": encoders,
        "index": index,
        "seal": {"library": seal, "parse": _parse_seal(library)},
        "key": library.key.protection,
        "problems": problems,
    }


def _index(library: Library) -> tuple[dict[str, Any], list[str]]:
    problems = []
    chunks = library.db.execute("SELECT count(*) FROM chunks").fetchone()[0]
    documents = library.db.execute("SELECT count(*) FROM documents").fetchone()[0]
    if not library.lexical.agrees():
        with transaction(library.db):
            library.lexical.rebuild()
        problems.append("The index of words was put right from the passages.")
    lexical, stored, vectors = library.lexical.count(), library.vectors.count(), 0
    for collection in library.collections.all():
        held, told = _held(library, collection)
        vectors += held
        problems += told
    parity = chunks == lexical == stored == vectors
    index = {"documents": documents, "chunks": chunks, "lexical": lexical, "vectors": vectors, "parity": parity}
    index["free_mb"] = round(free_bytes(library) / 1e6, 2)
    return index, problems if parity else [*problems, "Some passages are not indexed completely yet."]


def _held(library: Library, collection: dict[str, Any]) -> tuple[int, list[str]]:
    """How many vectors of a collection can be searched, and what was or is wrong with them."""
    number, name = collection["id"], collection["name"]
    if library.cached(number):
        try:
            repaired = library.ensure_parity(number)
            told = [f"{repaired} vectors of “{name}” were put right from the database."] if repaired else []
            return library.chroma.count(number), told
        except Exception:  # noqa: BLE001 - Chroma's edge: what is wrong with the cache is told, and the rest too
            told = [f"The vector cache of “{name}” cannot be written; each search compares all its vectors."]
            return library.vectors.count(number), told
    return library.vectors.count(number), []


def _encoders(library: Library) -> tuple[list[dict[str, Any]], list[str]]:
    """The cards of the encoders that collections are searched with, and what is wrong with them."""
    cards, problems = {}, []
    for row in library.collections.all():
        told = encoding.described(library, row)["encoder"]
        if told is not None:
            cards[told["fingerprint"]] = told
        try:
            library.check_encoder(row["id"])
        except SearchError as error:
            problems.append(f"{error.message} {error.hint}")
    return list(cards.values()), problems


def readable_collections(library: Library) -> list[str]:
    """The names of the collections whose vectors lie in Chroma's files, which are not encrypted."""
    return [c["name"] for c in library.collections.all() if library.cached(c["id"])]


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found | {"torch": torch_part.version()}


def _parse_seal(library: Library) -> str | None:
    try:
        library.parser.ensure()
    except DesktopRagError:
        return None
    return library.parser.seal
