"""Chunks of real files keep their place: offsets, section path, table header, and boxes on the page."""

from __future__ import annotations

import csv
import html
import itertools
import json
import mailbox
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

import docx
import odfdo
import openpyxl  # type: ignore[import-untyped]
import pptx
import pypdfium2  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from desktop_rag.documents.chunk import Chunk, chunk
from desktop_rag.documents.chunk_context import apart
from desktop_rag.documents.locate import boxes
from desktop_rag.documents.model import Block, Box, DocumentInfo, Page
from desktop_rag.documents.read import read
from desktop_rag.documents.repeats import unquoted
from desktop_rag.documents.source import FileSource

BUDGET, CONTEXT = 60, 80


@dataclass(frozen=True)
class Section:
    """What each format is given to hold: a heading, paragraphs, a list after a line that introduces it, a table."""

    level: int
    title: str
    paragraphs: list[str]
    items: list[str]
    names: list[str]
    rows: list[list[str]]


@dataclass
class Parsed:
    """A file as it was read, with its chunks."""

    pages: list[Page]
    apart: bool
    chunks: list[Chunk] = field(default_factory=list)

    def text(self, one: Chunk) -> str:
        return self.pages[one.page].text[one.start : one.end]


WORD = st.sampled_from(
    "pump valve boiler hall Monday seal order rent cellar roof meter bearing oil gauge tank K-40 42 7.5".split()
)
SENTENCE = st.lists(WORD, min_size=2, max_size=16).map(lambda words: f"The {' '.join(words)} here.")
PARAGRAPH = st.lists(SENTENCE, min_size=1, max_size=4).map(" ".join)
CELL = st.lists(WORD, min_size=1, max_size=12).map(" ".join)


@st.composite
def documents(draw: st.DrawFn) -> list[Section]:
    sections = []
    for number in range(draw(st.integers(1, 4))):
        width = draw(st.integers(2, 4))
        names = [f"Column{number}{letter}" for letter in "ABCD"[:width]]
        rows = draw(st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=6))
        sections.append(
            Section(
                draw(st.integers(1, 3)),
                f"Section {number} {draw(WORD)}",
                draw(st.lists(PARAGRAPH, min_size=1, max_size=3)),
                draw(st.lists(SENTENCE, max_size=5)),
                names,
                rows,
            )
        )
    return sections


def write_docx(path: Path, sections: list[Section]) -> None:
    document = docx.Document()
    for section in sections:
        document.add_heading(section.title, section.level)
        for text in section.paragraphs:
            document.add_paragraph(text)
        document.add_paragraph("You need:")
        for item in section.items:
            document.add_paragraph(item, style="List Bullet")
        table = document.add_table(0, len(section.names))
        for row in (section.names, *section.rows):
            for cell, text in zip(table.add_row().cells, row, strict=True):
                cell.text = text
    document.save(str(path))


def write_odt(path: Path, sections: list[Section]) -> None:
    document = odfdo.Document("text")
    document.body.clear()
    for section in sections:
        document.body.append(odfdo.Header(section.level, section.title))
        for text in (*section.paragraphs, "You need:"):
            document.body.append(odfdo.Paragraph(text))
        document.body.append(odfdo.List(section.items))
        table = odfdo.Table(section.names[0])
        for row in (section.names, *section.rows):
            line = odfdo.Row()
            line.set_values(row)
            table.append_row(line)
        document.body.append(table)
    document.save(str(path))


def write_pptx(path: Path, sections: list[Section]) -> None:
    deck = pptx.Presentation()
    for section in sections:
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        # Every second slide has no title: it must not be taken for a part of the one before.
        if section.level > 1 and slide.shapes.title is not None:
            slide.shapes.title.text = section.title
        slide.placeholders[1].text_frame.text = "\n".join((*section.paragraphs, *section.items))
        frame = slide.shapes.add_table(len(section.rows) + 1, len(section.names), 0, 6_000_000, 5_000_000, 1_000_000)
        for at, row in enumerate((section.names, *section.rows)):
            for column, text in enumerate(row):
                frame.table.cell(at, column).text = text
        notes = slide.notes_slide.notes_text_frame
        assert notes is not None
        notes.text = section.paragraphs[0]
    deck.save(str(path))


def write_xlsx(path: Path, sections: list[Section]) -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for section in sections:
        sheet = book.create_sheet(section.title)
        for row in (section.names, *section.rows):
            sheet.append(row)
    book.save(path)


