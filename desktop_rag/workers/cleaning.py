"""From original pages to scrubbed pages with spans, vault entries, chunks and terms, all in the database.

Nothing here writes original text: it comes from the parser, is held for the length of one document,
and leaves only as replaced values inside the vault.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from desktop_rag.answering.instructions import judged
from desktop_rag.documents.chunk import CHUNKER_VERSION, Chunk, chunks_in_steps
from desktop_rag.documents.chunk_context import apart
from desktop_rag.documents.furniture import without_repeats
from desktop_rag.documents.model import PARSER_VERSION, Block, Page, UnreadPage
from desktop_rag.privacy.detect import SCRUBBER_VERSION
from desktop_rag.privacy.finding import Finding
from desktop_rag.privacy.findings import complete, find_in_page, look
from desktop_rag.privacy.fold import fold
from desktop_rag.privacy.headers import Headers
from desktop_rag.privacy.scrub import REVERSIBLE, Replacement, Scrubbed, replacement_token, scrub
from desktop_rag.privacy.substitutes import Wording
from desktop_rag.privacy.vault import Entry, Vault, is_full_name
from desktop_rag.retrieval.analyse import ANALYSER_VERSION
from desktop_rag.store.connection import transaction
from desktop_rag.store.vault import delete_unused
from desktop_rag.workers import settling
from desktop_rag.workers.journal import Journal
from desktop_rag.workers.library import Library

VERSIONS = {
    "parser_version": PARSER_VERSION,
    "scrubber_version": SCRUBBER_VERSION,
    "chunker_version": CHUNKER_VERSION,
    "analyser_version": ANALYSER_VERSION,
}
_CHUNKS_A_STEP = 20
_CHARS_A_STEP = 20_000
_HEADERS_A_STEP = 8
# A note waits for the disk: what takes less time than this to be found is found again.
_NOTE_SECONDS = 1.0
_Texts = list[tuple[dict[str, Any], Page]]
# A chunk may stretch to 1.25 times its budget; with its section path it still fits MiniLM's 256 tokens.
CHUNK_TOKENS = 170
CONTEXT_TOKENS = 36


@dataclass(slots=True)
class _CleanPage:
    row: dict[str, Any]
    spans: list[dict[str, Any]]
    scrubbed: Scrubbed
    page: Page


@dataclass(slots=True)
class _Document:
    """A document while it is cleaned: its row, its words, and whom it has mentioned, the last mentioned last."""

    row: dict[str, Any]
    headers: Headers
    wording: Wording
    nearby: dict[int, None] = field(default_factory=dict)

    def vault(self, library: Library) -> Vault | None:
        """Where its values are kept, if they can be turned back."""
        return library.vault(self.row["collection_id"]) if self.row["policy"] in REVERSIBLE else None

    def stand_in(self, library: Library) -> Callable[[Entry, str], str]:
        """What tells what stands for a value of an entry."""
        if self.row["policy"] != "substitute":
            return lambda entry, _value: entry.pseudonym
        substitutes = library.substitutes(self.row["collection_id"])
        substitutes.wording = self.wording
        return substitutes.of


def detect(
    library: Library, row: dict[str, Any], pages: Sequence[Page | UnreadPage]
) -> Generator[dict[str, Any] | None, None, list[dict[str, Any]]]:
    """What to store of the pages before review: their places and the spans found.

    Yields between steps, "checking" events {document, pages_checked, pages_to_check} among them.
    """
    texts = [page for page in pages if isinstance(page, Page)]
    found: list[list[Finding]] = [[] for _ in texts]
    if row["policy"] != "keep":
        found = yield from _find_in_pages(library, row, texts)
        known = library.vault(row["collection_id"]) if row["policy"] in REVERSIBLE else None
        found = yield from complete(texts, found, known)
    finished, rules = iter(found), library.rules.holding(row["collection_id"])
    rows: list[dict[str, Any]] = []
    for page_or_gap in pages:
        yield None
        if isinstance(page_or_gap, UnreadPage):
            rows.append(
                {"number": page_or_gap.number, "locator": page_or_gap.locator, "unread": page_or_gap.cause, "spans": []}
            )
            continue
        spans = settling.found(page_or_gap.text, next(finished), rules)
        rows.append({"number": page_or_gap.number, "locator": page_or_gap.locator, "unread": None, "spans": spans})
        rows[-1]["confidence"] = page_or_gap.confidence
    return rows


def _find_in_pages(
    library: Library, row: dict[str, Any], texts: Sequence[Page]
) -> Generator[dict[str, Any] | None, None, list[list[Finding]]]:
    """The findings of each page by itself; what an interrupted attempt found is taken from the journal."""
    journal = Journal(library.db, row)
    found = journal.findings(texts)
    fresh: dict[int, list[Finding]] = {}
    noted = time.monotonic()
    for ordinal, page in enumerate(texts):
        if ordinal in found:
            continue
        findings: list[Finding] = []
        for part in find_in_page(page, library.detector):
            findings += part
            yield None
        found[ordinal] = fresh[ordinal] = findings
        if time.monotonic() - noted > _NOTE_SECONDS:
            journal.keep_findings(texts, fresh)
            fresh, noted = {}, time.monotonic()
            yield {
                "event": "checking",
                "document": row["id"],
                "pages_checked": len(found),
                "pages_to_check": len(texts),
            }
    return [found[ordinal] for ordinal in range(len(texts))]


def clean(library: Library, row: dict[str, Any], pages: Sequence[Page | UnreadPage]) -> Iterator[None]:
    """Scrub by the stored decisions, chunk, and write pages, spans, vault, chunks and terms; yields between steps.

    Each step is written at once. A kill leaves the state as it was, and the next run starts over.
    """
    document, collection = row["id"], row["collection_id"]
    stored = zip(library.documents.page_rows(document), pages, strict=True)
    texts = [(page_row, page) for page_row, page in stored if isinstance(page, Page)]
    with _step(library, collection):
        _start_over(library, document, collection)
    yield
    yield from settling.settle(library, row, texts)
    wording = Wording.of(page.text for _, page in texts) if row["policy"] == "substitute" else Wording()
    known = _Document(row, Headers(row["policy"], library.rules.holding(collection)), wording)
    if row["policy"] in REVERSIBLE:
        yield from _meet(library, known, texts)
    cleaned: list[_CleanPage] = []
    for part in _slices(texts):
        with _step(library, collection):
            for page_row, page in part:
                cleaned.append(_clean_page(library, known, page_row, page))
                _write_page(library, cleaned[-1])
        yield
    if row["policy"] != "keep":
        yield from _clean_headers(library, known, cleaned)
    if row["policy"] == "substitute":
        # The words of the original are held for the length of one document.
        library.substitutes(collection).wording = Wording()
    ordinal = 0
    for chunks in _chunks(library, row, [item.page for item in cleaned]):
        yield
        for at in range(0, len(chunks), _CHUNKS_A_STEP):
            with transaction(library.db):
                for piece in chunks[at : at + _CHUNKS_A_STEP]:
                    item = cleaned[piece.page]
                    write_chunk(library, document, item.row["id"], item.scrubbed.text, ordinal, piece)
                    ordinal += 1
            yield
    library.documents.update(document, state="indexing", looked_through=0, **VERSIONS)


def _chunks(library: Library, row: dict[str, Any], pages: Sequence[Page]) -> Iterator[list[Chunk]]:
    steps = chunks_in_steps(
        pages,
        library.encoder.count_tokens,
        budget=CHUNK_TOKENS,
        context_budget=CONTEXT_TOKENS,
        apart=apart(library.documents.row(row["id"])["format"]),
    )
    return without_repeats(steps, pages)


@contextmanager
def _step(library: Library, collection: int) -> Iterator[None]:
    """A transaction that the vault in memory follows, also when it is rolled back."""
    try:
        with transaction(library.db):
            yield
    except BaseException:
        library.forget_vault(collection)
        raise


def _start_over(library: Library, document: str, collection: int) -> None:
    """Drop what an earlier attempt left behind."""
    library.documents.drop_passages(document)
    own = "page_id IN (SELECT id FROM pages WHERE document_id = ?)"
    library.db.execute(f"DELETE FROM spans WHERE label = 'LOOK_ALIKE' AND {own}", (document,))
    library.db.execute(f"UPDATE spans SET entry_id = NULL, alias_id = NULL WHERE {own}", (document,))
    if any(delete_unused(library.db, collection)):
        library.forget_vault(collection)


def _slices(texts: _Texts) -> Iterator[_Texts]:
    """Pages for one step each: several short ones, or one."""
    part: _Texts = []
    length = 0
    for page_row, page in texts:
        part.append((page_row, page))
        length += len(page.text)
        if length >= _CHARS_A_STEP:
            yield part
            part, length = [], 0
    if part:
        yield part


def _clean_page(library: Library, known: _Document, page_row: dict[str, Any], page: Page) -> _CleanPage:
    """Resolve the page's replaced values in the vault and render it; blocks move along with their text."""
    spans = library.documents.spans(page_row["id"])
    policy, headers, vault = known.row["policy"], known.headers, known.vault(library)
    stand_in = known.stand_in(library)
    replacements = []
    for span in spans:
        value = page.text[span["start"] : span["end"]]
        if not span["replace"]:
            headers.kept(span["label"], value)
            continue
        standing = ""
        if vault is not None:
            standing = stand_in(_resolve(vault, span, value, known.nearby), value)
        else:
            library.unkept.setdefault(known.row["collection_id"], set()).add((span["label"], value))
        token = replacement_token(policy, span["label"], standing)
        headers.replaced(span["label"], value, token)
        replacements.append(Replacement(span["start"], span["end"], token))
    alike = _look_alikes(library, known, page.text, replacements)
    replacements += alike
    scrubbed = scrub(page.text, replacements)
    places = dict(zip([(r.start, r.end) for r in scrubbed.replacements], scrubbed.places, strict=True))
    for span in spans:
        place = places.get((span["start"], span["end"])) if span["replace"] else None
        span["scrubbed_start"], span["scrubbed_end"] = place or (
            scrubbed.to_scrubbed(span["start"]),
            scrubbed.to_scrubbed(span["end"]),
        )
    held = {(s["start"], s["end"]) for s in spans if s["replace"]}
    spans += [
        # A look-alike that was disarmed moves offsets too; it is kept as a span of its own.
        {
            **alike.get(r, {}),
            "start": r.start,
            "end": r.end,
            "scrubbed_start": p[0],
            "scrubbed_end": p[1],
            "label": "LOOK_ALIKE",
            "score": 1.0,
        }
        for r, p in zip(scrubbed.replacements, scrubbed.places, strict=True)
        if (r.start, r.end) not in held
    ]
    blocks = tuple(
        Block(b.kind, scrubbed.to_scrubbed(b.start), scrubbed.to_scrubbed(b.end), b.level, b.header)
        for b in page.blocks
    )
    return _CleanPage(
        page_row, spans, scrubbed, Page(page.number, page.locator, scrubbed.text, blocks, page.confidence)
    )


