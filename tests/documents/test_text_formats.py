"""Text, tables, Markdown, HTML and XML: nothing visible is lost, structure and encodings are understood."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop_rag.documents.encodings import decode, looks_binary
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, Page
from desktop_rag.documents.read import read

Pages = Callable[..., list[Page]]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    def written(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


Write = Callable[[str, str | bytes], Path]


def blocks(page: Page) -> list[tuple[str, int, str, str]]:
    return [(b.kind, b.level, b.header, page.text[b.start : b.end]) for b in page.blocks]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)
def test_any_encoding(write: Write, pages_of: Pages, encoding: str) -> None:
    text = "Die Kündigung gilt für alle Verträge über 500 Euro; sie ist schriftlich an die Behörde zu richten.\n" * 5
    (page,) = pages_of(write("a.txt", text.encode(encoding)))
    assert page.text == text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "El señor Muñoz pagó 500 euros por la instalación eléctrica en España."),
        ("cp1252", "Le préavis de congé est de trois mois, après réception de la lettre à l’adresse indiquée."),
        ("cp1252", "Perché la città è così bella? La società pagherà più tardi."),
        ("cp1252", "O contrato começa na data da assinatura; são três cópias."),
        ("cp1252", "Avtalet gäller från och med dagen då det undertecknas på båda håll."),
        ("cp1250", "Umowa została zawarta w dniu podpisania przez obie strony, które zobowiązują się płacić."),
        ("cp1250", "Smlouva nabývá účinnosti dnem podpisu oběma stranami, každá má právo ji vypovědět."),
        ("cp1250", "A szerződés az aláírás napján lép hatályba, és egy évig érvényes a felek között."),
        ("cp1254", "Sözleşme imza tarihinden itibaren geçerlidir ve bir yıl süreyle yürürlükte kalır."),
        ("cp1251", "Договор вступает в силу с момента его подписания обеими сторонами и действует один год. " * 3),
        ("cp932", "この契約は署名の日から効力を生じ、一年間有効とする。名前は佐藤太郎です。" * 3),
        ("gb18030", "本合同自双方签字之日起生效，有效期为一年。任何一方可以书面形式通知对方解除合同。" * 3),
    ],
)
def test_the_alphabet_decides_between_encodings(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding))[0] == text


@given(st.binary(max_size=300))
def test_law_decoding_never_fails_and_is_storable(data: bytes) -> None:
    text, encoding = decode(data)
    assert "\x00" not in text
    text.encode("utf-8")
    assert encoding
    looks_binary(data)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufeff"), min_size=8))
def test_law_utf8_survives(text: str) -> None:
    assert decode(text.encode())[0] == text


def test_paragraphs_and_pages_of_text(write: Write, pages_of: Pages) -> None:
    first, second = pages_of(write("a.txt", "One\r\nline.\r\n\r\nTwo.\fThird page.\n"))
    assert [text for *_, text in blocks(first)] == ["One\r\nline.", "Two."]
    assert (first.number, second.number, second.text) == (1, 2, "Third page.\n")
    assert pages_of(write("b.txt", "No page break."))[0].number is None


def test_source_code_is_code(write: Write, pages_of: Pages) -> None:
    source = "import os\n\n\ndef f():\n    return 1\n"
    (page,) = pages_of(write("a.py", source))
    assert page.text == source
    assert blocks(page) == [("code", 0, "", "import os"), ("code", 0, "", "def f():\n    return 1")]
    assert [b.kind for b in pages_of(write("a.txt", source))[0].blocks] == ["paragraph", "paragraph"]


def test_a_long_text_comes_in_parts_that_lose_nothing(write: Write, pages_of: Pages) -> None:
    text = "Some words here.\n\n" * 50 + "x" * 400
    pages = pages_of(write("a.txt", text), limits=Limits(max_chars=150))
    assert "".join(page.text for page in pages) == text
    assert all(len(page.text) <= 150 for page in pages)
    assert [page.locator for page in pages][:2] == ["part 1", "part 2"]
    assert {page.text[b.start : b.end] for page in pages[:4] for b in page.blocks} == {"Some words here."}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_rows_name_their_columns(write: Write, pages_of: Pages, delimiter: str) -> None:
    rows = [["name", "city"], ["Ann", "Bonn"], ["Bob, the builder" if delimiter != "," else "Bob", ""]]
    path = write("a.csv", "\n".join(delimiter.join(row) for row in rows))
    (page,) = pages_of(path)
    assert page.locator == "rows 1–2"
    assert blocks(page) == [
        ("row", 0, "name; city", "name: Ann; city: Bonn"),
        ("row", 0, "name; city", f"name: {rows[2][0]}"),
    ]


def test_a_table_without_column_names_and_one_without_rows(write: Write, pages_of: Pages) -> None:
    assert pages_of(write("a.csv", "1,2\n3,4"))[0].text == "1; 2\n3; 4"
    assert pages_of(write("b.csv", "name,city\n"))[0].text == "name; city"


def test_quoted_ragged_and_unclosed_fields(write: Write, pages_of: Pages) -> None:
    (page,) = pages_of(write("a.csv", 'name,note\nAnn,"two\nlines, one field"\nBob,x,extra\nEve,"' + "z" * 200_000))
    lines = page.text.split("\n")
    assert lines[:2] == ["name: Ann; note: two lines, one field", "name: Bob; note: x; extra"]
    assert lines[2].startswith("name: Eve; note: zzz")


def test_long_tables_are_paged_by_rows(write: Write, pages_of: Pages) -> None:
    pages = pages_of(write("a.csv", "name,n\n" + "".join(f"row,{n}\n" for n in range(450))))
    assert [page.locator for page in pages] == ["rows 1–200", "rows 201–400", "rows 401–450"]


MARKDOWN = """---
title: The title
---
# Chapter #

