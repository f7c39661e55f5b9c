"""What stood in a document before is in its chunks once, however it is quoted; nothing else is left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.documents.chunk import Chunk, chunk
from desktop_rag.documents.model import Block, BlockKind, Page
from desktop_rag.documents.paragraphs import paragraphs
from desktop_rag.documents.repeats import unquoted

PUMP = "The pump in hall three has been leaking since Monday and its seal needs to be replaced before Friday."
BEARING = "We should also change the bearing while everything is open and the hall is closed for the holidays."
ORDER = "Three seals of type K-40 are on their way and will cost us forty-two euros each with delivery."


def words(texts: Sequence[str]) -> list[int]:
    return [len(re.findall(r"\w+|[^\w\s]", text)) for text in texts]


def page(text: str, number: int = 1, kind: BlockKind = "paragraph") -> Page:
    return Page(number, None, text, tuple(Block(kind, start, end) for start, end in paragraphs(text)))


def chunked(*pages: Page, budget: int = 200) -> list[str]:
    return [pages[c.page].text[c.start : c.end] for c in chunk(pages, words, budget=budget)]


def quoted(text: str) -> str:
    return "\n".join(f">{line}" if line.startswith(">") else f"> {line}".rstrip() for line in text.split("\n"))


@pytest.mark.parametrize(
    "said",
    [
        quoted(f"{PUMP}\n\n{ORDER}\n\nBob"),
        quoted(quoted(f"{PUMP}\n\n{ORDER}\n\nBob")),
        quoted(f"{PUMP}\n\n{ORDER}\n\nBob".replace(" and ", "\nand ")),
        f"{PUMP}\n\n{ORDER}\n\nBob",
    ],
    ids=["quoted", "quoted twice", "wrapped anew", "bare"],
)
@pytest.mark.parametrize("line", ["On Tuesday Bob wrote:", "Am Dienstag schrieb Bob:", "From: Bob\nSubject: Pump"])
def test_an_answer_is_indexed_without_the_mail_it_quotes(line: str, said: str) -> None:
    first, second = page(f"{PUMP}\n\n{ORDER}\n\nBob"), page(f"{BEARING}\n\n{line}\n\n{said}", 2)
    assert chunked(first, second) == [first.text, f"{BEARING}\n\n{line}"]
    assert chunked(first, page(f"{BEARING}\n\n{line}\n{quoted(said)}", 2)) == [first.text, f"{BEARING}\n\n{line}"]


def test_an_answer_between_quoted_lines_says_what_it_answers() -> None:
    pages = [page(f"{PUMP}\n\n{BEARING}"), page(f"{quoted(PUMP)}\nI know.\n{quoted(BEARING)}\nNo, leave it.", 2)]
    chunks = chunk(pages, words)
    assert [pages[c.page].text[c.start : c.end] for c in chunks[1:]] == ["I know.", "No, leave it."]
    assert chunks[1].context.endswith("replaced before Friday.")
    assert chunks[2].context.endswith("closed for the holidays.")


def test_the_innermost_copy_in_one_mail_is_left_out_too() -> None:
    thread = f"{BEARING}\n\n{quoted(ORDER)}\n\n{quoted(quoted(BEARING))}\n\nRegards"
    assert chunked(page(thread)) == [f"{BEARING}\n\n{quoted(ORDER)}", "Regards"]


@pytest.mark.parametrize("kind", ["row", "code", "heading"])
def test_rows_code_and_headings_are_kept_however_often_they_come(kind: BlockKind) -> None:
    assert len(chunked(page(PUMP, 1, kind), page(PUMP, 2, kind))) == 2


def test_a_few_words_or_one_sentence_within_a_paragraph_are_no_repetition() -> None:
    short = "Best regards from all of us at the pump house"
    assert len(chunked(page(short), page(short, 2))) == 2
    within = f"{BEARING} {PUMP} {ORDER}"
    assert chunked(page(PUMP), page(within, 2)) == [PUMP, within]


def test_the_same_words_in_another_order_are_another_text() -> None:
    cells = [f"{word}." for word in "one two three four five six seven eight nine ten eleven twelve thirteen".split()]
    there, back = page("\n\n".join(cells)), page("\n\n".join(reversed(cells)), 2)
    assert chunked(there, back) == [there.text, back.text]
    assert chunked(there, page(there.text, 2)) == [there.text]


SENTENCES = [
    PUMP,
    BEARING,
    ORDER,
    "Yes.",
    "[PERSON_1] said so.",
    "高橋さんは明日の午後三時に東京駅の北口で待っています。",
    "Ann",
    "- a point of ours",
]
PARAGRAPHS = st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=4).map(" ".join)
MARKS = st.sampled_from([lambda text: text, quoted, lambda text: quoted(quoted(text))])
TEXTS = st.lists(st.tuples(PARAGRAPHS, MARKS).map(lambda pair: pair[1](pair[0])), min_size=1, max_size=6).map(
    "\n\n".join
)


def gaps(one: Page, number: int, chunks: Sequence[Chunk]) -> list[tuple[int, int]]:
    """What no chunk of the page holds."""
    edges = [0, *(edge for c in chunks if c.page == number for edge in (c.start, c.end)), len(one.text)]
    return list(zip(edges[::2], edges[1::2], strict=True))


@given(st.lists(TEXTS, min_size=1, max_size=5), st.integers(20, 120))
def test_law_every_word_is_in_one_chunk_or_stood_in_an_earlier_one(bodies: list[str], budget: int) -> None:
    pages = [page(text, number) for number, text in enumerate(bodies, 1)]
    chunks = chunk(pages, words, budget=budget)
    places = [(c.page, c.start, c.end) for c in chunks]
    assert places == sorted(places)
    assert all(a[0] != b[0] or a[2] <= b[1] for a, b in pairwise(places)), "chunks overlap"
    for number, one in enumerate(pages):
        for start, end in gaps(one, number, chunks):
            before = [c for c in chunks if (c.page, c.start) < (number, start)]
            indexed = unquoted("\n".join(pages[c.page].text[c.start : c.end] for c in before))
            for sentence in re.split(r"(?<=[.。])\s+|\n", one.text[start:end]):
                plain = unquoted(sentence).strip("> ")
                assert plain in indexed, "left out, and nowhere else"
