"""PowerPoint files: a page a slide, its shapes in reading order, its notes at the end."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from lxml import etree  # type: ignore[import-untyped]
from pptx.enum.shapes import MSO_SHAPE_TYPE, PP_PLACEHOLDER
from pptx.exc import PythonPptxError
from pptx.package import Package

from desktop_rag.documents.archives import BROKEN, check, opened
from desktop_rag.documents.composer import Composer
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, Page, UnreadPage
from desktop_rag.documents.parsers.csv import is_header, row_text
from desktop_rag.documents.parsers.markup import parse_xml
from desktop_rag.documents.source import Source, stem
from desktop_rag.errors import DocumentError

_DAMAGED = (
    *BROKEN, KeyError, IndexError, AttributeError, TypeError, AssertionError, RuntimeError, OverflowError,
    struct.error, zlib.error, etree.XMLSyntaxError, PythonPptxError,
)  # fmt: skip
"""What python-pptx raises where a file leaves out or contradicts what the format demands."""
_DEEPEST_GROUP = 20
# Shapes whose tops differ by less than this (a tenth of an inch, in EMU) stand beside each other.
_SAME_LINE = 91_440
_MOST_POINTS = 2000
_FILE_NAME = re.compile(r"\S+\.(?:png|jpe?g|gif|bmp|tiff?|emf|wmf|svg|webp)", re.IGNORECASE)


def parse(source: Source, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Page | UnreadPage]:
    """A page for each slide, numbered as in the file, hidden slides included."""
    try:
        with opened(source) as archive:
            check(archive, limits)
        with source.open() as stream:
            # Not `pptx.Presentation`, which refuses slide shows and templates.
            presentation = Package.open(stream).main_document_part.presentation
        slides = presentation.slides
        count, authors = len(slides), _authors(presentation.part)
        title = " ".join((presentation.core_properties.title or "").split())
    except _DAMAGED as failure:
        raise DocumentError(
            "unreadable",
            "The presentation is damaged and cannot be read.",
            "Open it in PowerPoint or LibreOffice and save it again.",
        ) from failure
    yield DocumentInfo("pptx", title or stem(source), count)
    for number in range(1, count + 1):
        part: Page | UnreadPage
        try:
            part = _page(slides[number - 1], number, authors)
        except (*_DAMAGED, DocumentError):
            part = UnreadPage(number, None, "the slide is damaged")
        yield part


def _page(slide: Any, number: int, authors: dict[str, str]) -> Page | UnreadPage:
    composer = Composer()
    title = slide.shapes.title
    if title is not None and title.has_text_frame:
        composer.add("heading", " ".join(_lines(title.text_frame.text)), level=1)
    for shape in _in_reading_order(slide.shapes):
        if title is None or shape.shape_id != title.shape_id:
            _shape(composer, shape, 0)
    if slide.has_notes_slide:
        frame = slide.notes_slide.notes_text_frame
        notes = _lines(frame.text) if frame is not None else []
        if notes:
            composer.add("paragraph", "Notes:")
            for line in notes:
                composer.add("paragraph", line)
    _comments(composer, slide, authors)
    if not composer.length and any(shape.shape_type == MSO_SHAPE_TYPE.PICTURE for shape in slide.shapes):
        return UnreadPage(number, None, "only pictures on this slide")
    return composer.page(number=number)


def _in_reading_order(shapes: Iterable[Any]) -> list[Any]:
    """From top to bottom, and from left to right where tops are about the same; the file's order decides the rest."""
    placed = [((shape.top or 0) // _SAME_LINE, shape.left or 0, shape) for shape in shapes]
    return [shape for _, _, shape in sorted(placed, key=lambda place: place[:2])]


def _shape(composer: Composer, shape: Any, depth: int) -> None:
    members = getattr(shape, "shapes", None)
    if members is not None:
        if depth < _DEEPEST_GROUP:
            for member in _in_reading_order(members):
                _shape(composer, member, depth + 1)
        return
    if getattr(shape, "has_table", False):
        _table(composer, shape.table)
    elif getattr(shape, "has_chart", False):
        _chart(composer, shape.chart)
    elif shape.has_text_frame:
        _frame(composer, shape)
    else:
        _picture_or_diagram(composer, shape)


def _frame(composer: Composer, shape: Any) -> None:
    """The paragraphs of a text frame; those of a body placeholder and indented ones are items of a list."""
    if shape.is_placeholder and shape.placeholder_format.type == PP_PLACEHOLDER.SLIDE_NUMBER:
        return
    listed = shape.is_placeholder and len(shape.text_frame.paragraphs) > 1
    for paragraph in shape.text_frame.paragraphs:
        text = "\n".join(_lines(_text(paragraph)))
        composer.add("list" if listed or paragraph.level else "paragraph", text)


def _text(paragraph: Any) -> str:
    return str(paragraph.text).replace("\v", "\n")


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.replace("\v", "\n").split("\n") if line.strip()]


def _table(composer: Composer, table: Any) -> None:
    rows = [["" if cell.is_spanned else " ".join(cell.text.split()) for cell in row.cells] for row in table.rows]
    named = len(rows) > 1 and table.first_row and is_header(rows[0])
    _rows(composer, rows[0] if named else [], rows[1:] if named else rows)


def _rows(composer: Composer, names: list[str], rows: Iterable[list[str]]) -> None:
    header = "; ".join(name for name in names if name)
    for row in rows:
        composer.add("row", row_text(names, row), header=header)


def _chart(composer: Composer, chart: Any) -> None:
    """What a chart says in words: its titles, and a row for each category with the value of every series."""
    for title in chart.element.iter("{*}title"):
        composer.add("paragraph", " ".join("".join(run.itertext()) for run in title.iter("{*}t")))
    names, table = [""], dict[str, list[str]]()
    for series in chart.element.iter("{*}ser"):
        # Read from the points there are: python-pptx counts up to the number the file claims there were.
        categories, values = _points(series, "{*}cat", "{*}xVal"), _points(series, "{*}val", "{*}yVal")
        found = (value.text for outer in series.iterfind("{*}tx") for value in outer.iter("{*}v", "{*}rich"))
        names.append(" ".join((next(found, "") or "").split()))
        for place in categories.keys() | values.keys():
            row = table.setdefault(place, [categories.get(place, "")])
            row += [""] * (len(names) - 1 - len(row))
            row.append(values.get(place, ""))
    _rows(composer, names, (table[place] for place in sorted(table)[:_MOST_POINTS]))


def _points(series: Any, *tags: str) -> dict[str, str]:
    """The values under the first of the tags that is there, by their index written with leading zeros."""
    for outer in (found for tag in tags for found in series.iterfind(tag)):
        return {
            str(point.get("idx", "")).zfill(10): " ".join((point.findtext("{*}v") or "").split())
            for point in outer.iter("{*}pt")
        }
    return {}


def _picture_or_diagram(composer: Composer, shape: Any) -> None:
    """The words of a SmartArt drawing lie in a part of its own; a picture may be described."""
    words = [text for text in shape.element.xpath("./p:nvPicPr/p:cNvPr/@descr") if not _FILE_NAME.fullmatch(text)]
    for relation in shape.element.xpath(".//a:graphicData/*/@r:dm") if shape.element.tag.endswith("Frame") else ():
        root = _xml(shape.part.related_part(relation))
        words += ["".join(point.itertext()) for point in root.iter("{*}pt") if point.find("{*}t") is not None]
    for text in words:
        composer.add("paragraph", "\n".join(_lines(str(text))))


def _comments(composer: Composer, slide: Any, authors: dict[str, str]) -> None:
    """Remarks of reviewers, in the old form of the format and in the newer one of threads."""
    for root in _related(slide.part, "comments"):
        for comment in root.iter("{*}cm", "{*}reply"):
            author = authors.get(comment.get("authorId", ""), "")
            for words in comment.iterfind("{*}text"), comment.iterfind("{*}txBody"):
                text = "\n".join("\n".join(_lines("".join(found.itertext()))) for found in words)
                composer.add("paragraph", f"{author}: {text}" if author and text else text)


def _authors(part: Any) -> dict[str, str]:
    people = [person for kind in ("commentAuthors", "authors") for root in _related(part, kind) for person in root]
    return {str(person.get("id")): " ".join(str(person.get("name", "")).split()) for person in people}


def _related(part: Any, kind: str) -> list[Any]:
    relations = (relation for relation in part.rels.values() if not relation.is_external)
    return [_xml(found.target_part) for found in relations if found.reltype.rpartition("/")[2] == kind]


def _xml(part: Any) -> Any:
    return parse_xml(part.blob, "a part of the presentation")
