"""Mails of Outlook: a page with the subject, who wrote to whom and when, and the text; attachments as children.

A mail attached to the mail lies in the same file in pieces, not as a file of its own: it becomes a page of its own.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TypeVar

import olefile  # type: ignore[import-untyped]
from compressed_rtf import decompress  # type: ignore[import-untyped]
from compressed_rtf.compressed_rtf import COMPRESSED, UNCOMPRESSED  # type: ignore[import-untyped]
from oxmsg.domain import constants as c
from oxmsg.domain import model as m
from oxmsg.properties import Properties
from oxmsg.storage import Storage

from desktop_rag.documents.archives import Names
from desktop_rag.documents.composer import Composer
from desktop_rag.documents.encodings import clean
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, UnreadPage
from desktop_rag.documents.parsers import html, mime, rtf
from desktop_rag.documents.parsers.mail import SMALL_PICTURE, Mailed, write_head, write_html, write_text
from desktop_rag.documents.source import Child, Source, stem
from desktop_rag.errors import DocumentError

_EMBEDDED_HEADER = 24
_EMBEDDED = "__substg1.0_3701000D"
_RECIPIENT_TYPE, _DELIVERED = 0x0C15, 0x0E06
_TO, _CC = 1, 2
_RTF_HEADER, _ALL_ONES = 16, 0xFFFFFFFF
_LONGEST_TITLE = 300
# What the library raises for properties whose value is missing, cut short, or of another kind than it says.
_ODD = (
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    OverflowError,
    struct.error,
    m.UnrecognizedCodePageError,
    m.UnsupportedEncodingError,
)
_T = TypeVar("_T")


def parse(source: Source, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Mailed]:
    """One page without number, one for each mail attached to it ("attached mail 1"), and the attachments."""
    mail = _Mail(_storage(source), m.MSG_HDR_OFFSET)
    yield DocumentInfo("msg", mail.subject[:_LONGEST_TITLE] or stem(source), None)
    children: list[Child] = []
    yield from _pages(mail, None, "", Names(), children, limits.max_depth)
    yield from children


def _storage(source: Source) -> Storage:
    try:
        with source.open() as stream, olefile.OleFileIO(stream) as file:
            _check_sizes(file, source.size)
            return Storage.from_ole(file)
    except (OSError, *_ODD, RecursionError, AttributeError) as failure:
        if isinstance(failure, OSError) and failure.errno is not None:
            raise
        raise _damaged() from failure


def _check_sizes(file: olefile.OleFileIO, size: int) -> None:
    """The library reads every stream at once: streams that lie on top of each other could fill any memory."""
    streams = sum(entry.size for entry in file.direntries if entry and entry.entry_type == olefile.STGTY_STREAM)
    if max(streams, file.root.size, file.num_mini_fat_sectors * file.sector_size) > size:
        raise _damaged()


def _damaged() -> DocumentError:
    return DocumentError("unreadable", "The mail is damaged and cannot be read.", "Save it from Outlook again.")


class _Mail:
    """One mail, or another thing with properties: an attachment, somebody it was sent to."""

    def __init__(self, storage: Storage, header: int) -> None:
        self.storage = storage
        self._properties = Properties(storage, header)
        charset = _or_none(lambda: self._properties.body_encoding)
        # The library's answer where the mail names none; the bytes themselves tell more.
        self.charset = None if charset == "iso-8859-15" else charset

    def bytes(self, pid: int, kind: int = c.PTYP_BINARY) -> bytes | None:
        """A property's bytes, None if there are none."""
        return _or_none(lambda: self.storage.property_stream_bytes(pid, kind))

    def text(self, *pids: int) -> str:
        """The first of these properties that has any text."""
        for pid in pids:
            wide = self.bytes(pid, c.PTYP_STRING)
            narrow = self.bytes(pid, c.PTYP_STRING8)
            found = wide.decode("utf-16-le", "replace") if wide else mime.decoded(narrow or b"", self.charset)
            if found.strip("\x00 \r\n\t"):
                return clean(found.rstrip("\x00"))
        return ""

    def line(self, *pids: int) -> str:
        """The same on one line."""
        return " ".join(self.text(*pids).split())

    def number(self, pid: int) -> int | None:
        """A property that is a number."""
        value = _or_none(lambda: self._properties.int_prop_value(pid))
        return value if isinstance(value, int) else None

    def date(self) -> str:
        """When it was sent, or else came, as an ISO date."""
        for pid in (c.PID_CLIENT_SUBMIT_TIME, _DELIVERED):
            moment = _or_none(lambda pid=pid: self._properties.date_prop_value(pid))  # type: ignore[misc]
            if isinstance(moment, datetime):
                return mime.iso(moment)
        return mime.date_of(self.headers().header("Date"))

    def headers(self) -> mime.Part:
        """The headers it had on its way, if it was ever sent."""
        return mime.beginning(self.text(c.PID_TRANSPORT_MESSAGE_HEADERS).encode("utf-8", "replace"))

    @property
    def subject(self) -> str:
        """Its subject on one line."""
        return self.line(c.PID_SUBJECT)

    def sender(self) -> str:
        """Name and address as far as they are known."""
        address = self.line(0x5D01, c.PID_SENDER_SMTP_ADDRESS, c.PID_SENDER_EMAIL_ADDRESS)
        return self.headers().header("From") or _person(self.line(c.PID_SENDER_NAME), address)

    def recipients(self, kind: int, shown: int) -> str:
        """Everybody it was sent to in this way; `shown` is where Outlook keeps the names it shows."""
        people = (_Mail(storage, m.RECIP_HDR_OFFSET) for storage in self.storage.iter_recipient_storages())
        return ", ".join(
            _person(person.line(c.PID_DISPLAY_NAME), person.line(c.PID_SMTP_ADDRESS, c.PID_EMAIL_ADDRESS))
            for person in people
            if (person.number(_RECIPIENT_TYPE) or _TO) & 0xF == kind
        ) or self.line(shown)

    def attachments(self) -> list[_Mail]:
        """What is attached, in order."""
        storages = sorted(self.storage.iter_attachment_storages(), key=lambda storage: storage.name)
        return [_Mail(storage, m.ATTACH_HDR_OFFSET) for storage in storages]

    def inside(self) -> _Mail | None:
        """The mail that this attachment is, None if it is a file."""
        found = next((inner for inner in self.storage.storages if inner.name.upper() == _EMBEDDED.upper()), None)
        return None if found is None else _Mail(found, _EMBEDDED_HEADER)


