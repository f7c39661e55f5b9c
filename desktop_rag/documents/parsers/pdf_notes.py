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


def open_form(document: Any) -> None:
    """Make the fields of a document's form readable; to be called before its first page is loaded."""
    try:
        document.init_forms()
    except PdfiumError:
        # A form that cannot be understood: the pages themselves are still there.
        return


def with_notes(page: Page, loaded: Any) -> Page:
    """The page with the values and notes of pdfium's page `loaded` after its text."""
    count = pdfium.FPDFPage_GetAnnotCount(loaded)
    if count <= 0:
        return page
    composer = Composer()
    for index in range(count):
        annotation = pdfium.FPDFPage_GetAnnot(loaded, index)
        if annotation:
            try:
                for kind, text in _told(annotation, loaded.formenv):
                    composer.add(kind, text)
            finally:
                pdfium.FPDFPage_CloseAnnot(annotation)
    if not composer.length:
        return page
    added = composer.page()
    # Without blocks the chunker reads the whole page as text.
    own = page.blocks or ((Block("paragraph", 0, len(page.text)),) if page.text.strip() else ())
    joint = "\n\n" if page.text else ""
    start = len(page.text) + len(joint)
    moved = (replace(block, start=block.start + start, end=block.end + start) for block in added.blocks)
    return replace(page, text=f"{page.text}{joint}{added.text}", blocks=(*own, *moved))


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
