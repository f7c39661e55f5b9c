"""Tables on PDF pages: rows with the names of their columns, and text that only looks like a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reportlab.lib import colors  # type: ignore[import-untyped]
from reportlab.lib.styles import getSampleStyleSheet  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]
from reportlab.platypus import Paragraph, Table  # type: ignore[import-untyped]

from desktop_rag.documents.locate import boxes
from desktop_rag.documents.model import Page
from desktop_rag.documents.source import FileSource

Pdf = Callable[..., Path]
Pages = Callable[..., list[Page]]
PEOPLE = [
    ["Name", "Age", "City"],
    ["Anna Kowalska", "31", "Warsaw"],
    ["Ben Okafor", "7", "Lagos"],
    ["Clara Lindqvist", "104", "Malmo"],
]
PROSE = "The boiler in building seven was serviced in May, and the next service is due in"


def rows(page: Page) -> list[tuple[str, str]]:
    """Text and header of each row."""
    return [(page.text[b.start : b.end], b.header) for b in page.blocks if b.kind == "row"]


def write(canvas: Canvas, table: Sequence[Sequence[str]], lefts: Sequence[float], y: float = 700) -> None:
    """A table without lines, its cells set at the left of their columns."""
    canvas.setFont("Helvetica", 10)
    for number, cells in enumerate(table):
        for left, cell in zip(lefts, cells, strict=True):
            canvas.drawString(left, y - 15 * number, cell)


def place(canvas: Canvas, data: Sequence[Sequence[object]], style: Sequence[tuple[object, ...]], width: float) -> None:
    table = Table(data, colWidths=[width] * len(data[0]), style=style)
    table.wrapOn(canvas, 500, 600)
    table.drawOn(canvas, 72, 400)


@pytest.mark.parametrize(
    "style",
    [
        [],
        [("GRID", (0, 0), (-1, -1), 0.5, colors.black)],
        [("ALIGN", (1, 0), (1, -1), "RIGHT")],
        [("FONT", (0, 0), (-1, 0), "Helvetica-Bold")],
    ],
    ids=["bare", "ruled", "right-aligned", "bold"],
)
def test_rows_keep_the_names_of_their_columns(
    make_pdf: Pdf, pages_of: Pages, style: Sequence[tuple[object, ...]]
) -> None:
    (page,) = pages_of(make_pdf(lambda canvas: place(canvas, PEOPLE, style, 120)))
    names = "Name; Age; City"
    assert rows(page) == [
        ("Name Age City", ""),
        ("Anna Kowalska 31 Warsaw", names),
        ("Ben Okafor 7 Lagos", names),
        ("Clara Lindqvist 104 Malmo", names),
    ]


def test_a_table_between_paragraphs_and_its_second_page(make_pdf: Pdf, pages_of: Pages) -> None:
    def draw(canvas: Canvas) -> None:
        for _ in range(2):
            write(canvas, [[PROSE], [PROSE]], [72], y=740)
            write(canvas, PEOPLE, [72, 220, 300], y=680)
            write(canvas, [[PROSE], [PROSE]], [72], y=580)
            canvas.showPage()

    for page in pages_of(make_pdf(draw)):
        assert [block.kind for block in page.blocks] == ["paragraph", *["row"] * 4, "paragraph"]
        assert {header for _, header in rows(page)[1:]} == {"Name; Age; City"}


def test_empty_cells_and_a_sign_that_stands_apart(make_pdf: Pdf, pages_of: Pages) -> None:
    table = [
        ["", "2023", "", "2022"],
        ["Revenue", "$      1,234", "", "$      1,100"],
        ["Parts", "", "", "40"],
        ["Labour", "(310)", "", "(290)"],
        ["Total", "$      924", "", "$      850"],
    ]
    (page,) = pages_of(make_pdf(lambda canvas: write(canvas, table, [72, 250, 340, 350])))
    assert [text for text, _ in rows(page)][2:4] == ["Parts 40", "Labour (310) (290)"]
    assert {header for _, header in rows(page)[1:]} == {"2023; 2022"}


def test_a_cell_of_several_lines_stays_in_its_row(make_pdf: Pdf, pages_of: Pages) -> None:
    style = getSampleStyleSheet()["BodyText"]
    story = "a longer description that needs more than one line of its cell"
    data = [["No", "What", "Price"]] + [[f"A{n}", Paragraph(story, style), f"{n}0.00"] for n in (1, 2, 3)]
    (page,) = pages_of(make_pdf(lambda canvas: place(canvas, data, [("VALIGN", (0, 0), (-1, -1), "TOP")], 110)))
    found = rows(page)
    assert len(found) == 4
    for number, (text, header) in enumerate(found[1:], start=1):
        assert " ".join(text.split()) == f"A{number} {story} {number}0.00"
        assert header == "No; What; Price"


def test_a_table_without_names_has_no_header(make_pdf: Pdf, pages_of: Pages) -> None:
    table = [["Rent", "800.00", "10 %"], ["Heating", "95.50", "2 %"], ["Water", "31.20", "1 %"]]
    (page,) = pages_of(make_pdf(lambda canvas: write(canvas, table, [72, 220, 300])))
    assert rows(page) == [(" ".join(cells), "") for cells in table]


@pytest.mark.parametrize(
    ("text", "lefts"),
    [
        ([["The boiler in building seven was serviced", "and the next service is due in a year or so"]] * 8, [72, 330]),
        (
            [["Introduction .....................................", "1"], ["Methods .....", "12"], ["End ...", "90"]],
            [72, 400],
        ),
        ([["Introduction", "1"], ["What was measured", "12"], ["Results", "40"], ["Index", "90"]], [72, 400]),
        ([["Anna Kowalska", "12 May 2024"], ["7 Mill Lane", "Invoice"], ["Leeds", "Our sign: AK"]], [72, 400]),
        (
            [["Name:", "Anna", "Born:", "1990"], ["Town:", "Leeds", "Phone:", "113"], ["Road:", "Mill", "No:", "7"]],
            [72, 150, 300, 380],
        ),
        ([["1.", "Switch it off"], ["2.", "Open the valve"], ["3.", "Wait for 10 minutes"]], [72, 110]),
        ([["a + b = c", "(1)"], ["d + e = f", "(2)"], ["g + h = i", "(3)"]], [200, 500]),
        ([["1", "0", "0"], ["0", "1", "0"], ["0", "0", "1"]], [200, 240, 280]),
        ([["Anna", "Ben", "Clara"], ["Leeds", "Leeds", "Lagos"], ["a@x.org", "b@x.org", "c@x.org"]], [72, 230, 400]),
    ],
    ids=["columns", "dotted", "contents", "address", "form", "list", "equations", "matrix", "authors"],
)
def test_what_only_looks_like_a_table_stays_text(
    make_pdf: Pdf, pages_of: Pages, text: list[list[str]], lefts: list[float]
) -> None:
    (page,) = pages_of(make_pdf(lambda canvas: write(canvas, text, lefts)))
    assert rows(page) == []


def test_justified_text_with_wide_gaps_is_no_table(make_pdf: Pdf, pages_of: Pages) -> None:
    def draw(canvas: Canvas) -> None:
        written = canvas.beginText(72, 700)
        written.setFont("Helvetica", 10)
        written.setWordSpace(7)
        for line in (
            "In 2019 the old boiler of building 7",
            "was serviced 12 times and the new one 3",
            *[PROSE[:38]] * 4,
        ):
            written.textLine(line)
        canvas.drawText(written)

    (page,) = pages_of(make_pdf(draw))
    assert rows(page) == []


CELL = st.text("abcdeghikmnoprstuw", min_size=3, max_size=9)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    labels=st.lists(CELL, min_size=4, max_size=8, unique=True),
    columns=st.integers(2, 4),
    turn=st.sampled_from([0, 90]),
    data=st.data(),
)
def test_law_each_cell_lies_in_the_row_and_where_it_was_drawn(
    make_pdf: Pdf,
    pages_of: Pages,
    turn_page: Callable[[Canvas, int], None],
    labels: list[str],
    columns: int,
    turn: int,
    data: st.DataObject,
) -> None:
    table = [[label, *(str(data.draw(st.integers(0, 99_999))) for _ in range(columns))] for label in labels]
    lefts = [72 + 90 * column for column in range(columns + 1)]

    def draw(canvas: Canvas) -> None:
        turn_page(canvas, turn)
        write(canvas, table, lefts)

    path = make_pdf(draw)
    (page,) = pages_of(path)
    assert rows(page) == [(" ".join(cells), "") for cells in table]
    assert all(0 <= b.start < b.end <= len(page.text) for b in page.blocks)
    assert all(above.end <= below.start for above, below in pairwise(page.blocks))
    number = data.draw(st.integers(0, len(table) - 1))
    start = page.blocks[number].start
    for left, cell in zip(lefts, table[number], strict=True):
        start = page.text.index(cell, start)
        (box,), _ = boxes(FileSource(path), 1, start, start + len(cell))
        assert left - 2 <= box.x < box.x + box.width <= left + 90
        assert box.y <= 792 - (700 - 15 * number) <= box.y + box.height + 2
        start += len(cell)
