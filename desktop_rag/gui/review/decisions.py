"""What was found in one document and what the user decided about it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from desktop_rag.gui.words import place
from desktop_rag.privacy.marks import Mark, laid_over
from desktop_rag.privacy.rules import ALWAYS, Rule, Rules, key

_FULL_LINE = 0.8
_AROUND = 60


@dataclass(slots=True, eq=False)
class Span:
    """One found value; `first` and `last` are code points in the text of its page, `page` counts from 0.

    `default` is what is stored of it, None as long as nothing is; `rule` says whether a term like it is replaced
    "always" or "never"; `checked` whether the user has decided about it.
    """

    id: int | None
    page: int
    first: int
    last: int
    label: str
    text: str
    replace: bool
    default: bool | None
    doubtful: bool = False
    place: str = ""
    before: str = ""
    after: str = ""
    rule: str | None = None
    replacement: str | None = None
    checked: bool = False
    offset: int = 0
    key: str = ""

    def __post_init__(self) -> None:
        self.key = key(self.text)

    @property
    def start(self) -> int:
        """Where it starts in the joined text of all pages."""
        return self.offset + self.first

    @property
    def end(self) -> int:
        """Where it ends there."""
        return self.offset + self.last

    @property
    def is_open(self) -> bool:
        """Whether somebody should still look at it."""
        return self.doubtful and not self.checked


@dataclass(slots=True)
class ReviewedPage:
    """A page: its number or locator, its text once it is read, where that begins, and why it could not be read."""

    number: int | None
    locator: str | None
    text: str | None = None
    offset: int = 0
    unread: str | None = None


@dataclass(slots=True)
class Kept:
    """The spans of a document as they were, to go back to."""

    spans: list[Span]
    states: list[tuple[bool, str | None, bool]] = field(default_factory=list)


class Decisions:
    """The spans of one document with the user's ticks over the defaults."""

    GAP = "\n\n"

    def __init__(self, told: dict[str, Any]) -> None:
        """`told` is the answer of `review`, or a "reviewed" event, which has no texts."""
        self.document = str(told["document"])
        self.name = str(told.get("name") or "")
        self.policy = str(told.get("policy") or "")
        self.format = str(told.get("format") or "")
        self.paged = bool(told.get("paged"))
        self.pages: list[ReviewedPage] = []
        self.spans: list[Span] = []
        self.text = ""
        self._read(told, {})

    def take(self, review: dict[str, Any]) -> None:
        """The texts come; what was decided without them stays decided."""
        self.paged, self.format = bool(review.get("paged")), str(review.get("format") or "")
        self._read(review, {(span.page, span.first, span.last): span for span in self.spans})

    def _read(self, told: dict[str, Any], known: dict[tuple[int, int, int], Span]) -> None:
        self.pages, self.spans = [], []
        texts, offset = [], 0
        for number, raw in enumerate(told.get("pages") or ()):
            text = raw.get("text")
            page = ReviewedPage(raw.get("page"), raw.get("locator"), text, offset, raw.get("unread"))
            self.pages.append(page)
            for found in raw.get("spans") or ():
                span = _span(found, number, page)
                span = known.get((number, span.first, span.last), span)
                span.offset = offset
                self.spans.append(span)
            if text is not None:
                texts.append(reflowed(text) if self.format == "pdf" else text)
                offset += len(text) + len(self.GAP)
        self.text = self.GAP.join(texts)

    @property
    def is_read(self) -> bool:
        """Whether the texts are here."""
        return all(page.text is not None for page in self.pages)

    @property
    def unread(self) -> list[ReviewedPage]:
        """The pages that could not be read; they are not indexed."""
        return [page for page in self.pages if page.unread]

    # -- deciding ------------------------------------------------------------------------------

    def keep(self) -> Kept:
        """What to go back to."""
        return Kept(list(self.spans), [(span.replace, span.rule, span.checked) for span in self.spans])

    def restore(self, kept: Kept) -> None:
        """Go back."""
        self.spans = list(kept.spans)
        for span, (replace, rule, checked) in zip(kept.spans, kept.states, strict=True):
            span.replace, span.rule, span.checked = replace, rule, checked

    def set(self, spans: Iterable[Span], replace: bool) -> None:
        """Decide about some spans."""
        for span in spans:
            span.replace, span.checked = replace, True

    def obey(self, rule: Rule) -> None:
        """Decide as a rule says, about the values found and, where the text is here, about those that were not."""
        wanted = key(rule.term)
        for span in self.spans:
            if span.key == wanted:
                span.replace, span.rule, span.checked = rule.kind == ALWAYS, rule.kind, True
        if rule.kind == ALWAYS:
            self._lay(rule, [[] for _ in self.pages], said=ALWAYS)

    def mark(self, start: int, end: int, label: str, *, everywhere: bool) -> bool:
        """Mark a stretch of the joined text by hand, and every place that reads the same; whether there is a word."""
        places: list[list[Mark]] = []
        value = ""
        for page in self.pages:
            length = len(page.text or "")
            first, last = max(0, start - page.offset), min(length, end - page.offset)
            first, last = _trimmed(page.text or "", first, last)
            places.append([Mark(first, last, label, 1.0, replace=True)] if first < last else [])
            value = value or (page.text or "")[first:last]
        if not key(value):
            return False
        self._lay(Rule(ALWAYS, value if everywhere else "", label), places, said=None)
        return True

    def _lay(self, rule: Rule, places: Sequence[Sequence[Mark]], said: str | None) -> None:
        """Lay marks over the spans of each page: those given, and each place of the rule's term."""
        rules = Rules([rule])
        fresh: list[Span] = []
        for number, (page, own) in enumerate(zip(self.pages, places, strict=True)):
            here = [span for span in self.spans if span.page == number]
            found = rules.always(page.text or "") if page.text else []
            over = [*own, *(Mark(f.start, f.end, f.label, 1.0, replace=True) for f in found)]
            if not over or page.text is None:
                fresh += here
                continue
            marks = [Mark(s.first, s.last, s.label, 0.5, s.replace, id=at) for at, s in enumerate(here)]
            fresh += [self._span_of(mark, here, number, page, said) for mark in laid_over(page.text, marks, over)]
        self.spans = fresh

    def _span_of(self, mark: Mark, here: list[Span], number: int, page: ReviewedPage, said: str | None) -> Span:
        held = here[mark.id] if mark.id is not None else None
        if held is not None and held.label == mark.label:
            return held
        raw = {"start": mark.start, "end": mark.end, "label": mark.label, "replace": mark.replace}
        span = _span({**raw, "id": None, "rule": said if mark.replace else None}, number, page)
        span.default, span.checked, span.offset = None, True, page.offset
        return span

    # -- sending -------------------------------------------------------------------------------

    def ticks(self) -> dict[int, bool]:
        """The decisions about stored places that differ from what is stored."""
        return {span.id: span.replace for span in self.spans if span.id is not None and span.replace != span.default}

    def marks(self) -> list[dict[str, Any]]:
        """The decisions about places that have no row of their own."""
        return [
            {"page": s.page, "start": s.first, "end": s.last, "label": s.label, "replace": s.replace}
            for s in self.spans
            if s.id is None and s.replace != s.default
        ]

    def stored(self, asked: dict[str, Any]) -> None:
        """What `decide` was told is stored now."""
        ticks = asked.get("ticks") or {}
        marks = {(mark["page"], mark["start"], mark["end"]): mark["replace"] for mark in asked.get("marks") or ()}
        for span in self.spans:
            if span.id is not None:
                span.default = ticks.get(span.id, span.default)
            else:
                span.default = marks.get((span.page, span.first, span.last), span.default)


