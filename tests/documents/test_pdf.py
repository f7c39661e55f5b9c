"""PDF pages: text, structure, damage and passwords."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pdfencrypt import StandardEncryption  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from desktop_rag.documents import pictures
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, Page, UnreadPage
from desktop_rag.documents.parsers.pdf import GARBLED
from desktop_rag.documents.parsers.pdf_legible import is_garbled
from desktop_rag.documents.parsers.pdf_open import opened
from desktop_rag.documents.parsers.pdf_picture import rendered
from desktop_rag.documents.read import read
from desktop_rag.documents.source import FileSource
from desktop_rag.errors import DocumentError

Pages = Callable[..., list[Page]]
Pdf = Callable[..., Path]
Turn = Callable[[Canvas, int], None]


def lines(canvas: Canvas, *texts: str, x: float = 72, y: float = 700, leading: float = 14, size: float = 12) -> None:
    canvas.setFont("Helvetica", size)
    for index, text in enumerate(texts):
        canvas.drawString(x, y - index * leading, text)


def kinds(page: Page) -> list[tuple[str, str]]:
    return [(block.kind, page.text[block.start : block.end]) for block in page.blocks]


def test_pages_are_numbered_and_counted(make_pdf: Pdf) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setTitle("The  boiler")
        for number in (1, 2, 3):
            lines(canvas, f"This is page {number}.")
            canvas.showPage()

    info, *pages = read(make_pdf(draw))
    assert info == DocumentInfo("pdf", "The boiler", 3)
    assert [(p.number, p.text.strip()) for p in pages if isinstance(p, Page)] == [
        (1, "This is page 1."),
        (2, "This is page 2."),
        (3, "This is page 3."),
    ]


def test_headings_and_paragraphs_come_from_geometry(make_pdf: Pdf, pages_of: Pages) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, "Annual report", y=740, size=22)
        lines(canvas, "The first paragraph runs over", "two lines of text.", y=700)
        lines(canvas, "The second one follows after a gap", "and ends here.", y=650)
        lines(canvas, "• an item of a list", y=610)
        canvas.setFont("Helvetica-Bold", 12)
        canvas.drawString(72, 580, "Costs")
        lines(canvas, "They went up.", y=550)

    (page,) = pages_of(make_pdf(draw))
    assert kinds(page) == [
        ("heading", "Annual report"),
        ("paragraph", "The first paragraph runs over\ntwo lines of text."),
        ("paragraph", "The second one follows after a gap\nand ends here."),
        ("list", "• an item of a list"),
        ("heading", "Costs"),
        ("paragraph", "They went up."),
    ]
    assert [block.level for block in page.blocks if block.kind == "heading"] == [1, 4]


def test_columns_are_read_one_after_the_other(make_pdf: Pdf, pages_of: Pages) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, "left one", "left two", "left three")
        lines(canvas, "right one", "right two", "right three", x=330)

    (page,) = pages_of(make_pdf(draw))
    assert [text for _, text in kinds(page)] == ["left one\nleft two\nleft three", "right one\nright two\nright three"]


def test_words_broken_at_a_line_end_are_whole_again(make_pdf: Pdf, pages_of: Pages) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, "We keep the docu-", "mentation of every inter-", "vention, says Ann Smith-", "Jones.")

    (page,) = pages_of(make_pdf(draw))
    assert page.text.split() == "We keep the documentation of every intervention, says Ann Smith-Jones.".split()
    assert len(page.blocks) == 1


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_turned_page_reads_the_same(make_pdf: Pdf, pages_of: Pages, turn_page: Turn, turn: int) -> None:
    def draw(canvas: Canvas) -> None:
        turn_page(canvas, turn)
        lines(canvas, "Heading", y=740, size=24)
        lines(canvas, "Some words", "on two lines.")

    (page,) = pages_of(make_pdf(draw))
    assert kinds(page) == [("heading", "Heading"), ("paragraph", "Some words\non two lines.")]


def scan(canvas: Canvas, *texts: str, size: int = 40) -> None:
    """A page that is a picture of these lines."""
    picture = Image.new("L", (1275, 1650), "white")
    for row, text in enumerate(texts):
        at = (120, 150 + 2 * size * row)
        ImageDraw.Draw(picture).text(at, text, fill="black", font=ImageFont.load_default(size))
    canvas.drawInlineImage(picture, 0, 0, 612, 792)


def test_only_pages_without_text_are_recognised(make_pdf: Pdf, monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, "These words stand in the file, also those that are hard to recognise.")
        canvas.showPage()
        scan(canvas, "These words stand", "on a picture only.")
        canvas.showPage()
        canvas.rect(100, 100, 300, 300, fill=1)
        canvas.showPage()
        canvas.showPage()

    path = make_pdf(draw)
    _, typed, scanned, square, blank = read(path)
    assert isinstance(typed, Page)
    assert typed.confidence is None
    assert isinstance(scanned, Page)
    assert scanned.confidence is not None
    assert scanned.confidence > 0.9
    assert "".join(scanned.text.split()) == "Thesewordsstandonapictureonly."
    assert square == UnreadPage(3, None, "nothing could be recognised on this page")
    assert blank == Page(4, None, ""), "nothing stands on it, and that was seen"

    monkeypatch.setattr(pictures, "recognised", lambda picture: pytest.fail("a picture was read"))
    unread = [part for part in read(path, recognise=False) if isinstance(part, UnreadPage)]
    assert [page.cause for page in unread] == [pictures.NO_TEXT, pictures.NO_TEXT]


def test_a_page_of_five_metres_is_rendered_small(make_pdf: Pdf) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setPageSize((14_173, 14_173))
        canvas.rect(100, 100, 5000, 5000, fill=1)

    with opened(FileSource(make_pdf(draw))) as document:
        assert rendered(document[0]).size <= 3 * 1.01 * pictures.MAX_PIXELS


def test_a_page_whose_picture_is_lost_is_damaged_not_blank(make_pdf: Pdf, pages_of: Pages) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, "Words")
        canvas.showPage()

    path = make_pdf(draw, pageCompression=0)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"(Words) Tj", b"          ").replace(b"%%EOF", b""))
    with pytest.raises(DocumentError):
        pages_of(path)
    assert list(islice(read(path), 2))[1] == UnreadPage(1, None, pictures.DAMAGED)


SENTENCE = "The boiler in building seven was serviced in May, and the next service is due in a year. "


@pytest.mark.parametrize(
    ("text", "garbled"),
    [
        (SENTENCE, False),
        ("حَبيبي " * 20, False),
        ("ที่นี่มีหม้อไอน้ำ " * 5, False),
        ("Contents ............................................ 7\n" * 20, False),
        ("12.50 | 3 | 37.50 | -- | 4.99\n" * 20, False),
        ("\uf0b7 " + SENTENCE, False),
        ("\ufffd" * 10, False),
        # What numbers of glyphs look like when they are taken for letters: 29 places too low, spaces unknown.
        ("".join("\ufffd" if c == " " else chr(max(33, ord(c) - 29)) for c in SENTENCE), True),
        ("\ufffd" * 80, True),
        ("".join(chr(0xE000 + ord(c)) for c in SENTENCE), True),
        ("!\"#$%&'()*+,-./:;<=>?@" * 5, True),
    ],
)
def test_text_that_nobody_could_mean_is_told_from_text(text: str, garbled: bool) -> None:
    assert is_garbled(text) is garbled


def test_a_page_with_garbled_text_is_read_from_its_picture(make_pdf: Pdf, pages_of: Pages) -> None:
    def draw(canvas: Canvas) -> None:
        scan(canvas, "Readable words on", "a picture.")
        canvas.setFillAlpha(0)
        for row in range(6):
            canvas.drawString(72, 300 - 20 * row, "!#$%&*+,-./:;<=>?@^_~" * 2)

    path = make_pdf(draw)
    (page,) = pages_of(path)
    assert page.text.split()[0] == "Readable"
    assert page.confidence is not None
    assert list(islice(read(path, recognise=False), 2))[1] == UnreadPage(1, None, GARBLED)


def test_a_password_is_asked_for_and_used(make_pdf: Pdf, pages_of: Pages) -> None:
    encryption = StandardEncryption("secret", ownerPassword="owner", strength=128)
    path = make_pdf(lambda canvas: lines(canvas, "Hidden words"), encrypt=encryption)
    for wrong in (None, "guess"):
        with pytest.raises(DocumentError) as failure:
            list(read(path, password=wrong))
        assert failure.value.code == "encrypted"
    assert "Hidden words" in pages_of(path, password="secret")[0].text


def test_a_pdf_cut_off_before_its_table_is_repaired_or_refused(make_pdf: Pdf) -> None:
    path = make_pdf(lambda canvas: lines(canvas, "Words that survive."), pageCompression=0)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(b"xref")])
    assert any("survive" in part.text for part in read(path) if isinstance(part, Page))
    path.write_bytes(whole[:60])
    with pytest.raises(DocumentError, match="damaged") as failure:
        list(read(path))
    assert failure.value.code == "unreadable"


def test_pages_come_one_by_one_and_closing_frees_the_file(make_pdf: Pdf) -> None:
    def draw(canvas: Canvas) -> None:
        for number in range(50):
            lines(canvas, f"page {number}")
            canvas.showPage()

    parts = read(make_pdf(draw))
    assert inspect.isgenerator(parts)
    next(parts)
    assert isinstance(next(parts), Page)
    parts.close()
    assert inspect.getgeneratorstate(parts) == inspect.GEN_CLOSED


def test_too_many_pages_are_refused_at_once(make_pdf: Pdf) -> None:
    def draw(canvas: Canvas) -> None:
        for _ in range(4):
            lines(canvas, "words")
            canvas.showPage()

    with pytest.raises(DocumentError, match="4 pages; at most 3") as failure:
        next(read(make_pdf(draw), limits=Limits(max_pages=3)))
    assert failure.value.code == "too_large"


def test_the_same_bytes_give_the_same_pages(make_pdf: Pdf, pages_of: Pages) -> None:
    path = make_pdf(lambda canvas: lines(canvas, "One line", "and an-", "other."))
    assert pages_of(path) == pages_of(path)
