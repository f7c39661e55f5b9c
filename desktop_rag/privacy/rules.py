"""What a user said once and for all: terms always or never replaced, and how whole classes are treated. Pure.

A term is found by its words, whatever their case and accents and whatever stands between them, and only as whole
words; a long number however it is grouped. What is always replaced comes before what never is, a person's decision
about a place before both, and all three before what is said of a class.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain
from typing import Literal

from desktop_rag.privacy.classes import Treatment, treatable, usual
from desktop_rag.privacy.finding import Finding
from desktop_rag.privacy.fold import fold_word, words
from desktop_rag.privacy.marks import OWN_TERM, Mark, laid_over

ALWAYS: Literal["always"] = "always"
NEVER: Literal["never"] = "never"
Kind = Literal["always", "never"]
# Thai, Lao, Burmese, Khmer, Japanese, Chinese and Korean do not set names apart with spaces.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
_PART = re.compile(rf"[{_UNSPACED}][\u0300-\u036f]*|[^{_UNSPACED}]+")
# From so many digits on, a number is the same however it is grouped; no longer groups than these are looked at.
_MANY_DIGITS, _MOST_GROUPS = 7, 10
_Word = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Rule:
    """A term and what holds for it; `label` is the class under which it is replaced."""

    kind: Kind
    term: str
    label: str = OWN_TERM


class Rules:
    """The rules that hold for one collection."""

    def __init__(self, rules: Iterable[Rule] = (), classes: Mapping[str, Treatment] | None = None) -> None:
        """`classes`: those that are treated otherwise than usual; what is no known class is always replaced."""
        held = {(rule.kind, key(rule.term)): rule for rule in rules}
        self._always = _Terms({folded: rule.label for (kind, folded), rule in held.items() if kind == ALWAYS})
        self._never = _Terms({folded: "" for kind, folded in held if kind == NEVER})
        known = {label: treatment for label, treatment in (classes or {}).items() if label in treatable()}
        self._classes: tuple[Mapping[str, Treatment], ...] = (known,)

    @classmethod
    def of_all(cls, several: Sequence[Rules]) -> Rules:
        """What holds where several collections are asked: replaced if one says so, spared only if all do."""
        made = cls()
        made._always = _Terms({key: label for rules in several for key, label in rules._always.labels.items()})
        shared = set.intersection(*(set(rules._never.labels) for rules in several)) if several else set()
        made._never = _Terms(dict.fromkeys(shared, ""))
        made._classes = tuple(chain.from_iterable(rules._classes for rules in several)) or made._classes
        return made

    def replaces(self, label: str, score: float) -> bool:
        """Whether a finding is replaced as its class is treated."""
        return any((held.get(label) or usual(label)).replaces(score) for held in self._classes)

    def unsure(self, label: str, score: float) -> bool:
        """Whether a finding is left only because it is not sure enough for its class."""
        return not self.replaces(label, score) and self.replaces(label, 1.0)

    def treated(self, marks: Iterable[Mark]) -> list[Mark]:
        """Marks as their classes are treated; those a person decided about stay as they are."""
        return [m if m.decided else replace(m, replace=self.replaces(m.label, m.score)) for m in marks]

    def about(self, value: str) -> Kind | None:
        """What is said of just this value."""
        folded = key(value)
        return ALWAYS if folded in self._always.labels else NEVER if folded in self._never.labels else None

    def always(self, text: str) -> list[Finding]:
        """Where the text says a term that is always replaced; places that overlap are one."""
        marks = [Mark(start, end, label, 1.0, replace=True) for start, end, label in self._always.find(text)]
        joined = laid_over(text, (), marks)
        return [Finding(mark.start, mark.end, mark.label, 1.0) for mark in joined]

    def apply(self, text: str, findings: Iterable[Finding]) -> list[Finding]:
        """What is replaced of the findings (sorted, without overlaps), and the terms that always are."""
        found = self.treated(Mark(f.start, f.end, f.label, f.score, replace=True) for f in findings)
        return [Finding(m.start, m.end, m.label, m.score) for m in self.settle(text, found) if m.replace]

    def settle(self, text: str, marks: Iterable[Mark]) -> list[Mark]:
        """Marks (sorted, without overlaps) as the terms want them; those a person decided about stay as they are."""
        held = list(marks)
        if not (self._always.labels or self._never.labels):
            return held
        inside = _Inside([(start, end) for start, end, _ in self._never.find(text)])
        held = [replace(m, replace=False) if m.replace and self._spared(text, m, inside) else m for m in held]
        own_word = _Inside([(mark.start, mark.end) for mark in held if mark.decided and not mark.replace])
        wanted = [
            Mark(found.start, found.end, found.label, 1.0, replace=True)
            for found in self.always(text)
            if not own_word.holds(found.start, found.end)
        ]
        return laid_over(text, held, wanted)

    def _spared(self, text: str, mark: Mark, inside: _Inside) -> bool:
        """Whether a mark says a never-term or a part of one."""
        if mark.decided:
            return False
        found = words(text[mark.start : mark.end])
        if not found:
            return False
        start, end = mark.start + found[0][1], mark.start + found[-1][2]
        return inside.holds(start, end) or key(text[start:end]) in self._never.labels


def key(term: str) -> str:
    """What makes two terms the same; "" for one without a letter or digit, which cannot be looked for."""
    found = [word for word, _, _ in _words(term)]
    return "".join(found) if _is_long_number(found) else " ".join(found)


def _is_long_number(found: Sequence[str]) -> bool:
    folded = "".join(found)
    digits = sum(c.isdigit() for c in folded)
    return digits >= _MANY_DIGITS and 2 * digits > len(folded)


def _words(text: str) -> list[_Word]:
    """The folded words of a text; each sign of a script without spaces is one."""
    found: list[_Word] = []
    for folded, start, end in words(text):
        parts = list(_PART.finditer(text, start, end))
        if len(parts) == 1:
            found.append((folded, start, end))
        else:
            found += [(fold_word(part.group()), part.start(), part.end()) for part in parts]
    return found


class _Terms:
    """Terms by their keys, found in texts; `labels` says for each what it is called."""

    def __init__(self, labels: dict[str, str]) -> None:
        self.labels = {folded: label for folded, label in labels.items() if folded}
        self._phrases: dict[str, list[tuple[str, ...]]] = {}
        self._numbers = {folded for folded in self.labels if " " not in folded and _is_long_number([folded])}
        for folded in sorted(self.labels, key=len, reverse=True):
            phrase = tuple(folded.split(" "))
            self._phrases.setdefault(phrase[0], []).append(phrase)

    def find(self, text: str) -> list[tuple[int, int, str]]:
        """Start, end and label of the longest term that begins at each word; they may overlap."""
        tokens = _words(text) if self.labels else []
        found = []
        for at, (word, start, _) in enumerate(tokens):
            term = self._number_at(tokens, at) or self._phrase_at(tokens, at, self._phrases.get(word, ()))
            if term is not None:
                last, folded = term
                found.append((start, _with_marks(text, tokens[last][2]), self.labels[folded]))
        return found

    def _phrase_at(self, tokens: list[_Word], at: int, phrases: Iterable[tuple[str, ...]]) -> tuple[int, str] | None:
        for phrase in phrases:
            if tuple(word for word, _, _ in tokens[at : at + len(phrase)]) == phrase:
                return at + len(phrase) - 1, " ".join(phrase)
        return None

    def _number_at(self, tokens: list[_Word], at: int) -> tuple[int, str] | None:
        if not self._numbers:
            return None
        grouped = list(accumulate(word for word, _, _ in tokens[at : at + _MOST_GROUPS]))
        return next(((at + n, grouped[n]) for n in reversed(range(len(grouped))) if grouped[n] in self._numbers), None)


def _with_marks(text: str, end: int) -> int:
    """The end of a word with the vowel signs and accents that follow it."""
    while end < len(text) and unicodedata.category(text[end]).startswith("M"):
        end += 1
    return end


class _Inside:
    """Whether a place lies in one of several others."""

    def __init__(self, places: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(places)
        self._starts = [start for start, _ in ordered]
        self._ends = list(accumulate((end for _, end in ordered), max))

    def holds(self, start: int, end: int) -> bool:
        """Whether `start` to `end` lies in one of them."""
        at = bisect_right(self._starts, start) - 1
        return at >= 0 and self._ends[at] >= end
