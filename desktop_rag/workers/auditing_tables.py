"""The tables' part of the leak audit: every text in the decrypted database against the replaced values.

Every column of text is looked at, also of tables that come later, except those that are there to hold real values.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from functools import cached_property
from typing import Any

from desktop_rag.privacy.audit import KEPT, LEAK, NAMES, Findings, Place
from desktop_rag.privacy.traces import Finder, worth_looking_for
from desktop_rag.retrieval.analyse import terms
from desktop_rag.workers.library import Library

# The vault itself: it holds the real values, and is there to do so.
_VAULT = frozenset({"aliases", "rules"})
# Names that a person chose; they are shown to nobody else, and lie in the encrypted database only.
_NAMES = frozenset(
    {("documents", column) for column in ("name", "path", "member", "title")}
    | {("folders", "path"), ("folder_log", "name"), ("collections", "name"), ("conversations", "title")}
)
# Terms are made from text: what counts is whether their text is still there (see `_orphan_terms`).
_MADE_FROM_TEXT = frozenset({"terms"})
_ROWS_A_STEP, _CHUNKS_AT_ONCE = 100, 500
Steps = Generator[None, None, None]


def look_into_tables(library: Library, findings: Findings) -> Steps:
    """Count every replaced value that stands in a text of the database; yields between steps."""
    finder = Finder([value.text for value in findings.values])
    excuses = _Excuses(library)
    for table, columns in _tables(library).items():
        for rows in _rows(library, table):
            yield
            for row in rows:
                _look_into_row(findings, finder, excuses, table, {column: row[column] for column in columns}, row)
    yield from _orphan_terms(library, findings, excuses)


def _look_into_row(
    findings: Findings, finder: Finder, excuses: _Excuses, table: str, texts: dict[str, Any], row: dict[str, Any]
) -> None:
    for column, text in texts.items():
        if isinstance(text, str):
            for value, start, end in finder.in_text(text):
                kind = NAMES if (table, column) in _NAMES else excuses.kind(table, row, text, start, end)
                findings.in_table(Place(table, column, kind, excuses.document(row)), value)


def _tables(library: Library) -> dict[str, list[str]]:
    """Every table with its columns of text."""
    names = [row[0] for row in library.db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {}
    for table in names:
        if table not in _VAULT | _MADE_FROM_TEXT:
            columns = library.db.execute(f"PRAGMA table_info({table})").fetchall()
            found[table] = [row["name"] for row in columns if row["type"].upper() in ("TEXT", "")]
    return {table: columns for table, columns in found.items() if columns}


def _rows(library: Library, table: str) -> Iterator[list[dict[str, Any]]]:
    """The rows of a table, some at a time: a cursor left open would keep the log from being merged."""
    made = library.db.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    if "WITHOUT ROWID" in made.upper():
        # Small ones: what a message quotes, notes on documents that are being read.
        yield [dict(row) for row in library.db.execute(f"SELECT * FROM {table}").fetchall()]
        return
    after = -1
    query = f"SELECT rowid AS rowid_, * FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT ?"
    while rows := library.db.execute(query, (after, _ROWS_A_STEP)).fetchall():
        yield [dict(row) for row in rows]
        after = rows[-1]["rowid_"]


class _Excuses:
    """What may stand in a cleaned text all the same: what a person, or the rules for its class, let stay."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._phrases: dict[str, list[str]] = {}

    @cached_property
    def kept_documents(self) -> set[str]:
        """The documents of which everything is kept."""
        return {row[0] for row in self._library.db.execute("SELECT id FROM documents WHERE policy = 'keep'")}

    def kind(self, table: str, row: dict[str, Any], text: str, start: int, end: int) -> str:
        """LEAK, or KEPT where `text[start:end]` stands in something that was kept on purpose."""
        documents = self._documents(table, row)
        if self.kept_documents.intersection(documents):
            return KEPT
        phrases = [phrase for document in documents for phrase in self._kept(document)]
        phrases += self._substitutes
        return KEPT if any(_covered(text, phrase, start, end) for phrase in phrases) else LEAK

    @cached_property
    def _substitutes(self) -> list[str]:
        """Invented names that stand for real ones, and may have a word of them by chance; none that is a real one."""
        rows = self._library.db.execute(
            "SELECT DISTINCT substitute FROM aliases WHERE substitute IS NOT NULL"
            " AND lower(substitute) NOT IN (SELECT lower(value) FROM aliases)"
        )
        return [row[0] for row in rows]

    def document(self, row: dict[str, Any]) -> str | None:
        """The name of the document that a row is of."""
        identity = row.get("document_id")
        found = self._library.db.execute("SELECT name FROM documents WHERE id = ?", (identity,)).fetchone()
        return found[0] if found else None

    def _documents(self, table: str, row: dict[str, Any]) -> list[str]:
        """The documents that a row is of, or quotes."""
        if table == "messages":
            quoted = self._library.db.execute("SELECT document_id FROM quotes WHERE message_id = ?", (row["id"],))
            return [found[0] for found in quoted]
        if table == "judged":
            about = "SELECT document_id FROM judged_passages WHERE judged_id = ?"
            return [found[0] for found in self._library.db.execute(about, (row["id"],))]
        named = row["id"] if table == "documents" else row.get("document_id")
        return [named] if named else []

    def _kept(self, document: str) -> list[str]:
        """What was found in a document and kept, as it stands in its text and in JSON."""
        if document not in self._phrases:
            rows = self._library.db.execute(
                "SELECT DISTINCT substr(p.text, s.scrubbed_start + 1, s.scrubbed_end - s.scrubbed_start) FROM spans s"
                " JOIN pages p ON p.id = s.page_id WHERE p.document_id = ? AND s.replace = 0",
                (document,),
            )
            phrases = [row[0] for row in rows if row[0]]
            self._phrases[document] = list({*phrases, *(json.dumps(phrase)[1:-1] for phrase in phrases)})
        return self._phrases[document]


def _covered(text: str, phrase: str, start: int, end: int) -> bool:
    at = text.find(phrase, max(0, end - len(phrase)))
    return 0 <= at <= start


def _orphan_terms(library: Library, findings: Findings, excuses: _Excuses) -> Steps:
    """Words of the index that their passage does not hold any more, or that belong to none."""
    of: dict[str, int] = {}
    for number, value in enumerate(findings.values):
        for word in filter(worth_looking_for, value.text.split()):
            for words in library.lexical.analyses(word, library.chosen(None)):
                of |= dict.fromkeys(words, number)
    for term, number in of.items():
        yield
        for row in _having(library, term):
            kept = row.get("document") in excuses.kept_documents
            if not kept and (not row or term not in terms(f"{row['context']}\n{row['text']}", row["language"])):
                place = Place("terms", "term", LEAK, excuses.document({"document_id": row.get("document")}))
                findings.in_table(place, number)


def _having(library: Library, term: str) -> Iterator[dict[str, Any]]:
    """The passages that the index says have a term; an empty one for each that is not there, or for none at all."""
    chunks = library.lexical.having(term)
    if chunks is not None:
        for at in range(0, max(1, len(chunks)), _CHUNKS_AT_ONCE):
            part = chunks[at : at + _CHUNKS_AT_ONCE]
            rows = library.documents.chunk_rows(part)
            yield from ([rows.get(chunk, {}) for chunk in part] or [{}])