Some *text*
over lines.

Section
-------
- one
- two

  | a | b |
  |---|---|
  | 1 | 2 |

```python
x = 1
```
"""


def test_markdown_keeps_its_source_and_finds_its_structure(write: Write, pages_of: Pages) -> None:
    path = write("a.md", MARKDOWN)
    (page,) = pages_of(path)
    assert page.text == MARKDOWN
    assert blocks(page) == [
        ("code", 0, "", "---\ntitle: The title\n---"),
        ("heading", 1, "", "# Chapter #"),
        ("paragraph", 0, "", "Some *text*\nover lines."),
        ("heading", 2, "", "Section\n-------"),
        ("list", 0, "", "- one"),
        ("list", 0, "", "- two"),
        ("row", 0, "", "| a | b |\n  |---|---|"),
        ("row", 0, "a | b", "| 1 | 2 |"),
        ("code", 0, "", "```python\nx = 1\n```"),
    ]
    assert next(read(path)) == DocumentInfo("markdown", "The title", None, {"encoding": "utf-8"})


LINES = st.sampled_from(
    [
        "# h",
        "text",
        "- item",
        "  - deeper",
        "| a | b |",
        "|---|---|",
        "> quote",
        "```",
        "    code",
        "---",
        "",
        "1. n",
        "<p>",
        "\t",
    ]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINES, max_size=20), newline=st.sampled_from(["\n", "\r\n", "\r"]))
def test_law_markdown_blocks_are_sorted_disjoint_and_stripped(write: Write, lines: list[str], newline: str) -> None:
    text = "words" + newline + newline.join(lines)
    page = next(part for part in read(write("a.md", text)) if isinstance(part, Page))
    assert page.text == text
    at = 0
    for block in page.blocks:
        assert at <= block.start < block.end <= len(text)
        assert text[block.start : block.end] == text[block.start : block.end].strip()
        at = block.end


HTML = """<!DOCTYPE html><html><head><title>A  title</title><style>p{}</style><script>hidden()</script></head><body>
<h1>Head</h1><p>One <b>bold</b>
word.<br>Next line</p><p style="display: none">secret</p><div hidden>secret</div><!-- secret -->
<ul><li>first</li><li>second<ul><li>inner</li></ul></li></ul>
<table><tr><th>Name</th><th>City</th></tr><tr><td>Ann</td><td>Bonn<br>am Rhein</td></tr></table>
<table><tr><td>layout <table><tr><td>in</td><td>side</td></tr></table> after</td></tr></table>
<pre>  kept
    as is</pre>Tail &amp; end<template>secret</template></body></html>"""


def test_html_shows_what_a_reader_sees(write: Write, pages_of: Pages) -> None:
    path = write("a.html", HTML)
    assert next(read(path)).title == "A title"  # type: ignore[union-attr]
    (page,) = pages_of(path)
    assert "secret" not in page.text
    assert blocks(page) == [
        ("heading", 1, "", "Head"),
        ("paragraph", 0, "", "One bold word.\nNext line"),
        ("list", 0, "", "first"),
        ("list", 0, "", "second"),
        ("list", 0, "", "inner"),
        ("row", 0, "", "Name | City"),
        ("row", 0, "Name | City", "Ann | Bonn am Rhein"),
        ("row", 0, "", "layout"),
        ("row", 0, "", "in | side"),
        ("paragraph", 0, "", "after"),
        ("code", 0, "", "kept\n    as is"),
        ("paragraph", 0, "", "Tail & end"),
    ]


@pytest.mark.parametrize("charset", ["cp1252", "utf-16", "shift_jis"])
def test_html_says_its_charset(write: Write, pages_of: Pages, charset: str) -> None:
    words = "契約" if charset == "shift_jis" else "Verträge"
    source = f'<html><head><meta charset="{charset}"></head><body><p>{words}</p></body></html>'
    assert pages_of(write("a.html", source.encode(charset)))[0].text == words


def test_deep_nesting_is_no_danger(write: Write, pages_of: Pages) -> None:
    path = write("a.html", "<html><body>" + "<div>" * 5000 + "deep" + "</div>" * 5000 + "<p>after</p>")
    assert "after" in pages_of(path)[0].text


def test_markup_reads_no_other_file(write: Write, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("TOP SECRET")
    entity = f'<!DOCTYPE r [<!ENTITY x SYSTEM "{secret.as_uri()}">]><r><a>words &x;</a></r>'
    laughs = "<!DOCTYPE r [<!ENTITY a 'ha'>" + "".join(
        f"<!ENTITY a{n} '{('&a' + (str(n - 1) if n else '') + ';') * 10}'>" for n in range(9)
    )
    for name, text in (("a.xml", entity), ("b.xml", laughs + "]><r><a>words</a>&a8;</r>"), ("c.html", entity)):
        found = "".join(part.text for part in read(write(name, text)) if isinstance(part, Page))
        assert "SECRET" not in found
        assert len(found) < 1000


def test_xml_is_read_without_its_markup(write: Write, pages_of: Pages) -> None:
    (page,) = pages_of(write("a.xml", "<?xml version='1.0'?><rss><title>News</title><item><b>One</b></item></rss>"))
    assert page.text == "News\n\nOne"


@pytest.mark.parametrize("named", ["undefined", "punycode", "idna", "no-such-thing", "utf\x008", "base64"])
def test_a_declared_encoding_that_is_none_for_text_is_ignored(named: str) -> None:
    assert decode("Größe über alles, sagte sie, und ging.".encode("cp1252"), named)[0].startswith("Größe")
