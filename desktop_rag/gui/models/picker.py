"""The picker under the header's model chip: which model answers, and with which engine."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.models import facts
from desktop_rag.gui.models.state import ModelsState
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.labels import IconLabel, label, line
from desktop_rag.gui.pieces.popover import Popover
from desktop_rag.gui.theme import Theme

_MOST_HEIGHT = 340


def picker(
    theme: Theme,
    models: ModelsState,
    engine: str,
    parent: QWidget,
    choose: Callable[[dict[str, Any], str], object],
    show_all: Callable[[], object],
) -> Popover:
    """The card; `choose(row, engine)` when one is taken. `engine` is the one in use, "" for automatic."""
    card = Popover(parent, 380)
    card.setAccessibleName("Choose a model")
    card.body.addWidget(label("Which model answers", "heading"))
    rows = sorted(models.chat_models, key=lambda row: not models.is_active(row))
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(2)
    for row in rows:
        column.addWidget(_entry(theme, card, models, row, engine, choose))
    if not rows:
        column.addWidget(label("No model is on this computer yet.", tone="muted", wrap=True))
    scroll = QScrollArea()
    scroll.setWidget(holder)
    scroll.setWidgetResizable(True)
    scroll.setAccessibleName("Models")
    scroll.setFixedHeight(min(_MOST_HEIGHT, holder.sizeHint().height() + 4))
    card.body.addWidget(scroll)
    card.body.addWidget(line())
    card.body.addWidget(
        TextButton(theme, "All models, downloads and adapters", lambda: _leave(card, show_all), kind="row", icon="cpu")
    )
    return card


def _entry(
    theme: Theme,
    card: Popover,
    models: ModelsState,
    row: dict[str, Any],
    engine: str,
    choose: Callable[[dict[str, Any], str], object],
) -> QWidget:
    active = models.is_active(row)
    missing = bool(row.get("missing"))
    name = TextButton(theme, facts.title(row), lambda: _leave(card, lambda: choose(row, "")), kind="row")
    name.setEnabled(not missing)
    name.setAccessibleName(f"Use {facts.title(row)}")
    about = " · ".join(part for part in (str(row.get("quantisation") or ""), words.size(row.get("size"))) if part)
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    head = QHBoxLayout()
    head.setSpacing(8)
    head.addWidget(name, 1)
    head.addWidget(label("file is gone" if missing else about, "small", "bad" if missing else "muted"))
    if active:
        head.addWidget(IconLabel(theme, "circle-check", "accent", 14))
    column.addLayout(head)
    engines = list(row.get("engines") or ())
    if active and len(engines) > 1:
        column.addLayout(_engines(theme, card, row, engines, engine, choose))
    return holder


def _engines(
    theme: Theme,
    card: Popover,
    row: dict[str, Any],
    engines: list[str],
    engine: str,
    choose: Callable[[dict[str, Any], str], object],
) -> QHBoxLayout:
    line_ = QHBoxLayout()
    line_.setContentsMargins(8, 0, 0, 4)
    line_.setSpacing(4)
    for name in ("", *engines):
        take = partial(_leave, card, partial(choose, row, name))
        button = TextButton(theme, name or "Automatic", take, kind="tab")
        button.setCheckable(True)
        button.setChecked(name == engine)
        line_.addWidget(button)
    line_.addStretch(1)
    return line_


def _leave(card: Popover, then: Callable[[], object]) -> None:
    card.close()
    then()
