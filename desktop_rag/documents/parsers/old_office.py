"""The binary Office files of 1997 to 2003: Word documents and PowerPoint presentations."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any

import olefile  # type: ignore[import-untyped]
from doc2docx.errors import EncryptedDocumentError  # type: ignore[import-untyped]
from ppt2pptx.cfb import CompoundFile  # type: ignore[import-untyped]
from ppt2pptx.encryption import decrypt_powerpoint_document  # type: ignore[import-untyped]
from ppt2pptx.errors import EncryptedPresentationError, Ppt2PptxError  # type: ignore[import-untyped]
from ppt2pptx.oleps import read_summary_information  # type: ignore[import-untyped]
from ppt2pptx.ppt import extract_presentation  # type: ignore[import-untyped]

from desktop_rag.documents.composer import Composer
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, Page, UnreadPage
from desktop_rag.documents.parsers.csv import is_header, row_text
from desktop_rag.documents.parsers.old_word import DAMAGED, WordFile
from desktop_rag.documents.passwords import wrong_password
from desktop_rag.documents.source import Source, read_bytes, stem
from desktop_rag.errors import DocumentError

_DAMAGED = (*DAMAGED, Ppt2PptxError, RecursionError, OSError)
_LOCKED_MARK = b"\xdf\xc4\xd1\xf3"
_SLIDES, _PROPERTIES = "PowerPoint Document", "\x05SummaryInformation"
_LONGEST_PROPERTIES = 2 * 1024 * 1024
_SLIDE_NUMBER = frozenset("*‹#›")


def parse(source: Source, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Page | UnreadPage]:
    """One page without number for a document, a page a slide for a presentation."""
    data = read_bytes(source, limits)
    try:
        title, slides = _title(data)
        if slides:
            pages = _slides(data, password)
            info = DocumentInfo("ppt", title or stem(source), len(pages))
        else:
            composer = Composer()
            WordFile(data, password).read(composer)
            pages = [composer.page()] if composer.length else []
            info = DocumentInfo("doc", title or stem(source), None)
    except (EncryptedDocumentError, EncryptedPresentationError) as failure:
        raise wrong_password(password) from failure
    except _DAMAGED as failure:
        raise DocumentError(
            "unreadable",
            "The old Office file is damaged and cannot be read.",
            "Open it in Office or LibreOffice, save it in the newer format (.docx, .pptx) and add that.",
        ) from failure
    yield info
    yield from pages


def _title(data: bytes) -> tuple[str, bool]:
    """(the title in the file's properties or "", whether it is a presentation)."""
    with olefile.OleFileIO(io.BytesIO(data)) as file:
        slides = bool(file.exists(_SLIDES))
        try:
            # Not olefile's own reading of properties: it counts as far as the file tells it to.
            with file.openstream(_PROPERTIES) as stream:
                title = read_summary_information(stream.read(_LONGEST_PROPERTIES + 1)).title
        except _DAMAGED:
            title = None
    return " ".join((title or "").split()), slides


def _slides(data: bytes, password: str | None) -> list[Page | UnreadPage]:
    compound = CompoundFile(data)
    user, document = compound.open_stream("Current User"), compound.open_stream(_SLIDES)
    if user[12:16] == _LOCKED_MARK:
        document = decrypt_powerpoint_document(document, user, password)
    elif len(user) < 8 or struct.unpack_from("<H", user, 2)[0] != 0x0FF6:
        raise DocumentError(
            "unsupported",
            "The file is of PowerPoint 95 or older, which is not read.",
            "Open it in PowerPoint or LibreOffice, save it as .pptx and add that.",
        )
    found = extract_presentation(document, None, current_user=user)
    return [_page(slide, number) for number, slide in enumerate(found.slides, 1)]


def _page(slide: Any, number: int) -> Page:
    composer = Composer()
    boxes = sorted((box.top, box.left, index) for index, box in enumerate(slide.text_boxes))
    title = next((index for _, _, index in boxes if slide.text_boxes[index].is_placeholder), None)
    for _, _, index in sorted(boxes, key=lambda place: place[2] != title):
        box = slide.text_boxes[index]
        lines = [" ".join(line.split()) for line in box.text.replace("\v", "\r").replace("\n", "\r").split("\r")]
        bullets = box.paragraph_bullets
        for place, line in enumerate(lines):
            if set(line) <= _SLIDE_NUMBER:
                continue
            listed = place < len(bullets) and bullets[place]
            if index == title:
                composer.add("heading", line, level=1)
            else:
                composer.add("list" if listed else "paragraph", line)
    for table in slide.tables:
        _table(composer, table)
    if slide.notes:
        composer.add("paragraph", "Notes:")
    for words in (*slide.notes, *(comment.text for comment in slide.comments)):
        for line in words.replace("\r", "\n").split("\n"):
            composer.add("paragraph", line)
    return composer.page(number=number)


def _table(composer: Composer, table: Any) -> None:
    rows = [[""] * table.cols for _ in range(table.rows)]
    for cell in table.cells:
        rows[cell.row][cell.col] = " ".join(cell.text.split())
    names = rows[0] if len(rows) > 1 and is_header(rows[0]) else []
    header = "; ".join(name for name in names if name)
    for cells in rows[1:] if names else rows:
        composer.add("row", row_text(names, cells), header=header)
