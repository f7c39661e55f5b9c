"""Bytes of unknown encoding to text, without ever failing and the same way every time."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

from desktop_rag.documents.alphabets import PLAUSIBLE, by_letters

# UTF-32 before UTF-16: the mark of the former begins with the mark of the latter.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Python's codecs of these names are for something else than the text of a file.
_NO_TEXT = frozenset(
    {"undefined", "idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7", "rot13", "rot-13", "hex",
     "base64", "bz2", "zlib", "uu", "quopri", "mbcs", "oem"}
)  # fmt: skip
# Nobody's documents, or told by other signs; on short texts the guess is nonetheless often one of them.
_NO_GUESS = "cp037 cp273 cp424 cp500 cp875 cp1026 cp1140 utf_16 utf_16_le utf_16_be utf_32".split()
_SAMPLE = 65_536
_FEWEST_WIDE = 4
# The blocks of Unicode of Latin, Greek, Cyrillic, Hebrew, Arabic and Thai letters; ASCII and the signs of all of them.
_ALPHABETS = (0x00, 0x01, 0x03, 0x04, 0x05, 0x06, 0x0E)
_IN_ALL = (0x00, 0x01, 0x20)
_JAPANESE_MAIL = (b"\x1b$B", b"\x1b$@")
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
    if any(mark in data for mark in _JAPANESE_MAIL):
        return ["iso2022_jp", "utf-8"]
    if _is_utf8(data):
        return ["utf-8"]
    sample = _telling_sample(data)
    named = [declared] if declared and declared.lower().replace("_", "-") not in _NO_TEXT else []
    fitting, cost = by_letters(sample)
    if cost <= PLAUSIBLE:
        return [*named, fitting]
    guess = from_bytes(sample, cp_exclusion=_NO_GUESS).best()
    return [*named, guess.encoding if guess else fitting]


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
    """UTF-16 is betrayed by every second byte: nearly always the same small number, that of one alphabet.

    Of scripts with thousands of characters only zeros tell, for a space or a line end between them.
    """
    sample = data[:4096]
    if len(sample) < _FEWEST_WIDE or len(data) % 2:
        return None
    for name, high, low in (("utf-16-le", sample[1::2], sample[::2]), ("utf-16-be", sample[::2], sample[1::2])):
        alphabet = max(_ALPHABETS, key=high.count)
        in_it = sum(high.count(each) for each in {alphabet, *_IN_ALL})
        if high.count(alphabet) > 0.3 * len(high) and in_it > 0.9 * len(high) and _small(low) < 0.5 * len(low):
            return name
        if 0 in high and 0 not in low and _is_text(sample.decode(name, errors="replace")):
            return name
    return None


def _is_text(text: str) -> bool:
    """Whether nearly every character is one that is written: half of the codes there are is none."""
    written = sum((char.isprintable() and char != "\ufffd") or char.isspace() for char in text)
    return written > 0.97 * len(text)


def _small(data: bytes) -> int:
    return len(data) - len(data.translate(None, bytes(_ALPHABETS)))


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
