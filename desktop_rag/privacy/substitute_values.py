"""What can stand in for numbers, addresses and dates: the same class, country and shape, and nobody's.

Where there are ranges that were set apart for stories, tests and documentation, they are used: example domains (RFC
2606), IP addresses (RFC 5737, 3849), telephone numbers (NANP 555-01xx, Ofcom, ARCEP, Bundesnetzagentur, ACMA,
ComReg), test cards, bank codes nobody has.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator

from desktop_rag.privacy.fold import fold_word, words
from desktop_rag.privacy.keyed import Keyed
from desktop_rag.privacy.names import PARTICLES
from desktop_rag.privacy.patterns import find as patterns
from desktop_rag.privacy.substitute_names import invented

NameWord = Callable[[str], str | None]
# Telephone numbers that are given to nobody: by country code, the national number without a leading 0.
_FICTION = {
    "44": ("7700900xxx", "2079460xxx", "1134960xxx", "1214960xxx", "1614960xxx", "1632960xxx"),
    "1": ("xxx55501xx",),
    "33": ("19900xxxx", "26191xxxx", "35301xxxx", "46571xxxx", "53649xxxx", "63998xxxx"),
    "49": ("3023125xxx", "6990009xxx", "4066969xxx", "2214710xxx", "8999998xxx", "17139200xx"),
    "61": ("491570xxx", "291560xxx", "355501xxx", "755501xxx", "855501xxx"),
    "353": ("2091xxxxx",),
}
_CODES = (
    "353",
    "420",
    "421",
    "351",
    "358",
    "380",
    "1",
    "7",
    "44",
    "33",
    "49",
    "61",
    "48",
    "34",
    "39",
    "31",
    "32",
    "41",
)
_CARDS = (("34", "378282"), ("37", "378282"), ("4", "424242"), ("5", "555555"), ("2", "222300"), ("6", "601111"))
_OFFICES = frozenset("info office contact mail post sales support help admin team service jobs press hr".split())
_FIGURES = re.compile(r"\d+")
_EMAIL = re.compile(r"(?P<box>[^@]+)@(?P<host>[^@\s]+)\Z")
_CHUNK = re.compile(r"[^\W\d_]+|\d+|[\W_]+")
_STREET = frozenset(
    "street st road rd avenue ave lane ln drive dr court ct place pl square sq boulevard blvd way close crescent"
    " terrace row highway hwy park parkway suite unit floor flat apartment apt building po box north south east"
    " west upper lower rue chemin allee impasse quai cours bis ter calle avenida plaza paseo camino carretera piso"
    " via viale piazza corso largo ulica aleja plac osiedle lokal mieszkanie strasse weg platz gasse ring ufer"
    " straat laan plein rua travessa praca ltd limited inc llc llp plc gmbh ag kg sa sas sarl srl spa bv nv ab oy"
    " group company university college school institute bank trust foundation hospital clinic centre center and"
    " the of".split()
)
_KEPT = _STREET | frozenset(PARTICLES.split())
_LEAST = 5  # letters and figures; what is shorter would be found in every text
# So many candidates are looked at before a value gets a pseudonym instead.
_MOST = 1500


def candidates(label: str, value: str, keyed: Keyed, name_word: NameWord) -> Iterator[str]:
    """What could stand in for a value, the best first; nothing where no stand-in could be told from other text.

    `name_word`: what stands for a folded word of somebody's name, if the vault knows it.
    """
    if sum(c.isalnum() for c in value) < _LEAST:
        return iter(())
    make = _MAKERS.get(label)
    if label == "EMAIL_ADDRESS" and _EMAIL.match(value):
        made = _emails(value, keyed, name_word)
    elif make is not None:
        made = make(value, keyed)
    elif _is_wordy(value):
        made = _phrases(value, keyed)
    else:
        made = _proven(value, _shapes(value, keyed))
    return (item for item in itertools.islice(made, _MOST) if fold_word(item) != fold_word(value))


def laid_out(like: str, value: str) -> str:
    """A number grouped as `like` is; `value` itself where it is more words than figures, or of another length."""
    inside = [c for c in value if c.isalnum()]
    figures = sum(c.isdecimal() for c in inside)
    if 2 * figures < len(inside) or len(inside) != sum(c.isalnum() for c in like):
        return value
    given = iter(inside)
    return "".join(next(given) if c.isalnum() else c for c in like)


def _is_wordy(value: str) -> bool:
    letters = sum(c.isalpha() for c in value)
    return any(len(word) > 3 and word.isalpha() for word, _, _ in words(value)) and 2 * letters > len(value)


def _chance(keyed: Keyed, *about: str) -> Iterator[int]:
    """Numbers below 256 without end."""
    for block in itertools.count():
        yield from keyed.number(*about, str(block)).to_bytes(32)


def _shapes(value: str, keyed: Keyed) -> Iterator[str]:
    """Figures for figures and letters for letters; a figure other than 0 stays one."""
    hexadecimal = bool(re.fullmatch(r"[0-9a-fA-F:.{}-]+", value)) and any(c.isalpha() for c in value)
    letters = "abcdef" if hexadecimal else "abcdefghjkmnpqrstuvwxyz"
    for attempt in itertools.count():
        chance = _chance(keyed, "shape", value, str(attempt))
        yield "".join(_like(c, next(chance), letters) for c in value)


def _like(character: str, number: int, letters: str) -> str:
    if character.isdecimal():
        return "0" if character == "0" and number % 2 else str(1 + number % 9)
    if not character.isalpha():
        return character
    letter = letters[number % len(letters)]
    return letter.upper() if character.isupper() else letter


def _proven(value: str, made: Iterator[str]) -> Iterator[str]:
    """Those that pass the checks the value passes; where it passes none, or none is found, whatever comes."""
    proof = _labels(value)
    if not proof:
        return made
    tries = itertools.islice(made, _MOST // 2)
    return itertools.chain((item for item in tries if proof <= _labels(item)), made)


def _labels(value: str) -> set[str]:
    """The classes whose shape and checksum a value has as a whole."""
    return {f.label for f in patterns.find(value) if (f.start, f.end) == (0, len(value))}


def _emails(value: str, keyed: Keyed, name_word: NameWord) -> Iterator[str]:
    """The mailbox follows the person's stand-in; the domain is one that nobody can have."""
    match = _EMAIL.match(value.lower())
    assert match is not None
    hosts = (f"{_ascii(word)}.example" for word in invented(fold_word(match["host"]), keyed))
    for attempt, host in enumerate(hosts):
        box = "".join(_box_part(part, keyed, name_word, attempt) for part in _CHUNK.findall(match["box"]))
        yield f"{box}@{host}"


