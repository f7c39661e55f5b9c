"""Bytes of unknown encoding to text, without ever failing and the same way every time."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

# UTF-32 before UTF-16: the mark of the former begins with the mark of the latter.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LATIN = frozenset(
    "cp1250 cp1252 cp1254 cp1257 cp1258 latin_1 iso8859_2 iso8859_3 iso8859_4 iso8859_9 iso8859_10 iso8859_13 "
    "iso8859_14 iso8859_15 iso8859_16 hp_roman8".split()
)
_ALPHABETS = tuple(
    frozenset(letters)
    for letters in (
        "äöüßéà",
        "àâæçéèêëîïôùûüÿœ",
        "áéíñóúüªº",
        "àáâãçéêíóôõúüªº",
        "àèéìíîòóùú",
        "åäöéàü",
        "æøåéèòâêô",
        "àáäéëèïíóöüú",
        "áðéíóúýþæö",
        "ąćęłńóśźż",
        "áčďéěíňóřšťúůýž",
        "áäčďéíľĺňóôŕšťúýž",
        "áéíóöőúüű",
        "ăâîșțşţ",
        "čćđšž",
        "âçğıîöşüûi̇",
    )
)
"""Letters beyond ASCII of German, French, Spanish, Portuguese, Italian, Swedish with Finnish, Danish with
Norwegian, Dutch with Catalan, Icelandic, Polish, Czech, Slovak, Hungarian, Romanian, Croatian, Turkish."""
_MARKS_OF_TEXT = frozenset("\xa0«»„“”‚‘’‹›–—…•·°§€£©®™×½¼¾²³¿¡´")
# Python's codecs of these names are for something else than the text of a file.
_NO_TEXT = frozenset(
    {"undefined", "idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7", "rot13", "rot-13", "hex",
     "base64", "bz2", "zlib", "uu", "quopri", "mbcs", "oem"}
)  # fmt: skip
# Nobody's documents; on short texts the guess is nonetheless often one of them.
_MAINFRAME = ["cp037", "cp273", "cp424", "cp500", "cp875", "cp1026", "cp1140"]
_HIGH = bytes(range(128, 256))
_FEW = 0.3
_SAMPLE = 65_536
_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def decode(data: bytes, declared: str | None = None) -> tuple[str, str]:
    """(text, encoding): byte order mark, UTF-8, `declared`, UTF-16 without a mark, then a statistical guess.

    Bytes that fit no encoding become U+FFFD, NUL characters too; nothing else is changed.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return clean(data[len(mark) :].decode(name, errors="replace")), name
    for name in _candidates(data, declared):
        try:
            return clean(data.decode(name)), name
        except (UnicodeError, LookupError, ValueError):
            continue
    return clean(data.decode("cp1252", errors="replace")), "cp1252"


def _candidates(data: bytes, declared: str | None) -> list[str]:
    wide = _wide_without_mark(data)
    if wide:
        return [wide]
    if _is_utf8(data):
        return ["utf-8"]
    sample = _telling_sample(data)
    named = [declared] if declared and declared.lower().replace("_", "-") not in _NO_TEXT else []
    latin, misfits = _by_alphabet(sample)
    high = len(sample) - len(sample.translate(None, _HIGH))
    if not misfits and high < _FEW * len(sample):
        # A few letters, all of one language: on short texts the guess would find some Chinese in them.
        return [*named, latin]
    guess = from_bytes(sample, cp_exclusion=_MAINFRAME).best()
    guessed = guess.encoding if guess else "cp1252"
    return [*named, latin if guessed in _LATIN else guessed]


def _by_alphabet(sample: bytes) -> tuple[str, int]:
    """The Windows encoding in which the letters beyond ASCII fit the alphabet of one language best; how many do not.

    A statistical guess confuses them on short texts: an e-mail's "señor" reads "seńor" in the one next to it.
    """

    def misfits(encoding: str) -> int:
        foreign = [char for char in sample.decode(encoding, errors="replace") if char > "\x7f"]
        letters = [char for char in foreign if char not in _MARKS_OF_TEXT]
        return min(sum(char.lower() not in alphabet for char in letters) for alphabet in _ALPHABETS)

    return min(((name, misfits(name)) for name in ("cp1252", "cp1250", "cp1254")), key=lambda found: found[1])


def _is_utf8(data: bytes) -> bool:
    """Whether the bytes are UTF-8, apart from a last character that may be cut off."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as failure:
        return failure.reason == "unexpected end of data"
    return True


def _telling_sample(data: bytes) -> bytes:
    """A stretch that begins shortly before the first byte above ASCII: plain ASCII tells encodings apart by nothing."""
    first = re.search(rb"[\x80-\xff]", data)
    start = max(0, first.start() - 2048) if first else 0
    return data[start : start + _SAMPLE]


def _wide_without_mark(data: bytes) -> str | None:
    """UTF-16 is betrayed by zero bytes at every second place of mostly Latin text."""
    sample = data[:4096]
    if len(sample) < 8 or len(data) % 2:
        return None
    even, odd = sample[::2], sample[1::2]
    if odd.count(0) > 0.6 * len(odd) and even.count(0) < 0.1 * len(even):
        return "utf-16-le"
    if even.count(0) > 0.6 * len(even) and odd.count(0) < 0.1 * len(odd):
        return "utf-16-be"
    return None


def clean(text: str) -> str:
    """What neither a database nor JSON takes (NUL, lone surrogates) becomes U+FFFD, one for one."""
    text = text.replace("\x00", "\ufffd")
    return _SURROGATES.sub("\ufffd", text)


def looks_binary(head: bytes) -> bool:
    """Whether the first bytes of a file are no text in any encoding: too many control characters."""
    if not head or any(head.startswith(mark) for mark, _ in _MARKS) or _wide_without_mark(head[: len(head) & ~1]):
        return False
    controls = len(_CONTROLS.findall(head.decode("latin-1")))
    # Random bytes hold about 10 % of them and are no UTF-8.
    return controls > len(head) * (0.12 if _is_utf8(head) else 0.05)
