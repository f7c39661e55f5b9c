"""Mailboxes, mails of Outlook and saved web pages: a page for each mail, what is attached, no mail stops another."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
from pathlib import Path

import pytest
from compressed_rtf import compress  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from oxmsg.storage import Storage, Stream

from desktop_rag.documents.limits import DEFAULT_LIMITS, Limits
from desktop_rag.documents.model import DocumentInfo, Page, UnreadPage
from desktop_rag.documents.parsers import Part, mbox, msg
from desktop_rag.documents.read import read
from desktop_rag.documents.source import Child
from desktop_rag.errors import DocumentError
from tests.documents.mails import HEAD, blocks, children_of, message, page_of, parts_of

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "parser_docs" / "files"
OUTLOOK = SAMPLES / "msg" / "tika__testMSG_chinese.msg"


def nested(depth: int) -> bytes:
    opening = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(depth))
    return HEAD + opening + b"Content-Type: text/plain\r\n\r\nThe innermost words\r\n"


def mailbox(count: int) -> bytes:
    return b"".join(
        b"From anna@example.org Mon Mar  3 09:30:00 2025\nSubject: Letter %d\nFrom: anna@example.org\n\nBody %d\n\n"
        % (i, i)
        for i in range(1, count + 1)
    )


def test_each_mail_of_a_mailbox_is_a_page() -> None:
    parts = parts_of(mailbox(3), "a.mbox")
    assert parts[0] == DocumentInfo("mbox", "a", None)
    pages = [part for part in parts if isinstance(part, Page)]
    assert [page.locator for page in pages] == [f"message {i}" for i in (1, 2, 3)]
    assert blocks(pages[1]) == [
        ("heading", "Letter 2"),
        ("paragraph", "From: anna@example.org"),
        ("paragraph", "Body 2"),
    ]


def test_attachments_in_a_mailbox_are_named_by_their_mail() -> None:
    mail = message()
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="lease.pdf")
    line = b"From - Mon Mar 03 09:30:00 2025\r\n"
    data = line + bytes(message()) + b"\r\n" + line + bytes(mail) + b"\r\n" + line + bytes(mail)
    assert children_of(data, "a.mbox") == {"message 2/lease.pdf": b"%PDF", "message 3/lease.pdf": b"%PDF"}


def test_lines_like_the_one_between_mails_do_not_cut_a_text() -> None:
    text = b"\nFrom here on\nit is new.\n\n>From the start: 10:30 2025\n\nFrom Bob at 10:30 in 2025\n\nno header\n\n"
    (page,) = [p for p in parts_of(mailbox(1) + text, "a.mbox") if isinstance(p, Page)]
    assert "From here on" in page.text
    assert "\nFrom the start: 10:30" in page.text
    assert page.text.endswith("no header")


def test_one_mail_without_a_line_before_it_is_a_mailbox_too() -> None:
    assert page_of(bytes(message()), "a.mbox").locator == "message 1"


def test_one_bad_mail_does_not_stop_a_mailbox() -> None:
    line = b"\n\nFrom - Mon Mar 03 09:30:00 2025\r\n"
    kinds = [type(part) for part in parts_of(mailbox(1) + line + nested(1000) + line + bytes(message()), "a.mbox")]
    assert kinds == [DocumentInfo, Page, UnreadPage, Page]
    small = Limits(max_text_bytes=1000)
    parts = parts_of(mailbox(1) + line + HEAD + b"\r\n" + b"x" * 2000 + line + bytes(message()), "a.mbox", small)
    assert [type(part) for part in parts] == [DocumentInfo, Page, UnreadPage, Page]


def test_a_large_mailbox_is_never_in_memory_whole(tmp_path: Path) -> None:
    path = tmp_path / "large.mbox"
    with path.open("wb") as file:
        for _ in range(25):
            file.write(mailbox(1) + b"words and words\n" * 20_000 + b"\n")
    assert path.stat().st_size > 8_000_000
    tracemalloc.start()
    try:
        count = sum(isinstance(part, Page) for part in read(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 25
    assert peak < 5_000_000


def test_a_long_line_is_no_trap_for_a_mailbox() -> None:
    began = time.monotonic()
    parts_of(b"From " + b"10:10 20 " * 500_000 + b"\nSubject: a\n\nx", "a.mbox")
    assert time.monotonic() - began < 5


def test_a_saved_web_page_is_its_first_html_part() -> None:
    data = (
        b"From: <Saved by Blink>\r\nSubject: Saved\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/related; type="text/html"; boundary="--x"\r\n\r\n'
        b"----x\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"<html><head><title>Tenancy</title></head><body><h1>Notice</h1><p>Stra=C3=9Fe 5</p></body></html>\r\n"
        b"----x\r\nContent-Type: text/html\r\n\r\n<p>a frame</p>\r\n----x--\r\n"
    )
    assert parts_of(data, "a.mht")[0] == DocumentInfo("mhtml", "Tenancy", None)
    assert blocks(page_of(data, "a.mht")) == [("heading", "Notice"), ("paragraph", "Straße 5")]


def test_a_saved_web_page_without_a_page_is_unreadable() -> None:
    with pytest.raises(DocumentError) as refused:
        parts_of(b"Content-Type: image/png\r\n\r\nx", "a.mht")
    assert refused.value.code == "unreadable"


@pytest.mark.skipif(not OUTLOOK.is_file(), reason="the shared collection of documents is not here")
def test_a_mail_of_outlook() -> None:
    data = OUTLOOK.read_bytes()
    page = page_of(data, "a.msg")
    assert page.blocks[0].kind == "heading"
    assert "格式測試" in page.text
    assert "\nDate: 2011-03-29 " in page.text
    assert "\nTo: " in page.text


@pytest.mark.skipif(not OUTLOOK.is_file(), reason="the shared collection of documents is not here")
@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, 48_000), junk=st.binary(min_size=1, max_size=40))
def test_a_damaged_mail_of_outlook_never_crashes(at: int, junk: bytes) -> None:
    data = OUTLOOK.read_bytes()
    for hostile in (data[:at], data[:at] + junk + data[at + len(junk) :]):
        refused = "unreadable"
        try:
            for part in parts_of(hostile, "a.msg"):
                if isinstance(part, Page):
                    part.text.encode("utf-8")
        except DocumentError as failure:
            refused = failure.code
        assert refused == "unreadable"


def thing(path: str, *inner: Storage, header: int = 8, **properties: str | bytes | int) -> Storage:
    """A storage as Outlook writes it: p0037="Rent" is the property of this number, with its value."""
    table, streams = bytes(header), []
    for name, value in properties.items():
        kind = {str: 0x001F, bytes: 0x0102, int: 0x0003}[type(value)]
        fixed = value if isinstance(value, int) else 0
        table += struct.pack("<HHLQ", kind, int(name[1:], 16), 6, fixed)
        if isinstance(value, (str, bytes)):
            data = value.encode("utf-16-le") if isinstance(value, str) else value
            streams.append(Stream(f"{path}/__substg1.0_{name[1:].upper()}{kind:04X}", data))
    return Storage(path, (Stream(f"{path}/__properties_version1.0", table), *streams), inner)


def outlook_parts(monkeypatch: pytest.MonkeyPatch, storage: Storage, limits: Limits = DEFAULT_LIMITS) -> list[Part]:
    monkeypatch.setattr(msg, "_storage", lambda source: storage)
    return parts_of(b"", "a.msg", limits)


def attached(number: int, *inner: Storage, **properties: str | bytes | int) -> Storage:
    return thing(f"__attach_version1.0_#{number:08X}", *inner, **properties)


def embedded(depth: int) -> Storage:
    inner = [attached(0, embedded(depth - 1))] if depth else []
    return thing("__substg1.0_3701000D", *inner, header=24, p0037=f"Depth {depth}", p1000=f"Words {depth}")


def test_people_and_attachments_of_a_mail_of_outlook(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = thing(
        "",
        attached(0, p3707="../lease.pdf", p3701=b"%PDF"),
        attached(1, p3704="lease.pdf", p3701=b"other"),
        attached(2, p3707="logo.png", p3701=b"small", p370e="image/png", p3712="cid"),
        thing("__recip_version1.0_#00000000", p3001="Bob", p39fe="bob@example.org", p0c15=1),
        thing("__recip_version1.0_#00000001", p3001="Carol", p3003="/O=FIRM/CN=CAROL", p0c15=2),
        header=32,
        p0037="Rent",
        p0c1a="Anna",
        p0c1f="anna@example.org",
        p1013=b"<p>The <b>rent</b></p>",
    )
    info, page, *children = outlook_parts(monkeypatch, storage)
    assert info == DocumentInfo("msg", "Rent", None)
    assert isinstance(page, Page)
    people = "From: Anna <anna@example.org>\nTo: Bob <bob@example.org>\nCc: Carol"
    assert blocks(page) == [("heading", "Rent"), ("paragraph", people), ("paragraph", "The rent")]
    found = {child.name: child.load() for child in children if isinstance(child, Child)}
    assert found == {"lease.pdf": b"%PDF", "lease (2).pdf": b"other"}


RTF_BODY = rb"""{\rtf1\ansi\ansicpg1252\fromhtml1 {\fonttbl{\f0\fswiss Arial;}}{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 \
The rent for M\'e4rz is due.\htmlrtf\par}\htmlrtf0 {\*\htmltag72 </p>}{\v a hidden note}\
{\*\htmltag84 <b>}\htmlrtf {\b\htmlrtf0 Thank you.\htmlrtf }\htmlrtf0 }"""


@pytest.mark.parametrize("packed", [True, False])
def test_a_text_that_is_kept_as_rtf_only(packed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = thing("", header=32, p0037="Rent", p1009=compress(RTF_BODY, packed))
    _, page = outlook_parts(monkeypatch, storage)
    assert isinstance(page, Page)
    assert [text for _, text in blocks(page)] == ["Rent", "The rent for März is due.", "Thank you."]


@pytest.mark.parametrize(
    "data", [b"LZFu", bytes(16), compress(RTF_BODY)[:-5], compress(RTF_BODY).replace(b"LZFu", b"XXXX")]
)
def test_a_damaged_text_in_rtf_is_said_to_be_unread(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    _, page, unread = outlook_parts(monkeypatch, thing("", header=32, p0037="Rent", p1009=data))
    assert isinstance(page, Page)
    assert isinstance(unread, UnreadPage)
    assert "damaged" in unread.cause


def test_mails_on_mails_of_outlook_are_pages_to_a_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = thing("", attached(0, embedded(50)), header=32, p0037="Top", p1000="Words")
    found = outlook_parts(monkeypatch, storage)[1:]
    places = [part.locator for part in found if isinstance(part, Page)]
    assert places == [None, "attached mail 1", "attached mail 1, attached mail 1"]
    assert isinstance(found[-1], UnreadPage)


def test_streams_are_closed() -> None:
    class Watched(io.BytesIO):
        pass

    opened: list[Watched] = []

    class Source:
        name = "a.mbox"
        size = 10

        def open(self) -> Watched:
            opened.append(Watched(mailbox(2)))
            return opened[-1]

    parts = mbox.parse(Source(), limits=DEFAULT_LIMITS)
    next(parts)
    next(parts)
    parts.close()  # type: ignore[attr-defined]
    assert opened
    assert all(stream.closed for stream in opened)