def _box_part(part: str, keyed: Keyed, name_word: NameWord, attempt: int) -> str:
    folded = fold_word(part)
    if part.isdecimal():
        return next(_shapes(part, keyed))
    if not part.isalpha() or folded in _OFFICES:
        return part
    known = name_word(folded)
    if known is None and len(folded) > 3 and (rest := name_word(folded[1:])) is not None:
        known = (keyed.initial(folded[0]) or "x") + rest  # jrivera
    if known is None:
        known = keyed.initial(folded) if len(folded) == 1 else next(invented(f"{folded}{attempt // 8 or ''}", keyed))
    return _ascii(known or "x")


def _ascii(word: str) -> str:
    return "".join(c for c in fold_word(word).translate(_PLAIN) if c.isascii() and c.isalnum()) or "post"


_PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d"})


def _phones(value: str, keyed: Keyed) -> Iterator[str]:
    """The same country and grouping, out of a range for stories where the country has one of this length."""
    figures = "".join(c for c in value if c.isdecimal())
    trunk, national = _split_phone(value, figures)
    country = trunk.removeprefix("00")
    fiction = [form for form in _fiction(country, trunk, national) if len(form) == len(national)]
    chance = _chance(keyed, "phone", figures)
    while True:
        if fiction:
            form = fiction[next(chance) % len(fiction)]
            made = form[:1].replace("x", str(2 + next(chance) % 8)) + form[1:]
            made = "".join(str(next(chance) % 10) if c == "x" else c for c in made)
        else:
            made = national[:1] + "".join(str(next(chance) % 10) for _ in national[1:])
        yield laid_out(value, trunk + made)


def _split_phone(value: str, figures: str) -> tuple[str, str]:
    """The country code or the 0 before a national number, and the number."""
    international = value.lstrip(" (").startswith("+") or figures.startswith("00")
    if not international:
        return ("0", figures[1:]) if figures.startswith("0") else ("", figures)
    zeros = "00" if figures.startswith("00") else ""
    rest = figures.removeprefix(zeros)
    code = next((code for code in sorted(_CODES, key=len, reverse=True) if rest.startswith(code)), rest[:2])
    # "+44 (0)20": the 0 is not dialled but written.
    zero = "0" if re.search(r"\(0\)", value) and rest[len(code) :].startswith("0") else ""
    return zeros + code + zero, rest[len(code) + len(zero) :]


def _fiction(country: str, trunk: str, national: str) -> tuple[str, ...]:
    country = country.rstrip("0") or country
    if trunk == "0":
        return _FICTION["44"] if len(national) == 10 else _FICTION["33"] if len(national) == 9 else ()
    if trunk == "":
        return _FICTION["1"] if len(national) == 10 else ()
    return _FICTION.get(country, ())


