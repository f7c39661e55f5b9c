"""The pure parts of the library page: how documents are counted and arranged, how fast they are read, its words."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.gui import words
from desktop_rag.gui.languages import NAMES, language_name
from desktop_rag.gui.library import folders, listing
from desktop_rag.gui.library.pace import Pace
from tests.gui.script import document, watched

STATES = [*words.STATES, "", "unheard of"]
ERRORS = [None, {"code": "encrypted"}, {"code": "unreadable", "message": "It is damaged.", "hint": "Save it again."}]


@st.composite
def libraries(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows in any state; some lie in others, which come before or after them, or are not there."""
    rows: list[dict[str, Any]] = []
    for number in range(draw(st.integers(0, 12))):
        parent = draw(st.sampled_from([None, "gone", *(row["id"] for row in rows)]))
        state, error = draw(st.sampled_from(STATES)), draw(st.sampled_from(ERRORS))
        rows.append({"id": str(number), "name": f"{number}.pdf", "state": state, "error": error, "parent": parent})
    return draw(st.permutations(rows))


@given(libraries())
def test_the_parts_make_the_whole(rows: list[dict[str, Any]]) -> None:
    numbers = listing.count(rows)
    assert sum(numbers.values()) == len(rows)
    for group, number in numbers.items():
        assert len(listing.shown(rows, group)) == number, f"the filter {group} does not show what its chip counts"


@given(libraries())
def test_every_document_is_listed_once_and_below_what_it_lies_in(rows: list[dict[str, Any]]) -> None:
    entries = listing.arranged(rows)
    assert sorted(entry.row["id"] for entry in entries) == sorted(row["id"] for row in rows)
    places = {entry.row["id"]: place for place, entry in enumerate(entries)}
    for entry in entries:
        if (parent := entry.row["parent"]) in places:
            between = entries[places[parent] + 1 : places[entry.row["id"]]]
            assert places[parent] < places[entry.row["id"]]
            assert all(other.depth > 0 for other in between), "another file stands between a file and what lies in it"
        else:
            assert entry.depth == 0


def test_files_stay_latest_first_and_their_parts_in_order() -> None:
    rows = [{"id": name, "name": name, "parent": parent} for name, parent in
            (("new", None), ("b", "mail"), ("a", "mail"), ("mail", None), ("old", None))]  # fmt: skip
    assert [(entry.row["id"], entry.depth) for entry in listing.arranged(rows)] == [
        ("new", 0), ("mail", 0), ("a", 1), ("b", 1), ("old", 0)
    ]  # fmt: skip


def test_totals_are_the_sums_of_the_rows() -> None:
    rows = [
        document("lease.pdf"),
        document("scans.pdf", "partly_read", pages=40, pages_read=37, pages_ocr=12, pages_doubtful=[4, 9], pii={}),
        document("fax.png", pages=1, pages_read=1, pages_ocr=1, pages_doubtful=[1], pii={}),
        document("long.pdf", "reading", pages=1000, pages_read=7, pages_ocr=7, pii={}),
        document("broken.pdf", "failed", pages=9, pages_read=9, pages_ocr=2, pages_doubtful=[2], pii={}),
    ]
    assert listing.totals(rows) == [
        "5 documents", "45 pages, 13 by OCR (3 doubtful), 3 unreadable", "11 private values",
    ]  # fmt: skip
    assert words.pages(rows[-1]) == "9 pages"
    assert listing.totals([]) == ["0 documents"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"pages_ocr": 12, "pages_doubtful": []}, ""),
        ({"pages_ocr": 12}, ""),
        ({"pages_ocr": 12, "pages_doubtful": [4]},
         "Text recognition is unsure of page 4: compare it with the original."),
        ({"pages_ocr": 12, "pages_doubtful": [4, 9]},
         "Text recognition is unsure of 2 of 12 pages: 4, 9. Compare them with the original."),
        ({"pages_ocr": 40, "pages_doubtful": [*range(1, 21)]},
         "Text recognition is unsure of 20 of 40 pages: 1, 2, 3, 4, 5, 6, 7, 8 and 12 more. "
         "Compare them with the original."),
    ],
)  # fmt: skip
def test_doubtful_pages_are_named(row: dict[str, Any], said: str) -> None:
    assert listing.doubt({"state": "ready", **row}) == said
    assert listing.doubt({"state": "reading", **row}) == "", "what is read anew is not known yet"


