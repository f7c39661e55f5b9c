"""Names that can stand in for names: of the same culture and gender, out of `assets/substitute_names.json`."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from desktop_rag.paths import assets_dir
from desktop_rag.privacy.fold import fold_word, name_words
from desktop_rag.privacy.keyed import Keyed
from desktop_rag.privacy.names import PARTICLES

Kind = Literal["kept", "initial", "given", "last"]
# Words beside a name that are none: particles, what follows a name, what joins two.
KEPT = frozenset([*PARTICLES.split(), *"jr sr ii iii iv phd md esq and und et y i".split()])
# What the end of an unlisted surname says about where it comes from.
_ENDINGS = (
    ("pl", ("ski", "ska", "cki", "cka", "dzki", "dzka", "wicz", "czyk", "czak")),
    ("ru", ("ов", "ев", "ова", "ева", "ин", "ина")),
    ("uk", ("енко", "чук")),
    ("cs", ("ova",)),
    ("sv", ("sson", "qvist", "strom")),
    ("da", ("sen", "gaard")),
    ("de", ("mann", "berger", "meyer", "meier", "hofer", "huber", "lein", "tz")),
    ("es", ("ez", "ero", "ado")),
    ("it", ("ini", "elli", "etti", "ucci", "acci")),
    ("fr", ("eau", "eux", "ault", "oux", "ette", "ois")),
    ("ro", ("escu",)),
    ("hr", ("vic", "sic", "nic")),
    ("tr", ("oglu",)),
    ("fi", ("nen", "ila")),
    ("el", ("opoulos", "akis", "idis", "ης", "ος")),
)
_SCRIPTS = (
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\u1100-\u11ff\uac00-\ud7af]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("en", re.compile(r"")),
)
_FEMALE = ("ska", "cka", "dzka", "ova", "ова", "ева")
_OPENING = re.compile(r"[^aeiouy]*[aeiouy]+")
_SYLLABLE = re.compile(r"[^aeiouy]+[aeiouy]+")
_SHORTEST = 4
_SPLICED = 2000


@dataclass(frozen=True, slots=True)
class Part:
    """A word of somebody's name: `value[start:end]`, folded, and what it is."""

    folded: str
    start: int
    end: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class _Culture:
    male: tuple[str, ...]
    female: tuple[str, ...]
    last: tuple[str, ...]
    last_female: tuple[str, ...]


@cache
def _content() -> dict[str, Any]:
    return dict(json.loads((assets_dir() / "substitute_names.json").read_text(encoding="utf-8")))


@cache
def _unfit() -> frozenset[str]:
    return frozenset(_content()["unfit"].split())


@cache
def _cultures() -> dict[str, _Culture]:
    """The names that may be used."""
    unfit = _unfit()

    def usable(names: str) -> tuple[str, ...]:
        return tuple(n for n in names.split() if fold_word(n) not in unfit and (len(n) >= _SHORTEST or not n.isascii()))

    return {
        culture: _Culture(**{kind: usable(names) for kind, names in lists.items()})
        for culture, lists in _content()["names"].items()
    }


@cache
def _listed() -> dict[str, list[tuple[str, str]]]:
    """Where each folded name stands, those not fit for use among them: (culture, list)."""
    found: dict[str, list[tuple[str, str]]] = {}
    for culture, lists in _content()["names"].items():
        for kind, names in lists.items():
            for name in names.split():
                found.setdefault(fold_word(name), []).append((culture, kind))
    return found


def parts(value: str) -> list[Part]:
    """The words of a person's name, titles and possessives aside."""
    found = name_words(value)
    names = [
        place
        for place, (word, start, end) in enumerate(found)
        if len(word) > 1 and (word not in KEPT or value[start : end + 1] == "Al ")
    ]
    turned = bool(names) and value[found[names[0]][2] :].lstrip().startswith(",")
    return [
        Part(word, start, end, _kind(word, value[end : end + 1], place, names, turned))
        for place, (word, start, end) in enumerate(found)
    ]


def _kind(word: str, after: str, place: int, names: list[int], turned: bool) -> Kind:
    if place not in names:
        return "kept" if len(word) > 1 or word in KEPT or after in ("'", "’") else "initial"
    listed = {kind for _, kind in _listed().get(word, ())}
    given, last = bool(listed & {"male", "female"}), bool(listed & {"last", "last_female"})
    if len(names) == 1:
        return "given" if given and not last else "last"
    if turned:
        return "last" if place == names[0] else "given"
    if place == names[0]:
        return "given"
    return "last" if place == names[-1] or not given else "given"


def is_name(word: str) -> bool:
    """Whether a word is read as a part of a name wherever in it it stands: no title, no particle."""
    found = [part.kind for part in parts(f"{word} {word} {word}")]
    return len(found) == 3 and "kept" not in found


