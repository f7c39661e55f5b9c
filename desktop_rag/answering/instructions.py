"""Does a passage read like an instruction to the model that is shown it? Judged sentence by sentence. Pure.

A document is the user's, whatever it says: such a passage is found, shown and cited like any other. It is
marked for people, and the sentences are left out of what the model reads.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
import zlib
from collections.abc import Sequence

from desktop_rag.answering.instruction_patterns import RULES, Rule
from desktop_rag.documents.sentences import sentences

# Letters of other alphabets that look Latin, in words that hold Latin letters too.
_LOOK_ALIKES = str.maketrans("аеорсухіјѕһԁɡАВЕКМНОРСТХІЈЅαοι", "aeopcyxijshdgABEKMHOPCTXIJSaoi")
_WORD = re.compile(r"\w+")
_MIXED = re.compile(r"[a-z][\u0370-\u04ff]|[\u0370-\u04ff][a-z]", re.IGNORECASE)
_UNDECOMPOSED = str.maketrans("łŁøØ’‘ʼ", "lLoO'''")
_INVISIBLE = re.compile(
    r"[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
# Words written in tag characters, which no screen shows; a flag's few stand behind a black flag.
_TAGS = re.compile(r"(?<!\U0001f3f4)(?<![\U000e0020-\U000e007f])[\U000e0020-\U000e007e]{4,}")
_TURNED = re.compile(r"[\u202d\u202e]")
# So many in a row carry a message of their own; between letters of Persian or in an emoji stands one.
_SMUGGLED = re.compile(r"[\u200b-\u200d\u2060-\u2064\ufeff]{8,}")
_WALL = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/]{24,}={0,2}(?![A-Za-z0-9+/=])")
_LONGEST_WALL = 4000
# What was found by other rules is looked for again.
_RULES_NOW = zlib.crc32(repr(RULES).encode())


def instruction_sentences(text: str) -> list[tuple[int, int]]:
    """Where the sentences are (start, end) that read like an instruction to the model, in order."""
    rules = _possible(text)
    if not rules and not _may_hide(text):
        return []
    return [(start, end) for start, end in sentences(text) if _addresses_model(text[start:end], rules)]


def is_instruction_like(text: str) -> bool:
    """Whether any sentence of a text reads like an instruction to the model."""
    return bool(instruction_sentences(text))


def judged(*texts: str) -> int:
    """Whether any of the texts does, as a number that can be kept with them; `still_judged` reads it."""
    return _RULES_NOW << 1 | any(map(is_instruction_like, texts))


def still_judged(kept: int | None) -> bool | None:
    """What `judged` found; None where nothing is kept, or the rules were others then."""
    return None if kept is None or kept >> 1 != _RULES_NOW else bool(kept & 1)


def without_instructions(text: str) -> str:
    """The text without such sentences."""
    kept, position = [], 0
    for start, end in instruction_sentences(text):
        kept.append(text[position:start])
        position = end
    return "".join([*kept, text[position:]])


def folded(text: str) -> str:
    """A text as its reader takes it: nothing invisible, look-alikes as what they look like, no diacritics."""
    seen = unicodedata.normalize("NFKD", _INVISIBLE.sub("", text)).translate(_UNDECOMPOSED)
    seen = "".join(c for c in seen if not unicodedata.combining(c))
    if _MIXED.search(seen):
        seen = _WORD.sub(lambda m: m[0].translate(_LOOK_ALIKES) if _MIXED.search(m[0]) else m[0], seen)
    return " ".join(seen.split())


def _possible(text: str) -> list[Rule]:
    """The rules whose words stand in a text at all: to look for them once is cheaper than in every sentence."""
    small = _plain(text).casefold()
    return [rule for rule in RULES if rule.may_match(small)]


def _may_hide(text: str) -> bool:
    """Whether there is anything in a text that is not read as it stands."""
    return _is_veiled(text) or _WALL.search(_plain(text)) is not None


def _is_veiled(text: str) -> bool:
    return not text.isascii() and any(sign.search(text) for sign in (_TAGS, _TURNED, _SMUGGLED))


def _plain(text: str) -> str:
    return " ".join(text.split()) if text.isascii() else folded(text)


def _addresses_model(sentence: str, rules: Sequence[Rule]) -> bool:
    if _is_veiled(sentence):
        return True
    sentence = _plain(sentence)
    small = sentence.casefold()
    for rule in rules:
        if rule.may_match(small) and rule.matches(sentence, small):
            return True
    return any(_addresses_model(said, RULES) for said in _decoded(sentence))


def _decoded(sentence: str) -> list[str]:
    """What walls of base64 in it say, where they hold text at all."""
    found = []
    for match in _WALL.finditer(sentence):
        wall = match.group().rstrip("=")[:_LONGEST_WALL]
        try:
            said = base64.b64decode(wall[: len(wall) // 4 * 4]).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            continue
        if said.isprintable() and " " in said:
            found.append(said)
    return found
