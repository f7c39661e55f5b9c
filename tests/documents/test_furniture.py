"""Running headers and footers are indexed once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.documents.chunk import Chunk
from desktop_rag.documents.furniture import without_repeats
from desktop_rag.documents.model import Page

FOOTER = "Acme Ltd · Report 7 · page {} of 90"


def pages_and_chunks(bodies: list[str]) -> tuple[list[Page], list[Chunk]]:
    """Each page's body is one chunk, its footer another."""
    pages, chunks = [], []
    for number, body in enumerate(bodies):
        text = f"{body}\n{FOOTER.format(number + 1)}"
        pages.append(Page(number + 1, None, text))
        chunks += [Chunk(number, 0, len(body), ""), Chunk(number, len(body) + 1, len(text), "")]
    return pages, chunks


def kept(chunks: list[Chunk], pages: list[Page]) -> list[Chunk]:
    return [chunk for step in without_repeats([chunks], pages) for chunk in step]


def test_a_footer_is_kept_once_whatever_its_page_number() -> None:
    pages, chunks = pages_and_chunks(["The pump leaks.", "The valve is tight.", "Bearings are worn.", "All is well."])
    texts = [pages[c.page].text[c.start : c.end] for c in kept(chunks, pages)]
    expected = ["The pump leaks.", FOOTER.format(1), "The valve is tight.", "Bearings are worn.", "All is well."]
    assert texts == expected


def test_the_last_page_has_its_number_twice() -> None:
    pages = [Page(n, None, f"Acme Ltd\nPage {n} of 4") for n in range(1, 5)]
    assert kept([Chunk(n, 0, len(page.text), "") for n, page in enumerate(pages)], pages) == [
        Chunk(0, 0, len(pages[0].text), "")
    ]


def test_two_pages_are_too_few_to_tell() -> None:
    pages, chunks = pages_and_chunks(["The pump leaks.", "The valve is tight."])
    assert kept(chunks, pages) == chunks


def test_lines_that_differ_in_a_figure_are_all_kept() -> None:
    """A register of a page each: same words, another number; nothing of it may go."""
    pages = [Page(n, None, f"Clause {n * 7} was signed on day {n + 30}.\nPage {n}") for n in range(1, 9)]
    chunks = [Chunk(n, 0, len(page.text), "") for n, page in enumerate(pages)]
    assert kept(chunks, pages) == chunks


WORDS = st.text("abcdefgh ", min_size=1).filter(str.strip)


@given(st.lists(WORDS, min_size=1, max_size=6))
def test_no_line_is_lost(bodies: list[str]) -> None:
    pages, chunks = pages_and_chunks(bodies)
    left = {pages[c.page].text[c.start : c.end].strip() for c in kept(chunks, pages)}
    assert {body.strip() for body in bodies} <= left
    assert FOOTER.format(1) in left
