"""The connections of everything about models: the header's chip, the page, and what a change means elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_rag.engines.registry import REMOTE as REMOTE_ENGINE
from desktop_rag.gui.meter.page import model_words
from desktop_rag.gui.models.picker import picker

if TYPE_CHECKING:
    from desktop_rag.gui.main_window import MainWindow


class ModelWires:
    """Models: the chip in the header, the page, and what a change of model means for the rest."""

    def __init__(self, window: MainWindow, reload_soon: Callable[[], None], show_seal: Callable[[], None]) -> None:
        self._window = window
        window.chat.header.model_wanted.connect(self._pick)
        window.model_actions.reload_wanted.connect(reload_soon)
        window.model_actions.reload_wanted.connect(lambda: window.settings_page.show_setting("engine"))
        window.model_state.changed.connect(self._name)
        window.network.changed.connect(show_seal)
        window.settings_page.models_wanted.connect(lambda: window.show_page("models"))
        window.page_shown.connect(self._shown)

    def _shown(self, page: str) -> None:
        if page == "models" and self._window.library.loaded:
            self._window.model_state.refresh()
            self._window.model_state.look_around()

    def _name(self) -> None:
        """The model on the chip: its name and quantisation, its engine and device in the tooltip."""
        window = self._window
        active = window.model_state.active
        model = str(active.get("model") or "")
        row = window.model_state.row(model) or {}
        name = str(row.get("name") or active.get("name") or Path(model).stem)
        quantisation = "remote" if active.get("remote") else str(row.get("quantisation") or "")
        window.chat.header.set_model(name, quantisation, model_words(active) if model else "")
        window.settings_page.show_model(name or "The starter model")

    def _pick(self) -> None:
        window = self._window
        card = picker(
            window.theme,
            window.model_state,
            str(window.settings["engine"]),
            window,
            window.model_actions.use,
            lambda: window.show_page("models"),
        )
        card.open_under(window.chat.header.model)


def remote(window: MainWindow) -> bool:
    """Whether answers come from a model elsewhere, so that cleaned text leaves this computer."""
    return window.settings["engine"] == REMOTE_ENGINE and not window.settings["sealed"]
