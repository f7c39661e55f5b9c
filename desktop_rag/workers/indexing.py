"""The road of a dropped file: known? -> read -> personal data -> review -> cleaned -> encoded -> ready.

Every step is a generator that gives way often; what a kill leaves behind is taken up again by the
document's state. One file's failure is a row with its cause; the others go on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import UnreadPage
from desktop_rag.documents.walk import walk
from desktop_rag.errors import DesktopRagError, DocumentError, StoreError
from desktop_rag.retrieval.encode import Vectors
from desktop_rag.store.connection import transaction
from desktop_rag.store.documents import FINAL
from desktop_rag.workers.cleaning import clean, detect
from desktop_rag.workers.language import language_of
from desktop_rag.workers.library import Library
from desktop_rag.workers.loop import Operation
from desktop_rag.workers.parsing import ParsedFile
from desktop_rag.workers.removing import fail_document, remove_document
from desktop_rag.workers.rows import document_row, event

Steps = Generator[dict[str, Any] | None, None, None]
_HASH_BLOCK = 1 << 22


def add(library: Library, paths: Iterable[str], collection: int, policy: str, review: bool) -> Operation:
    """Index files and folders; yields a "document" event at every change of state."""
    chosen: list[tuple[str, bool]] = []
    for path in walk(Path(p).expanduser().absolute() for p in paths):
        document, known = yield from _enter(library, path, collection, policy, review)
        chosen.append((document, known))
        yield event(library, document, known=known)
    yield from run(library, [document for document, known in chosen if not known])
    unique = dict(chosen)
    return {"documents": [document_row(library, d, known=k) for d, k in unique.items() if library.documents.exists(d)]}


def run(library: Library, documents: list[str]) -> Steps:
    """Take documents as far as they can go: to ready, or to the review."""
    for number, document in enumerate(documents):
        yield {"event": "progress", "files_done": number, "files_total": len(documents)}
        try:
            yield from _alone(library, document)
        except StoreError as error:
            if error.code == "not_found":  # removed meanwhile
                continue
            if error.code != "disk_full":
                raise
            yield {**event(library, document), "state": "failed", "error": error.to_payload()}
        except DesktopRagError as error:
            fail_document(library, document, error)
            yield event(library, document)
    yield {"event": "progress", "files_done": len(documents), "files_total": len(documents)}


def _alone(library: Library, document: str) -> Steps:
    """Take one document as far as it can go, while no other request works on it.

    Raises StoreError("not_found") as soon as somebody removed it: others run at every `yield`.
    """
    while document in library.at_work:
        yield None
    library.at_work.add(document)
    try:
        for step in _advance(library, document):
            yield step
            library.documents.row(document)
    finally:
        library.at_work.discard(document)


def accept(library: Library, documents: list[str], decisions: dict[str, dict[str, bool]]) -> Operation:
    """Store the reviewer's ticks and index the documents."""
    for document in documents:
        ticks = decisions.get(document) or {}
        library.documents.decide([(int(span), bool(replace)) for span, replace in ticks.items()])
        if library.documents.row(document)["state"] == "reviewing":
            library.documents.update(document, state="cleaning")
        yield event(library, document)
    yield from run(library, documents)
    return {"documents": [document_row(library, d) for d in documents if library.documents.exists(d)]}


def _enter(
    library: Library, path: Path, collection: int, policy: str, review: bool
) -> Generator[None, None, tuple[str, bool]]:
    """The row of a path: the existing one if this content is known, else a new one. Returns (document, known)."""
    try:
        sha256, size = yield from digest(path)
    except DocumentError as error:
        for stale in library.documents.at_path(collection, path):
            if library.documents.row(stale)["state"] == "failed":
                library.documents.forget(stale)
        document = library.documents.add(path, collection, policy, review)
        library.documents.fail(document, error)
        return document, False
    existing = library.documents.known(collection, sha256, policy)
    if existing is not None:
        state = library.documents.row(existing)["state"]
        return existing, state in ("ready", "partly_read", "reviewing")
    for earlier in library.documents.at_path(collection, path):
        if library.documents.row(earlier)["state"] == "failed":
            library.documents.forget(earlier)
    document = library.documents.add(path, collection, policy, review)
    library.documents.update(document, sha256=sha256, size=size)
    return document, False


def digest(path: Path) -> Generator[None, None, tuple[str, int]]:
    """The file's SHA-256 and size. Raises DocumentError for what is missing, empty or too large to be read at all."""
    try:
        size = path.stat().st_size
        if size == 0:
            raise DocumentError("empty", "The file is empty.", "Check that it was saved completely.")
        if size > Limits().max_bytes:
            raise DocumentError(
                "too_large",
                f"The file has {size // 10**6} MB; up to {Limits().max_bytes // 10**6} MB are read.",
                "Split it into parts.",
            )
        content = hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(_HASH_BLOCK):
                content.update(block)
                yield
    except FileNotFoundError as error:
        raise DocumentError(
            "not_found", "The file is not there any more.", "It may have been moved or deleted."
        ) from error
    except OSError as error:
        raise DocumentError(
            "unreadable", f"The file cannot be opened: {error.strerror}.", "Check its permissions."
        ) from error
    return content.hexdigest(), size


