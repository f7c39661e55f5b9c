"""Which old encoding a text has, told by its letters: few of them are enough, where statistics need a page.

In the wrong encoding letters turn into signs within words, capitals into small letters, one script into a mixture.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARKS_OF_TEXT = frozenset("\xa0«»„“”‚‘’‹›–—…•·°§€£©®™×½¼¾²³¿¡´№")
_WORD = re.compile(r"(?:[^\W\d_]|[\u0591-\u05c7\u064b-\u0652\u0e31\u0e34-\u0e3a\u0e47-\u0e4e])+")
_LONG_RUN = re.compile(r"[^\x00-\x7f]{4}")
_SIGN_IN_WORD = re.compile(
    r"(?<=[^\W\d_])(?:[²³¹¼½¾]|[^\w\x00-\x7f’\u0591-\u05c7\u064b-\u0652\u0e31-\u0e4e])(?=[^\W\d_])"
)
_MOST = 4000
"""Bytes that are looked at; more would tell no more."""
_SIGN, _LATIN, _RAREST = 0.35, 0.2, 0.6
_CAPITALS = 0.2
PLAUSIBLE = 0.42
"""The cost of a letter, on average, up to which a text is believed to be in an encoding."""


@dataclass(frozen=True, slots=True)
class _Script:
    """Encodings, the likelier ones first; the letters beyond ASCII of each language, the commoner ones first; and
    what a word of more than two letters has at least one of.
    """

    encodings: tuple[str, ...]
    alphabets: tuple[str, ...]
    vowels: str = ""
    latin: bool = False


# German, French, Spanish, Portuguese, Italian, Swedish with Finnish, Danish with Norwegian, Dutch with Catalan; then
# Polish, Czech, Slovak, Hungarian, Romanian, Croatian.
_WESTERN = (
    "äöüßéà", "àâæçéèêëîïôùûüÿœ", "áéíñóúüªº", "àáâãçéêíóôõúüªº", "àèéìíîòóùú", "åäöéàü", "æøåéèòâêô", "àáäéëèïíóöüú",
)  # fmt: skip
_CENTRAL = ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíľĺňóôŕšťúýž", "áéíóöőúüű", "ăâîșțşţ", "čćđšž")
_SCRIPTS = (
    _Script(("cp1252",), (*_WESTERN, "čćđšž"), latin=True),
    _Script(("cp1250",), (*_WESTERN[:1], *_CENTRAL), latin=True),
    _Script(("cp1254",), (*_WESTERN[:1], "âçğıîöşüûi̇"), latin=True),
    _Script(("cp1252",), ("áðéíóúýþæö",), latin=True),
    _Script(
        ("cp1251", "koi8_u", "cp866", "mac_cyrillic", "iso8859_5"),
        (
            "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфёъ",
            "оанивіретлксмдпузяьбгчйхцїжюшєщфґ",
            "аиоентрсвлкдпмзгъбуяшчцжхщйфюь",
        ),
        "аеёиоуыэюяіїєъ",
    ),
    _Script(("cp1253",), ("αοιετσνηυρπκμλίςόάέωήδγύχθώφβξζψϊϋΐΰ",), "αοιευηωίόάέήύώϊϋΐΰ"),
    _Script(("cp1255",), ("יוהלארמבתשנדםעחפקכןגצטסזףץך",)),
    _Script(("cp1256",), ("اليمنوترةبعدسفهكقحجشطصخأذضزثئءىآغظؤإ",)),
    _Script(("cp874",), ("านรอกเงมยลวดทสตปบคหใไแชจะพถขโผธณภศฟษซฐญำฝๆฉ่้์ีิัื็ุูึฯ",)),
    _Script(("iso8859_2",), _CENTRAL, latin=True),
    _Script(("cp850", "mac_roman"), _WESTERN, latin=True),
    _Script(("cp852",), _CENTRAL, latin=True),
)
LATIN = frozenset(encoding for script in _SCRIPTS if script.latin for encoding in script.encodings)
"""Encodings of Latin letters."""


def by_letters(sample: bytes) -> tuple[str, float]:
    """(the encoding of one byte a character that fits best, its cost): 0 is perfect, 1 nonsense throughout."""
    found = ("cp1252", 1.0)
    for script in _SCRIPTS:
        for encoding in script.encodings:
            text = sample[:_MOST].decode(encoding, errors="replace")
            cost = _cost(text, script)
            if cost < found[1] - 1e-9:
                found = encoding, cost
    return found


def _cost(text: str, script: _Script) -> float:
    """What speaks against a text in a script, for each of its characters beyond ASCII; at most about 2."""
    foreign = [char for char in text if char > "\x7f"]
    total = min(_strangeness(foreign, script, alphabet) for alphabet in script.alphabets)
    total += sum(_oddity(word[0], script) for word in _WORD.finditer(text) if not word[0].isascii())
    total += len(_SIGN_IN_WORD.findall(text))
    if script.latin:
        total += 3 * len(_LONG_RUN.findall(text))
    return total / max(1, len(foreign))


def _strangeness(foreign: list[str], script: _Script, alphabet: str) -> float:
    """The same for letters and signs alone, in the language of an alphabet."""
    letters = {char: _LATIN if script.latin else _RAREST * at / len(alphabet) for at, char in enumerate(alphabet)}
    costs = {**dict.fromkeys(_MARKS_OF_TEXT, _SIGN), **letters}
    return sum(costs.get(char.lower(), 1.0) for char in foreign)


def _oddity(word: str, script: _Script) -> float:
    """What speaks against a word apart from its letters."""
    odd = 0.0
    if not (word.islower() or word.istitle() or word.isupper()):
        odd += len(word) * (word.lower() != word.upper())
    elif word.isupper() and len(word) > 1:
        odd += _CAPITALS * len(word)
    if script.latin:
        return odd
    if any(char.isascii() for char in word):
        odd += len(word)
    if script.vowels and len(word) > 2 and not set(word.lower()) & set(script.vowels):
        odd += len(word) / 2
    return odd
