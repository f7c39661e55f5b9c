"""From original pages to scrubbed pages with spans, vault entries, chunks and terms, all in the database.

Nothing here writes original text: it comes from the parser, is held for the length of one document,
and leaves only as replaced values inside the vault.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from desktop_rag.documents.chunk import CHUNKER_VERSION, Chunk, chunk
from desktop_rag.documents.furniture import without_repeats
from desktop_rag.documents.model import PARSER_VERSION, Block, Page, UnreadPage
from desktop_rag.privacy.classes import replaced_by_default
from desktop_rag.privacy.detect import SCRUBBER_VERSION, Finding
from desktop_rag.privacy.findings import complete, find_in_page, look
from desktop_rag.privacy.scrub import Replacement, Scrubbed, replacement_token, scrub
from desktop_rag.privacy.vault import Vault, is_full_name
from desktop_rag.retrieval.analyse import ANALYSER_VERSION
from desktop_rag.store.connection import transaction
from desktop_rag.workers.library import Library

VERSIONS = {
    "parser_version": PARSER_VERSION,
    "scrubber_version": SCRUBBER_VERSION,
    "chunker_version": CHUNKER_VERSION,
    "analyser_version": ANALYSER_VERSION,
}
_CHUNKS_A_STEP = 20
# A chunk may stretch to 1.25 times its budget; with its section path it still fits MiniLM's 256 tokens.
CHUNK_TOKENS = 170
CONTEXT_TOKENS = 36


@dataclass(slots=True)
class _CleanPage:
    row: dict[str, Any]
    spans: list[dict[str, Any]]
    scrubbed: Scrubbed
    page: Page


def detect(
    library: Library, pages: Sequence[Page | UnreadPage], policy: str, collection: int
) -> Generator[None, None, list[dict[str, Any]]]:
    """What to store of the pages before review: their places and the spans found; yields between steps."""
    texts = [page for page in pages if isinstance(page, Page)]
    found: list[list[Finding]] = []
    for page in texts:
        findings: list[Finding] = []
        if policy != "keep":
            for part in find_in_page(page, library.detector):
                findings += part
                yield
        found.append(findings)
    known = library.vault(collection) if policy == "pseudonymise" else None
    finished = complete(texts, found, known) if policy != "keep" else iter(found)
    rows: list[dict[str, Any]] = []
    for page_or_gap in pages:
        yield
        if isinstance(page_or_gap, UnreadPage):
            rows.append(
                {"number": page_or_gap.number, "locator": page_or_gap.locator, "unread": page_or_gap.cause, "spans": []}
            )
            continue
        spans = [{**dataclasses.asdict(f), "replace": replaced_by_default(f.label)} for f in next(finished)]
        rows.append({"number": page_or_gap.number, "locator": page_or_gap.locator, "unread": None, "spans": spans})
    return rows


def clean(library: Library, row: dict[str, Any], pages: Sequence[Page | UnreadPage]) -> Iterator[None]:
    """Scrub by the stored decisions, chunk, and write pages, spans, vault, chunks and terms; yields between steps."""
    document, collection = row["id"], row["collection_id"]
    stored = library.documents.page_rows(document)
    try:
        with transaction(library.db):
            _drop_chunks(library, document)
            nearby: dict[int, None] = {}
            if row["policy"] == "pseudonymise":
                _meet(library, collection, stored, pages, nearby)
            cleaned = [
                _clean_page(library, row, page_row, page, nearby)
                for page_row, page in zip(stored, pages, strict=True)
                if isinstance(page, Page)
            ]
            _write_pages(library, cleaned)
    except BaseException:
        library.forget_vault(collection)
        raise
    yield
    chunks = chunk(
        [c.page for c in cleaned], library.encoder.count_tokens, budget=CHUNK_TOKENS, context_budget=CONTEXT_TOKENS
    )
    chunks = without_repeats(chunks, [c.page for c in cleaned])
    for at in range(0, len(chunks), _CHUNKS_A_STEP):
        with transaction(library.db):
            for ordinal, piece in enumerate(chunks[at : at + _CHUNKS_A_STEP], start=at):
                _write_chunk(library, document, cleaned[piece.page], ordinal, piece)
        yield
    library.documents.update(document, state="indexing", **VERSIONS)


def _clean_page(
    library: Library, row: dict[str, Any], page_row: dict[str, Any], page: Page, nearby: dict[int, None]
) -> _CleanPage:
    """Resolve the page's replaced values in the vault and render it; blocks move along with their text."""
    spans = library.documents.spans(page_row["id"])
    vault = library.vault(row["collection_id"]) if row["policy"] == "pseudonymise" else None
    replacements = []
    for span in spans:
        if not span["replace"]:
            continue
        value = page.text[span["start"] : span["end"]]
        pseudonym = ""
        if vault is not None:
            span["entry_id"], pseudonym = _resolve(vault, span["label"], value, nearby)
        replacements.append(
            Replacement(span["start"], span["end"], replacement_token(row["policy"], span["label"], pseudonym))
        )
    scrubbed = scrub(page.text, replacements)
    places = dict(zip([(r.start, r.end) for r in scrubbed.replacements], scrubbed.places, strict=True))
    for span in spans:
        place = places.get((span["start"], span["end"])) if span["replace"] else None
        span["scrubbed_start"], span["scrubbed_end"] = place or (
            scrubbed.to_scrubbed(span["start"]),
            scrubbed.to_scrubbed(span["end"]),
        )
    known = {(s["start"], s["end"]) for s in spans}
    spans += [
        # A look-alike that was disarmed moves offsets too; it is kept as a span of its own.
        {
            "start": r.start,
            "end": r.end,
            "scrubbed_start": p[0],
            "scrubbed_end": p[1],
            "label": "LOOK_ALIKE",
            "score": 1.0,
        }
        for r, p in zip(scrubbed.replacements, scrubbed.places, strict=True)
        if (r.start, r.end) not in known
    ]
    headers = _clean_headers(library, row["policy"], {b.header for b in page.blocks if b.header})
    blocks = tuple(
        Block(b.kind, scrubbed.to_scrubbed(b.start), scrubbed.to_scrubbed(b.end), b.level, headers.get(b.header, ""))
        for b in page.blocks
    )
    return _CleanPage(page_row, spans, scrubbed, Page(page.number, page.locator, scrubbed.text, blocks))