def _look_alikes(
    library: Library, known: _Document, text: str, replacements: Sequence[Replacement]
) -> dict[Replacement, dict[str, Any]]:
    """What the author wrote that would be taken for somebody's stand-in gets one of its own, and a span."""
    vault = known.vault(library)
    if vault is None:
        return {}
    stand_in = known.stand_in(library)
    alike = {}
    for found in _alike(library, known, text, [(r.start, r.end) for r in replacements]):
        value = text[found.start : found.end]
        span = {"start": found.start, "end": found.end, "label": found.label}
        entry = _resolve(vault, span, value, known.nearby)
        alike[Replacement(found.start, found.end, stand_in(entry, value))] = span
    return alike


def _alike(library: Library, known: _Document, text: str, taken: Sequence[tuple[int, int]]) -> list[Finding]:
    if known.row["policy"] != "substitute":
        return []
    return library.substitutes(known.row["collection_id"]).look_alikes(text, taken)


def _clean_headers(library: Library, known: _Document, cleaned: Sequence[_CleanPage]) -> Iterator[None]:
    """Clean the column names of all pages, now that all values of the document are known."""
    names = sorted({block.header for item in cleaned for block in item.page.blocks if block.header})
    clear: dict[str, str] = {"": ""}
    rules = library.rules.holding(known.row["collection_id"])
    for at in range(0, len(names), _HEADERS_A_STEP):
        part = names[at : at + _HEADERS_A_STEP]
        vault, stand_in = known.vault(library), known.stand_in(library)
        for name, findings in zip(part, look(library.detector, part), strict=True):
            wanted = [*rules.apply(name, findings), *_alike(library, known, name, ())]
            clear[name] = known.headers.cleaned(name, wanted, vault, known.nearby, stand_in)
        yield
    for item in cleaned:
        blocks = tuple(dataclasses.replace(block, header=clear[block.header]) for block in item.page.blocks)
        item.page = dataclasses.replace(item.page, blocks=blocks)


