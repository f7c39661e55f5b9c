"""Believable stand-ins for the values of a vault: "Mr Moreno" is Mr Rivera in every document of the collection.

A name is replaced word by word, and a word by the same word everywhere: relatives stay relatives, a bare surname
stays findable, and every word leads back. Initials change by a circle of letters. Everything else is replaced as a
whole. What stands for what follows from the vault's key, is kept beside the vault's spellings, and goes with them.
Endings of grammatical cases are not understood: an inflected name is another name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from desktop_rag.privacy.finding import Finding
from desktop_rag.privacy.fold import fold, fold_word, name_words, words
from desktop_rag.privacy.keyed import Keyed
from desktop_rag.privacy.substitute_names import Part, candidates, culture_of, is_name, parts
from desktop_rag.privacy.substitute_values import candidates as value_candidates
from desktop_rag.privacy.substitute_values import laid_out
from desktop_rag.privacy.vault import Entry, Match, Vault, street


class SubstituteRows(Protocol):
    """Where substitutes are kept, and what must not become one."""

    def key(self) -> bytes:
        """The secret of this vault, made when it is first needed."""
        ...

    def add_substitute(self, entry: int, folded: str, substitute: str) -> None:
        """Store what stands for a spelling of an entry; "" if nothing believable can."""
        ...

    def occurs(self, text: str) -> bool:
        """Whether the indexed documents speak of this."""
        ...


@dataclass(frozen=True, slots=True)
class Wording:
    """The words and figures of the document at work: nothing that stands in it may come to mean somebody else."""

    words: frozenset[str] = frozenset()
    figures: str = ""

    @classmethod
    def of(cls, texts: Iterable[str]) -> Wording:
        """Those of some texts."""
        joined = "\n".join(texts)
        return cls(frozenset(word for word, _, _ in words(joined)), "".join(c for c in joined if c.isdecimal()))

    def holds(self, text: str) -> bool:
        """Whether this stands there; of several words, all of them."""
        figures = "".join(c for c in text if c.isdecimal())
        if len(figures) > 6 and figures in self.figures:
            return True
        return all(word in self.words for word, _, _ in words(text))


class Substitutes:
    """The stand-ins of one vault."""

    def __init__(self, vault: Vault, rows: SubstituteRows) -> None:
        self._vault, self._rows = vault, rows
        self._keyed: Keyed | None = None
        self._forward: dict[str, str] = {}
        self._back: dict[str, str] = {}
        # The other way round: a vault whose spellings are the stand-ins.
        self._mirror = Vault(_Nowhere())
        self._spellings: dict[tuple[str, str], tuple[Entry, str]] = {}
        self.wording = Wording()
        for entry in vault.entries.values():
            for folded, substitute in entry.substitutes.items():
                self._learn(entry, folded, substitute)

    def of(self, entry: Entry, value: str) -> str:
        """What stands for a value of a document; its pseudonym where nothing believable can."""
        folded = fold(entry.label, value)
        if folded in entry.aliases and folded not in entry.substitutes:
            substitute = " ".join(self._new_name(value)) if entry.label == "PERSON" else self._new_value(entry, value)
            entry.substitutes[folded] = substitute
            self._rows.add_substitute(entry.id, folded, substitute)
            self._learn(entry, folded, substitute)
        return self.known(entry, value) or entry.pseudonym

    def known(self, entry: Entry, written: str) -> str | None:
        """What stands for a value as it is written here, if that is settled: nothing is added."""
        if entry.label != "PERSON":
            spellings = ((entry.aliases[folded], stand_in) for folded, stand_in in entry.substitutes.items())
            stored = entry.substitutes.get(fold(entry.label, written)) or _street_in(spellings, written)
            return _cased(written, laid_out(written, stored)).translate(_BRACKETS) if stored else None
        found = name_words(written)
        stands = [self._word_known(part) for part in parts(written)]
        if not any(stands) or None in stands:
            return None
        return _rewritten(written, found, [word or "" for word in stands]).translate(_BRACKETS)

    def real(self, text: str) -> dict[str, str]:
        """Every stand-in of a text as it is written there, with what it stands for."""
        return {text[m.start : m.end]: self._real(text[m.start : m.end], m) for m in self._found(text)}

    def look_alikes(self, text: str, taken: Sequence[tuple[int, int]]) -> list[Finding]:
        """What an author wrote that reads like one of our stand-ins, outside of the places `taken`."""
        return [
            Finding(m.start, m.end, m.entries[0].label, 1.0)
            for m in self._found(text)
            if all(m.end <= start or m.start >= end for start, end in taken)
        ]

    def _found(self, text: str) -> list[Match]:
        if not self._spellings:
            return []
        return [
            m
            for m in self._mirror.find(text, written_as_name=True)
            # A stand-in is written with a capital, whatever it stands for.
            if m.entries[0].label != "PERSON" or not text[m.start : m.end].islower()
        ]

    def _real(self, written: str, match: Match) -> str:
        label = match.entries[0].label
        spelling = self._spellings.get((label, fold(label, written)))
        if label != "PERSON":
            if spelling:
                return laid_out(written, spelling[1])
            entry = match.entries[0]
            spellings = ((stand_in, entry.aliases[folded]) for folded, stand_in in entry.substitutes.items())
            return _street_in(spellings, written) or written
        found = name_words(written)
        if spelling and len(name_words(spelling[1])) == len(found):
            original = spelling[1]
            reals = [original[start:end] for _, start, end in name_words(original)]
            return _rewritten(written, found, [_natural(real) for real in reals])
        return _rewritten(written, found, [self._word_back(word, written[s:e]) for word, s, e in found])

    def _word_back(self, folded: str, written: str) -> str:
        if len(folded) == 1:
            return (self._chance.initial_back(folded) or folded).upper()
        return self._back.get(folded, written)

    def _word_known(self, part: Part) -> str | None:
        if part.kind == "kept":
            return ""
        if part.kind == "initial":
            letter = self._chance.initial(part.folded)
            return letter.upper() if letter else self._forward.get(part.folded)
        return self._forward.get(part.folded)

    def _new_name(self, value: str) -> list[str]:
        """The stand-in of each word of a name; a word that is kept is its own."""
        culture = culture_of(value)
        chosen = []
        for part in parts(value):
            word = self._word_known(part)
            if word is None:
                word = self._new_word(part, culture)
                self._forward[part.folded] = word
                self._back[fold_word(word)] = _natural(value[part.start : part.end])
            chosen.append(word or value[part.start : part.end])
        return chosen if any(part.kind != "kept" for part in parts(value)) else []

    def _new_word(self, part: Part, culture: str) -> str:
        kind = "last" if part.kind == "initial" else part.kind
        return next(word for word in candidates(part.folded, kind, culture, self._chance) if self._free(word))

    def _new_value(self, entry: Entry, value: str) -> str:
        made = value_candidates(entry.label, value, self._chance, self._forward.get)
        return next((item for item in made if self._free_value(entry.label, item)), "")

    def _free(self, word: str) -> bool:
        """Whether a word can be the stand-in of another: nobody's name, in no document, not taken."""
        folded = fold_word(word)
        return not (
            folded in self._back
            or folded in self._forward
            or not is_name(word)
            or self._vault.find(word, written_as_name=False)
            or self.wording.holds(word)
            or self._rows.occurs(word)
        )

    def _free_value(self, label: str, value: str) -> bool:
        return not (
            (label, fold(label, value)) in self._spellings
            or any(m.end - m.start == len(value) for m in self._mirror.find(value, written_as_name=False))
            or any(m.end - m.start == len(value) for m in self._vault.find(value, written_as_name=False))
            or self.wording.holds(value)
            or self._rows.occurs(value)
        )

    def _learn(self, entry: Entry, folded: str, substitute: str) -> None:
        if not substitute:
            return
        value = entry.aliases[folded]
        if entry.label == "PERSON":
            originals = [value[start:end] for _, start, end in name_words(value)]
            for word, stand_in, original in zip(folded.split(), substitute.split(), originals, strict=False):
                if len(word) > 1 and fold_word(stand_in) != word:
                    self._forward[word] = stand_in
                    self._back.setdefault(fold_word(stand_in), _natural(original))
        mirrored = fold(entry.label, substitute)
        self._spellings[entry.label, mirrored] = entry, value
        self._mirror.index(entry, mirrored, substitute)

    @property
    def _chance(self) -> Keyed:
        if self._keyed is None:
            self._keyed = Keyed(self._rows.key())
        return self._keyed


