"""Believable stand-ins in the window: marked as such, turned back on demand, copied as they are stored."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtGui import QGuiApplication, QTextCursor
from pytestqt.qtbot import QtBot

from desktop_rag.gui import private_text
from desktop_rag.gui.chat import entries, markup
from desktop_rag.gui.chat.answer_card import AnswerCard
from desktop_rag.gui.chat.question_card import QuestionCard
from desktop_rag.gui.chat.rich_text import RichText
from desktop_rag.gui.reveal import Reveal
from desktop_rag.gui.tasks import Tasks
from desktop_rag.gui.theme import Theme
from desktop_rag.gui.words import POLICIES
from desktop_rag.privacy import scrub

VALUES = {"Dana Moreno": "Jean Rivera", "Moreno": "Rivera", "[PERSON_2]": "Otto Falk"}
TEXT = "Dana Moreno wrote to [PERSON_2].\n\n- Moreno’s **bold** lawyer\nThe morenos are others."


class Library:
    """Answers what stands for what."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[str], int | None]] = []

    def call(self, op: str, texts: list[str], collection: int | None) -> dict[str, object]:
        assert op == "reveal"
        self.asked.append((texts, collection))
        return {"values": {token: value for token, value in VALUES.items() if any(token in text for text in texts)}}


@pytest.fixture
def reveal(qtbot: QtBot) -> Iterator[Reveal]:
    """Knows what stands for what in TEXT."""
    held = Reveal(SimpleNamespace(library=Library()), Tasks())
    held.use(7)
    with qtbot.waitSignal(held.changed):
        held.want(TEXT)
    yield held
    held.deleteLater()


def marked(content: list[markup.Block]) -> list[str]:
    return [part.token for block in content for part in block.parts if isinstance(part, markup.Run) and part.token]


def test_stand_ins_are_asked_for_once_in_their_collection(reveal: Reveal) -> None:
    reveal.want(TEXT, "")
    assert reveal._backend.library.asked == [([TEXT], 7)]  # type: ignore[attr-defined]
    assert reveal.stand_ins == ["Dana Moreno", "Moreno"]
    reveal.use(8)
    assert reveal.stand_ins == []


def test_they_are_marked_the_longest_first_and_whole_words_only(reveal: Reveal) -> None:
    assert marked(markup.blocks(TEXT, (), reveal.stand_ins)) == ["Dana Moreno", "[PERSON_2]", "Moreno"]
    assert marked(markup.plain("Moreno and Morenos", reveal.stand_ins)) == ["Moreno"]
    assert reveal.words("Moreno, Person") == "Moreno, Person"
    reveal.set_shown(True)
    assert reveal.words("Dana Moreno’s [PERSON_2]") == "Jean Rivera’s Otto Falk"


@settings(deadline=None)
@given(st.lists(st.sampled_from(["Dana ", "Moreno", "[PERSON_2]", " ", "x", "."]), max_size=12).map("".join))
def test_pieces_make_the_text_again(text: str) -> None:
    assert "".join(piece.text for piece in private_text.split(text, ["Dana Moreno", "Moreno"])) == text


@pytest.mark.parametrize("step", [1, 3, 7])
def test_they_are_marked_while_the_answer_streams(reveal: Reveal, theme: Theme, qtbot: QtBot, step: int) -> None:
    streamed, whole = RichText(theme, reveal), RichText(theme, reveal)
    qtbot.addWidget(streamed)
    qtbot.addWidget(whole)
    streamed.begin_stream()
    for cut in [*range(step, len(TEXT), step), len(TEXT)]:
        streamed.stream(TEXT[:cut])
    whole.show_blocks(markup.blocks(TEXT, (), reveal.stand_ins))
    assert links(streamed) == links(whole) == ["Dana Moreno", "Person 2", "Moreno"]
    assert streamed.words_at("private:Moreno") == "Moreno stands for Rivera"


def links(widget: RichText) -> list[str]:
    found = []
    block = widget.document().begin()
    while block.isValid():
        it = block.begin()
        while not it.atEnd():
            if it.fragment().charFormat().anchorHref().startswith("private:"):
                found.append(it.fragment().text())
            it += 1
        block = block.next()
    return found


def test_what_is_copied_is_scrubbed_also_while_real_values_are_shown(
    reveal: Reveal, theme: Theme, qtbot: QtBot
) -> None:
    reveal.set_shown(True)
    text = RichText(theme, reveal)
    qtbot.addWidget(text)
    text.show_blocks(markup.blocks("\U0001f600 Dana Moreno met [PERSON_2].\nDone by Moreno", (), reveal.stand_ins))
    assert text.toPlainText() == "\U0001f600 Jean Rivera met Otto Falk.\nDone by Rivera"
    text.selectAll()
    assert text.createMimeDataFromSelection().text() == "\U0001f600 Dana Moreno met Person 2.\nDone by Moreno"
    cursor = QTextCursor(text.document())
    cursor.setPosition(text.toPlainText().index("met") + 1)
    cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
    text.setTextCursor(cursor)
    assert text.createMimeDataFromSelection().text() == "met Person 2.\nDone by Moreno"


def test_an_answer_is_copied_with_real_values_only_when_asked(reveal: Reveal, theme: Theme, qtbot: QtBot) -> None:
    answer = entries.Answer("q")
    answer.text, answer.phase = "Dana Moreno met [PERSON_2].", entries.ENDED
    card = AnswerCard(theme, reveal, answer)
    qtbot.addWidget(card)
    card.show()
    assert not card._copy_real.isVisible()
    reveal.set_shown(True)
    assert card._copy_real.isVisible()
    card.copy()
    assert QGuiApplication.clipboard().text() == "Dana Moreno met Person 2."
    card.copy_real()
    assert QGuiApplication.clipboard().text() == "Jean Rivera met Otto Falk."


def test_a_question_shows_which_of_its_words_stand_for_others(reveal: Reveal, theme: Theme, qtbot: QtBot) -> None:
    card = QuestionCard(theme, reveal, entries.Question("Did Moreno <pay>  twice?"), lambda _text: None)
    qtbot.addWidget(card)
    colour = theme.colour("private").name()
    assert f'<span style="color:{colour}">Moreno</span> &lt;pay&gt;  twice?' in card._text.text()
    assert card.accessibleName() == "You asked: Did Moreno <pay>  twice?"
    reveal.set_shown(True)
    assert ">Rivera</span>" in card._text.text()
    card.copy()
    assert QGuiApplication.clipboard().text() == "Did Moreno <pay>  twice?"


def test_every_policy_has_its_words() -> None:
    assert tuple(POLICIES) == scrub.POLICIES
