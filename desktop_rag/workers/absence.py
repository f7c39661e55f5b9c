"""Proving that erased documents are gone: one search and one scan for a whole request, in short steps.

Looked for are phrases of their text, their names and paths, and the vault's values that nothing else uses. What other
documents say too is no trace of them and is set aside. The rest may stand nowhere: in no text of the database, in none
of its decrypted pages (free ones included), in no file that the application has written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from desktop_rag.errors import SearchError, StoreError
from desktop_rag.privacy.receipt import Proof
from desktop_rag.privacy.traces import PIECE, Finder, find_traces, worth_looking_for, written_files
from desktop_rag.store.raw_pages import PAGE_BYTES, decrypted_pages
from desktop_rag.store.texts import texts
from desktop_rag.workers.library import Library
from desktop_rag.workers.quotations import Quotations, stands_in
from desktop_rag.workers.removing import Erased

Steps = Generator[dict[str, Any] | None, None, None]
MOST_VALUES = 1000
MOST_SEARCHES = 24
# What these say belongs to the documents that stay, or is a rule of the user's own.
_OF_DOCUMENTS = frozenset(
    {"documents", "pages", "chunks", "spans", "entries", "aliases", "journal", "terms", "encoders", "rules"}
)
# What a person calls the other tables.
_IN_WORDS = {
    "messages": "the conversations",
    "conversations": "the titles of the conversations",
    "collections": "the names of the collections",
    "folders": "the watched folders",
    "folder_log": "the log of the watched folders",
    "settings": "the settings",
    "judged": "the questions about the search",
}
_HITS = 10
_VECTORS_A_STEP = 2000
_HITS_A_STEP = 20_000
_TERMS_A_STEP = 5000


class Wanted:
    """What is looked for, and whose it is."""

    def __init__(self, erased: Sequence[Erased], *, places: bool) -> None:
        """Without `places` neither names nor paths are looked for: somebody noted them on purpose."""
        owners: dict[str, set[str]] = defaultdict(set)
        for one in erased:
            for value in [*one.phrases, *one.values, *([one.path, one.name] if places else [])]:
                owners[value].add(one.document)
        worth = [value for value in owners if worth_looking_for(value)]
        # Of very many an even choice: each document keeps its share.
        every = -(-len(worth) // MOST_VALUES) or 1
        self.values = worth[::every]
        self.left_out = len(owners) - len(self.values)
        self._owners = owners

    def of(self, values: Iterable[int]) -> set[str]:
        """The documents that some values, by their numbers, are from."""
        return {document for value in values for document in self._owners[self.values[value]]}


def prove(
    library: Library, erased: Sequence[Erased], quotations: Quotations | None, proof: Proof, *, places: bool = True
) -> Steps:
    """Blank with `quotations` what repeats the documents, then look everywhere; what is found is noted in `proof`.

    Yields "proving" events with the share that is done, and None between pieces of work.
    """
    wanted = Wanted(erased, places=places)
    proof.values, proof.left_out = len(wanted.values), wanted.left_out
    finder = Finder(wanted.values)
    yield None
    shared = yield from _in_documents(library, finder, proof)
    proof.shared = len(shared)
    if quotations is not None:
        proof.blanked = yield from quotations.blank(finder, shared)
    yield from _in_other_texts(library, finder, wanted, shared, proof)
    yield from _without_passages(library, proof)
    yield from _by_searching(library, erased, proof)
    yield from _in_pages(library, finder, wanted, shared, proof)
    yield from _in_files(library.data_dir, finder, wanted, shared, proof)


# -- the database ------------------------------------------------------------------------------


def _in_documents(library: Library, finder: Finder, proof: Proof) -> Generator[None, None, set[int]]:
    """The values that the documents which stay hold too."""
    shared: set[int] = set()
    for found in texts(library.db, _OF_DOCUMENTS.__contains__):
        if found is None:
            yield
        else:
            proof.texts += 1
            shared |= stands_in(finder, found[2])
    return shared


def _in_other_texts(
    library: Library, finder: Finder, wanted: Wanted, shared: set[int], proof: Proof
) -> Generator[None, None, None]:
    for found in texts(library.db, lambda table: table not in _OF_DOCUMENTS):
        if found is None:
            yield
            continue
        table, _column, text = found
        proof.texts += 1
        if values := stands_in(finder, text) - shared:
            proof.find(_IN_WORDS.get(table, f"the library's table “{table}”"), wanted.of(values))


def _without_passages(library: Library, proof: Proof) -> Generator[None, None, None]:
    """A word of the index that no passage has is what is left of one."""
    last = 0
    (most,) = library.db.execute("SELECT coalesce(max(id), 0) FROM terms").fetchone()
    while last < most:
        if library.lexical.leftover(last, last + _TERMS_A_STEP):
            proof.find("the words of the index", ())
        last += _TERMS_A_STEP
        yield


def _in_pages(library: Library, finder: Finder, wanted: Wanted, shared: set[int], proof: Proof) -> Steps:
    # Until then the log holds the pages as they were before what was blanked.
    library.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    try:
        for piece in decrypted_pages(library.data_dir / "library.db", library.key.raw):
            proof.pages += -(-len(piece) // PAGE_BYTES)
            found = {number for *_place, numbers in finder.in_bytes(piece.lower()) for number in numbers}
            if values := found - shared:
                proof.find("the free room of the library's file", wanted.of(values))
            yield None
    except StoreError:
        proof.unread.append("the library's decrypted pages")


# -- searching ---------------------------------------------------------------------------------


def _by_searching(library: Library, erased: Sequence[Erased], proof: Proof) -> Generator[None, None, None]:
    """Ask for phrases of the documents as a user would; a hit must be a passage of a document that is there."""
    every = [phrase for one in erased for phrase in one.phrases]
    asked = every[:: -(-len(every) // MOST_SEARCHES) or 1]
    gone = {chunk for one in erased for chunk in one.chunks}
    collections = library.chosen(None)
    for phrase in asked:
        yield from _judge(library, library.lexical.search(phrase, collections), gone, "a search by words", proof)
    if not asked:
        return
    made: dict[str, Any] = {}
    for collection in collections:
        try:
            encoder = library.encoder_for(collection)
        except SearchError:
            continue  # its vectors are another encoder's: nothing can be asked of them
        questions = made.setdefault(encoder.card.fingerprint, [])
        for phrase in asked[len(questions) :]:
            questions.append(encoder.encode_query(phrase))
            yield
        for nearest in _nearest(library, collection, np.stack(questions)):
            yield from _judge(library, nearest, gone, "a search by meaning", proof)
    proof.searches = 2 * len(asked)


def _nearest(library: Library, collection: int, questions: Any) -> Iterator[list[int]]:
    """The chunks nearest to the questions, by comparing with every vector, in parts: the whole may not fit a step."""
    ids = library.vectors.ids(collection)
    for at in range(0, len(ids), _VECTORS_A_STEP):
        held = library.vectors.get(ids[at : at + _VECTORS_A_STEP])
        scores = np.stack(list(held.values())) @ questions.T
        best = np.argsort(-scores, axis=0)[:_HITS]
        chunks = list(held)
        yield [chunks[row] for row in np.unique(best)]


def _judge(
    library: Library, hits: Iterable[int], gone: set[int], place: str, proof: Proof
) -> Generator[None, None, None]:
    """A hit that was erased, or that no document has, is a trace. Common words hit most passages of a library."""
    found = list(hits)
    for at in range(0, len(found), _HITS_A_STEP):
        piece = set(found[at : at + _HITS_A_STEP])
        if gone & piece or library.documents.chunks_there(list(piece)) < piece:
            proof.find(place, ())
        yield


# -- files -------------------------------------------------------------------------------------


def _in_files(data_dir: Path, finder: Finder, wanted: Wanted, shared: set[int], proof: Proof) -> Steps:
    """The models are left out: they were made before there was a document, and are many gigabytes."""
    files = [path for path in written_files(data_dir) if not path.is_relative_to(data_dir / "models")]
    total = sum(_size(path) for path in files) or 1
    unreadable: list[Path] = []

    def counted() -> Iterator[Path]:
        for path in files:
            proof.files += 1
            proof.bytes += _size(path)
            yield path

    read = share = 0
    for trace in find_traces(finder, counted(), unreadable):
        if trace is None:
            read, before = read + PIECE, share
            share = min(99, 100 * read // total)
            yield {"event": "proving", "share": share} if share > before else None
        elif trace.value not in shared:
            proof.find(_shown(trace.path, data_dir), wanted.of([trace.value]))
    proof.unread += [_shown(path, data_dir) for path in unreadable]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _shown(path: Path, data_dir: Path) -> str:
    """Without the folders above, which the receipt need not tell; a log or a database has no private name."""
    return str(path.relative_to(data_dir)) if path.is_relative_to(data_dir) else path.name
