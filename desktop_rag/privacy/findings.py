"""Personal data in a whole document: found piece by piece, then every known name looked for everywhere.

A detector that sees a name once must not miss it elsewhere in the same document or collection, so
whatever was found (and whatever the collection's vault knows) is searched for in every page again.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from desktop_rag.documents.model import Page
from desktop_rag.errors import DocumentError
from desktop_rag.privacy.classes import replaced_by_default
from desktop_rag.privacy.finding import Detector, Finding, disjoint
from desktop_rag.privacy.fold import fold
from desktop_rag.privacy.marks import Mark, laid_over
from desktop_rag.privacy.names import (
    Mailboxes,
    in_mailbox,
    is_given_name,
    is_misread_person,
    mailboxes,
    starts_with_given_name,
)
from desktop_rag.privacy.vault import AMBIGUOUS, Vault

SEGMENT_CHARS = 1200
# Who is in the vault was replaced before.
_KNOWN_SCORE = 0.99
# A name after a title ("Mr Baker") is one, whatever else the word means: more than spaCy's flat score.
_SURE = 0.86
# Words in lower case; not those inside e-mail and web addresses, where every name is small.
_FIRST_NAME = re.compile(r"(?:(?P<inside>[^\s.!?:;][ \n])|\A|[\s.!?:;])(?P<name>[A-ZÀ-Þ][a-zà-ÿ]{2,})[ \n]\Z")
_SMALL = re.compile(r"(?<![\w.@/:_-])(?<![.!?]\s)[a-zà-ÿ]{3,}(?![\w@/:_-]|\.\w)")


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
    text = page.text
    cuts = [0]
    for end in [*(block.end for block in page.blocks), len(text)]:
        while end - cuts[-1] > 4 * SEGMENT_CHARS:
            cuts.append(_break(text, cuts[-1] + SEGMENT_CHARS, cuts[-1] + 2 * SEGMENT_CHARS))
        if end - cuts[-1] >= SEGMENT_CHARS:
            cuts.append(end)
    cuts.append(len(text))
    return [(start, end) for start, end in itertools.pairwise(cuts) if text[start:end].strip()]


def _break(text: str, low: int, high: int) -> int:
    """Where a long stretch may be cut: after a line, else a sentence, else a word."""
    places = (text.rfind(mark, low, high) + len(mark) for mark in ("\n", ". ", " "))
    return next((place for place in places if place > low), high)


def look(detector: Detector, texts: Sequence[str]) -> list[list[Finding]]:
    """One list of findings per text.

    Raises DocumentError("scrub_failed") when the detector fails: nothing uncleaned goes on.
    """
    try:
        found = list(detector.detect(texts)) if texts else []
        if len(found) != len(texts):
            raise ValueError("the detector left texts out")
    except Exception as error:  # the library's edge: whatever it raises, the document counts as not cleaned
        raise DocumentError(
            "scrub_failed",
            "Personal data could not be looked for in this file, so it was not indexed.",
            "Try again.",
        ) from error
    return found


def find_in_page(page: Page, detector: Detector) -> Iterator[list[Finding]]:
    """Findings of the page, segment by segment, as offsets into the page's text. Raises like `look`."""
    for start, end in segments(page):
        (found,) = look(detector, [page.text[start:end]])
        yield [Finding(f.start + start, f.end + start, f.label, f.score) for f in found]


@dataclass(slots=True)
class Wording:
    """What a whole document says about the words in it: which stand there in lower case, which in an e-mail address."""

    small: set[str] = field(default_factory=set)
    mailboxes: Mailboxes = field(default_factory=dict)

    def read(self, text: str) -> None:
        """Take in one page."""
        self.small.update(_SMALL.findall(text))
        for word, boxes in mailboxes(text).items():
            self.mailboxes.setdefault(word, set()).update(boxes)

    def weighed(self, text: str, finding: Finding) -> Finding:
        """A finding of the page `text`, its class put right by what the document says elsewhere.

        Contracts define "the Company" and "Licensed Marks", and a small model takes them for people. Such a
        term's words stand in the same document without a capital too; at least two of them, or its only one.
        They are set apart as POSSIBLE_NAME and stay in the review, to be ticked there, unless something
        speaks for a person.
        """
        value = text[finding.start : finding.end]
        label = finding.label
        if label == "ORGANIZATION" and is_misread_person(value, self.mailboxes):
            label = "PERSON"
        elif label == "PERSON" and finding.score < _SURE and self._is_everyday(value):
            label = "POSSIBLE_NAME"
        return Finding(finding.start, finding.end, label, finding.score)

    def _is_everyday(self, value: str) -> bool:
        parts = [part.lower() for part in re.findall(r"[^\W\d_]{3,}", value)]
        known = sum(part in self.small for part in parts)
        common = bool(parts) and (known == len(parts) or known >= 2)
        return common and not starts_with_given_name(value) and not in_mailbox(value, self.mailboxes)


