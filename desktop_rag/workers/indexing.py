"""The road of a dropped file: known? -> read -> personal data -> review -> cleaned -> encoded -> ready.

Every step is a generator that gives way often; what a kill leaves behind is taken up again by the
document's state. One file's failure is a row with its cause; the others go on.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import UnreadPage
from desktop_rag.documents.walk import walk
from desktop_rag.errors import DesktopRagError, DocumentError, StoreError
from desktop_rag.store.documents import FINAL
from desktop_rag.workers import allocator, reviewing
from desktop_rag.workers.analysing import analyse_new
from desktop_rag.workers.cleaning import clean, detect
from desktop_rag.workers.encoding import check_writable, encode_document
from desktop_rag.workers.journal import Journal
from desktop_rag.workers.language import language_of
from desktop_rag.workers.library import Library
from desktop_rag.workers.loop import Operation
from desktop_rag.workers.originals import digest, pages, reread
from desktop_rag.workers.overlapping import Waiting, overlapped
from desktop_rag.workers.parsing import ParsedFile
from desktop_rag.workers.removing import erase, fail_document, remove_document
from desktop_rag.workers.rows import document_row, event

# So often memory that is not used any more is given back.
_FILES_A_TIDY = 50
Steps = Generator[dict[str, Any] | None, None, None]
# What happened to documents whose rows could not be written, by their ids.
Untold = dict[str, dict[str, Any]]


def add(library: Library, paths: Iterable[str], collection: int, policy: str, review: bool) -> Operation:
    """Index files and folders; yields a "document" event at every change of state."""
    chosen: list[tuple[str, bool]] = []
    for path in walk(Path(p).expanduser().absolute() for p in paths):
        document, known = yield from enter(library, path, collection, policy, review)
        chosen.append((document, known))
        yield event(library, document, known=known)
    again = [failed for document, known in chosen if known for failed in _failed_inside(library, document)]
    for document in again:
        library.documents.update(document, state="waiting", error=None)
    untold = yield from run(library, [*(document for document, known in chosen if not known), *again])
    whole = {each: known for document, known in chosen for each in family(library, document)}
    return {"documents": finished(library, whole, untold)}


def resume(library: Library) -> Operation:
    """Go on with every document whose indexing was interrupted."""
    waiting = library.documents.unfinished()
    untold = yield from run(library, waiting)
    return {"documents": finished(library, dict.fromkeys(waiting, False), untold)}


def read_again(library: Library, documents: list[str]) -> Operation:
    """Read documents again from their files, such as partly read ones: what is there now takes the place of the old."""
    for document in documents:
        row = library.documents.row(document)
        if row["state"] in FINAL:
            if row["parent_id"] is None:
                sha256, size = yield from digest(Path(row["path"]))
                library.documents.update(document, sha256=sha256, size=size)
            library.documents.update(document, state="waiting", error=None)
            yield event(library, document)
    untold = yield from run(library, documents)
    whole = dict.fromkeys((each for document in documents for each in family(library, document)), False)
    return {"documents": finished(library, whole, untold)}


def _failed_inside(library: Library, document: str) -> list[str]:
    """Files inside a document's file that could not be read: adding it again is another try for them."""
    inside = list(family(library, document))[1:]
    return [each for each in inside if library.documents.row(each)["state"] == "failed"]


def family(library: Library, document: str) -> Iterator[str]:
    """A document, then those found inside its file, each followed by its own."""
    yield document
    for child in library.documents.children(document):
        yield from family(library, child)


def finished(library: Library, documents: dict[str, bool], untold: Untold) -> list[dict[str, Any]]:
    """The rows at the end of a request, of the documents that are still there; the mapping says which were known."""
    return [
        {**document_row(library, document, known=known), **untold.get(document, {})}
        for document, known in documents.items()
        if library.documents.exists(document)
    ]


def run(library: Library, documents: list[str]) -> Generator[dict[str, Any] | None, None, Untold]:
    """Take documents as far as they can go: to ready, or to the review."""
    untold: Untold = {}
    waiting, done = deque(documents), 0

    def each() -> Iterator[Waiting[None]]:
        nonlocal done
        while waiting:
            document = waiting.popleft()
            yield _counted(library, document, done, done + 1 + len(waiting), untold)
            done += 1
            # What was found inside comes next, before the files after it.
            found = [child for child in library.documents.children(document) if child not in documents]
            waiting.extendleft(reversed(found))

    yield from overlapped(each())
    library.fill_cache()
    yield {"event": "progress", "files_done": done, "files_total": done}
    return untold


