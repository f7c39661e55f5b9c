"""What stands on a PDF page without being its text: values filled into a form, and notes people have pinned to it.

They follow the page's own text after a blank line, so that every offset into that text stays as it is.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from desktop_rag.documents.composer import Composer
from desktop_rag.documents.encodings import clean
from desktop_rag.documents.model import Block, BlockKind, Page
from desktop_rag.documents.parsers.csv import row_text
from desktop_rag.documents.parsers.pdf_open import PdfiumError

# Links and pop-ups repeat others; the pictures of widgets are read as the form's fields.
_SILENT = frozenset({pdfium.FPDF_ANNOT_LINK, pdfium.FPDF_ANNOT_POPUP, pdfium.FPDF_ANNOT_WIDGET})
_TICKED = frozenset({pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON})
_VALUED = _TICKED | {pdfium.FPDF_FORMFIELD_TEXTFIELD, pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX}
_PASSWORD = 1 << 13
_INDEX = re.compile(r"\[\d+\]")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")

Rectangle = tuple[float, float, float, float]
"""Left, bottom, right, top in points."""


def open_form(document: Any) -> None:
    """Make the fields of a document's form readable; to be called before its first page is loaded."""
    try:
        document.init_forms()
    except PdfiumError:
        # A form that cannot be understood: the pages themselves are still there.
        return


def with_notes(page: Page, loaded: Any) -> Page:
    """The page with the values and notes of pdfium's page `loaded` after its text."""
    if pdfium.FPDFPage_GetAnnotCount(loaded) <= 0:
        return page
    added, _ = notes(loaded)
    if not added.text:
        return page
    # Without blocks the chunker reads the whole page as text.
    own = page.blocks or ((Block("paragraph", 0, len(page.text)),) if page.text.strip() else ())
    start = notes_start(page.text)
    moved = (replace(block, start=block.start + start, end=block.end + start) for block in added.blocks)
    return replace(page, text=f"{page.text.ljust(start, chr(10))}{added.text}", blocks=(*own, *moved))


def notes_start(text: str) -> int:
    """Where the values and notes begin on a page with that text of its own: after a blank line."""
    return len(text) + 2 if text else 0


def notes(loaded: Any) -> tuple[Page, list[Rectangle]]:
    """The values and notes of pdfium's page `loaded` alone, and for each block where it stands, as pdfium counts."""
    composer = Composer()
    places: list[Rectangle] = []
    for index in range(pdfium.FPDFPage_GetAnnotCount(loaded)):
        annotation = pdfium.FPDFPage_GetAnnot(loaded, index)
        if annotation:
            try:
                for kind, text in _told(annotation, loaded.formenv):
                    composer.add(kind, text)
                    if text.strip():
                        places.append(_rectangle(annotation))
            finally:
                pdfium.FPDFPage_CloseAnnot(annotation)
    return composer.page(), places


def _rectangle(annotation: Any) -> Rectangle:
    r = pdfium.FS_RECTF()
    pdfium.FPDFAnnot_GetRect(annotation, r)
    return r.left, r.bottom, r.right, r.top


def _told(annotation: Any, form: Any) -> Iterator[tuple[BlockKind, str]]:
    """What an annotation says to a person: nothing, or one text."""
    if pdfium.FPDFAnnot_GetFlags(annotation) & pdfium.FPDF_ANNOT_FLAG_HIDDEN:
        return
    kind = pdfium.FPDFAnnot_GetSubtype(annotation)
    if kind == pdfium.FPDF_ANNOT_WIDGET and form:
        yield "row", _field(annotation, form)
    elif kind not in _SILENT:
        yield "paragraph", _string(lambda *buffer: pdfium.FPDFAnnot_GetStringValue(annotation, b"Contents", *buffer))


def _field(annotation: Any, form: Any) -> str:
    """ "Name: value" of a filled-in field; a password stays unread."""
    kind = pdfium.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind not in _VALUED or pdfium.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD:
        return ""
    if kind in _TICKED and not pdfium.FPDFAnnot_IsChecked(form, annotation):
        return ""
    value = _string(lambda *buffer: pdfium.FPDFAnnot_GetFormFieldValue(form, annotation, *buffer))
    if not value.strip():
        return ""
    name = _string(lambda *buffer: pdfium.FPDFAnnot_GetFormFieldAlternateName(form, annotation, *buffer))
    if not name.strip():
        path = _string(lambda *buffer: pdfium.FPDFAnnot_GetFormFieldName(form, annotation, *buffer))
        name = _INDEX.sub("", path).rsplit(".", 1)[-1]
    return row_text([" ".join(name.split())], [value])


def _string(ask: Callable[..., int]) -> str:
    """A text pdfium writes into a buffer, after saying how many bytes that takes."""
    size = ask(None, 0)
    if size <= 2:
        return ""
    buffer = (ctypes.c_ushort * (size // 2 + 1))()
    ask(buffer, size)
    text = bytes(memoryview(buffer))[: size - 2].decode("utf-16-le", "replace")
    return _CONTROLS.sub(" ", clean(text).replace("\r\n", "\n").replace("\r", "\n"))
