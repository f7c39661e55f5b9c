"""The documents that reading and indexing are measured with, made for the occasion in a folder of its own."""

from __future__ import annotations

import ctypes
import os
import textwrap
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from desktop_rag.evaluation.ingest_text import heading, name, paragraph

_A4 = (595.0, 842.0)
_TOP, _BOTTOM, _LEFT = 780.0, 60.0, 60.0
_POINTS_PER_INCH = 72
_A_FOLDER = 100
_DAY_SECONDS = 86400


@dataclass(frozen=True, slots=True)
class _Style:
    """How a paragraph is set; `characters` fill a line."""

    font: bytes
    size: float
    characters: int


_HEADING = _Style(b"Helvetica-Bold", 16.0, 50)
_WIDE = _Style(b"Times-Roman", 11.0, 95)
_NARROW = _Style(b"Helvetica", 9.0, 46)
_TABLE = _Style(b"Courier", 9.0, 80)
_SMALL = _Style(b"Times-Italic", 8.0, 100)


def text_pdf(path: Path, pages: int, seed: int = 0) -> Path:
    """A PDF whose text can be taken out: headings, paragraphs, two columns, tables, in several fonts and sizes."""
    import pypdfium2  # type: ignore[import-untyped]

    chance = Random(seed)
    with closing(pypdfium2.PdfDocument.new()) as document:
        for number in range(1, pages + 1):
            with closing(document.new_page(*_A4)) as page:
                for line in _page(chance, number):
                    _write(document, page, line)
                page.gen_content()
        document.save(path)
    return path


def scanned_pdf(path: Path, pages: int, dots_per_inch: int = 200, seed: int = 1) -> Path:
    """A PDF of nothing but pictures, as a scanner makes it of the pages of `text_pdf`."""
    import pypdfium2

    printed = text_pdf(path.with_suffix(".text.pdf"), pages, seed)
    with closing(pypdfium2.PdfDocument(printed)) as document:
        pictures = []
        for index in range(pages):
            with closing(document[index]) as page:
                pictures.append(page.render(scale=dots_per_inch / _POINTS_PER_INCH).to_pil().convert("L"))
    pictures[0].save(path, "PDF", save_all=True, append_images=pictures[1:], resolution=dots_per_inch)
    printed.unlink()
    return path


def reports(folder: Path, count: int, seed: int = 2) -> Path:
    """A folder of `count` short texts, each with people of its own."""
    folder.mkdir(parents=True)
    chance = Random(seed)
    for number in range(count):
        text = "\n\n".join([heading(chance), *(paragraph(chance, 2) for _ in range(chance.randint(1, 3)))])
        (folder / f"report {number:05d}.txt").write_text(f"{text}\n", encoding="utf-8")
    return folder


def abstracts(folder: Path, count: int, seed: int) -> Path:
    """A folder of `count` texts of one to two thousand characters, each with people of its own."""
    folder.mkdir(parents=True)
    chance = Random(seed)
    for number in range(count):
        text = "\n\n".join([heading(chance), paragraph(chance, 8), paragraph(chance, 8)])
        (folder / f"abstract {number:05d}.txt").write_text(f"{text}\n", encoding="utf-8")
    return folder


def notes(folder: Path, count: int) -> Path:
    """A folder with folders of one-line files that were written yesterday, `count` in all."""
    yesterday = time.time() - _DAY_SECONDS
    for number in range(count):
        path = folder / f"part {number // _A_FOLDER}" / f"note {number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Note number {number}.\n", encoding="utf-8")
        os.utime(path, (yesterday, yesterday))
    return folder


# A line of text: where it begins, how it is set, what it says.
_Line = tuple[float, float, _Style, str]


def _page(chance: Random, number: int) -> Iterator[_Line]:
    yield _LEFT, _TOP + 30, _SMALL, "Maintenance of the works, annual report"
    yield _LEFT, _BOTTOM - 30, _SMALL, f"Page {number}"
    yield _LEFT, _TOP, _HEADING, heading(chance)
    if number % 3 == 1:
        for left in (_LEFT, _LEFT + 245):
            yield from _column(chance, left, _TOP - 30, _BOTTOM, _NARROW)
    elif number % 3 == 2:
        yield from _column(chance, _LEFT, _TOP - 30, 400.0, _WIDE)
        yield from _table(chance, 380.0)
    else:
        yield from _column(chance, _LEFT, _TOP - 30, _BOTTOM, _WIDE)


def _column(chance: Random, left: float, top: float, bottom: float, style: _Style) -> Iterator[_Line]:
    at = top
    while True:
        for line in textwrap.wrap(paragraph(chance), style.characters):
            if at < bottom:
                return
            yield left, at, style, line
            at -= style.size * 1.35
        at -= style.size * 0.8


def _table(chance: Random, top: float) -> Iterator[_Line]:
    at = top
    while at > _BOTTOM:
        yield _LEFT, at, _TABLE, f"{name(chance):<30}{chance.randint(1, 99):>6}{chance.randint(100, 99999):>12,}"
        at -= _TABLE.size * 1.4


def _write(document: Any, page: Any, line: _Line) -> None:
    from pypdfium2 import raw

    left, bottom, style, words = line
    text = raw.FPDFPageObj_NewTextObj(document.raw, style.font, style.size)
    encoded = f"{words}\0".encode("utf-16-le")
    raw.FPDFText_SetText(text, (ctypes.c_ushort * (len(encoded) // 2)).from_buffer_copy(encoded))
    raw.FPDFPageObj_Transform(text, 1, 0, 0, 1, left, bottom)
    raw.FPDFPage_InsertObject(page.raw, text)