def complete(
    pages: Sequence[Page], found: Sequence[list[Finding]], known: Vault | None
) -> Generator[None, None, list[list[Finding]]]:
    """Per page, the findings with every further mention of a person found or known added; yields after each page."""
    wording = Wording()
    for page in pages:
        wording.read(page.text)
        yield
    found = list(found)
    for number, page in enumerate(pages):
        found[number] = [wording.weighed(page.text, f) for f in found[number]]
        yield
    # Twice: a mention found by its surname can bring a first name, which is then looked for as well.
    for _ in range(2):
        local = Vault(MemoryRows())
        sure: dict[int, float] = {}
        for page, findings in zip(pages, found, strict=True):
            for f in findings:
                if f.label == "PERSON":
                    entry = local.resolve(f.label, page.text[f.start : f.end])
                    sure[entry.id] = max(sure.get(entry.id, 0.0), f.score)
            yield
        for number, page in enumerate(pages):
            mentions = _mentions(page.text, local, sure) + (_mentions(page.text, known, {}) if known else [])
            merged = _merged(page.text, found[number], mentions)
            found[number] = _disjoint(page.text, [_with_first_name(page.text, f, wording) for f in merged])
            yield
    return found


def _with_first_name(text: str, finding: Finding, wording: Wording) -> Finding:
    """A lone surname with the capitalised word before it: models often see but the surname.

    Where a sentence begins any word has a capital, so something else has to speak for a name there.
    """
    if finding.label != "PERSON" or not text[finding.start : finding.end].isalpha():
        return finding
    before = _FIRST_NAME.search(text[max(0, finding.start - 40) : finding.start])
    if before is None:
        return finding
    word = before.group("name")
    if before.group("inside") is None and not is_given_name(word) and not in_mailbox(word, wording.mailboxes):
        return finding
    title = fold("PERSON", f"{word} x") == "x"
    if title or word.lower() in wording.small or word.lower() in AMBIGUOUS:
        return finding
    return Finding(finding.start - len(before.group("name")) - 1, finding.end, finding.label, finding.score)


def _mentions(text: str, vault: Vault, sure: Mapping[int, float]) -> list[Finding]:
    """What a vault knows in a text, as sure as the surest of its findings."""
    return [
        Finding(m.start, m.end, m.entries[0].label, max(sure.get(entry.id, _KNOWN_SCORE) for entry in m.entries))
        for m in vault.find(text, written_as_name=True)
        if replaced_by_default(m.entries[0].label)
    ]


def _merged(text: str, findings: Sequence[Finding], mentions: Sequence[Finding]) -> list[Finding]:
    """Detected values stay, as sure as their mentions; a known mention goes before kept findings it overlaps."""
    surest: dict[tuple[int, int], float] = {}
    for m in mentions:
        surest[m.start, m.end] = max(m.score, surest.get((m.start, m.end), 0.0))
    strong = [replace(f, score=max(f.score, surest.get((f.start, f.end), 0.0))) for f in _strong(findings)]
    longest_first = sorted(mentions, key=lambda m: m.start - m.end)
    return _over(text, disjoint(strong, longest_first), findings)


def _disjoint(text: str, findings: Sequence[Finding]) -> list[Finding]:
    """Findings without those that a grown neighbour now covers; a kept class gives way to a replaced one."""
    longest_first = sorted(_strong(findings), key=lambda f: f.start - f.end)
    return _over(text, disjoint(longest_first), findings)


def _strong(findings: Sequence[Finding]) -> list[Finding]:
    return [f for f in findings if replaced_by_default(f.label)]


def _over(text: str, strong: Sequence[Finding], findings: Sequence[Finding]) -> list[Finding]:
    """The strong ones, and of each kept finding the words beside them: its class may be treated otherwise here."""
    weak = [f for f in findings if not replaced_by_default(f.label)]
    apart = disjoint(strong, weak)
    if len(apart) == len(strong) + len(weak):
        return apart
    over = [Mark(f.start, f.end, f.label, f.score, replace=True) for f in strong]
    kept = [Mark(f.start, f.end, f.label, f.score, replace=False, id=number) for number, f in enumerate(weak)]
    return [
        Finding(m.start, m.end, m.label, m.score)
        for m in laid_over(text, kept, over)
        # What is left of a name without a capital is "the" and "of".
        if m.replace or m.id is not None or not text[m.start : m.end].islower()
    ]


def doubtful(label: str, value: str, score: float) -> bool:
    """Whether a person should look at this finding first."""
    lone_name = label == "PERSON" and len(value.split()) == 1
    return score < 0.6 or lone_name
