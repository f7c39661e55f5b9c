"""Removing a document: text, vectors, lexical rows, quotes, saved KV, vault entries nothing else uses.

A long document goes in steps, so that a question need not wait. That it is going is noted first: a kill in between is
made good at the next start. What is remembered of it to prove that it is gone (`Erased`) is held in memory only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from desktop_rag.errors import DesktopRagError
from desktop_rag.privacy.phrases import phrases
from desktop_rag.retrieval.encode import Vectors
from desktop_rag.store import served
from desktop_rag.store.connection import transaction
from desktop_rag.store.judged import Judged
from desktop_rag.store.vault import delete_unused
from desktop_rag.workers.library import Library
from desktop_rag.workers.quotations import Quotations

_VECTOR_SAMPLE = 50
_CHUNKS_A_STEP = 100
_PAGES_A_STEP = 100
_ENTRIES_A_STEP = 500
_PAGES_FOR_PHRASES = 16
_GOING = "removing"
Steps = Generator[None, None, "Erased"]


@dataclass(slots=True)
class Erased:
    """What went with one document, and what to look for afterwards."""

    document: str
    name: str
    path: str
    sha256: str | None
    counts: Counter[str] = field(default_factory=Counter)
    """What was erased, by the kinds of `desktop_rag.privacy.receipt`."""
    phrases: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    """The vault's values that nothing else uses."""
    inside: list[Erased] = field(default_factory=list)
    chunks: list[int] = field(default_factory=list)
    absent: bool = False
    """Whether no table, no file of Chroma's and no saved KV memory knew it any more right afterwards."""
    watched: bool = False
    """Whether its file lies in a watched folder, where it will be found again."""
    server: str | None = None
    """The team's server that still has its vectors."""

    def family(self) -> Iterator[Erased]:
        """This one, then those that were found inside its file."""
        yield self
        for child in self.inside:
            yield from child.family()


@dataclass(slots=True)
class _Known:
    """What has to be asked before it goes: its row, its vault entries and their values by alias id, some vectors."""

    row: dict[str, Any]
    entries: list[int]
    values: dict[int, str]
    vectors: list[Vectors]
    going: bool = False
    gone_entries: list[int] = field(default_factory=list)
    gone_aliases: list[int] = field(default_factory=list)

    def note(self, erased: Erased, entries: list[int], aliases: list[int]) -> None:
        """Vault entries and spellings went."""
        self.gone_entries += entries
        self.gone_aliases += aliases
        erased.counts["vault_entries"] += len(entries)
        erased.counts["spellings"] += len(aliases)
        erased.values += [self.values[alias] for alias in aliases if alias in self.values]


def erase(library: Library, document: str, quotations: Quotations | None = None) -> Steps:
    """Erase one document everywhere, with those found inside its file; `quotations` are shown its text before.

    Closing the generator leaves a document whole, or erases it whole. Raises StoreError("not_found").
    """
    row = library.documents.row(document)
    inside = []
    for child in library.documents.children(document):
        inside += [(yield from erase(library, child, quotations))]
    erased = Erased(document, row["name"], row["path"], row["sha256"], inside=inside)
    known = _remember(library, erased, row)
    if document in library.at_work:
        # Who is at work on it would write again between two steps.
        for _ in _in_steps(library, erased, known, quotations):
            pass
        _drop(library, erased, known)
        return erased
    library.at_work.add(document)
    try:
        yield from _in_steps(library, erased, known, quotations)
        _drop(library, erased, known)
    except GeneratorExit:
        if known.going:
            _drop(library, erased, known)
        raise
    finally:
        library.at_work.discard(document)
    return erased


def remove_document(library: Library, document: str) -> Erased:
    """Erase one document in one go. Raises StoreError("not_found")."""
    steps = erase(library, document)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            erased: Erased = stop.value
            return erased


