"""The private places of a document as they hold in the end: what was found, what its owner decided, and their rules.

Findings are stored as they were found, so that a rule that is forgotten before the document is indexed leaves nothing
uncovered; only cleaning stores what comes out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from desktop_rag.documents.model import Page
from desktop_rag.privacy.finding import Finding
from desktop_rag.privacy.findings import doubtful
from desktop_rag.privacy.marks import Mark, resolved
from desktop_rag.privacy.rules import Rules
from desktop_rag.workers.library import Library


def found(text: str, findings: Sequence[Finding], rules: Rules) -> list[dict[str, Any]]:
    """What to store of a page's findings: start, end, label, score, replace, doubtful."""
    marks = rules.treated(Mark(f.start, f.end, f.label, f.score, replace=True) for f in findings)
    return [
        {
            **{name: getattr(mark, name) for name in ("start", "end", "label", "score", "replace")},
            "doubtful": is_doubtful(text, mark, rules),
        }
        for mark in rules.settle(text, marks)
    ]


def is_doubtful(text: str, mark: Mark, rules: Rules) -> bool:
    """Whether a person should look at it first: what is replaced on doubt, and what is left because of it."""
    if mark.decided or mark.score == 1.0:
        return False
    value = text[mark.start : mark.end]
    if mark.replace:
        return doubtful(mark.label, value, mark.score)
    return rules.unsure(mark.label, mark.score) and rules.about(value) is None


def settled(text: str, stored: Sequence[Mark], rules: Rules) -> list[Mark]:
    """A page's stored places by the rules that hold now, without overlaps."""
    return rules.settle(text, resolved(text, rules.treated(stored)))


def settle(library: Library, row: dict[str, Any], texts: Sequence[tuple[dict[str, Any], Page]]) -> Iterator[None]:
    """Store the places of a document as they hold now; under the policy "keep" nothing is replaced."""
    rules = library.rules.holding(row["collection_id"])
    for page_row, page in texts:
        stored = library.reviews.marks(page_row["id"])
        marks = settled(page.text, stored, rules)
        if row["policy"] == "keep":
            marks = [dataclasses.replace(mark, replace=False) for mark in marks]
        if marks != stored:
            library.reviews.store(page_row["id"], marks)
        yield
