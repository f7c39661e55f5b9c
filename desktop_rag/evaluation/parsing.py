"""`eval files`: whether each file of a manifest, and each attack made for the occasion, is read as it should be.

The reader of files comes as an argument: a child process that may be killed, a fresh one for every file, so that
a peak of memory belongs to one file alone.
"""

from __future__ import annotations

import json
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from desktop_rag.documents.model import Page, UnreadPage
from desktop_rag.errors import DesktopRagError, DocumentError, UsageError
from desktop_rag.evaluation.attacks import UNTOUCHED, make_all
from desktop_rag.evaluation.team import Event
from desktop_rag.meter.memory import process_memory
from desktop_rag.scratch import scratch

MANIFESTS = ("MANIFEST.jsonl", "SYNTHETIC_MANIFEST.jsonl")
ENOUGH = 0.97
"""The share of rows that have to be as expected."""
ATTACK_SECONDS = 60.0
ATTACK_MB = 2048.0
ATTACK_CHARS = 20_000_000
_DEPTH = 3
_MOST_INSIDE = 100
_WORD = re.compile(r"\w+")


class Inside(Protocol):
    """A file in a file (`desktop_rag.workers.parsing.FoundChild`)."""

    @property
    def name(self) -> str:
        """Its name in there."""
        ...

    @property
    def sha256(self) -> str | None:
        """Its content's hash; None if it cannot be had."""
        ...


class Found(Protocol):
    """What was read of a file so far (`desktop_rag.workers.parsing.ParsedFile`)."""

    @property
    def pages(self) -> Sequence[Page | UnreadPage]:
        """Its pages in order."""
        ...

    @property
    def children(self) -> Sequence[Inside]:
        """The files in it."""
        ...


class Reader(Protocol):
    """A child process that reads files (`desktop_rag.workers.parsing.Parser`)."""

    @property
    def pid(self) -> int | None:
        """The running child; None when there is none."""
        ...

    def read(self, path: Path, password: str | None = None, member: Sequence[str] = ()) -> Generator[Found, None, None]:
        """Yield the growing result; the last one is complete. Raises DocumentError."""
        ...

    def ensure(self) -> None:
        """Start the child and wait for it."""
        ...

    def close(self) -> None:
        """End the child."""
        ...


@dataclass(slots=True)
class Outcome:
    """What came of one file, with everything in it. `peak_mb` is None where the system does not tell."""

    code: str | None = None
    stopped: bool = False
    pages: int = 0
    recognised: int = 0
    unread: int = 0
    inside: int = 0
    characters: int = 0
    text: str = ""
    seconds: float = 0.0
    peak_mb: float | None = None

    def words(self) -> str:
        """The outcome for people."""
        if self.stopped:
            return "the reader was stopped"
        if self.code:
            return self.code
        parts = [f"{self.pages} pages" if self.pages != 1 else "1 page"]
        parts += [f"{count} {what}" for count, what in self._counts() if count]
        return ", ".join(parts)

    def _counts(self) -> list[tuple[int, str]]:
        return [(self.recognised, "by OCR"), (self.unread, "unread"), (self.inside, "files inside")]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `why` is None when the file was read as expected."""

    file: str
    expect: str
    outcome: str
    seconds: float
    peak_mb: float | None
    f1: float | None
    why: str | None


@dataclass(slots=True)
class _Inbox:
    """The files in files that are still to be read, each content once."""

    waiting: list[tuple[str, ...]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def take(self, member: tuple[str, ...], children: Sequence[Inside]) -> None:
        for child in children:
            if child.sha256 and child.sha256 not in self.seen and len(self.seen) < _MOST_INSIDE:
                self.seen.add(child.sha256)
                if len(member) < _DEPTH:
                    self.waiting.append((*member, child.name))


def evaluate(reader: Callable[[], Reader], folder: Path, *, attacks: bool = True) -> Iterator[Event]:
    """Yields "progress" and "file" events, and at last "done" with {files, attacks, totals}.

    Raises UsageError if there is no manifest in `folder`.
    """
    expected = _manifest(folder)
    files, assaults = [], []
    for number, entry in enumerate(expected):
        yield {"event": "progress", "text": entry["file"], "fraction": round(number / len(expected), 3)}
        row = _judged(reader, folder, entry)
        files.append(row)
        yield {"event": "file", "row": asdict(row)}
    if attacks:
        for event in _attacked(reader):
            if event["event"] == "file":
                assaults.append(event["row"])
            yield event
    plain = [asdict(row) for row in files]
    yield {"event": "done", "files": plain, "attacks": assaults, "totals": totals([*plain, *assaults])}


def totals(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How many rows are as expected, the median F1, the time of all and the highest peak."""
    good = sum(row["why"] is None for row in rows)
    scores = [row["f1"] for row in rows if row["f1"] is not None]
    peaks = [row["peak_mb"] for row in rows if row["peak_mb"] is not None]
    return {
        "rows": len(rows),
        "as_expected": good,
        "share": round(good / len(rows), 4) if rows else None,
        "median_f1": round(statistics.median(scores), 4) if scores else None,
        "seconds": round(sum(row["seconds"] for row in rows), 1),
        "peak_mb": max(peaks, default=None),
        "met": bool(rows) and good >= ENOUGH * len(rows),
    }