def write_html(path: Path, sections: list[Section]) -> None:
    parts = []
    for section in sections:
        parts.append(f"<h{section.level}>{html.escape(section.title)}</h{section.level}>")
        parts += [f"<p>{html.escape(text)}</p>" for text in (*section.paragraphs, "You need:")]
        parts.append(f"<ul>{''.join(f'<li>{html.escape(item)}</li>' for item in section.items)}</ul><table>")
        parts.append(f"<tr>{''.join(f'<th>{name}</th>' for name in section.names)}</tr>")
        parts += [f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in section.rows]
        parts.append("</table>")
    path.write_text(f"<html><body>{''.join(parts)}</body></html>", encoding="utf-8")


def write_markdown(path: Path, sections: list[Section]) -> None:
    parts: list[str] = []
    for section in sections:
        parts += [f"{'#' * section.level} {section.title}", *section.paragraphs, "You need:"]
        parts.append("\n".join(f"- {item}" for item in section.items) or "nothing")
        lines = [section.names, ["---"] * len(section.names), *section.rows]
        parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
    path.write_text("\n\n".join(parts), encoding="utf-8")


def write_csv(path: Path, sections: list[Section]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows((sections[0].names, *sections[0].rows))


def write_json(path: Path, sections: list[Section]) -> None:
    first = sections[0]
    path.write_text(json.dumps([dict(zip(first.names, row, strict=True)) for row in first.rows]), encoding="utf-8")


def write_nested_json(path: Path, sections: list[Section]) -> None:
    path.write_text(json.dumps({s.title: {"texts": s.paragraphs, "items": s.items} for s in sections}))


def mails(sections: list[Section]) -> Iterator[EmailMessage]:
    """Each answers the one before and quotes all of it."""
    said = ""
    for section in sections:
        mail = EmailMessage()
        if section.level > 1:
            mail["Subject"] = section.title
        mail["From"] = "Anna <anna@example.org>"
        body = "\n\n".join((*section.paragraphs, "You need:", *(f"- {item}" for item in section.items)))
        said = body + (f"\n\nOn Monday Anna wrote:\n{re.sub('(?m)^', '> ', said)}" if said else "")
        mail.set_content(said)
        yield mail


def write_eml(path: Path, sections: list[Section]) -> None:
    *_, last = mails(sections)
    path.write_bytes(last.as_bytes())


def write_mbox(path: Path, sections: list[Section]) -> None:
    path.unlink(missing_ok=True)
    box = mailbox.mbox(path)
    for mail in mails(sections):
        box.add(mail)
    box.close()


WRITERS: dict[str, Callable[[Path, list[Section]], None]] = {
    "a.docx": write_docx,
    "a.odt": write_odt,
    "a.pptx": write_pptx,
    "a.xlsx": write_xlsx,
    "a.html": write_html,
    "a.md": write_markdown,
    "a.csv": write_csv,
    "rows.json": write_json,
    "nested.json": write_nested_json,
    "a.eml": write_eml,
    "a.mbox": write_mbox,
}


def words(texts: Sequence[str]) -> list[int]:
    return [len(re.findall(r"\w+|[^\w\s]", text)) for text in texts]


def chunked(path: Path) -> Parsed:
    info, *parts = read(path)
    assert isinstance(info, DocumentInfo)
    parsed = Parsed([part for part in parts if isinstance(part, Page)], apart(info.format))
    parsed.chunks = chunk(parsed.pages, words, budget=BUDGET, context_budget=CONTEXT, apart=parsed.apart)
    return parsed


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sections=documents())
def test_law_every_chunk_keeps_its_place(tmp_path: Path, name: str, sections: list[Section]) -> None:
    WRITERS[name](tmp_path / name, sections)
    parsed = chunked(tmp_path / name)
    check_offsets(parsed)
    for one in parsed.chunks:
        check_path(parsed, one)
        check_header(parsed, one)


def check_offsets(parsed: Parsed) -> None:
    """Chunks follow each other on their pages, and what none of them holds stood in one before."""
    places = [(c.page, c.start, c.end) for c in parsed.chunks]
    assert places == sorted(places)
    assert all(a[0] < b[0] or a[2] <= b[1] for a, b in itertools.pairwise(places)), "chunks overlap"
    for number, page in enumerate(parsed.pages):
        own = [c for c in parsed.chunks if c.page == number]
        assert all(0 <= c.start < c.end <= len(page.text) for c in own)
        edges = [0, *(edge for c in own for edge in (c.start, c.end)), len(page.text)]
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            before = [parsed.text(c) for c in parsed.chunks if (c.page, c.start) < (number, start)]
            for sentence in re.split(r"(?<=\.)\s+|\n", page.text[start:end]):
                plain = unquoted(sentence).strip("> ")
                assert not plain or plain in unquoted("\n".join(before)), "left out, and nowhere before"