def _counted(library: Library, document: str, done: int, total: int, untold: Untold) -> Waiting[None]:
    """One document among others: its failure is its own."""
    yield {"event": "progress", "files_done": done, "files_total": total}
    if (done + 1) % _FILES_A_TIDY == 0:
        allocator.give_back()
        yield None
    try:
        begun = library.documents.row(document)["state"]
        yield from _alone(library, document)
    except StoreError as error:
        if error.code == "not_found":  # removed meanwhile
            return
        if error.code != "disk_full":
            raise
        untold[document] = {"state": "failed", "error": error.cause()}
        yield {**event(library, document), **untold[document]}
    except DesktopRagError as error:
        if error.code == "encrypted" and begun != "waiting":
            _keep_locked(library, document, begun, error)
        else:
            fail_document(library, document, error)
        yield event(library, document)


def _keep_locked(library: Library, document: str, state: str, error: DesktopRagError) -> None:
    """A file that was opened before, without its password today: what is known of it stays until it is given again."""
    cause = {**error.cause(), "hint": "Add it again with its password."}
    library.documents.update(document, state=state, error=json.dumps(cause))


def _alone(library: Library, document: str) -> Waiting[None]:
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


def accept(
    library: Library,
    documents: list[str],
    decisions: Mapping[str, Mapping[str, bool]],
    marks: Mapping[str, list[dict[str, Any]]] | None = None,
    policies: Mapping[str, str] | None = None,
) -> Operation:
    """Store the reviewer's decisions (see `reviewing.store`) and index the documents that wait for their review.

    One whose decisions cannot be stored is not indexed, nor those after it; the StoreError comes after the others.
    """
    refused: StoreError | None = None
    for row in [library.documents.row(document) for document in documents]:
        if row["state"] != "reviewing" or refused is not None:
            continue
        document = row["id"]
        ticks, own, policy = decisions.get(document), (marks or {}).get(document), (policies or {}).get(document)
        try:
            reviewing.store(library, row, ticks or {}, own or (), policy, state="cleaning")
        except StoreError as error:
            refused = error
    for document in documents:
        if library.documents.exists(document):
            yield event(library, document)
    untold = yield from run(library, documents)
    if refused is not None:
        raise refused
    return {"documents": finished(library, dict.fromkeys(documents, False), untold)}


def enter(
    library: Library, path: Path, collection: int, policy: str, review: bool
) -> Generator[None, None, tuple[str, bool]]:
    """The row of a path: the existing one if this content is known, else a new one. Returns (document, known)."""
    try:
        sha256, size = yield from digest(path)
    except DocumentError as error:
        document = _new(library, path, collection, policy, review)
        library.documents.fail(document, error)
        return document, False
    existing = library.documents.known(collection, sha256, policy)
    if existing is not None:
        row = library.documents.row(existing)
        if row["path"] != str(path) and not (yield from _still_holds(Path(row["path"]), sha256)):
            library.documents.move(existing, path)
        return existing, _take_up(library, row, review)
    document = _new(library, path, collection, policy, review)
    library.documents.update(document, sha256=sha256, size=size)
    return document, False


def _new(library: Library, path: Path, collection: int, policy: str, review: bool) -> str:
    """A new row in place of a failed one of the same path."""
    if library.collections.find(collection) is None:
        raise StoreError("not_found", "The collection was deleted while files were added to it.", "Choose another one.")
    for earlier in library.documents.at_path(collection, path):
        if library.documents.row(earlier)["state"] == "failed":
            remove_document(library, earlier)
    return library.documents.add(path, collection, policy, review)


def _still_holds(path: Path, sha256: str) -> Generator[None, None, bool]:
    """Whether the file a row points to is there with the row's content.

    Else the row belongs to the file that has it now: a changed file's new version takes the place of
    what its path points to, and must not take the content of another file along.
    """
    try:
        found, _ = yield from digest(path)
    except DocumentError:
        return False
    return found == sha256


def _take_up(library: Library, row: dict[str, Any], review: bool) -> bool:
    """Bring the row of known content up to this request; returns whether nothing is left to do for it."""
    if row["review"] and not review:
        state = "cleaning" if row["state"] == "reviewing" else row["state"]
        library.documents.update(row["id"], review=0, state=state)
        return state in FINAL
    return row["state"] in (*FINAL, "reviewing")


def _advance(library: Library, document: str) -> Waiting[None]:
    row = library.documents.row(document)
    if row["state"] in (*FINAL, "reviewing"):
        yield event(library, document)
        return
    check_writable(library, row["collection_id"])
    if row["state"] in ("waiting", "reading"):
        parsed = yield from _read(library, row)
        yield from _enter_children(library, row, parsed)
        yield from _find(library, row, parsed)
        # Another request may have asked meanwhile to go on without a review.
        if library.documents.row(document)["review"] and row["policy"] != "keep" and parsed.read_pages:
            library.documents.update(document, state="reviewing")
            yield event(library, document)
            return
        library.documents.update(document, state="cleaning")
        yield event(library, document)
        yield from clean(library, row, parsed.pages)
    elif row["state"] == "cleaning":
        parsed = yield from reread(library, row, library.parser)
        yield from clean(library, row, parsed.pages)
    yield from analyse_new(library, document)
    Journal(library.db, row).close()
    yield event(library, document)
    yield from _encode(library, library.documents.row(document))
    for earlier in _earlier_versions(library, row):
        yield from erase(library, earlier)
    yield event(library, document)


