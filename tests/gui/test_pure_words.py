"""The pure parts of the window: pseudonyms, markup, the review's decisions, words."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.gui import private_text, words
from desktop_rag.gui.chat import markup
from desktop_rag.gui.chat.entries import Answer, from_messages
from desktop_rag.gui.review.decisions import reflowed
from desktop_rag.gui.sources.text_view import utf16
from tests.gui.script import ANSWER, finished

TEXT = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.sampled_from(["[PERSON_3]", "[EMAIL_ADDRESS_12]", "[", "]", "\n", "**", "`", "- ", "[X"]),
    ),
    max_size=12,
).map("".join)


@given(TEXT)
def test_pieces_make_the_text_again(text: str) -> None:
    pieces = list(private_text.split(text))
    assert "".join(piece.text for piece in pieces) == text
    assert [text[piece.start : piece.end] for piece in pieces] == [piece.text for piece in pieces]


@given(TEXT, st.integers(0, 60))
def test_what_is_shown_of_a_stream_never_cuts_a_pseudonym(text: str, length: int) -> None:
    shown = text[:length][: private_text.settled(text[:length])]
    for piece in private_text.split(text):
        if piece.token:
            assert not piece.start < len(shown) < piece.end


def test_a_pseudonym_reads_like_words() -> None:
    assert private_text.readable("[PERSON_3] wrote to [EMAIL_ADDRESS_1].") == "Person 3 wrote to E-mail 1."
    assert private_text.readable("[PERSON_3]!", {"[PERSON_3]": "Jean Rivera"}) == "Jean Rivera!"
    assert private_text.readable("[1] and [PERSON]") == "[1] and [PERSON]"


def test_marks_follow_their_sentences() -> None:
    parts = [part for block in markup.blocks(ANSWER, finished()["sentences"]) for part in block.parts]
    marks = [(parts[place - 1], part) for place, part in enumerate(parts) if isinstance(part, markup.Mark)]
    endings = [before.text for before, _mark in marks if isinstance(before, markup.Run)]
    expected = ("within a week.", "end bearing.", "0.31 mm.", "were replaced.", "ten years.")
    assert [text.endswith(end) for text, end in zip(endings, expected, strict=True)] == [True] * 5
    assert [mark.support for _before, mark in marks] == ["supported", "supported", "weak", "supported", "unsupported"]
    assert [mark.citations for _before, mark in marks] == [(1,), (1, 2), (2,), (2,), ()]


def test_light_formatting() -> None:
    kinds = markup.blocks("# Title\n\nA **bold** word and `code`.\n- one\n2. two\n```\nx = **y**\n```\n**open")
    assert [(block.kind, block.label) for block in kinds] == [
        ("heading", ""), ("text", ""), ("bullet", ""), ("number", "2"), ("code", ""), ("text", "")
    ]  # fmt: skip
    assert kinds[1].parts == (
        markup.Run("A "), markup.Run("bold", bold=True), markup.Run(" word and "), markup.Run("code", code=True),
        markup.Run("."),
    )  # fmt: skip
    assert kinds[-1].parts == (markup.Run("**open"),), "an unpaired sign is a sign"


@given(TEXT, st.lists(st.tuples(st.integers(0, 80), st.integers(0, 3)), max_size=4))
def test_no_word_and_no_mark_is_lost(text: str, ends: list[tuple[int, int]]) -> None:
    sentences = [
        {"start": 0, "end": end, "support": "weak", "citations": [n]} for end, n in ends if 0 < end <= len(text)
    ]
    parts = [part for block in markup.blocks(text, sentences) for part in block.parts]
    shown = "".join(part.text for part in parts if isinstance(part, markup.Run))
    for piece in private_text.split(text):
        if piece.token and "`" not in text:
            assert piece.token in shown
    inside = [
        item
        for item in sentences
        if text[: item["end"]].strip() and text[item["end"] - 1].isalnum() and "`" not in text
    ]
    assert sum(isinstance(part, markup.Mark) for part in parts) >= len(inside)


@given(st.lists(st.text(alphabet="ab .\n", max_size=30), max_size=6).map("\n".join))
def test_reflowing_keeps_every_offset(text: str) -> None:
    shown = reflowed(text)
    assert len(shown) == len(text)
    assert all(new == old or (old == "\n" and new == " ") for old, new in zip(text, shown, strict=True))


def test_a_stopped_answer_is_still_one_after_a_restart() -> None:
    _question, answer = from_messages(
        [{"role": "user", "text": "Why?"}, {"role": "assistant", "text": "Because", "data": {"reason": "cancelled"}}]
    )
    assert isinstance(answer, Answer)
    assert (answer.question, answer.partial_reason) == ("Why?", "cancelled")
    assert answer.partial


def test_offsets_are_turned_into_those_of_qt() -> None:
    assert utf16("a😀b", 2) == 3


@pytest.mark.parametrize(
    ("octets", "said"), [(0, "0 bytes"), (7219, "7 KB"), (98_362_432, "98 MB"), (1_500_000_000, "1.5 GB"), (None, "")]
)
def test_sizes(octets: int | None, said: str) -> None:
    assert words.size(octets) == said


@pytest.mark.parametrize(
    ("mebibytes", "said"),
    [(None, "—"), (0, "0 MB"), (90, "94 MB"), (950, "996 MB"), (954, "1.0 GB"), (24106, "25.3 GB")],
)
def test_memory_is_told_in_the_units_of_files(mebibytes: float | None, said: str) -> None:
    assert words.memory(mebibytes) == said


def test_days() -> None:
    today = date(2026, 11, 22)
    assert words.day("2026-11-22T08:00:00", today) == "Today"
    assert words.day("2026-11-21T08:00:00", today) == "Yesterday"
    assert words.day("2026-11-18T08:00:00", today) == "This week"
    assert words.day("2026-09-01T08:00:00", today) == "September 2026"
    assert words.day("nonsense", today) == "Earlier"


def test_numbers_do_not_break_and_are_grouped() -> None:
    assert words.coverage(4, 1203) == "4 of 1\u202f203 passages read"
    assert words.pages({"pages": 1203, "pages_read": 1203}) == "1\u202f203 pages"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], ""),
        (["a.eml"], "Also in a.eml"),
        (["a.eml", "b.eml"], "Also in a.eml, b.eml"),
        (["a.eml", "b.eml", "c.eml", "d.eml"], "Also in a.eml, b.eml and 2 more"),
    ],
)
def test_a_passage_says_where_else_it_stands(names: list[str], said: str) -> None:
    assert words.also_in({"also": [{"name": name} for name in names]}) == said
