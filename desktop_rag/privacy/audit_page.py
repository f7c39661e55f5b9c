"""The leak audit as a page to keep. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import desktop_rag
from desktop_rag.privacy import page
from desktop_rag.privacy.audit import KEPT, LEAK, NAMES, key_words, place_words, verdict, who

_LIMITS = (
    "A value is looked for as it was replaced: in UTF-8, UTF-16, Latin and Windows encodings, as JSON, HTML and"
    " addresses escape it, in small and capital letters, and inside ZIP and gzip files.",
    "Values of fewer than four letters or six digits, everyday words, months and days are left out: they"
    " stand in many files by chance.",
    "What was not found in a document was never replaced, and cannot be looked for. How much is found, the self-test"
    " says.",
    "What you exported, copied, printed or sent is yours and is not looked at; nor is the documents' own folder.",
)


_MISSED = (
    "These values were replaced in one place and overlooked in another. They lie in the encrypted library, but are"
    " shown and given to the model as they are: open the document's review, mark them, and index it again."
)


def audit_page(result: Mapping[str, Any], date: str) -> str:
    """The page; `date` says when the audit was made."""
    leaks = [row for row in result["tables"] if row["kind"] == LEAK]
    parts = [page.text(verdict(result), "good" if result["clean"] else "bad"), _what(result)]
    if result["traces"]:
        rows = [[row["path"], who(row), row["form"], row["state"], _number(row["count"])] for row in result["traces"]]
        heads: list[page.Cell] = ["File", "Value", "Written as", "Library", ("Times", "number")]
        parts.append(page.section("Traces in files", page.table(heads, rows)))
    if leaks:
        rows = [[place_words(row), who(row), _number(row["count"])] for row in leaks]
        table = page.table(["Place", "Value", ("Times", "number")], rows)
        parts.append(page.section("Traces in cleaned texts", page.text(_MISSED, "muted"), table))
    if result["not_readable"]:
        rows = [[row["name"], row["cause"]] for row in result["not_readable"]]
        parts.append(page.section("Not looked into", page.table(["What", "Why"], rows)))
    parts.append(page.section("What remains readable", page.points(_readable(result))))
    parts.append(page.section("Limits", page.points(_LIMITS)))
    return page.page("Leak audit", f"Desktop RAG {desktop_rag.__version__} · {date}", parts)


def _what(result: Mapping[str, Any]) -> str:
    rows: list[list[page.Cell]] = [
        ["Files the application has written", _number(result["files"])],
        ["Megabytes", (f"{result['bytes'] / 1e6:,.1f}", "number")],
        ["Values looked for", _number(result["values"])],
        ["Values left out, too short or too common", _number(result["left_out"])],
    ]
    words = (
        "Every file was read byte by byte as it lies while the library is open, its log not yet merged, and the"
        " database once more as it lies when the library is closed. Then every text inside the encrypted database was"
        " searched."
    )
    return page.section("What was looked at", page.text(words), page.table([], rows))


def _readable(result: Mapping[str, Any]) -> list[str]:
    told = list(result["readable_on_disk"]) or ["No text and no vectors of documents lie outside the encrypted files."]
    for kind, words in (
        (NAMES, "places in names of files, folders and conversations hold such a value. You chose these names."),
        (KEPT, "places hold such a value inside something kept on purpose."),
    ):
        if number := sum(row["count"] for row in result["tables"] if row["kind"] == kind):
            told.append(f"{number:,} {words} They lie in the encrypted library only.")
    return [*told, key_words(result["key"])]


def _number(value: int) -> tuple[str, str]:
    return f"{value:,}", "number"
