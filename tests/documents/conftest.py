"""Documents made at run time: PDF by reportlab, Word files by python-docx."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from desktop_rag.documents.model import Page, UnreadPage
from desktop_rag.documents.read import read

Pdf = Callable[..., Path]


@pytest.fixture
def make_pdf(tmp_path: Path) -> Pdf:
    """make_pdf(draw, name=..., **canvas options): `draw` gets the canvas; the last page is closed for it."""

    def make(draw: Callable[[Canvas], None], name: str = "made.pdf", **options: object) -> Path:
        path = tmp_path / name
        canvas = Canvas(str(path), pagesize=(612, 792), invariant=1, **options)
        draw(canvas)
        canvas.save()
        return path

    return make


@pytest.fixture
def pages_of() -> Callable[..., list[Page | UnreadPage]]:
    """pages_of(path, ...): everything `read` gives after the DocumentInfo, which must come first."""

    def pages(path: Path, **options: object) -> list[Page | UnreadPage]:
        info, *rest = read(path, **options)  # type: ignore[arg-type]
        assert not isinstance(info, (Page, UnreadPage))
        assert all(isinstance(part, (Page, UnreadPage)) for part in rest)
        return rest  # type: ignore[return-value]

    return pages


@pytest.fixture
def turn_page() -> Callable[[Canvas, int], None]:
    """turn_page(canvas, degrees): a page that is stored turned, as scanners do, and displayed upright."""

    def turn(canvas: Canvas, degrees: int) -> None:
        canvas.setPageRotation(degrees)
        canvas.translate(*{0: (0, 0), 90: (792, 0), 180: (612, 792), 270: (0, 612)}[degrees])
        canvas.rotate(degrees)

    return turn
