"""Bring a model into the application: a file or folder the user picked or dropped, or a finished download.

Nothing is believed unread: the file is inspected before a byte is copied, hashed while it is, and
compared with what the catalogue or the hub said of it. A model that is here already is not copied twice.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from desktop_rag.errors import ModelError, StoreError
from desktop_rag.models.cards import INCOMING, user_models
from desktop_rag.models.catalogue import Entry
from desktop_rag.models.facts import Facts, facts_of
from desktop_rag.models.inspect import inspect
from desktop_rag.models.installed import Installed, installed
from desktop_rag.models.making import (
    Event,
    check_room,
    held,
    id_for,
    progress,
    register,
    unused_id,
    workplace,
)
from desktop_rag.store.files import unwritable

BLOCK_BYTES = 4 << 20
# Of a Hugging Face folder only what an engine reads: no pickles, no programs, no weights of other frameworks.
WANTED = re.compile(r".*\.(json|safetensors|jinja|txt|model|md)$|^licen[cs]e.*$|^model\.bin$", re.IGNORECASE)

Steps = Generator[Event, None, Installed]


def import_model(path: Path, data_dir: Path) -> Generator[Event, None, tuple[Installed, bool]]:
    """Copy the model at `path` among the user's; yields progress, returns it and whether it was here before.

    Raises ModelError as `facts_of` and `check_chat` do, StoreError("disk_full" | "read_only").
    """
    facts = facts_of(path.expanduser().absolute())
    if facts.kind == "reranker" and facts.format == "hf":
        return (yield from _made_reranker(facts.path, data_dir, name=facts.name, source="import"))
    if facts.kind != "reranker":
        check_chat(facts)
    yield progress("Comparing with the models that are here", 0.0)
    size = sum(path.stat().st_size for path in _sources(facts))
    same_size = [model for model in installed(data_dir) if model.size == size and model.format == facts.format]
    if same_size:
        sha256 = yield from _hash(facts)
        known = next((model for model in same_size if model.sha256 == sha256 and not model.problem), None)
        if known is not None:
            return known, True
    with workplace(data_dir, unused_id(_wanted_id(facts), data_dir)) as folder:
        check_room(folder, size)
        sha256 = yield from _copy(facts, folder)
        inside = facts.path.name if facts.path.is_file() else "model"
        return register(data_dir, folder, folder / inside, name=facts.name, source="import", sha256=sha256), False


def place(
    path: Path, data_dir: Path, *, entry: Entry | None = None, repo: str = "", file: str = "", sha256: str | None = None
) -> Generator[Event, None, tuple[Installed, bool]]:
    """Register a finished download that lies at `path` inside the data directory's own folder for them.

    It is hashed again and compared with the catalogue's pin (`entry`) and with `sha256`; a file that
    is not what was promised is deleted. Raises ModelError("checksum" | "truncated" | "incompatible").
    """
    if path.resolve().parent.parent != (user_models(data_dir) / INCOMING).resolve() or not path.exists():
        raise ModelError("not_installed", f"{path.name} is no finished download.", "Import the file instead.")
    # A second download of the same name waits outside until this one has left its folder.
    with held(path.parent):
        return (yield from _place(path, data_dir, entry, repo, file, sha256))


def _place(
    path: Path, data_dir: Path, entry: Entry | None, repo: str, file: str, sha256: str | None
) -> Generator[Event, None, tuple[Installed, bool]]:
    if entry is not None and entry.kind == "reranker":
        return (yield from _place_reranker(path, data_dir, entry))
    try:
        facts = facts_of(path)
        check_chat(facts)
        found = yield from _hash(facts)
        _check_promise(facts, found, entry, sha256)
    except ModelError:
        _discard(path)
        raise
    known = next((model for model in installed(data_dir) if model.sha256 == found and not model.problem), None)
    if known is not None:
        _discard(path)
        return known, True
    model_id = id_for(entry.id, data_dir) if entry else unused_id(_wanted_id(facts), data_dir)
    with workplace(data_dir, model_id) as folder:
        for name in facts.files:
            (path.parent / name).rename(folder / name)
        more: dict[str, Any] = {"origin": {"repo": repo, "file": file}} if repo else {}
        if entry is not None:
            more |= {"name": entry.name, "licence": entry.licence, "catalogue": entry.id}
        model = register(data_dir, folder, folder / path.name, source="download", sha256=found, **more)
    _discard(path)
    return model, False


def _place_reranker(path: Path, data_dir: Path, entry: Entry) -> Generator[Event, None, tuple[Installed, bool]]:
    """The files of a cross-encoder, each compared with its pin, become one that runs here; they are deleted then."""
    total, done = max(1, entry.size), 0
    for file in entry.files:
        found = hashlib.sha256()
        for block in _blocks(path.parent / file.name):
            found.update(block)
            done += len(block)
            yield progress("Checking", done / total)
        if found.hexdigest() != file.sha256:
            _discard(path)
            raise _broken_promise(file.name)
    made = yield from _made_reranker(
        path.parent, data_dir, wanted=entry.id, name=entry.name, licence=entry.licence, source="download",
        languages=list(entry.languages), catalogue=entry.id, origin={"repo": entry.source.repo},
    )  # fmt: skip
    _discard(path)
    return made


def _made_reranker(
    original: Path, data_dir: Path, *, name: str, wanted: str = "", **card: Any
) -> Generator[Event, None, tuple[Installed, bool]]:
    """Convert a cross-encoder's folder and register it; the one that is here is not made twice."""
    from desktop_rag.models.convert_reranker import CARD_VERSION, convert_reranker

    weights = next(iter(sorted(original.glob("*.safetensors"))))
    sha256 = yield from _hash_file(weights)
    made = {"reranker": CARD_VERSION}
    for model in installed(data_dir):
        if model.kind == "reranker" and model.sha256 == sha256 and not model.problem:
            return model, True
    with workplace(data_dir, id_for(wanted, data_dir) if wanted else unused_id(name, data_dir)) as folder:
        check_room(folder, weights.stat().st_size)
        yield from convert_reranker(original, folder / "model", name=name, licence=card.get("licence", ""))
        return register(data_dir, folder, folder / "model", name=name, sha256=sha256, made=made, **card), False