def _enter_children(library: Library, row: dict[str, Any], parsed: ParsedFile) -> Steps:
    """A row for each file inside, in place of those of an earlier attempt; the same content comes once."""
    for earlier in library.documents.children(row["id"]):
        yield from erase(library, earlier)
        yield None
    seen = {row["sha256"]}
    for found in parsed.children:
        if found.sha256 is not None and found.sha256 in seen:
            continue
        seen.add(found.sha256 or "")
        child = library.documents.add_child(row["id"], found.name, found.sha256 or "", found.size)
        error = found.error
        if error is None and len(row["member"]) >= Limits().max_depth:
            error = DocumentError("too_large", "This file lies too deep inside others.", "Unpack it and add it alone.")
        if error is not None:
            library.documents.fail(child, error)
        yield event(library, child)


def _earlier_versions(library: Library, row: dict[str, Any]) -> list[str]:
    """Documents added from the same path before; the new content takes their place."""
    if row["parent_id"] is not None:
        return []
    path = Path(library.documents.row(row["id"])["path"])
    same = library.documents.at_path(row["collection_id"], path)
    return [other for other in same if library.documents.row(other)["added"] < row["added"]]


def _read(library: Library, row: dict[str, Any]) -> Generator[dict[str, Any] | None, None, ParsedFile]:
    document = row["id"]
    library.documents.update(document, state="reading")
    yield event(library, document)
    parsed = yield from _pages(library, row)
    sha256, size = (row["sha256"], row["size"]) if row["member"] else (yield from digest(Path(row["path"])))
    if sha256 != row["sha256"]:
        # It was saved anew since it was hashed; what was read may be a mix. Should it change once more,
        # the hash is that of an earlier version and the next `add` reads it again.
        library.documents.update(document, sha256=sha256, size=size)
        Journal(library.db, row).close()
        parsed = yield from _pages(library, row)
    texts = [page.text for page in parsed.pages if not isinstance(page, UnreadPage)]
    info = parsed.info
    library.documents.update(
        document,
        format=info.format if info else None,
        pages=len(parsed.pages) if any(p.number for p in parsed.pages) else None,
        pages_read=parsed.read_pages if any(p.number for p in parsed.pages) else None,
        pages_ocr=parsed.recognised_pages,
        language=language_of(texts),
        title=None,
    )
    return parsed


def _pages(library: Library, row: dict[str, Any]) -> Generator[dict[str, Any] | None, None, ParsedFile]:
    parsed = ParsedFile()
    reported = 0
    for found in pages(library, row, library.parser):
        parsed = found or parsed
        # A page that is read by text recognition takes seconds: each is told.
        if parsed.read_pages >= reported + (1 if parsed.recognised_pages else 20) and parsed.info:
            reported = parsed.read_pages
            told = {"pages": parsed.info.pages, "pages_read": reported, "pages_ocr": parsed.recognised_pages}
            yield {"event": "reading", "document": row["id"], **told}
        else:
            yield None
    return parsed


def _find(library: Library, row: dict[str, Any], parsed: ParsedFile) -> Steps:
    for_store = yield from detect(library, row, parsed.pages)
    library.documents.store_findings(row["id"], for_store)


def _encode(library: Library, row: dict[str, Any]) -> Waiting[None]:
    """Vectors for the chunks that have none, to the database first, then to Chroma; then the document is ready."""
    document, collection = row["id"], row["collection_id"]
    yield from encode_document(library, row)
    library.vectors.changed(collection)
    library.cache(collection, (chunk["chunk"] for chunk in library.documents.chunks(document)))
    unread = [page for page in library.documents.page_rows(document) if page["unread"]]
    state, cause = ("partly_read", _partly(unread)) if unread else ("ready", None)
    library.documents.update(document, state=state, encoded=1, error=cause)


def _partly(unread: list[dict[str, Any]]) -> str:
    places = [str(page["number"] or page["locator"] or "one part") for page in unread]
    shown = ", ".join(places[:8]) + ("…" if len(places) > 8 else "")
    # Where all have one cause it is told, without "on this page": the sentence names the pages.
    causes = {str(page["unread"]).removesuffix(" on this page") for page in unread}
    why = f" ({causes.pop()})" if len(causes) == 1 else ""
    if len(unread) > 1:
        message = f"{len(unread)} of its pages could not be read{why}: {shown}."
    else:
        message = f"{'Page ' if unread[0]['number'] else ''}{shown} could not be read{why}."
    message = message[:1].upper() + message[1:]
    return json.dumps({"code": "partly_read", "message": message, "hint": "The rest can be searched."})