def reflowed(text: str) -> str:
    """A page's text with the line breaks inside its paragraphs turned into spaces; every offset stays.

    A line that is nearly as long as the longest and does not end a sentence runs on into the next one.
    """
    lines = text.split("\n")
    full = max((len(line) for line in lines), default=0) * _FULL_LINE
    joints = [" " if _runs_on(line, after, full) else "\n" for line, after in pairwise(lines)]
    return "".join(part for pair in zip(lines, [*joints, ""], strict=True) for part in pair)


def _runs_on(line: str, after: str, full: float) -> bool:
    return len(line) >= full and bool(after.strip()) and not line.rstrip().endswith((".", ":", "!", "?"))


def _trimmed(text: str, first: int, last: int) -> tuple[int, int]:
    """A stretch without the white space around it."""
    value = text[first:last] if first < last else ""
    bare = value.strip()
    start = first + len(value) - len(value.lstrip())
    return (start, start + len(bare)) if bare else (0, 0)


def _span(raw: dict[str, Any], number: int, page: ReviewedPage) -> Span:
    first, last = int(raw["start"]), int(raw["end"])
    text = page.text
    replace = bool(raw.get("replace"))
    return Span(
        id=raw.get("id"), page=number, first=first, last=last, label=str(raw["label"]),
        text=str(raw.get("text") or "") if text is None else text[first:last],
        replace=replace, default=replace, doubtful=bool(raw.get("doubtful")),
        place=place({"page": page.number, "locator": page.locator}),
        before=str(raw.get("before") or "") if text is None else text[max(0, first - _AROUND) : first],
        after=str(raw.get("after") or "") if text is None else text[last : last + _AROUND],
        rule=raw.get("rule"), replacement=raw.get("replacement"), checked=bool(raw.get("decided")),
    )  # fmt: skip