def check_chat(facts: Facts) -> None:
    """Refuse models that are whole but cannot answer questions, each with its own sentence."""
    if facts.format == "gguf":
        info = inspect(facts.path)
        kind = str(info.metadata.get("general.type", ""))
        if kind == "adapter":
            raise _no_chat(facts, "is a LoRA adapter, not a model", "Add it to the model it was made for.")
        if info.architecture == "clip" or kind == "mmproj":
            raise _no_chat(facts, "is the eye of an image model, not a language model", "Choose the model itself.")
        if info.tensors == 0:
            raise _no_chat(facts, "holds a vocabulary only, no weights", "Choose the model itself.")
        if not info.tokenizer:
            raise _no_chat(facts, "has no tokenizer", "Choose a file made for llama.cpp.")
    if facts.kind != "chat":
        what = f"is an encoder ({facts.architecture}): it cannot write answers" if facts.architecture else "cannot chat"
        raise _no_chat(facts, what, "Choose a chat model.")


def _no_chat(facts: Facts, problem: str, hint: str) -> ModelError:
    return ModelError("incompatible", f"{facts.path.name} {problem}.", hint, details={"path": str(facts.path)})


def _check_promise(facts: Facts, found: str, entry: Entry | None, sha256: str | None) -> None:
    pinned = entry.files[0] if entry else None
    promised = [value.lower() for value in (sha256, pinned.sha256 if pinned else None) if value]
    wrong_size = pinned is not None and pinned.size is not None and pinned.size != facts.size
    if wrong_size or any(value != found for value in promised):
        raise _broken_promise(facts.path.name)
    architecture = (entry.shape or {}).get("architecture") if entry else None
    if entry is not None and architecture and architecture != facts.architecture:
        raise ModelError(
            "incompatible",
            f"{facts.path.name} is a {facts.architecture} model; {entry.name} is {architecture}.",
            "It was deleted. Get the model from another place.",
        )


def _broken_promise(name: str) -> ModelError:
    return ModelError(
        "checksum",
        f"{name} is not the file that was promised: its SHA-256 or size differs.",
        "It was deleted. Try again later, or get the model from another place.",
    )


def _wanted_id(facts: Facts) -> str:
    base = facts.name if facts.path.is_dir() else f"{facts.name} {facts.quantisation}".strip()
    return re.sub(r"[\s]+", "-", base)


def _hash(facts: Facts) -> Generator[Event, None, str]:
    """The SHA-256 of a single file; of several files that of their names and hashes, in order."""
    together = hashlib.sha256()
    done = 0
    for source in _sources(facts):
        one = hashlib.sha256()
        for block in _blocks(source):
            one.update(block)
            done += len(block)
            yield progress("Checking", done / max(1, facts.size))
        if len(facts.files) == 1:
            return one.hexdigest()
        together.update(f"{source.name}:{one.hexdigest()}\n".encode())
    return together.hexdigest()


def _hash_file(path: Path) -> Generator[Event, None, str]:
    found, done, size = hashlib.sha256(), 0, max(1, path.stat().st_size)
    for block in _blocks(path):
        found.update(block)
        done += len(block)
        yield progress("Checking", done / size)
    return found.hexdigest()


def _copy(facts: Facts, folder: Path) -> Generator[Event, None, str]:
    """Copy file by file, hashed on the way; returns the same as `_hash` of what was copied."""
    target = folder if facts.path.is_file() else folder / "model"
    together = hashlib.sha256()
    done, single = 0, ""
    for source in _sources(facts):
        root = facts.path if facts.path.is_dir() else facts.path.parent
        copy = target / source.relative_to(root)
        one = hashlib.sha256()
        try:
            copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with copy.open("wb") as file:
                for block in _blocks(source):
                    file.write(block)
                    one.update(block)
                    done += len(block)
                    yield progress("Copying", done / max(1, facts.size))
                file.flush()
                os.fsync(file.fileno())
            copy.chmod(0o600)
        except OSError as error:
            raise unwritable(error, folder) from error
        single = one.hexdigest()
        together.update(f"{source.name}:{single}\n".encode())
    return single if len(facts.files) == 1 else together.hexdigest()


def _sources(facts: Facts) -> list[Path]:
    root = facts.path if facts.path.is_dir() else facts.path.parent
    wanted = facts.files if facts.path.is_file() else [name for name in facts.files if WANTED.match(Path(name).name)]
    return [root / name for name in wanted]


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                yield block
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise StoreError("read_only", f"{path.name} cannot be read: {error.strerror}.", "Check the disk.") from error


def _discard(path: Path) -> None:
    """Delete a download and its folder."""
    shutil.rmtree(path.parent, ignore_errors=True)