def _meet(library: Library, known: _Document, texts: _Texts) -> Iterator[None]:
    """Enter the document's full names first, so that a bare "Rivera" above "Maria Rivera" means her."""
    collection = known.row["collection_id"]
    for part in _slices(texts):
        with _step(library, collection):
            vault, stand_in = library.vault(collection), known.stand_in(library)
            for page_row, page in part:
                for span in library.documents.spans(page_row["id"]):
                    value = page.text[span["start"] : span["end"]]
                    if span["replace"] and span["label"] == "PERSON" and is_full_name(value):
                        stand_in(_resolve(vault, span, value, known.nearby), value)
                        # An entry that nothing refers to could be erased by another request.
                        _link(library, span)
        yield


def _resolve(vault: Vault, span: dict[str, Any], value: str, nearby: dict[int, None]) -> Entry:
    """Note in the span whom it means; returns the entry."""
    entry = vault.resolve(span["label"], value, nearby)
    # Last in the mapping is the one mentioned last.
    nearby.pop(entry.id, None)
    nearby[entry.id] = None
    span["entry_id"], span["spelling"] = entry.id, fold(span["label"], value)
    return entry


def _link(library: Library, span: dict[str, Any]) -> None:
    library.db.execute(
        "UPDATE spans SET entry_id = ?1, alias_id = (SELECT id FROM aliases WHERE entry_id = ?1 AND folded = ?2)"
        " WHERE id = ?3",
        (span["entry_id"], span.get("spelling"), span["id"]),
    )


