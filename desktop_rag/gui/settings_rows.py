"""One row of the Settings page: how a declared setting is shown and changed, in words a person uses."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QSlider, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.controls import Choice, Tick
from desktop_rag.gui.pieces.labels import label
from desktop_rag.gui.theme import Theme
from desktop_rag.settings import Setting

GROUPS = (
    ("General", ("theme", "policy", "review", "review_pages", "real_values", "passages", "max_tokens", "auto_lock")),
    ("Search", ("search", "around", "reranker", "exact_up_to")),
    ("Model", ("model", "engine", "context", "kv_type", "gpu_layers", "keep_kv")),
    ("Network", ("sealed", "remote_url", "remote_model")),
)
# Numbers that a slider is no good for: what they mean, by value.
_NAMED_NUMBERS: dict[str, tuple[tuple[int, str], ...]] = {
    "auto_lock": ((0, "Never"), (1, "1 minute"), *((n, f"{n} minutes") for n in (5, 10, 15, 30)), (60, "1 hour")),
    "gpu_layers": ((-1, "As many as fit"), (0, "None"), (999, "All")),
    "context": tuple((1024 * number, f"{words.count(1024 * number)}") for number in (1, 2, 4, 8, 16, 32, 64, 128)),
    "exact_up_to": (
        (0, "None: Chroma always"),
        *((number, f"{words.count(number)} passages") for number in (100_000, 500_000, 2_000_000)),
        (100_000_000, "All: never Chroma"),
    ),
}
_CHOICES = {
    ("theme", "system"): "As the system",
    ("theme", "contrast"): "High contrast",
    ("search", "hybrid"): "Standard",
    ("search", "rerank"): "A closer look",
    ("search", "deep"): "Deep search",
    ("around", "none"): "Nothing more",
    ("around", "neighbours"): "Its neighbours",
    ("around", "section"): "Its whole section",
    ("reranker", ""): "With a cross-encoder",
    ("reranker", "none"): "With the search encoder",
    ("kv_type", "f16"): "16 bits",
    ("kv_type", "q8_0"): "8 bits",
    ("kv_type", "q4_0"): "4 bits",
}
# The declarations speak to the terminal as well, where a value is typed; here it is chosen.
HELPS = {
    "search": "Standard takes milliseconds. A closer look reads the best passages again, a deep search looks in several"
    " ways at once: part of a second more.",
    "reranker": "Cross-encoders are on the Models page. Without one, the search encoder compares word by word.",
    "auto_lock": "When neither key nor mouse was used. An answer, or documents being added, are finished first.",
    "model": "The model that answers. More of them are on the Models page.",
    "engine": "The runtime of the model. Automatic goes by the model's format.",
    "gpu_layers": "How much of the model lies on the graphics card, if there is one.",
    "remote_model": "Left empty, the first one that the server lists.",
}
_HINTS = {"remote_url": "https://…/v1", "remote_model": "The first one"}
_WIDTH = 180


def choice_name(setting: str, choice: str) -> str:
    """How a choice reads; "" leaves it to the application."""
    if setting == "policy":
        return words.policy_name(choice)
    known = _CHOICES.get((setting, choice))
    if not choice and not known:
        return "Automatic"
    return known or (choice if setting == "engine" else choice.capitalize())


def control(
    theme: Theme, setting: Setting, value: object, store: Callable[[object], object], models: Callable[[], object]
) -> tuple[QWidget, QWidget]:
    """What is shown in the row, and the field in it that has the value."""
    if setting.name == "model":
        button = TextButton(theme, "The starter model", models, icon="cpu")
        return button, button
    if setting.name in _NAMED_NUMBERS and isinstance(value, int):
        return _named(theme, setting, value, store)
    if setting.choices:
        return _choice(theme, setting, str(value), store)
    if isinstance(setting.default, bool):
        box = Tick(theme, _ON[bool(value)])
        box.setChecked(bool(value))
        # Both words fit: the box stays where it is.
        box.setMinimumWidth(_TICK_WIDTH)
        box.toggled.connect(lambda on: box.setText(_ON[on]))
        box.toggled.connect(store)
        return box, box
    if isinstance(setting.default, str):
        return _line(setting, str(value), store)
    return _number(theme, setting, int(str(value)), store)


_ON = ("Off", "On")
_TICK_WIDTH = 60


def _choice(theme: Theme, setting: Setting, value: str, store: Callable[[object], object]) -> tuple[QWidget, QWidget]:
    combo = Choice(theme)
    combo.addItems([choice_name(setting.name, choice) for choice in setting.choices])
    combo.setCurrentIndex(setting.choices.index(value))
    combo.setMinimumWidth(_WIDTH)
    combo.activated.connect(lambda place: store(setting.choices[place]))
    return combo, combo


def _named(theme: Theme, setting: Setting, value: int, store: Callable[[object], object]) -> tuple[QWidget, QWidget]:
    """A list of the numbers that make sense; one that was set by hand stays among them."""
    options = list(_NAMED_NUMBERS[setting.name])
    if value not in [number for number, _name in options]:
        options = sorted([*options, (value, words.count(value))])
    combo = Choice(theme)
    combo.addItems([name for _number, name in options])
    combo.setCurrentIndex([number for number, _name in options].index(value))
    combo.setMinimumWidth(_WIDTH)
    combo.activated.connect(lambda place: store(options[place][0]))
    return combo, combo


def _line(setting: Setting, value: str, store: Callable[[object], object]) -> tuple[QWidget, QWidget]:
    field = QLineEdit(value)
    field.setPlaceholderText(_HINTS.get(setting.name, ""))
    field.setMinimumWidth(260)
    field.setAcceptDrops(False)
    field.editingFinished.connect(lambda: store(field.text().strip()))
    return field, field


def _number(theme: Theme, setting: Setting, value: int, store: Callable[[object], object]) -> tuple[QWidget, QWidget]:
    low, high = int(setting.low or 0), int(setting.high or 100)
    step = max(1, (high - low) // 63)
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(0, (high - low) // step)
    slider.setValue((value - low) // step)
    slider.setFixedWidth(140)
    number = _figure(theme, value)
    slider.valueChanged.connect(lambda place: number.setText(words.count(low + place * step)))
    slider.valueChanged.connect(lambda place: store(low + place * step))
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(slider)
    row.addWidget(number)
    return holder, slider


def _figure(theme: Theme, value: int) -> QLabel:
    number = label(words.count(value))
    number.setFont(theme.font("body", mono=True))
    number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    number.setFixedWidth(48)
    return number
