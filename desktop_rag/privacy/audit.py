"""What a leak audit looks for and what it says in the end. Pure: the places are brought by the library's process.

The values themselves never leave that process: what is told of a trace is where it is, the class of the value and
its pseudonym.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from desktop_rag.privacy.classes import readable
from desktop_rag.privacy.traces import Trace, worth_looking_for

LEAK, NAMES, KEPT = "leak", "file name", "kept"
"""A value in a text that was cleaned; in a name that the user chose; inside something kept on purpose."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A value to look for, its class, and the pseudonym that stands for it, if there is one."""

    text: str
    label: str
    entry: str | None


def wanted(values: Iterable[Wanted], own_words: Set[str] = frozenset()) -> tuple[list[Wanted], int]:
    """Each value once, without those that say nothing where they stand; how many of these were left out.

    `own_words`, in small letters, stand in the application's files whatever the documents say.
    """
    once = {value.text.casefold(): value for value in values}
    worth = [value for text, value in once.items() if worth_looking_for(value.text) and text not in own_words]
    return worth, len(once) - len(worth)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the decrypted database a value stands; `kind` is LEAK, NAMES or KEPT."""

    table: str
    column: str
    kind: str
    document: str | None = None


@dataclass(slots=True)
class Findings:
    """Where values were found so far, counted by place."""

    values: Sequence[Wanted]
    data_dir: Path
    files: set[Path] = field(default_factory=set)
    size: int = 0
    unreadable: list[Path] = field(default_factory=list)
    documents: list[dict[str, str]] = field(default_factory=list)
    """Documents whose values nobody knows any more: {name, cause}."""
    _traces: Counter[tuple[str, str, str, int]] = field(default_factory=Counter)
    _tables: Counter[tuple[Place, int]] = field(default_factory=Counter)

    def scanned(self, path: Path) -> None:
        """Count one file."""
        if path not in self.files:
            self.files.add(path)
            self.size += path.stat().st_size if path.exists() else 0

    def in_file(self, trace: Trace, state: str) -> None:
        """Count a trace, found while the database was `state`: "open" or "closed"."""
        # The weights' vocabulary has every common name in it: they were learnt elsewhere.
        in_model = trace.path.is_relative_to(self.data_dir / "models")
        if not (in_model and self.values[trace.value].text.isalpha()):
            self._traces[self._shown(trace.path), trace.form, state, trace.value] += 1

    def in_table(self, place: Place, value: int) -> None:
        """Count a value in the decrypted database."""
        self._tables[place, value] += 1

    def result(self, *, left_out: int, key: str, readable_on_disk: list[str]) -> dict[str, Any]:
        """What `privacy audit` prints. `clean`: everything could be looked into, and nothing was found."""
        traces = [
            {"path": path, "form": form, "state": state, "count": count, **self._named(value)}
            for (path, form, state, value), count in self._traces.items()
        ]
        tables = [
            {**asdict(place), "count": count, **self._named(value)} for (place, value), count in self._tables.items()
        ]
        not_readable = [{"name": self._shown(path), "cause": "The file cannot be read."} for path in self.unreadable]
        not_readable += self.documents
        leaks = [row for row in tables if row["kind"] == LEAK]
        return {
            "files": len(self.files),
            "bytes": self.size,
            "values": len(self.values),
            "left_out": left_out,
            "not_readable": not_readable,
            "traces": traces,
            "tables": tables,
            "key": key,
            "readable_on_disk": readable_on_disk,
            "clean": not (traces or leaks or not_readable),
        }

    def _named(self, value: int) -> dict[str, str | None]:
        return {"label": self.values[value].label, "entry": self.values[value].entry}

    def _shown(self, path: Path) -> str:
        relative = path.is_relative_to(self.data_dir)
        return str(path.relative_to(self.data_dir) if relative else path)


def verdict(result: Mapping[str, Any]) -> str:
    """The outcome in one sentence."""
    if result["clean"] and not result["values"] + result["left_out"]:
        return "There is nothing to look for: no value was replaced yet."
    if result["clean"]:
        return "Clean: no replaced value stands in any file or any cleaned text."
    leaks = [row for row in result["tables"] if row["kind"] == LEAK]
    if not (result["traces"] or leaks):
        return "No trace was found, but not everything could be looked into."
    places = len({row["path"] for row in result["traces"]}), len(leaks)
    told = [
        f"{number:,} {what if number == 1 else what + 's'}"
        for number, what in zip(places, ("file", "cleaned text"), strict=True)
        if number
    ]
    return f"NOT clean: replaced values still stand in {' and '.join(told)}."


def lines(result: Mapping[str, Any]) -> list[str]:
    """The result for people, a line for each fact."""
    told = [
        verdict(result),
        f"{result['files']:,} files, {result['bytes'] / 1e6:,.1f} MB, looked through for {result['values']:,} values,"
        " with the library open and as it lies when closed.",
    ]
    if result["left_out"]:
        told.append(f"{result['left_out']:,} values are too short or too common to look for.")
    told += [
        f"! {row['path']}: {who(row)}, {row['count']:,} × as {row['form']}, library {row['state']}"
        for row in result["traces"]
    ]
    told += [f"! {place_words(row)}: {who(row)}, {row['count']:,} ×" for row in result["tables"] if row["kind"] == LEAK]
    told += [f"? {row['name']}: {row['cause']}" for row in result["not_readable"]]
    for kind, words in ((NAMES, "in names of files, folders and conversations, which you chose"), (KEPT, _KEPT_WORDS)):
        if number := sum(row["count"] for row in result["tables"] if row["kind"] == kind):
            told.append(f"{number:,} × {words} (in the encrypted library only)")
    told += result["readable_on_disk"]
    return [*told, key_words(result["key"])]


def place_words(row: Mapping[str, Any]) -> str:
    """A place in the library, for people."""
    place = _PLACES.get((row["table"], row["column"]), f"{row['table']}.{row['column']}")
    return f"{place} of {row['document']}" if row["document"] else place


def key_words(key: str) -> str:
    """Who keeps the library's key."""
    return _KEYS.get(key, f"The library's key: {key}.")


def who(row: Mapping[str, Any]) -> str:
    """The value that was found, by its pseudonym or its class."""
    return row["entry"] or f"a value of the class {readable(row['label'])}"


_PLACES = {
    ("pages", "text"): "the cleaned text",
    ("chunks", "context"): "a heading",
    ("messages", "text"): "a conversation",
    ("messages", "data"): "the passages of an answer",
    ("terms", "term"): "the word index",
}
_KEPT_WORDS = "inside what is kept on purpose, by a policy, a class or a decision"
_KEYS = {
    "file": "The library's key lies in a file: protected by file permissions only.",
    "keyring": "The library's key lies in the operating system's keyring.",
    "passphrase": "The library's key is made from your passphrase.",
}
