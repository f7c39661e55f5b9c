"""The menus of the review: what to mask a selection as, and what can be done to a value."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.theme import Theme
from desktop_rag.privacy.marks import OWN_TERM

CLASSES = (
    *("PERSON", OWN_TERM, "STREET_ADDRESS", "LOCATION", "ORGANIZATION", "EMAIL_ADDRESS", "PHONE_NUMBER"),
    *("IBAN_CODE", "NATIONAL_ID", "RECORD_NUMBER", "DATE_TIME"),
)
Mask = Callable[[str, bool], object]
Action = tuple[str, str, Callable[[], object]]
"""Words, the key that does the same, and what is done."""


def mask_menu(theme: Theme, parent: QWidget, mask: Mask) -> QMenu:
    """A class for what is selected: everywhere in the document, or here only."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.setAccessibleName("Mask what is selected")
    menu.addAction("Every place that reads the same, as").setEnabled(False)
    _add_classes(theme, menu, lambda label: mask(label, True))
    menu.addSeparator()
    here = menu.addMenu("Only this place, as")
    _add_classes(theme, here, lambda label: mask(label, False))
    menu.setActiveAction(menu.actions()[1])
    return menu


def _add_classes(theme: Theme, menu: QMenu, chosen: Callable[[str], object]) -> None:
    for label in CLASSES:
        action = menu.addAction(theme.icon(words.label_icon(label)), words.label_name(label))
        action.triggered.connect(lambda _checked=False, label=label: chosen(label))


def value_menu(parent: QWidget, actions: Sequence[Action], place: QPoint) -> QMenu:
    """What can be done to a value, opened at a place of the screen."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    for text, keys, then in actions:
        action = menu.addAction(f"{text}\t{keys}" if keys else text)
        action.triggered.connect(lambda _checked=False, then=then: then())
    menu.popup(place)
    return menu
