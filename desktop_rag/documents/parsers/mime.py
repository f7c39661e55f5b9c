"""The structure of an e-mail: its parts, their headers and contents, found without copying and without recursion.

Headers and parameters are read by the standard library. Its own parser of whole messages goes one level of Python
deeper for every part within a part and asks every open boundary about every line, and its newer header classes take
minutes for a long line of addresses: a hostile mail could hold them up as long as it likes.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import parsedate_to_datetime

from desktop_rag.documents.encodings import clean, decode
from desktop_rag.documents.limits import Limits
from desktop_rag.errors import DocumentError

_DEEPEST = 30
_MOST_HEADERS, _MOST_PART_HEADERS = 262_144, 8192
_LONGEST_HEADER, _LONGEST_PARAMETERS = 65_536, 4096
_HEADER = re.compile(rb"[ \t]|>?From |[^\s:]{1,200}[ \t]*:")
_LINE = 256
_PARAMETERS = ("content-type", "content-disposition", "content-transfer-encoding")
_CHARSET = re.compile(r"[A-Za-z0-9][\w.:+-]{0,39}", re.ASCII)
# Python's codecs of these names decode no text that anyone mails, fail in ways of their own, or take very long.
_NO_CHARSETS = frozenset(("idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem"))
# These write other scripts in plain ASCII, so that nothing in the bytes themselves tells them from English.
_SEVEN_BIT = ("iso-2022", "iso2022", "hz", "utf-7", "utf7")
_ASCII = ("us-ascii", "ascii")
_HIGH = bytes(range(128, 256))
# Fewer letters beyond ASCII than this tell encodings apart by chance only; most mails are in a Western language.
_TELLING = 12
_NO_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))


@dataclass(slots=True)
class Part:
    """One part of a mail: its headers, where its content lies in `data`, and the parts within it."""

    headers: Message
    data: bytes
    start: int
    end: int
    parts: list[Part] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """Its type in lower case ("text/plain" if it names none)."""
        return self.headers.get_content_type()

    @property
    def attached(self) -> bool:
        """Whether the sender meant it to be a file rather than something to read at once."""
        return self.headers.get_content_disposition() == "attachment"

    @property
    def size(self) -> int | None:
        """Bytes of its content, None where only decoding it would tell."""
        if self._encoding == "base64":
            raw = self.data[self.start : self.end].translate(None, _NO_BASE64)
            return len(raw) * 3 // 4
        return self.end - self.start if self._encoding in ("", "7bit", "8bit", "binary") else None

    @property
    def filename(self) -> str:
        """The name the sender gave it, "" if none; not to be trusted."""
        try:
            return words(self.headers.get_filename() or "")
        except (ValueError, LookupError):
            # An encoding of the name (RFC 2231) that cannot be.
            return ""

    @property
    def charset(self) -> str | None:
        """The encoding the part says it has, None if it names none that is one."""
        try:
            named = self.headers.get_param("charset", "")
        except (ValueError, LookupError):
            return None
        return _known_charset(named[2] if isinstance(named, tuple) else str(named))

    @property
    def _encoding(self) -> str:
        return str(self.headers.get("content-transfer-encoding", "")).strip().lower()

    def header(self, name: str) -> str:
        """A header's text on one line, "" if there is none."""
        return words(raw(self.headers, name))

    def content(self) -> bytes:
        """The content, decoded for good or bad: of damaged parts as much as can be had."""
        body = self.data[self.start : self.end]
        if self._encoding == "base64":
            return _from_base64(body)
        if self._encoding == "quoted-printable":
            return binascii.a2b_qp(body)
        if self._encoding in ("x-uuencode", "uuencode", "uue", "x-uue"):
            packed = Message()
            packed["content-transfer-encoding"] = self._encoding
            packed.set_payload(body.decode("ascii", "surrogateescape"))
            found = packed.get_payload(decode=True)
            return found if isinstance(found, bytes) else body
        return body

    def text(self) -> str:
        """The content as text."""
        return decoded(self.content(), self.charset)


def parse(data: bytes, limits: Limits) -> Part:
    """The mail with all its parts; mails attached to it stay closed.

    Raises DocumentError "unreadable" where parts lie in one another too deeply, "too_large" for too many of them.
    """
    data = _as_ascii(data)
    start = len(data) - len(data.lstrip(b"\r\n"))
    root = _part(data, start, len(data), _MOST_HEADERS)
    waiting = [(root, 1)]
    count = 1
    while waiting:
        part, depth = waiting.pop()
        boundary = _boundary(part)
        if not boundary:
            continue
        if depth > _DEEPEST:
            raise DocumentError(
                "unreadable",
                "The parts of the mail lie in one another too deeply.",
                "Open it in a mail program and save the text you need.",
            )
        for begin, end in _between(data, part.start, part.end, boundary):
            inner = _part(data, begin, end, _MOST_PART_HEADERS)
            if part.kind == "multipart/digest":
                inner.headers.set_default_type("message/rfc822")
            part.parts.append(inner)
            count += 1
            if count > limits.max_children:
                raise DocumentError(
                    "too_large", f"The mail has more than {limits.max_children:,} parts.", "Save what you need of it."
                )
        waiting.extend((inner, depth + 1) for inner in part.parts)
    return root


def beginning(data: bytes) -> Part:
    """The mail's headers alone; nothing in it is looked at."""
    return _part(data, 0, len(data), _MOST_HEADERS)