def _or_none(read: Callable[[], _T]) -> _T | None:
    try:
        return read()
    except _ODD:
        return None


def _person(name: str, address: str) -> str:
    # Within a company Outlook knows people by long paths in its directory, which say nothing to anybody.
    address = "" if address.lower().startswith("/o=") else address
    if name and address and name.strip("'\"").lower() != address.lower():
        return f"{name} <{address}>"
    return address or name


def _pages(
    mail: _Mail, locator: str | None, folder: str, names: Names, children: list[Child], depth: int
) -> Iterator[Mailed]:
    yield from _page(mail, locator)
    kind = mail.line(c.PID_MESSAGE_CLASS).lower()
    for number, attached in enumerate(mail.attachments(), 1):
        inner = attached.inside()
        if inner is not None:
            where = f"{f'{locator}, ' if locator else ''}attached mail {number}"
            if depth <= 1:
                yield UnreadPage(None, where, "mails are attached to one another too deeply")
            else:
                inner_folder = f"{folder}{inner.subject.replace('/', '-') or 'mail'}/"
                yield from _pages(inner, where, inner_folder, names, children, depth - 1)
            continue
        data = attached.bytes(c.PID_ATTACH_DATA_BINARY)
        name = attached.line(c.PID_ATTACH_LONG_FILENAME, c.PID_ATTACH_FILENAME, c.PID_DISPLAY_NAME)
        name = name.replace("\\", "/").rpartition("/")[2] or f"attachment {number}"
        if kind.endswith("smime.multipartsigned") and name.lower().endswith(".p7m"):
            name = "signed mail.eml"
        if data is not None and not _is_ornament(attached, data):
            children.append(Child(names.give(folder + name, folders=True), len(data), _giving(data)))


def _page(mail: _Mail, locator: str | None) -> Iterator[Mailed]:
    composer = Composer()
    lines = [
        ("From", mail.sender()),
        ("To", mail.recipients(_TO, c.PID_DISPLAY_TO)),
        ("Cc", mail.recipients(_CC, c.PID_DISPLAY_CC)),
        ("Date", mail.date()),
    ]
    write_head(composer, mail.subject, lines)
    cause = _write_body(composer, mail)
    if composer.length:
        yield composer.page(locator=locator)
    if cause:
        yield UnreadPage(None, locator, cause)


def _write_body(composer: Composer, mail: _Mail) -> str:
    """Add the text; what to say if there is one that could not be read, else ""."""
    plain = mail.text(c.PID_BODY)
    if plain:
        write_text(composer, plain)
        return ""
    packed = mail.bytes(c.PID_HTML)
    text = html.decoded(packed, mail.charset)[0] if packed else mail.text(c.PID_HTML)
    if text:
        try:
            write_html(composer, text)
        except DocumentError as failure:
            return failure.message
        return ""
    kind = mail.line(c.PID_MESSAGE_CLASS).lower()
    if "smime" in kind and not kind.endswith("multipartsigned"):
        return "the text of this mail is encrypted"
    return _write_rtf(composer, mail.bytes(c.PID_RTF_COMPRESSED) or b"")


def _write_rtf(composer: Composer, packed: bytes) -> str:
    """The same for a mail whose text is kept as RTF only. HTML in it has its likeness in RTF beside it."""
    if not packed:
        return ""
    try:
        rtf.write(composer, _unpacked(packed))
    except (DocumentError, struct.error, ValueError):
        return "the text of this mail is damaged"
    return ""


def _unpacked(packed: bytes) -> bytes:
    """RTF as Outlook packs it. The library complains by bare exceptions: what they are about is asked beforehand."""
    size, _, kind, checksum = struct.unpack_from("<LL4sL", packed)
    if kind not in (COMPRESSED, UNCOMPRESSED):
        raise ValueError("packed in an unknown way")
    if kind == COMPRESSED and zlib.crc32(packed[_RTF_HEADER : size + 4], _ALL_ONES) ^ _ALL_ONES != checksum:
        raise ValueError("wrong checksum")
    return bytes(decompress(packed))


def _is_ornament(attached: _Mail, data: bytes) -> bool:
    picture = attached.line(c.PID_ATTACH_MIME_TAG).lower().startswith("image/")
    return picture and bool(attached.line(c.PID_ATTACH_CONTENT_ID)) and len(data) < SMALL_PICTURE


def _giving(data: bytes) -> Callable[[], bytes]:
    return lambda: data