def token_f1(text: str, expected: str) -> float:
    """The harmonic mean of precision and recall of the words of `text`, as bags, in lower case."""
    found, wanted = (Counter(_WORD.findall(words.lower())) for words in (text, expected))
    return 2 * (found & wanted).total() / max(1, found.total() + wanted.total())


def _manifest(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name in MANIFESTS:
        path = folder / name
        if path.is_file():
            try:
                rows += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
            except ValueError as failure:
                raise UsageError("bad_request", f"{name} is not one JSON object a line.", "Put it right.") from failure
    if not rows:
        raise UsageError(
            "bad_request", "There is no manifest in this folder.", f"It is called {' or '.join(MANIFESTS)}."
        )
    return rows


def _judged(reader: Callable[[], Reader], folder: Path, entry: dict[str, Any]) -> Row:
    path = folder / entry["file"]
    outcome = read_whole(reader, path)
    why = complaint(entry, outcome)
    if why is None and entry["expect"] == "needs_password" and entry.get("password"):
        opened = read_whole(reader, path, entry["password"])
        why = None if opened.text.strip() else f"with its password: {opened.words()}"
    f1 = None
    if entry.get("expected_file") and not outcome.code:
        expected = (folder / entry["expected_file"]).read_text(encoding="utf-8", errors="ignore")
        f1 = round(token_f1(outcome.text, expected), 4)
    return Row(entry["file"], entry["expect"], outcome.words(), outcome.seconds, outcome.peak_mb, f1, why)


def complaint(entry: dict[str, Any], outcome: Outcome) -> str | None:
    """What is wrong with how a file was read, None if it is as its row of the manifest expects."""
    expect = entry["expect"]
    if outcome.stopped:
        return "the reader was stopped"
    if expect == "needs_password":
        return None if outcome.code == "encrypted" else f"{outcome.words()} instead of encrypted"
    if expect == "needs_ocr":
        read = outcome.recognised and not outcome.unread and not outcome.code
        return None if read else f"{outcome.words()} instead of text by OCR"
    if expect == "error_or_empty":
        return None if outcome.code or not outcome.text.strip() else "accepted"
    return _missing(entry, outcome) if expect == "text" else None


def _missing(entry: dict[str, Any], outcome: Outcome) -> str | None:
    if outcome.code or outcome.unread or not (outcome.text.strip() or outcome.inside):
        return f"{outcome.words()} instead of text"
    text = _squeezed(outcome.text)
    for words in entry.get("must_include") or []:
        if _squeezed(words) not in text:
            return f"lacks {words[:30]!r}"
    for words in entry.get("must_not_include") or []:
        if _squeezed(words) in text:
            return f"contains {words[:30]!r}"
    return None


def _squeezed(text: str) -> str:
    return "".join(text.split()).lower()


def read_whole(reader: Callable[[], Reader], path: Path, password: str | None = None) -> Outcome:
    """Read a file and what lies in it with a reader of its own; its text is the file's own, without that of others."""
    outcome = Outcome()
    with closing(reader()) as child:
        child.ensure()
        began = time.monotonic()
        inbox = _Inbox([()])
        while inbox.waiting:
            member = inbox.waiting.pop(0)
            try:
                found = _followed(child.read(path, password, member), child, outcome)
            except DesktopRagError as error:
                # A child that is gone did not refuse: it was ended, by a limit or by itself.
                refused = isinstance(error, DocumentError) and error.code != "parse_timeout" and child.pid is not None
                outcome.stopped = not refused
                outcome.code = outcome.code if member else error.code
                if outcome.stopped:
                    break
                continue
            _count(outcome, found, own=not member)
            inbox.take(member, found.children)
        outcome.seconds = round(time.monotonic() - began, 2)
    return outcome


def _followed(steps: Generator[Found, None, None], child: Reader, outcome: Outcome) -> Found:
    """The complete result; the peak of memory is looked at all the while, for the child may not live to the end."""
    last: Found | None = None
    try:
        for step in steps:
            last = step
            _weigh(child, outcome)
    finally:
        _weigh(child, outcome)
    assert last is not None
    return last


def _weigh(child: Reader, outcome: Outcome) -> None:
    pid = child.pid
    memory = process_memory(pid) if pid is not None else None
    peak = memory["peak_rss"] if memory else None
    if peak is not None:
        outcome.peak_mb = max(peak, outcome.peak_mb or 0.0)


def _count(outcome: Outcome, found: Found, *, own: bool) -> None:
    pages = [page for page in found.pages if isinstance(page, Page)]
    outcome.characters += sum(len(page.text) for page in pages)
    outcome.inside += len(found.children)
    if own:
        outcome.text = "\n".join(page.text for page in pages)
        outcome.pages = len(found.pages)
        outcome.unread = len(found.pages) - len(pages)
        outcome.recognised = sum(page.confidence is not None for page in pages)
    elif any(UNTOUCHED in page.text for page in pages):
        outcome.text += UNTOUCHED


def _attacked(reader: Callable[[], Reader]) -> Iterator[Event]:
    yield {"event": "progress", "text": "making the attacks", "fraction": 1.0}
    with scratch("attacks") as outer:
        folder = outer / "a" / "b"
        folder.mkdir(parents=True)
        made = make_all(folder)
        before = _listed(outer)
        for attack, path in made:
            yield {"event": "progress", "text": attack.name, "fraction": 1.0}
            outcome = read_whole(reader, path)
            why = harm(outcome, _listed(outer) - before)
            row = Row(attack.name, "refused or harmless", outcome.words(), outcome.seconds, outcome.peak_mb, None, why)
            yield {"event": "file", "row": asdict(row)}
            with suppress(OSError):
                path.unlink()


def harm(outcome: Outcome, written: set[Path]) -> str | None:
    """What an attack did beyond what it may, None if nothing."""
    if outcome.stopped:
        return "the reader was stopped"
    if written:
        return f"{len(written)} files were written"
    if UNTOUCHED in outcome.text:
        return "another file was read"
    if outcome.seconds > ATTACK_SECONDS:
        return f"took longer than {ATTACK_SECONDS:.0f} s"
    if (outcome.peak_mb or 0.0) > ATTACK_MB:
        return f"took more than {ATTACK_MB:.0f} MB"
    return "gave too much text" if outcome.characters > ATTACK_CHARS else None


def _listed(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def table(done: Event) -> list[str]:
    """The result as lines: every row, then the totals."""
    rows = [*done["files"], *done["attacks"]]
    lines = [f"  {'file':<46} {'expected':<19} {'outcome':<30} {'s':>6} {'MB':>6} {'F1':>5}"]
    for row in rows:
        peak = "–" if row["peak_mb"] is None else f"{row['peak_mb']:.0f}"
        score = "" if row["f1"] is None else f"{row['f1']:.2f}"
        name = Path(row["file"]).name
        line = (
            f"{'✗' if row['why'] else '✓'} {name[:46]:<46} {row['expect']:<19} {row['outcome'][:30]:<30} "
            f"{row['seconds']:>6.1f} {peak:>6} {score:>5}"
        )
        lines.append(f"{line}  {row['why']}" if row["why"] else line.rstrip())
    total = done["totals"]
    median = "" if total["median_f1"] is None else f", median F1 {total['median_f1']:.2f}"
    lines.append(
        f"{total['as_expected']} of {total['rows']} as expected ({100 * (total['share'] or 0):.1f} %; at least "
        f"{100 * ENOUGH:.0f} %){median}; {total['seconds']:.0f} s, at most {total['peak_mb'] or 0:.0f} MB"
    )
    return lines