def remove_left_over(library: Library) -> None:
    """Erase what a kill left behind: documents that were going, and versions of files whose newer one is indexed."""
    going = library.db.execute("SELECT document_id FROM journal WHERE kind = ?", (_GOING,)).fetchall()
    for document in [*(row[0] for row in going), *library.documents.superseded()]:
        if library.documents.exists(document):
            remove_document(library, document)


def fail_document(library: Library, document: str, error: DesktopRagError) -> None:
    """Record why a document could not be indexed; no passage, term, vector or vault entry of a half-made one stays."""
    collection = library.documents.row(document)["collection_id"]
    _uncache(library, document, collection)
    with transaction(library.db):
        _drop_passages(library, _chunks(library, document))
    library.documents.fail(document, error)
    with transaction(library.db):
        delete_unused(library.db, collection)
    _forget(library, collection)


# -- before ------------------------------------------------------------------------------------


def _remember(library: Library, erased: Erased, row: dict[str, Any]) -> _Known:
    document = erased.document
    own = "SELECT id FROM pages WHERE document_id = ?"
    pages = [found[0] for found in library.db.execute(f"{own} ORDER BY ordinal", (document,))]
    shown = pages[:: max(1, len(pages) // _PAGES_FOR_PHRASES)]
    marks = ",".join("?" * len(shown))
    said = library.db.execute(f"SELECT text FROM pages WHERE text IS NOT NULL AND id IN ({marks})", shown)
    erased.phrases = phrases([found[0] for found in said])
    erased.chunks = _chunks(library, document)
    erased.server = served.server_of(library.db, document)
    erased.watched = not row["member"] and bool(library.folders.names(row["path"]))
    for kind, rows in (
        ("pages", "pages WHERE document_id = ?"),
        ("passages", "chunks WHERE document_id = ?"),
        ("vectors", "vectors JOIN chunks ON chunks.id = chunk_id WHERE document_id = ?"),
        ("marked_places", "spans JOIN pages ON pages.id = page_id WHERE document_id = ?"),
        ("reading_notes", "journal WHERE document_id = ?"),
    ):
        erased.counts[kind] = library.db.execute(f"SELECT count(*) FROM {rows}", (document,)).fetchone()[0]
    entries = f"SELECT entry_id FROM spans WHERE page_id IN ({own})"
    spellings = library.db.execute(
        f"SELECT id, entry_id, value FROM aliases WHERE entry_id IN ({entries})", (document,)
    ).fetchall()
    values = {found["id"]: found["value"] for found in spellings}
    vectors = library.vectors.get(erased.chunks[:_VECTOR_SAMPLE])
    return _Known(row, sorted({found["entry_id"] for found in spellings}), values, list(vectors.values()))


def _chunks(library: Library, document: str) -> list[int]:
    rows = library.db.execute("SELECT id FROM chunks WHERE document_id = ? ORDER BY ordinal", (document,))
    return [row[0] for row in rows]


# -- erasing -----------------------------------------------------------------------------------


def _in_steps(
    library: Library, erased: Erased, known: _Known, quotations: Quotations | None
) -> Generator[None, None, None]:
    """Show `quotations` the text, then take away what a long document has most of; `_drop` takes the rest."""
    document, collection = erased.document, known.row["collection_id"]
    if quotations is not None:
        yield from quotations.meet(document)
    if len(erased.chunks) <= _CHUNKS_A_STEP:
        return
    _uncache(library, document, collection)
    with transaction(library.db):
        known.going = True
        library.db.execute("INSERT OR REPLACE INTO journal VALUES (?, ?, 0, '')", (document, _GOING))
    for at in range(0, len(erased.chunks), _CHUNKS_A_STEP):
        with transaction(library.db):
            erased.counts["terms"] += _drop_passages(library, erased.chunks[at : at + _CHUNKS_A_STEP])
        library.vectors.changed(collection)
        yield
    some_pages = "SELECT id FROM pages WHERE document_id = ? LIMIT ?"
    while library.db.execute(some_pages, (document, 1)).fetchone():
        with transaction(library.db):
            library.db.execute(f"DELETE FROM pages WHERE id IN ({some_pages})", (document, _PAGES_A_STEP))
        yield
    for at in range(0, len(known.entries), _ENTRIES_A_STEP):
        with transaction(library.db):
            part = known.entries[at : at + _ENTRIES_A_STEP]
            known.note(erased, *delete_unused(library.db, collection, part))
        yield


def _drop(library: Library, erased: Erased, known: _Known) -> None:
    """Take everything away that is left, at once, and look whether it is gone."""
    document, collection = erased.document, known.row["collection_id"]
    _uncache(library, document, collection)
    erased.counts["saved_memories"] += library.kv.count()
    library.kv.empty()
    with transaction(library.db):
        # Who was at work on it may have made more passages meanwhile.
        erased.chunks = sorted({*erased.chunks, *_chunks(library, document)})
        erased.counts["terms"] += _drop_passages(library, erased.chunks)
        erased.counts["answers"] += library.conversations.unquote(document)
        erased.counts["judged"] += Judged(library.db).forget(document)
        library.db.execute("DELETE FROM documents WHERE id = ?", (document,))
        known.note(erased, *delete_unused(library.db, collection, known.entries))
    erased.counts["older_copies"] += _drop_older_copies(library)
    _forget(library, collection)
    library.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    erased.absent = (
        _absent(library, erased, known) and not library.chroma.holds(known.vectors) and library.kv.is_empty()
    )


def _uncache(library: Library, document: str, collection: int) -> None:
    """Take a document's vectors out of Chroma's files.

    This comes before the database forgets them: a kill in between costs a cache, not a secret.
    """
    if library.private(collection) and library.vectors.get(_chunks(library, document)[:1]):
        library.drop_cache()


def _drop_passages(library: Library, chunks: list[int]) -> int:
    """Take chunks out of the index and the database, in the caller's transaction; returns how many terms went."""
    terms = 0
    for at in range(0, len(chunks), 500):
        part = chunks[at : at + 500]
        terms += library.lexical.remove(part)
        library.db.execute(f"DELETE FROM chunks WHERE id IN ({','.join('?' * len(part))})", part)
    return terms


def _drop_older_copies(library: Library) -> int:
    """Delete the copies from before the database was brought to newer versions: all of the document is in them."""
    copies = list(library.data_dir.glob("library.db.before-*"))
    for copy in copies:
        copy.unlink(missing_ok=True)
    return len(copies)


def _forget(library: Library, collection: int) -> None:
    """Bring what is kept in memory up to date after chunks and vault entries went."""
    library.forget_vault(collection)
    library.vectors.changed(collection)


# -- afterwards --------------------------------------------------------------------------------


def _absent(library: Library, erased: Erased, known: _Known) -> bool:
    """Whether no table knows the document any more."""
    places: tuple[tuple[Sequence[str | int], str], ...] = (
        ([erased.document], "documents.id documents.parent_id pages.document_id chunks.document_id"),
        ([erased.document], "journal.document_id quotes.document_id judged_passages.document_id"),
        (erased.chunks, "chunks.id vectors.chunk_id forward.chunk_id unmerged.chunk_id"),
        (known.gone_entries, "entries.id aliases.entry_id spans.entry_id"),
        (known.gone_aliases, "aliases.id spans.alias_id"),
    )
    return not any(_holds(library, place, ids) for ids, columns in places for place in columns.split())


def _holds(library: Library, place: str, ids: Sequence[str | int]) -> bool:
    """Whether one of these ids stands in a place, "table.column"."""
    for at in range(0, len(ids), 500):
        part = ids[at : at + 500]
        marks = ",".join("?" * len(part))
        query = f"SELECT 1 FROM {place.partition('.')[0]} WHERE {place} IN ({marks}) LIMIT 1"
        if library.db.execute(query, list(part)).fetchone():
            return True
    return False