def _clean_headers(library: Library, policy: str, headers: set[str]) -> dict[str, str]:
    """Column names come beside the text, so they are cleaned on their own; what is found in them is masked."""
    if policy == "keep":
        return {header: header for header in headers}
    ordered = sorted(headers)
    cleaned = {}
    for header, findings in zip(ordered, look(library.detector, ordered), strict=True):
        masks = [Replacement(f.start, f.end, f"[{f.label}]") for f in findings if replaced_by_default(f.label)]
        cleaned[header] = scrub(header, masks).text
    return cleaned


def _meet(
    library: Library,
    collection: int,
    stored: Sequence[dict[str, Any]],
    pages: Sequence[Page | UnreadPage],
    nearby: dict[int, None],
) -> None:
    """Enter the document's full names first, so that a bare "Rivera" above "Maria Rivera" means her."""
    vault = library.vault(collection)
    for page_row, page in zip(stored, pages, strict=True):
        if not isinstance(page, Page):
            continue
        for span in library.documents.spans(page_row["id"]):
            value = page.text[span["start"] : span["end"]]
            if span["replace"] and span["label"] == "PERSON" and is_full_name(value):
                _resolve(vault, "PERSON", value, nearby)


def _resolve(vault: Vault, label: str, value: str, nearby: dict[int, None]) -> tuple[int, str]:
    entry = vault.resolve(label, value, nearby)
    # Last in the mapping is the one mentioned last.
    nearby.pop(entry.id, None)
    nearby[entry.id] = None
    return entry.id, entry.pseudonym


def _write_pages(library: Library, cleaned: Sequence[_CleanPage]) -> None:
    for item in cleaned:
        library.db.execute("UPDATE pages SET text = ? WHERE id = ?", (item.scrubbed.text, item.row["id"]))
        library.db.execute("DELETE FROM spans WHERE page_id = ? AND label = 'LOOK_ALIKE'", (item.row["id"],))
        for span in item.spans:
            if "id" in span:
                library.db.execute(
                    "UPDATE spans SET scrubbed_start = ?, scrubbed_end = ?, entry_id = ? WHERE id = ?",
                    (span["scrubbed_start"], span["scrubbed_end"], span["entry_id"], span["id"]),
                )
            else:
                library.db.execute(
                    "INSERT INTO spans (page_id, start, end, scrubbed_start, scrubbed_end, label, score, replace)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
                    (
                        item.row["id"],
                        span["start"],
                        span["end"],
                        span["scrubbed_start"],
                        span["scrubbed_end"],
                        span["label"],
                        1.0,
                    ),
                )


def _write_chunk(library: Library, document: str, cleaned: _CleanPage, ordinal: int, piece: Chunk) -> None:
    cursor = library.db.execute(
        "INSERT INTO chunks (document_id, page_id, ordinal, start, end, context, length) VALUES (?, ?, ?, ?, ?, ?, 0)",
        (document, cleaned.row["id"], ordinal, piece.start, piece.end, piece.context),
    )
    text = cleaned.scrubbed.text[piece.start : piece.end]
    length = library.lexical.add(int(cursor.lastrowid), f"{piece.context}\n{text}")
    library.db.execute("UPDATE chunks SET length = ? WHERE id = ?", (length, cursor.lastrowid))


def _drop_chunks(library: Library, document: str) -> None:
    chunks = [r[0] for r in library.db.execute("SELECT id FROM chunks WHERE document_id = ?", (document,))]
    for at in range(0, len(chunks), 500):
        library.lexical.remove(chunks[at : at + 500])
    library.db.execute("DELETE FROM chunks WHERE document_id = ?", (document,))