def _advance(library: Library, document: str) -> Steps:
    row = library.documents.row(document)
    if row["state"] in (*FINAL, "reviewing"):
        yield event(library, document)
        return
    library.check_encoder(row["collection_id"])
    if row["state"] in ("waiting", "reading"):
        parsed = yield from _read(library, row)
        yield from _find(library, row, parsed)
        if row["review"] and row["policy"] != "keep":
            library.documents.update(document, state="reviewing")
            yield event(library, document)
            return
        library.documents.update(document, state="cleaning")
        yield event(library, document)
        yield from clean(library, row, parsed.pages)
    elif row["state"] == "cleaning":
        parsed = yield from reread(library, row)
        yield from clean(library, row, parsed.pages)
    yield event(library, document)
    yield from _encode(library, library.documents.row(document))
    for earlier in _earlier_versions(library, row):
        remove_document(library, earlier)
    yield event(library, document)


def _earlier_versions(library: Library, row: dict[str, Any]) -> list[str]:
    """Documents read from the same path before; the new content takes their place."""
    same = library.documents.at_path(row["collection_id"], Path(row["path"]))
    return [other for other in same if other != row["id"]]


def _read(library: Library, row: dict[str, Any]) -> Generator[dict[str, Any] | None, None, ParsedFile]:
    document = row["id"]
    library.documents.update(document, state="reading")
    yield event(library, document)
    parsed = ParsedFile()
    reported = 0
    for parsed in _attempts(library, Path(row["path"])):
        if parsed.read_pages >= reported + 20 and parsed.info:
            reported = parsed.read_pages
            yield {"event": "reading", "document": document, "pages": parsed.info.pages, "pages_read": reported}
        else:
            yield None
    texts = [page.text for page in parsed.pages if not isinstance(page, UnreadPage)]
    info = parsed.info
    library.documents.update(
        document,
        format=info.format if info else None,
        pages=len(parsed.pages) if any(p.number for p in parsed.pages) else None,
        pages_read=parsed.read_pages if any(p.number for p in parsed.pages) else None,
        pages_ocr=None,
        language=language_of(texts),
        title=None,
    )
    return parsed


def _attempts(library: Library, path: Path) -> Iterator[ParsedFile]:
    """Read without a password, then with each one the user gave."""
    waiting: list[str | None] = [None, *library.passwords]
    while True:
        password = waiting.pop(0)
        try:
            yield from library.parser.read(path, password)
            return
        except DocumentError as error:
            if error.code != "encrypted" or not waiting:
                raise


def _find(library: Library, row: dict[str, Any], parsed: ParsedFile) -> Steps:
    for_store = yield from detect(library, parsed.pages, row["policy"], row["collection_id"])
    library.documents.store_findings(row["id"], for_store)


def reread(library: Library, row: dict[str, Any]) -> Generator[None, None, ParsedFile]:
    """Read a document again whose findings are stored. Raises DocumentError when the file is gone or changed."""
    path = Path(row["path"])
    yield from unchanged(row)
    parsed = ParsedFile()
    for parsed in _attempts(library, path):  # noqa: B007 - the last one is complete
        yield
    return parsed


def unchanged(row: dict[str, Any]) -> Generator[None, None, None]:
    """Raise DocumentError when the user's file is gone or is not what was indexed."""
    if (yield from digest(Path(row["path"])))[0] != row["sha256"]:
        raise DocumentError("not_found", "The file was changed since it was read.", "Add it again.")


def _encode(library: Library, row: dict[str, Any]) -> Steps:
    """Vectors for the chunks that have none, to the database first, then to Chroma; then the document is ready."""
    document, collection = row["id"], row["collection_id"]
    chunks = library.documents.unencoded(document)
    with transaction(library.db):
        encoder = library.vectors.encoder_id(library.encoder.card)
        library.collections.set_encoder(collection, encoder)
    texts = [f"{c['context']}\n{c['text']}" if c["context"] else c["text"] for c in chunks]
    for indexes, vectors in library.encoder.encode(texts):
        by_chunk: dict[int, Vectors] = {chunks[i]["chunk"]: vector for i, vector in zip(indexes, vectors, strict=True)}
        with transaction(library.db):
            library.vectors.add(encoder, by_chunk)
        yield None
    library.vectors.changed(collection)
    library.recache(collection, lambda: _fill_chroma(library, document, collection))
    unread = [p["number"] or p["locator"] for p in library.documents.page_rows(document) if p["unread"]]
    state, cause = ("partly_read", _partly(unread)) if unread else ("ready", None)
    library.documents.update(document, state=state, encoded=1, error=cause)


def _fill_chroma(library: Library, document: str, collection: int) -> None:
    import numpy as np

    ids = [c["chunk"] for c in library.documents.chunks(document)]
    held = library.vectors.get(ids)
    if held:
        library.chroma.add(collection, list(held), np.stack(list(held.values())))


def _partly(unread: list[Any]) -> str:
    shown = ", ".join(str(page) for page in unread[:8]) + ("…" if len(unread) > 8 else "")
    return json.dumps(
        {
            "code": "partly_read",
            "message": f"{len(unread)} of its pages could not be read: {shown}.",
            "hint": "The other pages can be searched; reading scanned pages is not available yet.",
        }
    )
