"""One collection in one file, for another computer or a colleague: writing it, and bringing it into a library."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import Any

from desktop_rag.privacy.finding import Detector, Finding
from desktop_rag.privacy.question import map_question
from desktop_rag.privacy.vault import Entry, Vault
from desktop_rag.retrieval.fuse import Fusion
from desktop_rag.store.collections import StoredEncoder
from desktop_rag.store.export_file import opened, write_export
from desktop_rag.store.exporting import copy_collection, identity
from desktop_rag.store.importing import Imported, import_rows
from desktop_rag.store.served import name_imported, server
from desktop_rag.workers.backing_up import beside
from desktop_rag.workers.indexing import run
from desktop_rag.workers.library import Library
from desktop_rag.workers.loop import Operation
from desktop_rag.workers.removing import erase

_READY = ("ready", "partly_read")
_NAMES_A_STEP = 16
_BETWEEN_WORDS = re.compile(r"[_\W]+")


def export_collection(
    library: Library, collection: int, target: Path, passphrase: bytes, *, originals: bool
) -> Operation:
    """Write a collection into one file; what is not indexed is left out, and counted.

    Returns {file, bytes, uuid, collection, documents, passages, left_out, originals, kept}: `kept` tells how many
    documents keep their personal data, which is in the file then.
    """
    identity(library.db, collection)
    rows = library.documents.rows(collection)
    ready = [row for row in rows if row["state"] in _READY and row["encoded"]]
    names = yield from names_elsewhere(library, collection, ready)
    own = library.collections.need(collection)
    name = own["name"] if own["policy"] == "keep" else _said(library, collection, own["name"])
    database = library.data_dir / "library.db"
    done = yield from beside(
        lambda step: write_export(
            target,
            passphrase,
            lambda into: copy_collection(
                database, library.key, into, collection, name, names, step, originals=originals
            ),
        )
    )
    return {
        "file": done["file"],
        "bytes": done["bytes"],
        "uuid": done["uuid"],
        "collection": own["name"],
        "documents": done["documents"],
        "passages": done["chunks"],
        "left_out": len(rows) - done["documents"],
        "originals": originals,
        "kept": sum(row["policy"] == "keep" for row in ready),
    }


def import_collection(library: Library, file: Path, passphrase: bytes) -> Operation:
    """Bring an export into the library, or up to date what an earlier one brought; nothing unless all of it verifies.

    Returns {collection, added, unchanged, removed, documents, encoded_anew}. Killed after its rows are in, the next
    start goes on.
    """
    with ExitStack() as stack:
        whole = yield from beside(
            lambda _step: {"export": stack.enter_context(opened(file, passphrase, library.data_dir))}
        )
        source, manifest = whole["export"]
        if manifest.get("fusion") is not None:
            Fusion.read(str(manifest["fusion"]))
        done = import_rows(library.db, source, manifest, partial(_encoder_id, library))
    library.forget_vault(done.collection)
    if server(library.db, done.collection) is not None:
        name_imported(library.db, done.collection)
    lacking = sum(bool(_lacking(library, done, document)) for document in done.added)
    for document in done.gone:
        yield from erase(library, document)
    untold = yield from run(library, done.added)
    rows = [library.documents.row(document) for document in done.added if library.documents.exists(document)]
    return {
        "collection": library.collections.need(done.collection)["name"],
        "added": len(done.added),
        "unchanged": done.unchanged,
        "removed": len(done.gone),
        "documents": [{key: row[key] for key in ("id", "name", "state")} | untold.get(row["id"], {}) for row in rows],
        "encoded_anew": lacking,
    }


def _lacking(library: Library, done: Imported, document: str) -> Sequence[Mapping[str, Any]]:
    """The passages without a vector that the collection can be searched with."""
    in_use = library.collections.encoders(done.collection).in_use
    return library.documents.unencoded(document, in_use.id if in_use is not None else 0)


def _encoder_id(library: Library, row: Mapping[str, Any]) -> int | None:
    """The id here of an encoder that an export tells of, if it is installed in the same version."""
    try:
        card = json.loads(row["card"])
    except ValueError:
        return None
    told = StoredEncoder(0, row["fingerprint"], card if isinstance(card, dict) else {})
    if not library.is_installed(told):
        return None
    installed = library.card(told.name)
    return library.vectors.encoder_id(installed) if installed.dimension == row["dimension"] else None


def names_elsewhere(
    library: Library, collection: int, rows: Sequence[Mapping[str, Any]]
) -> Generator[None, None, dict[str, str]]:
    """By document what it is called elsewhere: a file is often named after somebody whom its text does not name."""
    found = {}
    for done, row in enumerate(rows):
        found[row["id"]] = row["name"] if row["policy"] == "keep" else _cleaned(library, collection, row["name"])
        if done % _NAMES_A_STEP == 0:
            yield
    return found


def _cleaned(library: Library, collection: int, name: str) -> str:
    path = PurePath(name)
    # Finders of names read words, not what file names put between them.
    plain = _BETWEEN_WORDS.sub(" ", path.stem).strip()
    seen = _said(library, collection, plain)
    return name if seen == plain else f"{seen}{path.suffix}"


def _said(library: Library, collection: int, text: str) -> str:
    """A name with classes in place of what is, or may be, personal data."""
    rules, detector = library.rules.holding(collection), _Unheard(library, collection)
    return map_question(text, [library.vault(collection)], detector, _class_of, rules=rules).stored_text


@dataclass(frozen=True, slots=True)
class _Unheard(Detector):
    """The library's detector without single words that the cleaned documents say too: they reveal nothing more.

    Of a short name like "parts" nobody can tell otherwise whether it is somebody's.
    """

    library: Library
    collection: int

    def detect(self, texts: Sequence[str]) -> Iterator[list[Finding]]:
        """See Detector."""
        for text, found in zip(texts, self.library.detector.detect(texts), strict=True):
            yield [finding for finding in found if self._unheard(text[finding.start : finding.end])]

    def _unheard(self, value: str) -> bool:
        lexical, here = self.library.lexical, [self.collection]
        return len(value.split()) > 1 or all(lexical.missing(words, here) for words in lexical.analyses(value, here))


def _class_of(_vault: Vault, entry: Entry, _written: str) -> Sequence[str]:
    return (f"[{entry.label}]",)