def check_path(parsed: Parsed, one: Chunk) -> None:
    """The context begins with the headings in force, in order, and names none that is not."""
    above: list[tuple[int, str]] = []
    opening: list[int] = []
    at = one.start
    for number, block in blocks(parsed, one):
        title = " ".join(parsed.pages[number].text[block.start : block.end].lstrip("# ").split())
        if (number, block.start) < (one.page, one.start):
            above = [*((level, other) for level, other in above if level < block.level), (block.level, title)]
        elif not parsed.pages[one.page].text[at : block.start].strip() and block.end <= one.end:
            opening, at = [*opening, block.level], block.end
    # A chunk of headings alone stands under what its first one stands under.
    force = [title for level, title in above if not opening or level < min(opening)]
    path = " > ".join(force)
    assert one.context == path or one.context.startswith(f"{path} > " if path else "")
    rest = one.context.removeprefix(path).split(" > ")
    assert not any(re.fullmatch(r"Section \d \S+", part) for part in rest), "a heading that is not in force"


def blocks(parsed: Parsed, one: Chunk) -> Iterator[tuple[int, Block]]:
    """The headings up to the end of the chunk with the places of their pages; only its own page's where that counts."""
    for number in range(one.page if parsed.apart else 0, one.page + 1):
        for block in parsed.pages[number].blocks:
            if block.kind == "heading" and (number, block.start) < (one.page, one.end):
                yield number, block


def check_header(parsed: Parsed, one: Chunk) -> None:
    """Whoever sees a row, or a part of one, sees the names of its columns."""
    for block in parsed.pages[one.page].blocks:
        if block.kind == "row" and block.header and block.start < one.end and one.start < block.end:
            for name in re.split(r"\s*[;|]\s*", block.header):
                assert name in f"{one.context}\n{parsed.text(one)}", "a row without its header"


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pages=st.lists(st.lists(PARAGRAPH, min_size=1, max_size=4), min_size=1, max_size=3))
def test_law_the_boxes_of_a_chunk_in_a_pdf_hold_its_words(
    tmp_path: Path, make_pdf: Callable[..., Path], pages: list[list[str]]
) -> None:
    def draw(canvas: Canvas) -> None:
        for paragraphs in pages:
            at = 740
            for words in (paragraph.split() for paragraph in paragraphs):
                for begin in range(0, len(words), 10):
                    canvas.drawString(60, at, " ".join(words[begin : begin + 10]))
                    at -= 20
                at -= 16
            canvas.showPage()

    path = make_pdf(draw)
    parsed = chunked(path)
    assert parsed.chunks
    check_offsets(parsed)
    with pypdfium2.PdfDocument(path) as document:
        for one in parsed.chunks:
            found, size = boxes(FileSource(path), one.page + 1, one.start, one.end)
            check_boxes(found, size)
            under = text_under(document, one.page, found, size[1])
            assert squeezed(parsed.text(one)) == squeezed(under)


def text_under(document: pypdfium2.PdfDocument, page: int, found: Sequence[Box], height: float) -> str:
    text = document[page].get_textpage()
    return "".join(
        text.get_text_bounded(b.x - 0.5, height - b.y - b.height - 0.5, b.x + b.width + 0.5, height - b.y + 0.5)
        for b in found
    )


def check_boxes(found: Sequence[Box], size: tuple[float, float]) -> None:
    assert found, "a chunk that is nowhere on the page"
    for box in found:
        assert box.width > 0
        assert box.height > 0
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= size[0] + 0.01
        assert box.y + box.height <= size[1] + 0.01


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_every_chunk_of_a_picture_has_boxes_on_it(tmp_path: Path) -> None:
    image = Image.new("RGB", (1200, 700), "white")
    lines = ["The boiler in the cellar was", "serviced on the third of May.", "", "Its guarantee ends in autumn."] * 2
    for row, line in enumerate(lines):
        ImageDraw.Draw(image).text((60, 60 + 60 * row), line, fill="black", font=ImageFont.load_default(36))
    image.save(tmp_path / "page.png")
    (page,) = (part for part in read(tmp_path / "page.png") if isinstance(part, Page))
    found = chunk([page], words, budget=12)
    assert len(found) >= 2
    for one in found:
        placed, size = boxes(FileSource(tmp_path / "page.png"), 1, one.start, one.end)
        check_boxes(placed, size)