def _write_page(library: Library, item: _CleanPage) -> None:
    library.db.execute("UPDATE pages SET text = ? WHERE id = ?", (item.scrubbed.text, item.row["id"]))
    for span in item.spans:
        place = (span["scrubbed_start"], span["scrubbed_end"])
        if "id" in span:
            library.db.execute(
                "UPDATE spans SET scrubbed_start = ?, scrubbed_end = ? WHERE id = ?", (*place, span["id"])
            )
            _link(library, span)
        else:
            cursor = library.db.execute(
                "INSERT INTO spans (page_id, start, end, scrubbed_start, scrubbed_end, label, score, replace)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
                (item.row["id"], span["start"], span["end"], *place, span["label"], 1.0),
            )
            if "entry_id" in span:
                _link(library, {**span, "id": cursor.lastrowid})


def write_chunk(library: Library, document: str, page: int, page_text: str, ordinal: int, piece: Chunk) -> int:
    """A chunk of a page with its terms, in the caller's transaction; returns its id."""
    text = page_text[piece.start : piece.end]
    cursor = library.db.execute(
        "INSERT INTO chunks (document_id, page_id, ordinal, start, end, context, length, instruction_like)"
        " VALUES (?, ?, ?, ?, ?, ?, 0, ?)",
        (document, page, ordinal, piece.start, piece.end, piece.context, judged(text, piece.context)),
    )
    chunk = int(cursor.lastrowid)
    length = library.lexical.add(chunk, f"{piece.context}\n{text}")
    library.db.execute("UPDATE chunks SET length = ? WHERE id = ?", (length, chunk))
    return chunk