def culture_of(value: str) -> str:
    """The culture that most of a name's words point to; what an ending says counts twice."""
    votes: Counter[str] = Counter()
    for part in parts(value):
        votes.update({culture for culture, _ in _listed().get(part.folded, ())} | {_guessed(part.folded)})
        if (guessed := _guessed(part.folded)) != _script(part.folded):
            votes[guessed] += 1
    return max(_cultures(), key=lambda culture: votes[culture])


def candidates(folded: str, kind: Kind, culture: str, keyed: Keyed) -> Iterator[str]:
    """Names that could stand in for this word, the best first: listed ones, then ones put together from two.

    Those come first whose initial stands for this one's initial. `culture`: that of the whole name.
    """
    pool = _pool(folded, kind, culture)
    wanted = keyed.initial(folded[0])
    ranked = keyed.ordered(pool, "name", folded)
    if len(folded) > 1 and _script(folded) in ("zh", "ja", "ko"):
        ranked = _joined(folded, keyed)
    yield from sorted(ranked, key=lambda name: fold_word(name)[0] != wanted)
    yield from spliced(folded, pool, keyed)


def invented(word: str, keyed: Keyed) -> Iterator[str]:
    """Words that sound like names of places or houses in the culture of this word and are none."""
    return spliced(word, _pool(word, "last", _guessed(word)), keyed)


def spliced(folded: str, pool: tuple[str, ...], keyed: Keyed) -> Iterator[str]:
    """The first half of one name with the second half of another."""
    wanted = keyed.initial(folded[0])
    heads = tuple(name for name in pool if fold_word(name)[0] == wanted) or pool
    for attempt in range(_SPLICED):
        head = heads[keyed.number("head", folded, str(attempt)) % len(heads)]
        tail = pool[keyed.number("tail", folded, str(attempt)) % len(pool)]
        made = (_beginning(head) + _end(tail)).capitalize()
        if (len(made) >= _SHORTEST or not made.isascii()) and fold_word(made) not in _unfit():
            yield made


def _beginning(name: str) -> str:
    """As far as the first vowels; of a script whose vowels are not known, half."""
    match = _OPENING.match(fold_word(name))
    return name[: match.end()] if match else name[: (len(name) + 1) // 2]


def _end(name: str) -> str:
    """Its last syllable, of a long name its last two; of a script whose vowels are not known, half."""
    folded = fold_word(name)
    places = [m.start() for m in _SYLLABLE.finditer(folded)] if len(folded) == len(name) else []
    return name[places[-2] if len(places) > 2 else places[-1] :] if places else name[len(name) // 2 :]


def _joined(folded: str, keyed: Keyed) -> list[str]:
    """Chinese, Japanese and Korean names are written without a space: family name, then given name."""
    lists = _cultures()[_script(folded)]
    firsts = keyed.ordered((*lists.male, *lists.female), "given", folded)
    return [
        last + first
        for last, first in zip(keyed.ordered(lists.last, "last", folded), itertools.cycle(firsts), strict=False)
    ]


def _pool(folded: str, kind: Kind, culture: str) -> tuple[str, ...]:
    related = _related(folded)
    listed = [(c, list_) for c, list_ in _listed().get(folded, ()) if c in related]
    if kind == "given":
        known = [(c, list_) for c, list_ in listed if list_ in ("male", "female")]
        counted = Counter([list_ for c, list_ in known if c == culture] or [list_ for _, list_ in known])
        # A name that hardly any culture gives to the other gender belongs to the one.
        genders = {list_ for list_, number in counted.items() if 2 * number > max(counted.values())}
        lists = _cultures()[culture if culture in related else _chosen(culture, known, folded)]
        if genders == {"male"}:
            return lists.male
        return lists.female if genders == {"female"} else (*lists.male, *lists.female)
    known = [(c, list_) for c, list_ in listed if list_ in ("last", "last_female")]
    lists = _cultures()[_chosen(culture, known, folded)]
    female = (culture, "last_female") in known or folded.endswith(_FEMALE)
    return lists.last_female if female and lists.last_female else lists.last


def _chosen(culture: str, known: list[tuple[str, str]], folded: str) -> str:
    """The culture of the whole name where this word can be of it; else the word's own."""
    cultures = [c for c, _ in known]
    if culture in cultures or (not cultures and culture in _related(folded)):
        return culture
    return cultures[0] if cultures else _guessed(folded)


@cache
def _of_script(script: str) -> frozenset[str]:
    return frozenset(culture for culture, lists in _cultures().items() if _script(lists.last[0]) == script)


def _related(folded: str) -> frozenset[str]:
    """The cultures whose names are written in this word's script."""
    return _of_script(_script(folded))


def _script(word: str) -> str:
    return next(script for script, letters in _SCRIPTS if letters.search(word))


def _guessed(folded: str) -> str:
    related = _related(folded)
    return next(
        (culture for culture, endings in _ENDINGS if culture in related and folded.endswith(endings)), _script(folded)
    )
