"""The text of Word 97–2003 files, through the readers of msdoc2docx.

Its converter is passed by: it writes to disk, and lays out formatting in a time that grows with the square of the
document. What tells paragraphs, tables, headings and hidden text apart is read page by page of the format instead.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from doc2docx.cfb import CompoundFile  # type: ignore[import-untyped]
from doc2docx.diagnostics import ConversionReport  # type: ignore[import-untyped]
from doc2docx.errors import Doc2DocxError  # type: ignore[import-untyped]
from doc2docx.model import (  # type: ignore[import-untyped]
    Break,
    CharacterProperties,
    Field,
    NoBreakHyphen,
    Paragraph,
    ParagraphProperties,
    StyleSheet,
    Tab,
    Table,
    TextRun,
    parse_main_story,
)
from doc2docx.msdoc import FileInformationBlock, read_formatting, read_piece_table, read_style_sheet  # type: ignore[import-untyped]
from doc2docx.msdoc.encryption import decrypt_word_streams  # type: ignore[import-untyped]
from doc2docx.msdoc.fib import FibBase  # type: ignore[import-untyped]

from desktop_rag.documents.composer import Composer
from desktop_rag.documents.parsers.csv import is_header, row_text
from desktop_rag.errors import DocumentError

DAMAGED = (Doc2DocxError, struct.error, ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError)
"""What msdoc2docx raises for files whose structures contradict themselves."""
_WORD_6 = (0xA5DC, 0xA59B, 0xA59C)
_WINDOW = 100_000
_MOST_WORK = 20_000_000
"""Pieces of text times pages of formatting: beyond it a file is read without its formatting."""
_STORIES = (
    ("footnotes", "ccp_footnotes", "footnote_start"),
    ("endnotes", "ccp_endnotes", "endnote_story_cp_start"),
    ("textboxes", "ccp_textboxes", "textbox_story_cp_start"),
    ("headers", "ccp_headers", "header_story_cp_start"),
    ("header-textboxes", "ccp_header_textboxes", "header_textbox_story_cp_start"),
    ("comments", "ccp_comments", "comment_story_cp_start"),
)
# Places of pictures, notes, separators and fields drawn by the program, no letters.
_ANCHORS = frozenset("\x01\x02\x03\x04\x05\x08")
_CONTROLS = dict.fromkeys([*range(9), *range(14, 32)], "")


class WordFile:
    """An opened .doc file. Raises one of DAMAGED, or DocumentError "unsupported" for Word 6 and 95."""

    def __init__(self, data: bytes, password: str | None) -> None:
        compound = CompoundFile(data)
        words = compound.open_stream("WordDocument")
        if struct.unpack_from("<H", words)[0] in _WORD_6:
            raise DocumentError(
                "unsupported",
                "The file is of Word 6 or Word 95, which is not read.",
                "Open it in Word or LibreOffice, save it as .docx and add that.",
            )
        base = FibBase.parse(words)
        streams = decrypt_word_streams(
            base,
            password=password,
            word_document=words,
            table=compound.open_stream(base.table_stream_name),
            data=None,
        )
        self._report = ConversionReport("", "")
        self._words, self._table = streams.word_document, streams.table
        self._fib = FileInformationBlock.parse(self._words)
        if self._fib.total_story_cp_count > len(self._words):
            raise ValueError("more characters than bytes")
        self._pieces = read_piece_table(
            self._table, self._words, fc_clx=self._fib.clx.fc, lcb_clx=self._fib.clx.lcb, report=self._report
        )
        self._styles = self._read_styles()
        self._paragraphs = _Spans(self._formats(self._fib.plcf_bte_papx, "papx"), ParagraphProperties())
        self._characters = _Spans(self._formats(self._fib.plcf_bte_chpx, "chpx"), CharacterProperties())

    def read(self, composer: Composer) -> None:
        """Add the text of the document, then notes, text boxes, headers and footers, and remarks."""
        self._story(composer, "main", 0, self._fib.ccp_text)
        for name, length, start in _STORIES:
            begin = self._fib.ccp_text if name == "footnotes" else getattr(self._fib, start)
            self._story(composer, name, begin, begin + getattr(self._fib, length))

    def _read_styles(self) -> StyleSheet:
        where = self._fib.stshf
        try:
            return read_style_sheet(self._table, offset=where.fc, size=where.lcb, fonts=(), report=self._report)
        except DAMAGED:
            # Without them headings are paragraphs, but the text is all there.
            return StyleSheet()

    def _formats(self, where: Any, kind: str) -> Iterator[tuple[int, int, Any]]:
        """(start, end, properties) for each stretch of text that has properties of its own."""
        count = (where.lcb - 4) // 8
        if count < 1 or count * len(self._pieces.pieces) > _MOST_WORK:
            return
        bounds = struct.unpack_from(f"<{count + 1}I", self._table, where.fc)
        numbers = struct.unpack_from(f"<{count}I", self._table, where.fc + 4 * (count + 1))
        for start, end, number in zip(bounds, bounds[1:], numbers, strict=False):
            pieces = tuple(
                piece for piece in self._pieces.pieces if self._ends(piece) > start and piece.file_offset < end
            )
            if not pieces:
                continue
            # One page at a time: the library compares everything on its pages with everything else.
            page = struct.pack("<III", start, end, number)
            try:
                found = read_formatting(
                    page,
                    self._words,
                    replace(self._pieces, pieces=pieces),
                    fc_plcf_bte_chpx=0,
                    lcb_plcf_bte_chpx=len(page) if kind == "chpx" else 0,
                    fc_plcf_bte_papx=0,
                    lcb_plcf_bte_papx=len(page) if kind == "papx" else 0,
                    report=self._report,
                    fonts=(),
                    style_sheet=StyleSheet(),
                    data_stream=None,
                )
            except DAMAGED:
                continue
            spans = found.paragraph_spans if kind == "papx" else found.character_spans
            inside = self._pieces.fc_range_to_cp_ranges(start, end)
            for span in spans:
                if any(low <= span.cp_start < high for low, high in inside):
                    yield span.cp_start, span.cp_end, span.properties

    @staticmethod
    def _ends(piece: Any) -> int:
        return int(piece.file_offset + piece.character_count * (1 if piece.compressed else 2))

    def _story(self, composer: Composer, name: str, start: int, end: int) -> None:
        while start < end:
            letters = self._pieces.extract_characters(start, min(start + _WINDOW, end), self._report, story=name)
            if not letters:
                return
            if letters[-1].cp_end < end:
                letters = letters[: _last_break(letters, self._paragraphs)]
            start = letters[-1].cp_end
            document = parse_main_story(
                tuple(letter for letter in letters if letter.text not in _ANCHORS),
                self._report,
                paragraph_properties_at=self._paragraphs.at,
                character_properties_at=self._characters.at,
                story_name=name,
            )
            self._blocks(composer, document.blocks or document.paragraphs)

    def _blocks(self, composer: Composer, blocks: Iterable[Any]) -> None:
        for block in blocks:
            if isinstance(block, Table):
                self._rows(composer, block)
            elif isinstance(block, Paragraph):
                self._paragraph(composer, block)

    def _paragraph(self, composer: Composer, paragraph: Any) -> None:
        text = _text(paragraph.inlines)
        level = self._level(paragraph.properties)
        if level:
            composer.add("heading", " ".join(text.split()), level=level)
        else:
            composer.add("list" if (paragraph.properties.numbering_id or 0) > 0 else "paragraph", text)

    def _level(self, properties: Any) -> int:
        """The level of a heading, by its style's place in the table: names are in the language of the writer."""
        outline = properties.outline_level
        if outline is not None and 0 <= outline < 9:
            return int(outline) + 1
        style = properties.style_id or 0
        return style if 1 <= style <= 9 and self._styles.style_at(style) is not None else 0

    def _rows(self, composer: Composer, table: Any) -> None:
        rows = [[_cell(cell) for cell in row.cells] for row in table.rows]
        if all(len(cells) < 2 for cells in rows):
            for row in table.rows:
                for cell in row.cells:
                    self._blocks(composer, cell.body_blocks)
            return
        names = rows[0] if len(rows) > 1 and is_header(rows[0]) else []
        header = "; ".join(name for name in names if name)
        for cells in rows[1:] if names else rows:
            composer.add("row", row_text(names, cells), header=header)