def _ibans(value: str, keyed: Keyed) -> Iterator[str]:
    """The same country and length; a bank code that begins with four 9 (or Z), which no country gives out."""
    compact = "".join(c for c in value if c.isalnum()).upper()
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{8,30}", compact):
        yield from _proven(value, _shapes(value, keyed))
        return
    for shape in _shapes(compact[8:], keyed):
        bank = "".join("9" if c.isdecimal() else "Z" for c in compact[4:8])
        account = f"{bank}{shape}"
        turned = "".join(str(int(c, 36)) for c in f"{account}{compact[:2]}00")
        yield laid_out(value, f"{compact[:2]}{98 - int(turned) % 97:02d}{account}")


def _cards(value: str, keyed: Keyed) -> Iterator[str]:
    """The same brand, of the numbers that brands give out for tests, with its check figure (Luhn)."""
    figures = "".join(c for c in value if c.isdecimal())
    start = next((test for first, test in _CARDS if figures.startswith(first)), "")
    if not start or len(figures) < 12:
        yield from _proven(value, _shapes(value, keyed))
        return
    for shape in _shapes(figures[len(start) : -1], keyed):
        body = start + shape
        doubled = [int(c) * 2 if place % 2 == 0 else int(c) for place, c in enumerate(reversed(body))]
        yield laid_out(value, f"{body}{-sum(n - 9 if n > 9 else n for n in doubled) % 10}")


def _addresses(value: str, keyed: Keyed) -> Iterator[str]:
    """IP addresses out of the blocks for documentation."""
    chance = _chance(keyed, "ip", value)
    while True:
        if ":" in value:
            yield "2001:db8:" + ":".join(f"{next(chance) << 8 | next(chance):x}" for _ in range(6))
        else:
            block = ("192.0.2", "198.51.100", "203.0.113")[next(chance) % 3]
            yield f"{block}.{1 + next(chance) % 254}"


def _links(value: str, keyed: Keyed) -> Iterator[str]:
    match = re.match(r"(?P<scheme>\w+://)?(?P<www>www\.)?(?P<host>[^/\s:?#]+)(?P<rest>.*)", value, re.DOTALL)
    if match is None:
        return _shapes(value, keyed)
    rest = next(_shapes(match["rest"], keyed))
    scheme, www = match["scheme"] or "", match["www"] or ""
    return (f"{scheme}{www}{_ascii(word)}.example{rest}" for word in invented(fold_word(match["host"]), keyed))


def _dates(value: str, keyed: Keyed) -> Iterator[str]:
    """Another day: every number stays one that it can be, whichever way round the date is written."""
    for attempt in itertools.count():
        chance = _chance(keyed, "date", value, str(attempt))
        yield _FIGURES.sub(lambda m, chance=chance: _day_part(m[0], next(chance)), value)  # type: ignore[misc]


def _day_part(figures: str, number: int) -> str:
    size = len(figures)
    if size == 4 and figures[:2] in ("19", "20"):
        years = 1 + number % 9
        return str(int(figures) - years)
    if size > 2:
        return "".join(str((int(c) + number) % 10) for c in figures)
    made = 1 + number % 12 if int(figures) <= 12 else 13 + number % 16
    return f"{made:0{size}d}"[-size:]


def _phrases(value: str, keyed: Keyed) -> Iterator[str]:
    """Addresses and names of places and firms: what a street or a firm is stays, what it is called does not."""
    found = words(value)
    if value.islower() and not any(c.isdecimal() for c in value):
        # "a nurse": whatever stood here would not be told from other text.
        return
    for attempt in itertools.count():
        made, at = [], 0
        for word, start, end in found:
            made += [value[at:start], _named(value[start:end], word, keyed, attempt)]
            at = end
        yield "".join([*made, value[at:]])


def _named(word: str, folded: str, keyed: Keyed, attempt: int) -> str:
    if folded in _KEPT:
        return word
    if not word.isalpha() or len(word) < 3:
        return next(itertools.islice(_shapes(word, keyed), attempt, None))
    name = next(itertools.islice(invented(folded, keyed), attempt, None), word)
    return name.upper() if word.isupper() else name.lower() if word.islower() else name


_MAKERS: dict[str, Callable[[str, Keyed], Iterator[str]]] = {
    "PHONE_NUMBER": _phones,
    "IBAN_CODE": _ibans,
    "CREDIT_CARD": _cards,
    "IP_ADDRESS": _addresses,
    "URL": _links,
    "DATE_TIME": _dates,
    "DATE_OF_BIRTH": _dates,
    "STREET_ADDRESS": _phrases,
}
