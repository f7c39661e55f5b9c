"""Personal data in a whole document: found piece by piece, then every known name looked for everywhere.

A detector that sees a name once must not miss it elsewhere in the same document or collection, so
whatever was found (and whatever the collection's vault knows) is searched for in every page again.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from desktop_rag.documents.model import Page
from desktop_rag.errors import DocumentError
from desktop_rag.privacy.classes import replaced_by_default
from desktop_rag.privacy.detect import Detector, Finding
from desktop_rag.privacy.vault import Vault

SEGMENT_CHARS = 1200
_KNOWN_SCORE = 0.75
# A name after a title ("Mr Baker") is one, whatever else the word means. The detector gives those more than spaCy's flat score.
_SURE = 0.86
_SMALL = re.compile(r"(?<![.!?]\s)\b[a-zà-ÿ]{3,}\b")


class MemoryRows:
    """Vault rows that live as long as one document's cleaning."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)

    def add_entry(self, label: str) -> tuple[int, int]:
        """See VaultRows."""
        number = next(self._ids)
        return number, number

    def add_alias(self, entry: int, folded: str, value: str) -> None:
        """Nothing to keep."""


def segments(page: Page) -> list[tuple[int, int]]:
    """The page cut at block ends into stretches a detector reads at once; together they cover the whole text."""
    cuts = [0]
    for block in page.blocks:
        if block.end - cuts[-1] >= SEGMENT_CHARS:
            cuts.append(block.end)
    while len(page.text) - cuts[-1] > 4 * SEGMENT_CHARS:
        space = page.text.rfind("\n", cuts[-1] + SEGMENT_CHARS, cuts[-1] + 2 * SEGMENT_CHARS)
        space = space if space > 0 else page.text.rfind(" ", cuts[-1] + SEGMENT_CHARS, cuts[-1] + 2 * SEGMENT_CHARS)
        cuts.append(space if space > 0 else cuts[-1] + 2 * SEGMENT_CHARS)
    cuts.append(len(page.text))
    return [(start, end) for start, end in itertools.pairwise(cuts) if page.text[start:end].strip()]


def find_in_page(page: Page, detector: Detector) -> Iterator[list[Finding]]:
    """Findings of the page, segment by segment, as offsets into the page's text.

    Raises DocumentError("scrub_failed") when the detector fails: nothing uncleaned goes on.
    """
    for start, end in segments(page):
        try:
            found = next(iter(detector.detect([page.text[start:end]])))
        except Exception as error:  # the library's edge: whatever it raises, the page counts as not cleaned
            raise DocumentError(
                "scrub_failed",
                "Personal data could not be looked for in this file, so it was not indexed.",
                "Try again.",
            ) from error
        yield [Finding(f.start + start, f.end + start, f.label, f.score) for f in found]


def everyday(pages: Sequence[Page], found: Sequence[list[Finding]]) -> Iterator[list[Finding]]:
    """Per page, the findings with terms that only look like names set apart as POSSIBLE_NAME.

    Contracts define "the Company" and "Licensed Marks", and a small model takes them for people. Such a
    term's words stand in the same document without a capital too; at least two of them, or its only one.
    They stay in the review, to be ticked there.
    """
    small = {word for page in pages for word in _SMALL.findall(page.text)}
    for page, findings in zip(pages, found, strict=True):
        yield [
            Finding(f.start, f.end, "POSSIBLE_NAME", f.score)
            if f.label == "PERSON" and f.score < _SURE and _is_everyday(page.text[f.start : f.end], small)
            else f
            for f in findings
        ]


def _is_everyday(value: str, small: set[str]) -> bool:
    parts = [part.lower() for part in re.findall(r"[^\W\d_]{3,}", value)]
    known = sum(part in small for part in parts)
    return bool(parts) and (known == len(parts) or known >= 2)


def complete(pages: Sequence[Page], found: Sequence[list[Finding]], known: Vault | None) -> Iterator[list[Finding]]:
    """Per page, the findings with every further mention of a person found or known added."""
    found = list(everyday(pages, found))
    local = Vault(MemoryRows())
    for page, findings in zip(pages, found, strict=True):
        for f in findings:
            if f.label == "PERSON":
                local.resolve(f.label, page.text[f.start : f.end])
    for page, findings in zip(pages, found, strict=True):
        mentions = _mentions(page.text, [v for v in (local, known) if v is not None])
        yield _merged(findings, mentions)


def _mentions(text: str, vaults: Sequence[Vault]) -> list[Finding]:
    return [
        Finding(m.start, m.end, m.entries[0].label, _KNOWN_SCORE)
        for vault in vaults
        for m in vault.find(text, written_as_name=True)
        if replaced_by_default(m.entries[0].label)
    ]


def _merged(findings: Sequence[Finding], mentions: Sequence[Finding]) -> list[Finding]:
    """Detected values stay; a known mention takes the place of kept findings it overlaps."""
    strong = [f for f in findings if replaced_by_default(f.label)]
    for mention in sorted(mentions, key=lambda m: m.start - m.end):
        if not any(_overlap(mention, f) for f in strong):
            strong.append(mention)
    weak = [f for f in findings if not replaced_by_default(f.label) and not any(_overlap(f, s) for s in strong)]
    return sorted([*strong, *weak], key=lambda f: f.start)


def _overlap(a: Finding, b: Finding) -> bool:
    return a.start < b.end and b.start < a.end


def doubtful(label: str, value: str, score: float) -> bool:
    """Whether a person should look at this finding first."""
    lone_name = label == "PERSON" and len(value.split()) == 1
    return score < 0.6 or lone_name
