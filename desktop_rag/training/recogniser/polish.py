"""Polish names in their cases: good enough forms for training text, not a grammar."""

from __future__ import annotations

CASES = ("gen", "dat", "acc", "ins", "loc", "voc")

_ADJECTIVE_M = {"gen": "iego", "dat": "iemu", "acc": "iego", "ins": "im", "loc": "im", "voc": "i"}
_ADJECTIVE_F = {"gen": "iej", "dat": "iej", "acc": "ą", "ins": "ą", "loc": "iej", "voc": "a"}
_NOUN_M = {"gen": "a", "dat": "owi", "acc": "a", "ins": "em", "loc": "ie"}
_SOFT = ("l", "j", "ż", "sz", "cz", "rz", "ń", "ś", "ć", "ź", "c", "k", "g", "ch", "h")
_FEMININE_DATIVE = {"k": "ce", "g": "dze", "r": "rze", "t": "cie", "d": "dzie", "ł": "le"}
_SOFTENED = {"ń": "ni", "ś": "si", "ć": "ci", "ź": "zi"}


def declined(name: str, case: str, female: bool) -> str:
    """One word of a name in a case; a double name in both its parts."""
    if "-" in name:
        return "-".join(declined(part, case, female) for part in name.split("-"))
    if name.endswith(("ski", "cki", "dzki")) and not female:
        return name[:-1] + _ADJECTIVE_M[case]
    if name.endswith(("ska", "cka", "dzka")) and female:
        return name[:-1] + _ADJECTIVE_F[case]
    if name.endswith("a"):
        return _in_a(name[:-1], case)
    if female:
        # Women's surnames that end in a consonant do not change.
        return name
    if name.endswith(("o", "e", "i", "y", "u")):
        return name if not name.endswith("o") else _in_a(name[:-1], case)
    return _consonant(name, case)


def _in_a(stem: str, case: str) -> str:
    if case == "voc":
        return stem + ("u" if stem.endswith(("si", "zi", "ni", "ci", "l")) else "o")
    if case == "acc":
        return stem + "ę"
    if case == "ins":
        return stem + "ą"
    if case == "gen":
        return stem + ("i" if stem.endswith(("k", "g", "l", "i", "j")) else "y")
    if stem.endswith("i"):
        return stem
    last = stem[-1:]
    if last in _FEMININE_DATIVE:
        return stem[:-1] + _FEMININE_DATIVE[last]
    return stem + ("i" if last in "lj" else "y" if last in "cż" else "ie")


def _consonant(name: str, case: str) -> str:
    stem = name
    if stem.endswith("ek") and len(stem) > 3:
        stem = stem[:-2] + "k"
    elif stem.endswith("eł"):
        stem = stem[:-2] + "ł"
    elif stem.endswith("ec"):
        stem = stem[:-2] + "c"
    if stem[-1] in _SOFTENED:
        stem = stem[:-1] + _SOFTENED[stem[-1]]
    if case == "ins":
        return stem + ("iem" if stem.endswith(("k", "g")) else "em")
    if case in ("loc", "voc"):
        return stem + "u" if stem.endswith((*_SOFT, "i")) else _locative(stem)
    return stem + _NOUN_M[case]


def _locative(stem: str) -> str:
    change = {"r": "rze", "t": "cie", "d": "dzie", "ł": "le", "st": "ście"}
    for end in ("st", "r", "t", "d", "ł"):
        if stem.endswith(end):
            return stem[: -len(end)] + change[end]
    return stem + "ie"
