"""Mails, mailboxes, mails of Outlook and saved web pages: what they say, what is attached, what they may not do."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, Page, UnreadPage
from desktop_rag.documents.parsers import mime
from desktop_rag.documents.source import Child
from desktop_rag.errors import DocumentError
from tests.documents.mails import HEAD, blocks, children_of, message, page_of, parts_of


def test_a_mail_is_its_subject_its_people_its_date_and_its_text() -> None:
    mail = message("Dear Bob,\n\nthe rent is due.\n\nOn Monday Bob wrote:\n> When?\n")
    info = parts_of(bytes(mail))[0]
    assert info == DocumentInfo("eml", "Miete für März", None)
    page = page_of(bytes(mail))
    assert (page.number, page.locator) == (None, None)
    assert blocks(page) == [
        ("heading", "Miete für März"),
        (
            "paragraph",
            "From: Anna Müller <anna@example.org>\nTo: Bob <bob@example.org>, carol@example.org\n"
            "Cc: dora@example.org\nDate: 2025-03-03 09:30+01:00",
        ),
        ("paragraph", "Dear Bob,"),
        ("paragraph", "the rent is due."),
        ("paragraph", "On Monday Bob wrote:\n> When?"),
    ]


def test_nothing_private_stands_in_the_details() -> None:
    info = parts_of(bytes(message()))[0]
    assert isinstance(info, DocumentInfo)
    assert info.details == {}


def test_of_two_forms_of_a_text_the_plain_one_is_read() -> None:
    mail = message("plain words")
    mail.add_alternative("<p>rich <b>words</b></p>", subtype="html")
    assert "plain words" in page_of(bytes(mail)).text
    assert "rich" not in page_of(bytes(mail)).text


def test_html_is_read_where_there_is_no_plain_text_or_a_blank_one() -> None:
    html = "<h2>Offer</h2><ul><li>one</li><li>two</li></ul><script>no()</script>"
    alone = message("")
    alone.set_content(html, subtype="html")
    blank = message(" \n")
    blank.add_alternative(html, subtype="html")
    for mail in (alone, blank):
        found = blocks(page_of(bytes(mail)))
        assert found[2:] == [("heading", "Offer"), ("list", "one"), ("list", "two")]


def test_a_plain_footer_does_not_hide_an_html_text() -> None:
    data = HEAD + (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>The news</p>\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nList footer\r\n--b--\r\n"
    )
    text = page_of(data).text
    assert text.index("The news") < text.index("List footer")


@pytest.mark.parametrize(
    ("charset", "text", "declared"),
    [
        ("utf-8", "Größe ąę 日本", "utf-8"),
        ("cp1252", "Größe und Maß – gut", "iso-8859-1x"),
        ("iso-8859-1", "Größe und Maß", "us-ascii"),
        ("utf-8", "Größe und Maß", "iso-8859-1"),
        ("iso-2022-jp", "日本語の手紙", "iso-2022-jp"),
        ("gb2312", "合同条款", "gb2312"),
        ("koi8-r", "Привет", "koi8-r"),
        ("utf-8", "Größe", "undefined"),
        ("cp1252", "Größe und Maß für alle Räume", "idna"),
    ],
)
@pytest.mark.parametrize("encoding", ["8bit", "base64", "quoted-printable"])
def test_text_in_any_encoding(charset: str, text: str, declared: str, encoding: str) -> None:
    import base64
    import quopri

    body = {
        "8bit": text.encode(charset),
        "base64": base64.encodebytes(text.encode(charset)),
        "quoted-printable": quopri.encodestring(text.encode(charset)),
    }[encoding]
    head = f"Content-Type: text/plain; charset={declared}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    assert text in page_of(HEAD + head.encode() + body).text


def test_headers_in_raw_bytes_and_broken_words() -> None:
    assert page_of("Subject: Größe\r\n\r\nx".encode()).text.startswith("Größe\n")
    assert page_of("Subject: Größe\r\n\r\nx".encode("cp1252")).text.startswith("Größe\n")
    assert page_of(b"Subject: =?utf-8?b?AAA?= left\r\n\r\nx").text
    assert page_of("Subject: ä =?utf-8?q?=C3=B6?= 日\r\n\r\nx".encode()).text.startswith("ä ö 日")
    assert "Date: never" in page_of(b"Subject: a\r\nDate: never\r\n\r\nx").text


def test_a_mail_saved_in_utf16() -> None:
    page = page_of(bytes(message("Sixteen bits")).decode().encode("utf-16"))
    assert page.text.startswith("Miete für März")
    assert "Sixteen bits" in page.text


def test_attachments_come_with_their_bytes_and_names() -> None:
    mail = message()
    mail.add_attachment(b"%PDF-1.4 lease", maintype="application", subtype="pdf", filename="Übersicht (März).pdf")
    mail.add_attachment("a;b", subtype="csv", filename="costs.csv")
    mail.add_attachment(b"more", maintype="application", subtype="pdf", filename="costs.csv")
    mail.add_attachment(b"x" * 300, maintype="application", subtype="pdf")
    found = children_of(bytes(mail))
    assert list(found) == ["Übersicht (März).pdf", "costs.csv", "costs (2).csv", "attachment 4.pdf"]
    assert found["Übersicht (März).pdf"] == b"%PDF-1.4 lease"
    assert found["costs (2).csv"] == b"more"
    for part in parts_of(bytes(mail)):
        if isinstance(part, Child) and part.size is not None:
            assert part.size == len(part.load())


def test_small_pictures_in_the_text_and_signatures_are_passed_over() -> None:
    mail = message()
    mail.add_alternative("<p>x</p>", subtype="html")
    for size, place in ((500, "inline"), (20_000, "inline"), (500, "attachment")):
        picture = b"\x89PNG" + bytes(size)
        mail.add_attachment(picture, maintype="image", subtype="png", disposition=place, filename=f"{place}{size}.png")
    mail.add_attachment(b"sig", maintype="application", subtype="pkcs7-signature", filename="smime.p7s")
    assert list(children_of(bytes(mail))) == ["inline20000.png", "attachment500.png"]


def test_a_mail_on_a_mail_and_an_invitation_are_children() -> None:
    inner = message("The older words")
    mail = message()
    mail.add_attachment(inner)
    mail.add_attachment("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", subtype="calendar", disposition="inline")
    found = children_of(bytes(mail))
    assert list(found) == ["Miete für März.eml", "invitation.ics"]
    assert "older" not in page_of(bytes(mail)).text
    assert "The older words" in page_of(found["Miete für März.eml"]).text


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('filename="../../etc/passwd"', "passwd"),
        (r'filename="..\\..\\Windows\\win.ini"', "win.ini"),
        ('filename="/etc/shadow"', "shadow"),
        ('filename="C:evil.txt"', "C:evil.txt"),
        ('filename=".."', "attachment 1"),
        ('filename="a\tb\x01c\u202egnp.exe"', "a b c gnp.exe"),
        ("filename*=utf-8''..%2F..%2Fa%00%0Ab.txt", "a\ufffd b.txt"),
        ("filename*=no-such-charset''a.txt", "a.txt"),
        ("filename*=idna''%ff.txt", "attachment 1"),
        ("filename*0=long; filename*1=-name.txt", "long-name.txt"),
        ('filename="=?utf-8?q?f=C3=BCr.txt?="', "für.txt"),
    ],
)
def test_names_of_attachments_do_no_harm(written: str, expected: str) -> None:
    head = f"Content-Type: application/x-a\r\nContent-Disposition: attachment; {written}\r\n\r\n"
    data = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + head.encode() + b"data\r\n--b--\r\n"
    (name,) = children_of(data)
    assert name == expected
    assert ".." not in name.split("/")
    assert not name.startswith("/")
    assert name.isprintable()


def nested(depth: int) -> bytes:
    opening = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(depth))
    return HEAD + opening + b"Content-Type: text/plain\r\n\r\nThe innermost words\r\n"


def test_deep_nesting_is_read_to_a_depth_and_refused_beyond_it() -> None:
    assert "innermost" in page_of(nested(20)).text
    for depth in (1000, 20_000):
        began = time.monotonic()
        with pytest.raises(DocumentError, match="too deeply") as refused:
            parts_of(nested(depth))
        assert refused.value.code == "unreadable"
        assert time.monotonic() - began < 5


def test_mails_in_mails_in_mails_open_one_at_a_time() -> None:
    inside = b"Content-Type: message/rfc822\r\n\r\n" * 3000 + HEAD + b"\r\nx"
    found = children_of(HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + inside + b"\r\n--b--")
    assert list(found) == ["mail.eml"]


MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
BOMBS: dict[str, Callable[[], bytes]] = {
    "an endless subject": lambda: b"Subject: " + b"a" * 8_000_000 + b"\r\n\r\nx",
    "many headers": lambda: b"X-A: b\r\n" * 300_000 + b"\r\nx",
    "many encoded words": lambda: b"Subject: " + b"=?a?q?b?= " * 500_000 + b"\r\n\r\nx",
    "open comments": lambda: b"To: " + b"(" * 1_000_000 + b"\r\n\r\nx",
    "many addresses": lambda: b"To: " + b"a@b.c, " * 500_000 + b"\r\n\r\nx",
    "semicolons in quotes": lambda: b'Content-Type: text/plain; a="' + b";" * 2_000_000 + b"\r\n\r\nx",
    "a name in pieces": lambda: b"Content-Type: a/b; " + b"".join(b"name*%d=a;" % i for i in range(300_000)) + b"\n\nx",
    "a folded header": lambda: b"Subject: a\r\n" + b" b\r\n" * 300_000 + b"\r\nx",
    "a boundary again and again": lambda: MIXED + b"--b\r\n" * 500_000,
    "many empty parts": lambda: MIXED + b"--b\r\n\r\n" * 1_000_000,
    "boundaries that are longer": lambda: MIXED + b"--bb\r\n" * 500_000,
    "a date of many digits": lambda: b"Subject: a\nDate: 03 Mar " + b"9" * 1_000_000 + b" 09:30:00 +0100\r\n\r\nx",
}


@pytest.mark.parametrize("name", list(BOMBS))
def test_bombs_cost_no_time(name: str) -> None:
    data = BOMBS[name]()
    began = time.monotonic()
    refused = ""
    try:
        info = parts_of(data)[0]
    except DocumentError as failure:
        refused = failure.code
    else:
        assert isinstance(info, DocumentInfo)
        assert len(info.title) <= 300
    assert refused in ("", "too_large", "unreadable")
    assert time.monotonic() - began < 8


def test_more_parts_than_the_limit_are_refused() -> None:
    data = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 100
    with pytest.raises(DocumentError) as refused:
        parts_of(data, limits=Limits(max_children=50))
    assert refused.value.code == "too_large"


def test_an_encrypted_mail_says_so_and_keeps_its_headers() -> None:
    data = HEAD + b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nMIIB\r\n"
    page, unread = parts_of(data)[1:]
    assert isinstance(page, Page)
    assert page.text.startswith("Rent")
    assert isinstance(unread, UnreadPage)
    assert "encrypted" in unread.cause


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=600), cut=st.integers(0, 900))
def test_no_bytes_do_harm(data: bytes, cut: int) -> None:
    mail = message()
    mail.add_attachment(b"abc", maintype="application", subtype="pdf", filename="a.pdf")
    whole = bytes(mail)
    for hostile in (data, HEAD + data, whole[:cut] + data + whole[cut + 5 :]):
        for name in ("a.eml", "a.mbox", "a.mht"):
            try:
                first, second = parts_of(hostile, name), parts_of(hostile, name)
            except DocumentError:
                continue
            pages = [part for part in first if isinstance(part, Page)]
            assert pages == [part for part in second if isinstance(part, Page)]
            for page in pages:
                at = 0
                for block in page.blocks:
                    assert at <= block.start < block.end <= len(page.text)
                    at = block.end
                page.text.encode("utf-8")
            for part in first:
                if isinstance(part, Child):
                    assert isinstance(part.load(), bytes)


def test_dates_are_iso_dates() -> None:
    assert mime.date_of("Mon, 03 Mar 2025 09:30:00 +0100") == "2025-03-03 09:30+01:00"
    assert mime.date_of("Mon, 99 Mar 2025 09:30:00 +0100") == "Mon, 99 Mar 2025 09:30:00 +0100"
    assert mime.date_of("Mon, 03 Mar 2025 09:30:00 +999999999999") == "Mon, 03 Mar 2025 09:30:00 +999999999999"
