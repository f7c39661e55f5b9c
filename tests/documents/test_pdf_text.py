"""The words of a PDF page: right-to-left text in reading order, form values and notes after the page's own text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as raw  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from desktop_rag.documents.model import Page
from desktop_rag.documents.parsers.pdf_geometry import CharBoxes, view
from desktop_rag.documents.parsers.pdf_notes import open_form, with_notes
from desktop_rag.documents.parsers.pdf_rtl import in_reading_order
from desktop_rag.documents.parsers.pdf_text import PageText, page_text

Pdf = Callable[..., Path]


def pdf_of(content: str, letters: dict[str, str]) -> bytes:
    """One page whose Latin letters are declared to be `letters`: no font with them has to be at hand."""
    pairs = "".join(f"<{ord(key):02x}> <{value.encode('utf-16-be').hex()}>\n" for key, value in letters.items())
    table = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /A def /CMapType 2 def\n"
        f"1 begincodespacerange <00> <ff> endcodespacerange\n{len(letters)} beginbfchar\n{pairs}endbfchar\n"
        "endcmap end end"
    )
    body = (
        "%PDF-1.5\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
        "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Courier/ToUnicode 6 0 R>>endobj\n"
        f"4 0 obj<</Length {len(content)}>>stream\n{content}\nendstream endobj\n"
        f"6 0 obj<</Length {len(table)}>>stream\n{table}\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    )
    return body.encode("ascii")


def drawn(content: str, letters: dict[str, str]) -> tuple[PageText, list[int], list[tuple[float, float]]]:
    """(the page's text, for each offset the code of pdfium's character there, and its left and right edge)."""
    document = pypdfium2.PdfDocument(pdf_of(content, letters))
    try:
        page = document[0]
        textpage = page.get_textpage()
        found = page_text(textpage)
        numbers = [found.character(offset) for offset in range(len(found.text))]
        boxes = CharBoxes(textpage, view(page))
        edges = [(box[0], box[2]) for box in map(boxes.box, numbers)]
        return found, [raw.FPDFText_GetUnicode(textpage, number) for number in numbers], edges
    finally:
        document.close()


def line(text: str) -> str:
    return f"BT /F 10 Tf 1 0 0 1 100 700 Tm ({text}) Tj ET"


@pytest.mark.parametrize(
    ("ligature", "expected"),
    [("لا", "سلام"), ("لإ", "سلإم"), ("الله", "ساللهم"), ("لمح", "سلمحم"), (" حَبيبي", "س حَبيبيم")],
)
def test_letters_drawn_as_one_glyph_stand_in_order(ligature: str, expected: str) -> None:
    found, _, edges = drawn(line("abc"), {"a": "م", "b": ligature, "c": "س"})
    assert found.text == expected
    # Every letter of the glyph lies where the glyph was drawn, between its neighbours.
    middle = edges[1:-1]
    assert all(106 <= left <= right <= 112.1 for left, right in middle), edges
    assert edges[0][0] > middle[0][0] > edges[-1][0]


def test_the_article_is_no_ligature() -> None:
    assert drawn(line("abcd"), {"a": "ب", "b": "ل", "c": "ا", "d": "و"})[0].text == "والب"


def test_a_vowel_sign_follows_its_letter_without_a_space() -> None:
    glyphs = [("d", 100), ("c", 106), ("m", 107), ("s", 111), ("b", 112), ("a", 118)]
    content = "BT /F 10 Tf " + " ".join(f"1 0 0 1 {x} 700 Tm ({glyph}) Tj" for glyph, x in glyphs) + " ET"
    found, codes, _ = drawn(content, {"a": "أ", "b": "ي", "s": " ", "m": "\u064b", "c": "ض", "d": "ا"})
    assert found.text == "أيضًا"
    assert [chr(code) for code in codes] == list(found.text)


@pytest.mark.parametrize(
    "logical",
    ["שלום", "שלום 12.5 שלום", "שלום עלום 12", "ABC עלום שלום", "שלום 12.5 ABC", "שלום (עלום) 12", "שלום, ABC."],
)
def test_hebrew_written_as_it_looks_is_turned_round(logical: str) -> None:
    letters = {"a": "ש", "b": "ל", "c": "ו", "d": "ם", "g": "ע"}
    drawn_as = {letter: key for key, letter in letters.items()} | {"(": "\\(", ")": "\\)"}
    found, codes, edges = drawn(line("".join(drawn_as.get(char, char) for char in logical)), letters)
    assert found.text == logical
    assert all(char in "()" or chr(code) == char for char, code in zip(found.text, codes, strict=True))
    assert edges == sorted(edges)


def test_hebrew_in_order_is_left_alone() -> None:
    assert drawn(line("dcba"), {"a": "ש", "b": "ל", "c": "ו", "d": "ם"})[0].text == "שלום"


GLYPHS = {
    "a": "م", "b": "لا", "c": "س", "d": "ا", "e": "ل", "f": "\u064e", "g": "ש", "h": "ם", "i": "لإ", "j": "الله",
    "k": "ن", "l": "ץ", "m": "\u0651", "n": "ﻻ",
}  # fmt: skip
MIRRORED = {40: 41, 41: 40}


@settings(deadline=None, max_examples=150)
@given(st.lists(st.text("abcdefghijklmnXYZ 019.-", min_size=1, max_size=14), min_size=1, max_size=4))
def test_law_every_offset_leads_to_its_own_character(rows: list[str]) -> None:
    content = " ".join(
        f"BT /F 10 Tf 1 0 0 1 100 {700 - 20 * number} Tm ({row}) Tj ET" for number, row in enumerate(rows)
    )
    found, codes, edges = drawn(content, GLYPHS)
    for char, code in zip(found.text, codes, strict=True):
        assert char == "\ufffd" or ord(char) in (code, MIRRORED.get(code)) or (code == 2 and char == "-")
    assert all(left <= right for left, right in edges)
    # Nothing is lost but what white space and hyphens at line ends are.
    wanted = sorted("".join(GLYPHS.get(glyph, glyph) for row in rows for glyph in row).replace("ﻻ", "لا"))
    assert [c for c in sorted(found.text) if c.isalnum()] == [c for c in wanted if c.isalnum()]


def test_other_pages_are_not_looked_at() -> None:
    # Without a right-to-left letter no character is asked for: there is no page to ask.
    assert in_reading_order("plain text, 12 €", None) == ("plain text, 12 €", {})


def noted(path: Path, page: Page) -> Page:
    document = pypdfium2.PdfDocument(path)
    try:
        open_form(document)
        return with_notes(page, document[0])
    finally:
        document.close()


def test_form_values_follow_the_text(make_pdf: Pdf) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 700, "The form.")
        form = canvas.acroForm
        form.textfield(name="person.first[0]", tooltip="First name", value="Anna", x=72, y=600)
        form.textfield(name="person.city[0]", value="Bonn", x=72, y=550)
        form.textfield(name="secret", value="hidden words", fieldFlags="password", x=72, y=500)
        form.textfield(name="empty", value="", x=72, y=450)
        form.checkbox(name="agreed", checked=True, x=72, y=400)
        form.checkbox(name="refused", checked=False, x=72, y=350)

    own = "The form."
    page = noted(make_pdf(draw), Page(1, None, own))
    assert page.text.startswith(own + "\n\nFirst name: Anna\ncity: Bonn\nagreed: ")
    assert "hidden" not in page.text
    assert "refused" not in page.text
    assert "empty" not in page.text
    assert [(b.kind, page.text[b.start : b.end]) for b in page.blocks[:3]] == [
        ("paragraph", own),
        ("row", "First name: Anna"),
        ("row", "city: Bonn"),
    ]


def test_notes_follow_the_text(make_pdf: Pdf) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 700, "A page.")
        canvas.textAnnotation("To be checked\rby Monday.", (10, 10, 20, 20))
        canvas.linkURL("https://example.org/", (30, 30, 40, 40))

    page = noted(make_pdf(draw), Page(1, None, "A page."))
    assert page.text == "A page.\n\nTo be checked\nby Monday."
    assert [b.kind for b in page.blocks] == ["paragraph", "paragraph"]


def test_a_page_without_them_stays_as_it_is(make_pdf: Pdf) -> None:
    page = Page(1, None, "A page.")
    assert noted(make_pdf(lambda canvas: canvas.drawString(72, 700, "A page.")), page) is page
