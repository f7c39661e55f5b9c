"""Pictures of text: what is recognised on them, in which order, where it stands, and what is said of the rest."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import reportlab  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from desktop_rag.documents import pictures
from desktop_rag.documents.limits import DEFAULT_LIMITS
from desktop_rag.documents.locate import boxes
from desktop_rag.documents.model import BLANK, DocumentInfo, Page, UnreadPage
from desktop_rag.documents.parsers.image import parse
from desktop_rag.documents.recognise import Line, Recognised, _composed, recognise
from desktop_rag.documents.recognise_layout import Area, paragraphs
from desktop_rag.documents.source import FileSource, MemorySource
from desktop_rag.errors import DocumentError

LEFT = ("The boiler in the cellar was", "serviced on the third of May by", "a firm from the next village.")
RIGHT = ("Its guarantee will end on the", "last day of December, so the", "owner has to decide soon.")
Make = Callable[..., Path]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
GERMAN = (
    "Kündigung gemäß § 102 BetrVG: Für Müller & Söhne",
    "prüft der Betriebsrat die Höhe der Abfindung in €.",
    "Öffnungszeiten täglich außer an Feiertagen, Änderungen möglich.",
)
FRENCH = ("L'employé a été engagé à la société, où ça ne coûte", "rien : forêt, Noël, garçon, dépôt, naïf, aiguë.")
POLISH = ("Umowa o pracę została zawarta w październiku.", "Łódź, Kraków, Gdańsk: świadczenie będzie wypłacone.")
CZECH = ("Smlouva byla uzavřena řádně a včas v Plzni.", "Účastníci přečetli, že změny jsou možné písemně.")
RUSSIAN = ("Договор аренды квартиры заключён в Москве.", "Наниматель вносит плату до пятого числа.")
RUSSIAN_WITH_NAMES = ("Siemens Healthineers", *RUSSIAN, "05.03.2024 12 500,00 EUR")
GREEK = ("Η σύμβαση εργασίας υπογράφηκε στην Αθήνα.", "Ο εργοδότης οφείλει να καταβάλλει τον μισθό.")


def drawn(
    *columns: tuple[str, ...], size: int = 30, width: int = 1200, height: int = 500, font: Font | None = None
) -> Image.Image:
    image = Image.new("RGB", (width, height), "white")
    font = font or ImageFont.load_default(size)
    for place, lines in enumerate(columns):
        for row, line in enumerate(lines):
            at = (60 + place * (width // 2), 60 + row * 1.5 * size)
            ImageDraw.Draw(image).text(at, line, fill="black", font=font)
    return image


def latin_font(size: int) -> Font:
    """With the letters of Western Europe; it comes with a package that the tests need anyway."""
    return ImageFont.truetype(str(Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"), size)


def wide_font(size: int) -> Font:
    """With the letters of all Europe, as systems have it."""
    for name in ("DejaVuSans.ttf", "Arial.ttf", "arial.ttf"):
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    pytest.skip("this system has no font with the letters of Eastern Europe")


def array(image: Image.Image) -> pictures.Picture:
    return np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])


def words(text: str) -> str:
    return "".join(text.split())


def parts(image: Image.Image | bytes, name: str = "page.png", **options: object) -> list[object]:
    if isinstance(image, Image.Image):
        stream = io.BytesIO()
        image.save(stream, format=name.rpartition(".")[2].replace("jpg", "jpeg").replace("tif", "tiff"), **options)
        image = stream.getvalue()
    return list(parse(MemorySource(name, image), limits=DEFAULT_LIMITS))


@pytest.mark.parametrize("name", ["page.png", "page.jpg", "page.gif", "page.tif", "page.webp", "page.bmp"])
def test_every_kind_of_picture_is_read(name: str) -> None:
    info, page = parts(drawn(LEFT), name)
    assert isinstance(info, DocumentInfo)
    assert (info.format, info.title, info.pages) == ("image", "page", 1)
    assert isinstance(page, Page)
    assert (page.number, words(page.text)) == (1, words("".join(LEFT)))
    assert page.text.count("\n") == 2
    assert page.confidence is not None
    assert 0.9 < page.confidence <= 1
    assert [page.text[block.start : block.end] for block in page.blocks] == [page.text]


@pytest.mark.parametrize("size", [40, 60, 90])
def test_a_word_alone_on_a_large_page_is_found(size: int) -> None:
    _, page = parts(drawn(("Annex",), size=size, width=1700, height=2200), "annex.png")
    assert isinstance(page, Page)
    assert page.text == "Annex"


def test_every_frame_of_a_tiff_is_a_page_and_a_blank_one_is_said_to_be() -> None:
    frames = [drawn(("Page of the first kind",)), drawn(()), drawn(("Page of the third kind",))]
    _, first, blank, third = parts(frames[0], "pages.tif", save_all=True, append_images=frames[1:])
    assert isinstance(first, Page)
    assert isinstance(third, Page)
    assert (first.number, first.text, third.number, third.text) == (
        1,
        "Page of the first kind",
        3,
        "Page of the third kind",
    )
    assert blank == UnreadPage(2, None, BLANK)


def test_of_a_moving_picture_only_the_first_frame_is_read() -> None:
    info, *pages = parts(drawn(LEFT), "film.gif", save_all=True, append_images=[drawn(RIGHT)])
    assert isinstance(info, DocumentInfo)
    assert info.pages == len(pages) == 1


def outcome(data: bytes) -> str:
    """ "read", or the code of the error."""
    try:
        parts(data, "x.png")
    except DocumentError as failure:
        return failure.code
    return "read"


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_picture_is_read_whichever_way_it_is_turned(turns: int) -> None:
    found = recognise(np.ascontiguousarray(np.rot90(array(drawn(LEFT, RIGHT)), turns)))
    assert found is not None
    assert words(found.text) == words("".join(LEFT + RIGHT))
    assert [words(found.text[block.start : block.end]) for block in found.blocks] == [
        words("".join(LEFT)),
        words("".join(RIGHT)),
    ]


def test_the_mark_of_a_camera_held_upright_is_heeded() -> None:
    marks = Image.Exif()
    marks[0x0112] = 6
    _, page = parts(drawn(LEFT).rotate(90, expand=True), "photo.jpg", exif=marks)
    assert isinstance(page, Page)
    assert words(page.text) == words("".join(LEFT))


@pytest.mark.parametrize("angle", [-2.5, 2.5])
def test_a_page_laid_askew_is_read_line_by_line(angle: float) -> None:
    found = recognise(array(drawn(LEFT, RIGHT).rotate(angle, fillcolor="white", expand=True)))
    assert found is not None
    assert words(found.text) == words("".join(LEFT + RIGHT))


def test_light_writing_on_nothing_is_read() -> None:
    image = Image.new("RGBA", (900, 200), (255, 255, 255, 0))
    ImageDraw.Draw(image).text((40, 60), "White on a transparent ground", fill="white", font=ImageFont.load_default(36))
    _, page = parts(image, "screen.png")
    assert isinstance(page, Page)
    assert page.text == "White on a transparent ground"


def test_a_page_without_words_is_said_to_be_unrecognised_not_empty() -> None:
    image = drawn(())
    ImageDraw.Draw(image).ellipse((300, 100, 700, 400), fill="black")
    assert parts(image)[1] == UnreadPage(1, None, pictures.NOTHING)
    assert parts(drawn(()))[1] == UnreadPage(1, None, BLANK)


def test_without_recognition_a_picture_stays_unread_and_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "recognised", lambda picture: pytest.fail("the picture was read"))
    stream = io.BytesIO()
    drawn(LEFT).save(stream, "png")
    limits = replace(DEFAULT_LIMITS, recognise=False)
    _, page = parse(MemorySource("page.png", stream.getvalue()), limits=limits)
    assert page == UnreadPage(1, None, pictures.NO_TEXT)


def png_of(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    content = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", content) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [9_600, 12_000, 100_000])
def test_a_picture_that_would_fill_the_memory_is_refused(side: int) -> None:
    with pytest.raises(DocumentError, match="million dots") as failure:
        parts(png_of(side, side), "bomb.png")
    assert failure.value.code == "too_large"


@pytest.mark.parametrize("name", ["page.png", "page.jpg", "page.gif", "page.tif", "page.webp", "page.bmp"])
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.9])
def test_a_picture_cut_off_is_said_to_be_damaged_or_read(name: str, kept: float) -> None:
    stream = io.BytesIO()
    drawn(LEFT).save(stream, name.rpartition(".")[2].replace("jpg", "jpeg").replace("tif", "tiff"))
    data = stream.getvalue()
    assert outcome(data[: int(len(data) * kept)]) in ("read", "unreadable")


@given(st.binary(max_size=300), st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"II*\0", b"BM"]))
def test_law_rubbish_is_damaged(rubbish: bytes, head: bytes) -> None:
    assert outcome(head + rubbish) in ("read", "unreadable", "too_large")


@pytest.mark.parametrize(
    ("lines", "font"),
    [(GERMAN, latin_font), (FRENCH, latin_font), (POLISH, wide_font), (CZECH, wide_font)],
    ids=["German", "French", "Polish", "Czech"],
)
@pytest.mark.parametrize("size", [22, 36])
def test_accents_are_read(lines: tuple[str, ...], font: Callable[[int], Font], size: int) -> None:
    found = recognise(array(drawn(lines, size=size, width=1500, font=font(size))))
    assert found is not None
    assert found.text == "\n".join(lines)


@pytest.mark.parametrize("lines", [RUSSIAN, RUSSIAN_WITH_NAMES, GREEK], ids=["Russian", "with names", "Greek"])
def test_a_page_in_letters_that_are_not_known_stays_unread(lines: tuple[str, ...]) -> None:
    image = drawn(lines, width=1500, font=wide_font(30))
    assert parts(image)[1] == UnreadPage(1, None, pictures.NOTHING)


def test_a_line_in_letters_that_are_not_known_is_left_out_of_a_page_that_is_read() -> None:
    found = recognise(array(drawn((*GERMAN, RUSSIAN[0]), width=1500, font=wide_font(30))))
    assert found is not None
    assert found.text == "\n".join(GERMAN)


def test_a_large_line_over_smaller_ones_is_a_heading() -> None:
    image = drawn(("", "", "", *LEFT, *RIGHT), height=700)
    ImageDraw.Draw(image).text((60, 60), "Report on the boiler", fill="black", font=ImageFont.load_default(56))
    found = recognise(array(image))
    assert found is not None
    assert [
        (block.kind, block.level, found.text[block.start : block.end].splitlines()[0]) for block in found.blocks
    ] == [
        ("heading", 1, "Report on the boiler"),
        ("paragraph", 0, LEFT[0]),
    ]


def test_the_package_that_carries_the_networks_is_not_imported() -> None:
    code = (
        "import sys, numpy; from desktop_rag.documents.recognise import recognise;"
        "recognise(numpy.zeros((40, 200, 3), numpy.uint8));"
        "print([name for name in ('rapidocr', 'omegaconf', 'requests', 'colorlog') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_same_picture_gives_the_same_text_and_places() -> None:
    one, other = (recognise(array(drawn(LEFT, RIGHT, font=latin_font(30)))) for _ in range(2))
    assert one is not None
    assert other is not None
    assert (one.text, one.blocks, one.confidence) == (other.text, other.blocks, other.confidence)
    assert one.boxes(0, len(one.text), (1, 1)) == other.boxes(0, len(other.text), (1, 1))


def test_a_word_on_a_picture_is_boxed_where_it_was_drawn(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    drawn(LEFT, RIGHT).save(path)
    _, page = parts(path.read_bytes())
    assert isinstance(page, Page)
    start = page.text.index("serviced")
    (box,), size = boxes(FileSource(path), 1, start, start + len("serviced"))
    assert size == (1200 * 0.75, 500 * 0.75)
    width = ImageFont.load_default(30).getlength("serviced")
    assert box.x / 0.75 == pytest.approx(60, abs=12)
    assert (box.x + box.width) / 0.75 == pytest.approx(60 + width, abs=25)
    assert box.y / 0.75 < 60 + 45 + 15 < (box.y + box.height) / 0.75
    assert box.height / 0.75 < 60
    with pytest.raises(DocumentError) as failure:
        boxes(FileSource(path), 2, 0, 1)
    assert failure.value.code == "not_found"


def area(x: float, y: float, width: float = 400, length: int = 30) -> Area:
    return Area(x, y, x + width, y + 20, length)


def test_columns_follow_each_other_under_a_common_heading() -> None:
    heading = Area(0, 0, 900, 30, 40)
    left = [area(0, 60 + 25 * row) for row in range(5)]
    right = [area(450, 60 + 25 * row) for row in range(5)]
    mixed = [right[0], left[0], heading, *left[1:], *right[1:]]
    order = [mixed[line] for block in paragraphs(mixed) for row in block for line in row]
    assert order == [heading, *left, *right]


def test_cells_of_a_table_stay_on_their_row() -> None:
    cells = [area(x, 25 * row, width, 6) for row in range(6) for x, width in ((0, 90), (300, 40), (500, 60))]
    rows = [row for block in paragraphs(cells) for row in block]
    assert rows == [[3 * row, 3 * row + 1, 3 * row + 2] for row in range(6)]


def test_a_wider_gap_begins_a_paragraph() -> None:
    lines = [area(0, y) for y in (0, 25, 50, 100, 125)]
    assert paragraphs(lines) == [[[0], [1], [2]], [[3], [4]]]


def line_of(text: str, corners: tuple[float, float, float, float]) -> Line:
    x0, y0, x1, y1 = corners
    square = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], dtype=np.float32)
    return Line(text, 0.9, square, tuple((at + 0.5) / len(text) for at in range(len(text))))


AREAS = st.builds(
    lambda x, y, width, height: Area(x, y, x + width, y + height, 9),
    *(st.integers(0, 900), st.integers(0, 900), st.integers(1, 600), st.integers(1, 80)),
)


@given(st.lists(AREAS, max_size=40))
def test_law_every_line_is_read_once(areas: list[Area]) -> None:
    order = [line for block in paragraphs(areas) for row in block for line in row]
    assert sorted(order) == list(range(len(areas)))


@given(st.lists(st.tuples(st.text("abc-D", min_size=1, max_size=9), AREAS), min_size=1, max_size=20))
def test_law_offsets_lie_in_the_text_and_blocks_do_not_overlap(lines: list[tuple[str, Area]]) -> None:
    made = [line_of(text, (at.x0, at.y0, at.x1, at.y1)) for text, at in lines]
    found: Recognised = _composed(made, paragraphs([at for _, at in lines]), 0.9)
    ends = [0]
    for block in found.blocks:
        assert ends[-1] <= block.start < block.end <= len(found.text)
        ends.append(block.end)
    for start, end, line in found.lines:
        # A hyphen at the end of a line is left out where its word goes on.
        assert found.text[start:end] in (line.text, line.text[:-1])
    for start, end, line in found.lines:
        x0, y0, x1, y1 = line.box(0, end - start)
        left, top = line.corners[0]
        right, bottom = line.corners[2]
        assert (left, top, bottom) == pytest.approx((x0, y0, y1))
        assert x1 <= right + 0.01