class _Nowhere:
    """Rows of a vault that only looks things up."""

    def add_entry(self, label: str) -> tuple[int, int]:
        """See VaultRows."""
        raise NotImplementedError(label)

    def add_alias(self, entry: int, folded: str, value: str) -> None:
        """See VaultRows."""
        raise NotImplementedError(folded)


# A bracket could put a pseudonym together.
_BRACKETS = str.maketrans("[]", "()")


def _street_in(spellings: Iterable[tuple[str, str]], written: str) -> str | None:
    """The street of an address where another address, of which the street alone is written, has another."""
    wanted = [word for word, _, _ in words(written)]
    for one, other in spellings:
        if [word for word, _, _ in street(one)] == wanted and (found := street(other)):
            return other[found[0][1] : found[-1][2]]
    return None


def _rewritten(written: str, found: Sequence[tuple[str, int, int]], stands: Sequence[str]) -> str:
    """The text with its words exchanged, each in the case of the one it replaces; "" leaves a word."""
    return "".join(_exchanged(written, found, stands))


def _exchanged(written: str, found: Sequence[tuple[str, int, int]], stands: Sequence[str]) -> Iterator[str]:
    at = 0
    for (_, start, end), stand_in in zip(found, stands, strict=True):
        yield written[at:start]
        yield _cased(written[start:end], stand_in) if stand_in else written[start:end]
        at = end
    yield written[at:]


def _cased(like: str, word: str) -> str:
    return word.upper() if len(like) > 1 and like.isupper() else word


def _natural(word: str) -> str:
    """A word as one writes it in a sentence."""
    return word.capitalize() if len(word) > 1 and (word.isupper() or word.islower()) else word
