"""Pages as they look: sizes and pictures of PDF pages, turned photographs and TIFFs of several pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from desktop_rag.documents import page_images
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.locate import boxes
from desktop_rag.documents.page_images import page_image, page_sizes
from desktop_rag.documents.pictures import MAX_PIXELS, Picture
from desktop_rag.documents.source import FileSource, MemorySource, Source
from desktop_rag.errors import DocumentError

Pdf = Callable[..., Path]
Turn = Callable[[Canvas, int], None]
INCH_DOTS, INCH_POINTS = 96, 72
_ORIENTATION = 0x0112


def dark(picture: Picture) -> tuple[float, float]:
    """Where the dark dots of a picture lie in the middle, as shares of its width and height."""
    rows, columns = np.nonzero(picture.max(axis=2) < 100)
    return float(columns.mean()) / picture.shape[1], float(rows.mean()) / picture.shape[0]


def spotted(width: int, height: int, spot: tuple[int, int, int, int]) -> Image.Image:
    picture = Image.new("RGB", (width, height), "white")
    picture.paste("black", spot)
    return picture


@pytest.mark.parametrize("turn", [0, 90])
def test_a_pdf_page_is_drawn_as_it_is_displayed(make_pdf: Pdf, turn_page: Turn, turn: int) -> None:
    def draw(canvas: Canvas) -> None:
        turn_page(canvas, turn)
        canvas.rect(306, 396, 153, 198, fill=1)
        canvas.showPage()
        canvas.setPageSize((200, 100))
        canvas.drawString(10, 10, "small")

    source = FileSource(make_pdf(draw))
    assert page_sizes(source) == [pytest.approx((612, 792)), pytest.approx((200, 100))]
    picture = page_image(source, 1, 306)
    assert picture.shape == (396, 306, 3)
    assert dark(picture) == pytest.approx((0.625, 0.375), abs=0.01)
    assert page_image(source, 2, 400).shape == (200, 400, 3)


def test_what_is_filled_into_a_form_is_seen(make_pdf: Pdf) -> None:
    def form(value: str) -> Callable[[Canvas], None]:
        def draw(canvas: Canvas) -> None:
            canvas.acroForm.textfield(value=value, x=100, y=700, width=200, height=20, borderWidth=0)
            canvas.showPage()

        return draw

    empty = page_image(FileSource(make_pdf(form(""), name="empty.pdf")), 1, 612)
    filled = page_image(FileSource(make_pdf(form("Jean Rivera"), name="filled.pdf")), 1, 612)
    changed = np.argwhere((empty != filled).any(axis=2))
    assert len(changed) > 50
    assert (changed.min(axis=0) >= (72, 99)).all()
    assert (changed.max(axis=0) <= (92, 301)).all()


def test_an_encrypted_pdf_needs_its_password(make_pdf: Pdf) -> None:
    lock = StandardEncryption("open sesame", canPrint=0)
    source = FileSource(make_pdf(lambda canvas: canvas.rect(0, 0, 300, 300, fill=1), encrypt=lock))
    assert len(page_sizes(source, "open sesame")) == 1
    assert page_image(source, 1, 100, "open sesame").min() < 50
    for call in (lambda: page_sizes(source), lambda: page_image(source, 1, 100, "wrong")):
        with pytest.raises(DocumentError) as failure:
            call()
        assert failure.value.code == "encrypted"


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_photograph_is_shown_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    upright = spotted(320, 160, (200, 10, 300, 50))
    turned = {1: upright, 3: upright.rotate(180), 6: upright.rotate(90, expand=True)}
    stored = turned.get(orientation, upright.rotate(-90, expand=True))
    mark = Image.Exif()
    mark[_ORIENTATION] = orientation
    path = tmp_path / f"photo.{suffix}"
    stored.save(path, exif=mark)

    source = FileSource(path)
    assert page_sizes(source) == [(320 * INCH_POINTS / INCH_DOTS, 160 * INCH_POINTS / INCH_DOTS)]
    picture = page_image(source, 1, 160)
    assert picture.shape == (80, 160, 3)
    assert dark(picture) == pytest.approx((0.78, 0.19), abs=0.02)


def test_every_page_of_a_tiff_has_its_own_size_and_picture(tmp_path: Path) -> None:
    first, second = spotted(400, 200, (0, 0, 40, 20)), spotted(100, 300, (50, 150, 100, 300))
    path = tmp_path / "fax.tif"
    first.save(path, save_all=True, append_images=[second])
    source = FileSource(path)
    assert page_sizes(source) == [(300, 150), (75, 225)]
    assert dark(page_image(source, 1, 200)) == pytest.approx((0.05, 0.05), abs=0.02)
    assert dark(page_image(source, 2, 50)) == pytest.approx((0.75, 0.75), abs=0.02)
    with pytest.raises(DocumentError) as failure:
        page_image(source, 3, 100)
    assert failure.value.code == "not_found"
    damaged = MemorySource("fax.tif", path.read_bytes()[:-60])
    assert page_sizes(damaged)[0] == (300, 150)


def test_a_picture_is_never_larger_than_it_is_or_than_memory_should_hold(make_pdf: Pdf, tmp_path: Path) -> None:
    path = tmp_path / "small.png"
    spotted(60, 30, (0, 0, 5, 5)).save(path)
    assert page_image(FileSource(path), 1, 5000).shape == (30, 60, 3)
    drawn = page_image(FileSource(make_pdf(lambda canvas: canvas.drawString(72, 700, "Word"))), 1, 1_000_000)
    assert MAX_PIXELS * 0.95 < drawn.shape[0] * drawn.shape[1] <= MAX_PIXELS * 1.01


@pytest.mark.parametrize("size", [(1e30, 1e30), (0, 0), (0.001, 50_000), (-300, 200)])
def test_absurd_sizes_become_sane_ones(make_pdf: Pdf, size: tuple[float, float]) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setPageSize(size)
        canvas.drawString(0, 0, "Word")

    source = FileSource(make_pdf(draw))
    ((width, height),) = page_sizes(source)
    assert 1 <= width <= 1_000_000
    assert 1 <= height <= 1_000_000
    rows, columns, _ = page_image(source, 1, 1000).shape
    assert 0 < rows * columns <= MAX_PIXELS * 1.1


def test_what_cannot_be_drawn_says_why(make_pdf: Pdf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_pdf(lambda canvas: (canvas.showPage(), canvas.showPage()))
    cases: list[tuple[Source, str]] = [
        (FileSource(tmp_path / "gone.pdf"), "not_found"),
        (MemorySource("broken.pdf", b"%PDF-1.7 and nothing else"), "unreadable"),
        (MemorySource("broken.png", b"\x89PNG\r\n\x1a\n" + bytes(40)), "unreadable"),
    ]
    for source, code in cases:
        for call in (lambda source=source: page_sizes(source), lambda source=source: page_image(source, 1, 100)):
            with pytest.raises(DocumentError) as failure:
                call()
            assert failure.value.code == code, source.name
    monkeypatch.setattr(page_images, "DEFAULT_LIMITS", Limits(max_pages=1))
    with pytest.raises(DocumentError) as failure:
        page_sizes(FileSource(path))
    assert failure.value.code == "too_large"


def test_a_word_in_a_picture_lies_where_it_was_drawn(make_pdf: Pdf, tmp_path: Path) -> None:
    import pypdfium2  # type: ignore[import-untyped]

    from desktop_rag.documents.model import Page
    from desktop_rag.documents.read import read

    text = make_pdf(lambda canvas: canvas.drawString(72, 700, "The boiler was serviced in May"), name="text.pdf")
    document = pypdfium2.PdfDocument(text)
    picture = document[0].render(scale=2).to_pil()
    document.close()
    path = tmp_path / "fax.tif"
    Image.new("RGB", picture.size, "white").save(path, save_all=True, append_images=[picture])

    page = next(part for part in read(path) if isinstance(part, Page) and part.number == 2)
    start = page.text.index("serviced")
    (box,), size = boxes(FileSource(path), 2, start, start + len("serviced"))
    assert size == pytest.approx(page_sizes(FileSource(path))[1])
    across, down = box.x + box.width / 2, box.y + box.height / 2
    found = page_image(FileSource(path), 2, picture.width)
    dots = found.shape[1] / size[0]
    around = found[
        int((down - 9) * dots) : int((down + 9) * dots), int((across - 35) * dots) : int((across + 35) * dots)
    ]
    assert dark(around) == pytest.approx((0.5, 0.5), abs=0.12), "the box is not around the word"
    assert (found.max(axis=2) < 100).sum() > 3 * (around.max(axis=2) < 100).sum(), "the box is around everything"
