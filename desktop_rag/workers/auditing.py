"""`privacy audit`: every file the application has written, and every text in its database, against every value that
was taken out of the documents.

The files are read as they lie, with the database open and its log not yet merged; then once more as they lie when it
is closed. The texts in the decrypted database are looked at by `auditing_tables`.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from desktop_rag.documents.model import PARSER_VERSION, Page
from desktop_rag.errors import DocumentError
from desktop_rag.privacy.audit import Findings, Wanted, wanted
from desktop_rag.privacy.traces import PIECE, Finder, Trace, find_traces, written_files
from desktop_rag.workers.auditing_tables import look_into_tables
from desktop_rag.workers.health import readable_collections
from desktop_rag.workers.library import Library
from desktop_rag.workers.loop import Operation
from desktop_rag.workers.originals import reread
from desktop_rag.workers.rows import shown_path

_Steps = Generator[dict[str, Any] | None, None, None]


def audit(library: Library, chosen: str | int | None) -> Operation:
    """Yields "progress" events; at last the result (see `Findings.result`)."""
    collections = library.chosen(chosen)
    documents: list[dict[str, str]] = []
    values, left_out = wanted((yield from _values(library, collections, documents)), _chroma_words())
    findings = Findings(values, library.data_dir, documents=documents)
    originals = {Path(row["path"]).resolve() for row in library.documents.rows()}
    yield from _in_files(findings, "open", originals)
    yield _progress("looking into the library", 0.99)
    yield from look_into_tables(library, findings)
    # Closing the database does just this: what stood in its log now stands in its file.
    library.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    yield from _in_files(findings, "closed", originals)
    return findings.result(left_out=left_out, key=library.key.protection, readable_on_disk=_readable(library))


def _readable(library: Library) -> list[str]:
    """What anybody can read who gets hold of the disk."""
    named = ", ".join(readable_collections(library))
    return (
        [f"Readable without the key: the vectors of {named}, numbers without text, in Chroma's files."] if named else []
    )


def _chroma_words() -> set[str]:
    """The words of Chroma's own schema, which it copies with all comments into its unencrypted database."""
    found = find_spec("chromadb")
    folders = [Path(place) / "migrations" for place in (found.submodule_search_locations or [])] if found else []
    scripts = [script.read_text(encoding="utf-8") for folder in folders for script in folder.rglob("*.sql")]
    return set(re.findall(r"[a-z]+", " ".join(scripts).casefold()))


# -- what to look for --------------------------------------------------------------------------


def _values(
    library: Library, collections: list[int], missing: list[dict[str, str]]
) -> Generator[dict[str, Any] | None, None, list[Wanted]]:
    found: list[Wanted] = []
    for collection in collections:
        for entry in library.vault(collection).entries.values():
            # A number is remembered in one grouping, and may have been written in another.
            spellings = {*entry.aliases.values(), *(f for f in entry.aliases if any(c.isdigit() for c in f))}
            found += [Wanted(value, entry.label, entry.pseudonym) for value in spellings]
        yield None
    for row in _without_vault(library, collections):
        try:
            found += yield from _replaced(library, row)
        except DocumentError as error:
            missing.append({"name": shown_path(row), "cause": error.message})
    return found


def _without_vault(library: Library, collections: list[int]) -> list[dict[str, Any]]:
    """The documents with replaced values that no vault remembers: masked, removed, or still waiting for review."""
    rows = library.db.execute(
        "SELECT DISTINCT p.document_id, d.collection_id FROM spans s JOIN pages p ON p.id = s.page_id"
        " JOIN documents d ON d.id = p.document_id WHERE s.replace = 1 AND s.entry_id IS NULL"
    ).fetchall()
    return [library.documents.row(row[0]) for row in rows if row[1] in collections]


def _replaced(library: Library, row: dict[str, Any]) -> Generator[dict[str, Any] | None, None, list[Wanted]]:
    """The replaced values of one document, from the user's own file. Raises DocumentError if it is gone or changed."""
    yield _progress("reading the documents again", 0.0)
    steps = reread(library, row, library.viewer)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            parsed = stop.value
            break
        yield None
    pages = library.documents.page_rows(row["id"])
    if len(pages) != len(parsed.pages) or _version(library, row["id"]) not in (None, PARSER_VERSION):
        raise DocumentError("unreadable", "It is read in another way now than when it was indexed.", "Index it again.")
    return [
        Wanted(page.text[span["start"] : span["end"]], span["label"], None)
        for stored, page in zip(pages, parsed.pages, strict=True)
        if isinstance(page, Page)
        for span in library.documents.spans(stored["id"])
        if span["replace"]
    ]


def _version(library: Library, document: str) -> str | None:
    """By which parser a document was read; None while it waits for review."""
    found = library.db.execute("SELECT parser_version FROM documents WHERE id = ?", (document,)).fetchone()[0]
    return None if found is None else str(found)


# -- files -------------------------------------------------------------------------------------


def _in_files(findings: Findings, state: str, originals: set[Path]) -> _Steps:
    """Look into what the application wrote; the user's own files are not it, wherever they lie."""
    files = [path for path in written_files(findings.data_dir) if path.resolve() not in originals]
    if state == "closed":
        files = [path for path in files if path.name.startswith("library.db")]
    total = sum(path.stat().st_size for path in files if path.exists())
    finder = Finder([value.text for value in findings.values])
    failed = set(findings.unreadable)

    def noted() -> Iterator[Path]:
        for path in files:
            if path not in failed:
                findings.scanned(path)
                for value, _start, _end in finder.in_text(path.name):
                    findings.in_file(Trace(path.with_name("…"), value, "file name", 0), state)
                yield path

    read, share = 0, 0
    for trace in find_traces(finder, noted(), findings.unreadable):
        if trace is not None:
            findings.in_file(trace, state)
            continue
        read, before = read + PIECE, share
        share = min(99, 100 * read // max(1, total))
        yield _progress(f"looking into the files {share} %", share / 100) if share > before else None


def _progress(text: str, fraction: float) -> dict[str, Any]:
    return {"event": "progress", "text": text, "fraction": fraction}