def leaves(part: Part) -> Iterator[Part]:
    """The parts without parts, in order."""
    waiting = [part]
    while waiting:
        part = waiting.pop()
        if part.parts:
            waiting.extend(reversed(part.parts))
        else:
            yield part


def raw(headers: Message, name: str) -> str:
    """The first header of this name as it stands there, bytes beyond ASCII decoded."""
    value = next((str(value) for key, value in headers.raw_items() if key.lower() == name.lower()), "")
    return _readable(value[:_LONGEST_HEADER])


def words(text: str) -> str:
    """A header's text with its encoded words decoded (RFC 2047), on one line."""
    if "=?" in text:
        # What is not rightly encoded stays as it stands there.
        with suppress(HeaderParseError, ValueError):
            text = "".join(_word(piece, charset) for piece, charset in decode_header(text))
    return " ".join(clean(text).split())


def _word(piece: str | bytes, charset: str | None) -> str:
    if isinstance(piece, str):
        return piece
    # The library turns what stands between encoded words into bytes of its own kind.
    return decoded(piece, _known_charset(charset)) if charset else piece.decode("raw-unicode-escape")


def date_of(text: str) -> str:
    """A date header as an ISO date, as it stands there if it is none."""
    try:
        return iso(parsedate_to_datetime(text[:100]))
    except (TypeError, ValueError, OverflowError, IndexError):
        return text


def iso(moment: datetime) -> str:
    """A moment as people and programs can read it."""
    return moment.isoformat(sep=" ", timespec="minutes")


def decoded(data: bytes, charset: str | None) -> str:
    """Text whose encoding may be named wrongly."""
    if charset and charset.lower().startswith(_SEVEN_BIT):
        try:
            data = data.decode(charset).encode("utf-8", "replace")
        except (UnicodeError, LookupError):
            charset = None
    if (not charset or charset.lower() in _ASCII) and len(data) - len(data.translate(None, _HIGH)) < _TELLING:
        charset = "cp1252"
    return decode(data, charset)[0]


def _readable(text: str) -> str:
    """Bytes beyond ASCII, which the standard library keeps as halves of characters, as the text they are."""
    try:
        return text if text.isascii() else decoded(text.encode("ascii", "surrogateescape"), None)
    except UnicodeEncodeError:
        return clean(text)


def _known_charset(name: str) -> str | None:
    name = name.strip().strip("\"'")
    return name if _CHARSET.fullmatch(name) and name.lower().replace("-", "_") not in _NO_CHARSETS else None


def _as_ascii(data: bytes) -> bytes:
    """Mails are made of ASCII lines; one that was saved in UTF-16 has to become so again."""
    if b"\x00" in data[:200]:
        text, encoding = decode(data)
        if encoding.startswith(("utf-16", "utf-32")):
            return text.encode("utf-8", "replace")
    return data.removeprefix(b"\xef\xbb\xbf")


def _part(data: bytes, start: int, end: int, most: int) -> Part:
    stop, body = _end_of_headers(data, start, end)
    headers = BytesHeaderParser(policy=compat32).parsebytes(data[start : min(stop, start + most)])
    for name in _PARAMETERS:
        if name in headers:
            headers.replace_header(name, raw(headers, name)[:_LONGEST_PARAMETERS])
    return Part(headers, data, body, end)


def _end_of_headers(data: bytes, start: int, end: int) -> tuple[int, int]:
    """(end of the headers, start of the body): at a blank line, or at the first line that is no header."""
    at = start
    while at < end:
        following = data.find(b"\n", at, end) + 1 or end
        line = data[at : min(following, at + _LINE)]
        if not line.strip(b"\r\n"):
            return at, following
        if not _HEADER.match(line):
            return at, at
        at = following
    return at, at


def _boundary(part: Part) -> bytes:
    if part.headers.get_content_maintype() != "multipart":
        return b""
    try:
        boundary = part.headers.get_boundary("")
    except (ValueError, LookupError):
        return b""
    return str(boundary).encode("utf-8", "surrogateescape")


def _between(data: bytes, start: int, end: int, boundary: bytes) -> Iterator[tuple[int, int]]:
    """Where the parts between the lines of a boundary lie."""
    mark = b"--" + boundary
    begun = None
    at = start
    while (found := data.find(mark, at, end)) >= 0:
        at = found + len(mark)
        if found > start and data[found - 1 : found] != b"\n":
            continue
        following = data.find(b"\n", at, end) + 1 or end
        rest = data[at:following]
        closes = rest.startswith(b"--")
        if rest.removeprefix(b"--").strip():
            # A longer boundary that begins like this one.
            continue
        if begun is not None and begun < found:
            yield begun, _without_line_end(data, begun, found)
        begun = None if closes else following
        if closes:
            return
        at = following
    if begun is not None and begun < end:
        yield begun, end


def _without_line_end(data: bytes, start: int, end: int) -> int:
    """The line end before a boundary belongs to it."""
    for line_end in (b"\r\n", b"\n"):
        if data.endswith(line_end, start, end):
            return end - len(line_end)
    return end


def _from_base64(body: bytes) -> bytes:
    try:
        return binascii.a2b_base64(body)
    except binascii.Error:
        # Cut short or mixed with other text: what there is of whole groups.
        kept = body.translate(None, _NO_BASE64)
        return binascii.a2b_base64(kept[: len(kept) // 4 * 4])
