"""E-books: their parts in reading order, where each is, and what a hostile or locked one may not do."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop_rag.documents.limits import DEFAULT_LIMITS, Limits
from desktop_rag.documents.model import DocumentInfo, Page, UnreadPage
from desktop_rag.documents.parsers import epub
from desktop_rag.documents.read import read
from desktop_rag.documents.source import MemorySource
from desktop_rag.errors import DocumentError

CONTAINER = b"""<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""


def chapter(body: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml">'
        f"<head><title/></head><body>{body}</body></html>"
    ).encode()


def package(parts: dict[str, bytes], spine: list[str] | None = None, extra: str = "") -> bytes:
    items = "".join(f'<item id="{name}" href="{name}" media-type="application/xhtml+xml"/>' for name in parts)
    refs = "".join(f'<itemref idref="{name}"/>' for name in (parts if spine is None else spine))
    return (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
        f"<dc:title>The  Lease</dc:title><dc:language>en</dc:language></metadata><manifest>{items}{extra}</manifest>"
        f"<spine>{refs}</spine></package>"
    ).encode()


def book(parts: dict[str, bytes], *, spine: list[str] | None = None, extra: str = "", **others: bytes | None) -> bytes:
    """An e-book; `others` replaces or adds files by name ("__" for "/", "_dot_" for "."), None leaves one out."""
    files: dict[str, bytes | None] = {
        "mimetype": b"application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OEBPS/book.opf": package(parts, spine, extra),
        **{f"OEBPS/{name}": data for name, data in parts.items()},
        **{name.replace("__", "/").replace("_dot_", ".").replace("META_", "META-"): d for name, d in others.items()},
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in files.items():
            if data is not None:
                target.writestr(name, data)
    return buffer.getvalue()


def parts_of(data: bytes, limits: Limits = DEFAULT_LIMITS) -> list[DocumentInfo | Page | UnreadPage]:
    return list(epub.parse(MemorySource("a.epub", data), limits=limits))


def pages_of_book(data: bytes) -> list[Page]:
    return [part for part in parts_of(data) if isinstance(part, Page)]


def code_of(data: bytes, limits: Limits = DEFAULT_LIMITS) -> str:
    with pytest.raises(DocumentError) as refused:
        parts_of(data, limits)
    assert refused.value.hint
    return refused.value.code


def test_parts_come_in_reading_order_under_the_titles_of_their_chapters() -> None:
    parts = {
        "b.xhtml": chapter("<h1>Second</h1><p>two &eacute;</p><ul><li>item</li></ul>"),
        "a.xhtml": chapter("<h2>First</h2><p>one</p>"),
        "c.xhtml": chapter("<p>no heading</p>"),
    }
    data = book(parts, spine=["a.xhtml", "b.xhtml", "c.xhtml"])
    assert parts_of(data)[0] == DocumentInfo("epub", "The Lease", None, {"language": "en"})
    pages = pages_of_book(data)
    assert [(page.number, page.locator) for page in pages] == [(None, "part 1"), (None, "part 2"), (None, "part 3")]
    assert [(b.kind, pages[1].text[b.start : b.end]) for b in pages[1].blocks] == [
        ("heading", "Second"),
        ("paragraph", "two é"),
        ("list", "item"),
    ]


NAV = chapter('<nav><ol><li><a href="text/a.xhtml#x">The  beginning</a></li></ol></nav>')
NCX = b"""<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap><navPoint><navLabel><text>The beginning</text>
</navLabel><content src="text/a.xhtml"/></navPoint></navMap></ncx>"""


@pytest.mark.parametrize(
    ("extra", "file", "data"),
    [
        ('<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>', "nav_dot_xhtml", NAV),
        ('<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>', "toc_dot_ncx", NCX),
    ],
)
def test_parts_without_a_heading_are_called_as_in_the_table_of_contents(extra: str, file: str, data: bytes) -> None:
    parts = {"text/a.xhtml": chapter("<p>words</p>")}
    (page,) = pages_of_book(book(parts, extra=extra, **{f"OEBPS__{file}": data}))
    assert page.text.startswith("The beginning\n")
    assert page.locator == "part 1", "a title is private text as any other"


def test_no_two_parts_have_one_place() -> None:
    parts = {f"{i}.xhtml": chapter(f"<h1>Chapter 1</h1><p>{i}</p>") for i in range(3)}
    locators = [page.locator for page in pages_of_book(book(parts))]
    assert locators == ["part 1", "part 2", "part 3"]


def test_names_of_parts_may_be_quoted_and_lie_elsewhere() -> None:
    extra = '<item id="x" href="../a%20b.xhtml#top" media-type="application/xhtml+xml"/>'
    data = book({}, spine=["x"], extra=extra, **{"a b.xhtml": chapter("<p>words</p>")})
    (page,) = pages_of_book(data)
    assert page.text == "words"


def test_parts_outside_of_the_book_are_never_opened() -> None:
    extra = '<item id="x" href="../../../../etc/passwd" media-type="application/xhtml+xml"/>'
    (unread,) = parts_of(book({}, spine=["x"], extra=extra))[1:]
    assert isinstance(unread, UnreadPage)


def test_a_picture_is_not_an_empty_page_but_the_cover_is_none() -> None:
    picture = chapter('<img src="a.jpg" alt=""/>')
    parts = {"cover.xhtml": picture, "a.xhtml": chapter("<p>words</p>"), "map.xhtml": picture, "b.xhtml": chapter("")}
    found = parts_of(book(parts))[1:]
    assert [type(part) for part in found] == [Page, UnreadPage]
    assert isinstance(found[1], UnreadPage)
    assert "picture" in found[1].cause


def test_a_missing_part_is_said_and_the_others_are_read() -> None:
    parts = {"a.xhtml": chapter("<p>one</p>"), "b.xhtml": chapter("<p>two</p>")}
    first, second = parts_of(book(parts, OEBPS__a_dot_xhtml=None))[1:]
    assert isinstance(first, UnreadPage)
    assert isinstance(second, Page)


def test_without_a_reading_order_all_parts_are_read() -> None:
    parts = {"a.xhtml": chapter("<p>one</p>"), "b.xhtml": chapter("<p>two</p>")}
    assert [page.text for page in pages_of_book(book(parts, spine=[]))] == ["one", "two"]


def encryption(method: str) -> bytes:
    return (
        '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container" xmlns:e="http://www.w3.org/2001/04/xmlenc#">'
        f'<e:EncryptedData><e:EncryptionMethod Algorithm="{method}"/><e:CipherData>'
        '<e:CipherReference URI="OEBPS/a.xhtml"/></e:CipherData></e:EncryptedData></encryption>'
    ).encode()


def test_a_locked_book_is_encrypted_and_disguised_fonts_are_not() -> None:
    parts = {"a.xhtml": chapter("<p>one</p>")}
    locked = book(parts, META_INF__encryption_dot_xml=encryption("http://www.w3.org/2001/04/xmlenc#aes128-cbc"))
    assert code_of(locked) == "encrypted"
    fonts = book(parts, META_INF__encryption_dot_xml=encryption("http://www.idpf.org/2008/embedding"))
    assert [page.text for page in pages_of_book(fonts)] == ["one"]


ENTITIES = (
    '<!DOCTYPE package [<!ENTITY a "aaaaaaaaaa">'
    + "".join(
        f'<!ENTITY {chr(98 + i)} "{"&" + chr(97 + i) + ";" * 1}{("&" + chr(97 + i) + ";") * 9}">' for i in range(9)
    )
    + '<!ENTITY x SYSTEM "file:///etc/passwd">]>'
)


@pytest.mark.parametrize("entity", ["&j;", "&x;"])
def test_entities_are_never_expanded(entity: str) -> None:
    began = time.monotonic()
    opf = ENTITIES.encode() + package({"a.xhtml": b""}).replace(b"The  Lease", f"Lease {entity}".encode())
    page = ENTITIES.replace("package", "html").encode() + chapter(f"<p>words {entity}</p>")
    try:
        parts = parts_of(book({"a.xhtml": page}, OEBPS__book_dot_opf=opf))
    except DocumentError:
        parts = []
    for part in parts:
        text = part.text if isinstance(part, Page) else getattr(part, "title", "")
        assert "root:" not in text
        assert len(text) < 1000
    assert time.monotonic() - began < 5


def test_one_part_named_very_often_is_read_once() -> None:
    parts = {"a.xhtml": chapter("<p>words</p>")}
    assert len(pages_of_book(book(parts, spine=["a.xhtml"] * 100_000))) == 1


def test_bombs_and_deep_nesting() -> None:
    bomb = book({"a.xhtml": chapter("<p>" + "a" * 100_000_000 + "</p>")})
    assert code_of(bomb) == "too_large"
    deep = parts_of(book({"a.xhtml": chapter("<div>" * 200_000), "b.xhtml": chapter("<p>words</p>")}))
    assert isinstance(deep[-1], Page)
    assert deep[-1].text == "words"
    assert code_of(book({"a.xhtml": b""}, OEBPS__book_dot_opf=b"<a>" * 100_000)) == "unreadable"


def test_what_is_no_book_is_unreadable() -> None:
    parts = {"a.xhtml": chapter("<p>one</p>")}
    assert code_of(book(parts)[:-40]) == "unreadable"
    assert code_of(book(parts, OEBPS__book_dot_opf=None)) == "unreadable"
    assert code_of(book(parts, META_INF__container_dot_xml=b"<container")) == "unreadable"


def test_a_book_without_words_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    path.write_bytes(book({}))
    with pytest.raises(DocumentError) as refused:
        list(read(path))
    assert refused.value.code == "empty"


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, 2500), junk=st.binary(min_size=1, max_size=12))
def test_a_damaged_book_never_crashes_and_gives_the_same_each_time(at: int, junk: bytes) -> None:
    data = book({"a.xhtml": chapter("<h1>One</h1><p>words</p>"), "b.xhtml": chapter("<p>more</p>")})
    for hostile in (data[:at], data[:at] + junk + data[at + len(junk) :]):
        try:
            found = parts_of(hostile)
        except DocumentError:
            continue
        assert found == parts_of(hostile)
        for part in found:
            if isinstance(part, Page):
                assert all(0 <= b.start < b.end <= len(part.text) for b in part.blocks)
