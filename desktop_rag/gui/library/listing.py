"""Which documents are listed, in which order, and how they are counted. Pure: mappings in, words and lists out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from desktop_rag.gui import words

Row = Mapping[str, Any]

ALL = "all"
READY, NEEDS_YOU, PARTLY, FAILED, WORKING = "ready", "needs_you", "partly_read", "failed", "working"
GROUPS: dict[str, str] = {
    READY: "Ready",
    WORKING: "In work",
    NEEDS_YOU: "Needs you",
    PARTLY: "Partly read",
    FAILED: "Failed",
}
DEEPEST = 3
MOST_PAGES = 8
_READ = ("reviewing", READY, PARTLY)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list: a document and how deep it lies inside the lines above it."""

    row: dict[str, Any]
    depth: int = 0


def locked(row: Row) -> bool:
    """Whether a document waits for its password."""
    return (row.get("error") or {}).get("code") == "encrypted"


def group_of(row: Row) -> str:
    """The one group of `GROUPS` a document belongs to."""
    state = row.get("state")
    if state == "reviewing" or locked(row):
        return NEEDS_YOU
    if state in (READY, PARTLY, FAILED):
        return str(state)
    return WORKING


def count(rows: Iterable[Row]) -> dict[str, int]:
    """How many documents each group has; the groups' numbers add up to all documents."""
    numbers = dict.fromkeys(GROUPS, 0)
    for row in rows:
        numbers[group_of(row)] += 1
    return numbers


def totals(rows: Sequence[Row]) -> list[str]:
    """ "123 documents", "840 pages, 12 by OCR, 3 unreadable", "57 private values"; only what was read has pages."""
    done = [row for row in rows if row.get("state") in _READ and row.get("pages")]
    sums = {key: sum(int(row.get(key) or 0) for row in done) for key in ("pages", "pages_read", "pages_ocr")}
    doubtful = [page for row in done for page in row.get("pages_doubtful") or ()]
    private = sum(sum((row.get("pii") or {}).values()) for row in rows)
    return [
        part
        for part in (
            words.plural(len(rows), "document"),
            words.pages({**sums, "pages_doubtful": doubtful}),
            words.plural(private, "private value") if private else "",
        )
        if part
    ]


def arranged(rows: Sequence[dict[str, Any]]) -> list[Entry]:
    """The same rows in their order, but what was found inside a file follows that file, deeper."""
    here = {str(row["id"]) for row in rows}
    inside: dict[str, list[dict[str, Any]]] = {}
    tops: list[dict[str, Any]] = []
    for row in rows:
        parent = row.get("parent")
        if parent is not None and str(parent) in here:
            inside.setdefault(str(parent), []).append(row)
        else:
            tops.append(row)
    entries: list[Entry] = []
    stack = [(row, 0) for row in reversed(tops)]
    while stack:
        row, depth = stack.pop()
        entries.append(Entry(row, min(depth, DEEPEST)))
        # Latest first holds for files; what lies in one keeps the order it has there.
        stack += [(child, depth + 1) for child in inside.pop(str(row["id"]), [])]
    return entries


def shown(rows: Sequence[dict[str, Any]], group: str = ALL, name: str = "") -> list[Entry]:
    """The documents of a group whose name has these letters, arranged."""
    wanted = name.strip().casefold()
    return arranged(
        [
            row
            for row in rows
            if (group == ALL or group_of(row) == group) and wanted in str(row.get("name") or "").casefold()
        ]
    )


def facts(row: Row, *, container: str = "", collection: bool = False, paused: bool = False) -> list[str]:
    """The short facts of a document in order: state, pages, what was found, language, size, where it lies."""
    found = sum((row.get("pii") or {}).values())
    reading = row.get("state") == "reading" and not paused
    return [
        part
        for part in (
            look(row, paused=paused).word,
            words.reading(row) if reading else words.pages(row),
            f"{words.count(found)} private" if found else "",
            words.language(row.get("language")),
            words.size(row.get("size")),
            str(row.get("collection") or "") if collection else "",
            f"in {words.file_name(container)}" if container else "",
        )
        if part
    ]


def look(row: Row, *, paused: bool = False) -> words.Look:
    """Word, icon and colour of what a document is at."""
    state = str(row.get("state"))
    if locked(row):
        return words.LOCKED
    return words.PAUSED if paused and state in words.WORKING else words.state_look(state)


def cause(row: Row) -> str:
    """Why a document was not read, or not all of it, and what to do."""
    error = row.get("error") or {}
    return " ".join(part for part in (str(error.get("message") or ""), str(error.get("hint") or "")) if part)


def doubt(row: Row) -> str:
    """Which pages text recognition is unsure of, and what to do."""
    pages = row.get("pages_doubtful") or []
    if not pages or row.get("state") not in _READ:
        return ""
    if len(pages) == 1:
        return f"Text recognition is unsure of page {pages[0]}: compare it with the original."
    more = f" and {words.count(len(pages) - MOST_PAGES)} more" if len(pages) > MOST_PAGES else ""
    shown = ", ".join(map(str, pages[:MOST_PAGES])) + more
    of = words.plural(int(row.get("pages_ocr") or len(pages)), "page")
    return f"Text recognition is unsure of {words.count(len(pages))} of {of}: {shown}. Compare them with the original."


def details(row: Row) -> str:
    """All there is to know about a document beyond its facts: why it was not read, and how sure its text is."""
    return " ".join(part for part in (cause(row), doubt(row)) if part)
