"""Buttons: every one has an accessible name, a tooltip where it has no words, and takes focus by keyboard only."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFocusEvent, QIcon, QResizeEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QToolButton, QWidget

from desktop_rag.gui.pieces.labels import restyle
from desktop_rag.gui.theme import Theme
from desktop_rag.gui.visible import plain, tip

_ROOM = 4  # what Qt leaves between icon and words is too little


class IconButton(QToolButton):
    """A picture that does something; `name` is both tooltip and accessible name."""

    def __init__(
        self,
        theme: Theme,
        icon: str,
        name: str,
        on_click: Callable[[], object] | None = None,
        *,
        role: str = "muted",
        size: int = 16,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._icon, self._role, self._size = theme, icon, role, size
        self._quiet = False
        self.setIconSize(QSize(size, size))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.rename(name)
        theme.watch(self._refresh)
        if on_click is not None:
            self.clicked.connect(lambda: on_click())

    def rename(self, name: str) -> None:
        """Change tooltip and accessible name together."""
        self.setToolTip(tip(name))
        self.setAccessibleName(name.split("\n", 1)[0])

    def show_icon(self, icon: str, role: str | None = None) -> None:
        """Change the picture."""
        self._icon, self._role = icon, role or self._role
        self._refresh()

    def set_quiet(self, quiet: bool) -> None:
        """Draw no picture unless the keyboard is on the button; it keeps its place and stays reachable."""
        self._quiet = quiet
        self._refresh()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The keyboard comes."""
        super().focusInEvent(event)
        self._refresh()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The keyboard leaves."""
        super().focusOutEvent(event)
        self._refresh()

    def _refresh(self) -> None:
        hidden = self._quiet and not self.hasFocus()
        self.setIcon(QIcon() if hidden else self._theme.icon(self._icon, self._role, self._size))


class TextButton(QPushButton):
    """A button with words. `kind`: "", "primary", "quiet", "danger", "chip", "link", "row", "tab", "example"."""

    def __init__(
        self,
        theme: Theme,
        text: str,
        on_click: Callable[[], object] | None = None,
        *,
        kind: str = "",
        icon: str = "",
        role: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(plain(text), parent)
        self._words = text
        self._theme, self._icon = theme, icon
        self._role = role or {"primary": "on_accent", "danger": "bad", "link": "accent"}.get(kind, "muted")
        self.setProperty("kind", kind)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(text)
        if icon:
            self.setIconSize(QSize(16 + _ROOM, 16))
            theme.watch(self._refresh)
        if on_click is not None:
            self.clicked.connect(lambda: on_click())

    def text(self) -> str:
        """The words as they are read."""
        return self._words

    def setText(self, text: str) -> None:
        """Change the words alone; every character of them stands for itself."""
        self._words = text
        super().setText(plain(text))

    def say(self, text: str) -> None:
        """Change the words and with them the accessible name."""
        self.setText(text)
        self.setAccessibleName(text)

    def show_icon(self, icon: str, role: str | None = None) -> None:
        """Change the picture."""
        self._icon, self._role = icon, role or self._role
        self._refresh()

    def set_kind(self, kind: str) -> None:
        """Change the variant."""
        self.setProperty("kind", kind)
        restyle(self)

    def _refresh(self) -> None:
        self.setIcon(self._theme.icon(self._icon, self._role, room=_ROOM))


class ChipButton(TextButton):
    """A chip that ends in "…" where there is no room; its accessible name is always whole."""

    def __init__(
        self,
        theme: Theme,
        text: str,
        on_click: Callable[[], object] | None = None,
        *,
        icon: str = "",
        role: str = "",
        least: int = 72,
    ) -> None:
        super().__init__(theme, text, on_click, kind="chip", icon=icon, role=role)
        self._whole, self._least = text, least
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def say(self, text: str) -> None:
        """Change the words; they are cut only on the screen."""
        self._whole = text
        super().say(text)
        self.updateGeometry()
        self._fit()

    def set_least(self, least: int) -> None:
        """How narrow it may get, in pixels."""
        self._least = least
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """The size that shows everything."""
        hint = super().sizeHint()
        metrics = self.fontMetrics()
        missing = metrics.horizontalAdvance(self._whole) - metrics.horizontalAdvance(self.text())
        return QSize(hint.width() + missing + 2, hint.height())

    def minimumSizeHint(self) -> QSize:
        """The least size that still makes sense."""
        return QSize(min(self._least, self.sizeHint().width()), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the content to the new size."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        metrics = self.fontMetrics()
        frame = super().sizeHint().width() - metrics.horizontalAdvance(self.text())
        room = self.width() - frame
        whole = metrics.horizontalAdvance(self._whole) <= room
        self.setText(self._whole if whole else metrics.elidedText(self._whole, Qt.TextElideMode.ElideRight, room))
        if not whole:
            self.setToolTip(tip(self._whole))
