"""What was found in one document and what the user decided about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from desktop_rag.gui.words import place

_FULL_LINE = 0.8
_LOOK_CLOSER = "POSSIBLE_NAME"  # kept unless it is ticked, so it must not be missed


@dataclass(slots=True)
class Span:
    """One found value; `start`/`end` are code points in the joined text of all pages."""

    id: Any
    start: int
    end: int
    label: str
    text: str
    replace: bool
    default: bool
    doubtful: bool
    replacement: str | None
    place: str


class Decisions:
    """The spans of one document with the user's ticks over the defaults."""

    GAP = "\n\n"

    def __init__(self, review: dict[str, Any]) -> None:
        self.document = str(review["document"])
        self.name = str(review.get("name") or "")
        self.policy = str(review.get("policy") or "pseudonymise")
        self.spans: list[Span] = []
        texts = []
        offset = 0
        for page in review.get("pages") or ():
            text = str(page.get("text") or "")
            shown = reflowed(text) if review.get("format") == "pdf" else text
            self.spans.extend(_span(raw, offset, text, place(page)) for raw in page.get("spans") or ())
            texts.append(shown)
            offset += len(text) + len(self.GAP)
        self.text = self.GAP.join(texts)

    @property
    def found(self) -> int:
        """How many values were found."""
        return len(self.spans)

    @property
    def replaced(self) -> int:
        """How many will be replaced."""
        return sum(span.replace for span in self.spans)

    @property
    def doubtful(self) -> list[Span]:
        """What the detectors were unsure of."""
        return [span for span in self.spans if span.doubtful]

    def groups(self) -> list[tuple[str, list[Span]]]:
        """Spans by label: the doubtful first (label ""), then what is replaced, then what is kept."""
        by_label: dict[str, list[Span]] = {}
        for span in self.spans:
            if not span.doubtful:
                by_label.setdefault(span.label, []).append(span)
        ordered = sorted(by_label.items(), key=_order)
        return [("", self.doubtful), *ordered] if self.doubtful else ordered

    def set(self, spans: list[Span], replace: bool) -> None:
        """Decide about some spans."""
        for span in spans:
            span.replace = replace

    def same(self, span: Span) -> list[Span]:
        """Every span with the same text and label."""
        wanted = span.text.casefold()
        return [other for other in self.spans if other.label == span.label and other.text.casefold() == wanted]

    def as_request(self) -> dict[str, bool]:
        """The user's decisions that differ from the defaults, for `accept`."""
        return {span.id: span.replace for span in self.spans if span.replace != span.default}


def _order(group: tuple[str, list[Span]]) -> tuple[bool, bool, int, str]:
    label, spans = group
    return label != _LOOK_CLOSER, not any(span.default for span in spans), -len(spans), label


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


def _span(raw: dict[str, Any], offset: int, text: str, where: str) -> Span:
    start, end = int(raw["start"]), int(raw["end"])
    replace = bool(raw.get("replace"))
    return Span(
        raw["id"], offset + start, offset + end, str(raw["label"]), text[start:end], replace, replace,
        bool(raw.get("doubtful")), raw.get("replacement"), where,
    )  # fmt: skip