class _Spans:
    """Properties by position in the text."""

    def __init__(self, spans: Iterable[tuple[int, int, Any]], default: Any) -> None:
        self._spans = sorted(spans, key=lambda span: span[:2])
        self._starts = [start for start, _, _ in self._spans]
        self._default = default

    def at(self, position: int) -> Any:
        """Those at a position; the default where there are none."""
        index = bisect_right(self._starts, position) - 1
        if index >= 0 and position < self._spans[index][1]:
            return self._spans[index][2]
        return self._default


def _last_break(letters: tuple[Any, ...], paragraphs: _Spans) -> int:
    """The end of the last paragraph that lies in no table and no field, the end of all if there is none."""
    depth = best = 0
    for index, letter in enumerate(letters):
        if letter.text == "\x13":
            depth += 1
        elif letter.text == "\x15":
            depth = max(0, depth - 1)
        elif letter.text == "\r" and not depth and not paragraphs.at(letter.cp_start).in_table:
            best = index + 1
    return best or len(letters)


def _text(inlines: Iterable[Any]) -> str:
    """The words of a paragraph without hidden and deleted ones, fields by their results."""
    parts: list[str] = []
    for inline in inlines:
        properties = getattr(inline, "properties", None)
        if getattr(properties, "hidden", None) or getattr(properties, "revision_deleted", None):
            continue
        if isinstance(inline, TextRun):
            parts.append(inline.text.translate(_CONTROLS))
        elif isinstance(inline, Field):
            parts.append(_text(inline.result))
        elif isinstance(inline, Tab):
            parts.append("\t")
        elif isinstance(inline, Break):
            parts.append("\n")
        elif isinstance(inline, NoBreakHyphen):
            parts.append("-")
    return "".join(parts)


def _cell(cell: Any) -> str:
    words = Composer()
    for block in cell.body_blocks:
        if isinstance(block, Table):
            for row in block.rows:
                words.add("paragraph", " ".join(_cell(inner) for inner in row.cells))
        else:
            words.add("paragraph", _text(block.inlines))
    return " ".join(words.page().text.split())
