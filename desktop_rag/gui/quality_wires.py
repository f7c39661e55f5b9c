"""The connections of what the search is measured by: the marks under answers, and the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from desktop_rag.errors import DesktopRagError

if TYPE_CHECKING:
    from desktop_rag.gui.main_window import MainWindow


class QualityWires:
    """`open_passage` shows a passage at the right."""

    def __init__(self, window: MainWindow, open_passage: Callable[[dict[str, Any]], None]) -> None:
        self._window = window
        state, page, chat = window.quality_state, window.quality, window.chat
        chat.is_good = state.is_good
        chat.good_wanted.connect(lambda answer: state.call_good(answer.message))
        state.questions_changed.connect(chat.show_good)
        state.failed.connect(self._failed)
        window.bench.quality_wanted.connect(lambda: window.show_page("quality"))
        page.back_wanted.connect(lambda: window.show_page("bench"))
        page.questions.opened.connect(open_passage)
        page.results.encoder_wanted.connect(self._change_encoder)
        window.library.chosen_changed.connect(self._choose)
        window.startup.opened.connect(state.read)

    def _failed(self, error: DesktopRagError) -> None:
        if self._window.page == "chat":
            self._window.chat.notice.say_error(error)

    def _change_encoder(self, one: dict[str, Any]) -> None:
        name = str(one["better_encoder"])
        self._window.intake.change_encoder(int(one["collection"]), name)
        self._window.quality_state.encoder_changes(int(one["collection"]), str(one["set"]), name)

    def _choose(self) -> None:
        chosen = self._window.library.chosen
        self._window.quality.collection = chosen["id"] if chosen else None