def test_the_facts_of_a_row() -> None:
    row = document("tenancy.pdf", "partly_read", pages=40, pages_read=37, pages_ocr=12, language="de", size=4_800_000)
    assert listing.facts(row, container="letter.eml", collection=True) == [
        "Partly read", "40 pages, 12 by OCR, 3 unreadable", "11 private", "German", "4.8 MB", "Brackwater 2025",
        "in letter.eml",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"pages": 40, "pages_read": 12, "pages_ocr": 5, "left": 118}, "page 12 of 40 · 5 by OCR · about 2 min left"),
        (
            {"pages": 40, "pages_read": 12, "rate": 0.234, "left": 118},
            "page 12 of 40 · 14 pages/min · about 2 min left",
        ),
        ({"pages": 40, "pages_read": 12, "rate": 0.001}, "page 12 of 40 · 1 page/min"),
        ({"pages": 40, "pages_read": 12}, "page 12 of 40"),
        (
            {"pages": 40, "pages_read": 40, "pages_ocr": 5, "pages_checked": 9, "pages_to_check": 37, "rate": 0.5},
            "looking for private values: page 9 of 37 · 30 pages/min",
        ),
        ({"pages": 40}, "40 pages"),
        ({"pages_read": 12}, "12 pages read"),
        ({}, ""),
    ],
)
def test_a_document_that_is_read_says_how_far_it_is(row: dict[str, Any], said: str) -> None:
    assert listing.facts({"state": "reading", **row})[1:] == ([said] if said else [])
    assert "unreadable" not in words.pages({"state": "reading", **row}), "what was not read yet is not unreadable"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "a few seconds left"), (42, "about 40 s left"), (57, "about 1 min left"), (118, "about 2 min left"),
     (3570, "about 1 hour left"), (9000, "about 2 hours left")],
)  # fmt: skip
def test_times_that_are_left(seconds: float, said: str) -> None:
    assert words.left(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-5, "just now"), (20, "just now"), (50, "1 min ago"), (130, "2 min ago"), (3600, "1 hour ago"),
     (86_000, "1 day ago"), (400_000, "5 days ago")],
)  # fmt: skip
def test_times_that_have_passed(seconds: float, said: str) -> None:
    assert words.ago(1_000_000 - seconds, 1_000_000) == said


def test_languages_have_names() -> None:
    import py3langid  # type: ignore[import-untyped]

    assert {str(code) for code, _ in py3langid.rank("hello")} <= NAMES.keys()
    assert (language_name("de"), language_name("xx"), language_name(None)) == ("German", "XX", "")


# -- the rate ----------------------------------------------------------------------------------


def paced(*samples: tuple[float, int]) -> Pace:
    pace = Pace()
    for at, pages in samples:
        pace.read(pages, at)
    return pace


def test_nothing_is_said_while_there_is_little_to_measure() -> None:
    assert Pace().left(40, 0) is None
    assert paced((0, 1)).left(40, 100) is None, "one page has no rate"
    assert paced((0, 1), (0.1, 2), (0.2, 3)).left(40, 0.2) is None, "a burst at the start is no rate"
    assert paced((0, 1), (1, 1), (5, 1)).left(40, 9) is None, "told three times, but no page further"


def test_the_rest_takes_as_long_as_the_rate_says() -> None:
    pace = paced((0, 1), (4, 2), (8, 3))
    assert pace.rate(8) == pytest.approx(0.25)
    assert pace.left(40, 8) == pytest.approx(148)
    assert pace.left(None, 8) is None
    assert pace.left(3, 8) == 0
    assert pace.left(2, 8) == 0, "more pages than there should be"


def test_the_latest_pages_count() -> None:
    quick = [(number / 10, number) for number in range(100)]
    slow = [(10.0 + 4 * number, 100 + number) for number in range(20)]
    pace = paced(*quick, *slow)
    assert pace.rate(slow[-1][0]) == pytest.approx(0.25)


def test_a_page_that_takes_long_slows_the_rate() -> None:
    pace = paced((0, 1), (1, 2), (2, 3))
    rate, later = pace.rate(2), pace.rate(60)
    assert rate is not None
    assert later is not None
    assert later < rate / 10


def test_a_document_that_is_read_anew_begins_anew() -> None:
    assert paced((0, 10), (4, 20), (8, 30), (9, 1)).left(40, 9) is None


@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(0, 500)), max_size=40), st.integers(1, 500))
def test_what_is_left_is_never_nonsense(samples: list[tuple[float, int]], total: int) -> None:
    pace = paced(*samples)
    at = samples[-1][0] if samples else 0.0
    left = pace.left(total, at)
    assert left is None or 0 <= left < float("inf")
    lefts = [pace.left(total, at + later) for later in (0, 10, 100)]
    known = [seconds for seconds in lefts if seconds is not None]
    assert all(second >= first for first, second in pairwise(known)), "waiting makes it no shorter"


# -- watched folders ---------------------------------------------------------------------------


def test_how_a_folder_stands() -> None:
    row = watched("/papers")
    assert folders.standing(row) == ("Not checked yet", "muted")
    assert folders.standing(row, checking=True) == ("Checking…", "muted")
    away = {**row, "problem": "The folder cannot be reached: it does not answer."}
    assert folders.standing(away) == ("The folder cannot be reached: it does not answer. Nothing was removed.", "warn")
    assert folders.standing({**away, "paused": True})[0].startswith("Paused")
    assert folders.found({"added": 2, "removed": 1, "changed": 0, "unchanged": 9, "waiting": 1}) == [
        "2 added", "1 removed", "1 still being written"
    ]  # fmt: skip
