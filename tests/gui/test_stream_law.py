"""A streamed answer ends as the same text as one that is shown at once, however it was cut."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from desktop_rag.gui.chat import markup
from desktop_rag.gui.chat.rich_text import RichText
from desktop_rag.gui.reveal import Reveal
from desktop_rag.gui.tasks import Tasks
from desktop_rag.gui.theme import Theme
from tests.gui.scripted import ScriptedBackend

TEXT = "First line with [PERSON_1].\n\n- one **bold**\n- two [EMAIL_ADDRESS_2]\n1. number\n\nLast words"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, len(TEXT)), max_size=12).map(sorted))
def test_streaming_and_showing_agree(qtbot: QtBot, theme: Theme, cuts: list[int]) -> None:
    tasks = Tasks()
    reveal = Reveal(ScriptedBackend(), tasks)
    streamed, whole = RichText(theme, reveal), RichText(theme, reveal)
    streamed.begin_stream()
    for cut in [*cuts, len(TEXT)]:
        streamed.stream(TEXT[:cut])
    whole.show_blocks(markup.blocks(TEXT))
    assert streamed.toPlainText() == whole.toPlainText()
    for widget in (streamed, whole):
        widget.deleteLater()
