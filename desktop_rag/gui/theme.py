"""The theme in force: follows the system or the user's choice and gives palette, style sheet, fonts and icons."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QIcon, QPalette, QPixmap
from PySide6.QtWidgets import QApplication, QStyleFactory, QWidget

from desktop_rag.gui import icons, stylesheet, tokens

MODES = ("system", "light", "dark", "contrast")
# A bare X11 session names no interface font; these are the usual ones, best first.
_FALLBACK_FAMILIES = ("Inter", "Cantarell", "Noto Sans", "Open Sans")
_GENERIC_FAMILIES = {"Sans Serif", "Sans", "DejaVu Sans", ""}


class Theme(QObject):
    """Owns the look of the application; widgets that paint themselves listen to `changed`."""

    changed = Signal()

    def __init__(self, app: QApplication, mode: str = "system") -> None:
        super().__init__(app)
        self._app = app
        self._mode = mode
        self._icons: dict[tuple[str, str, int, int], QIcon] = {}
        app.setStyle(QStyleFactory.create("Fusion"))
        self._family = _interface_family(app.font().family())
        self.tokens = tokens.load(self._wanted())
        hints = app.styleHints()
        hints.colorSchemeChanged.connect(self._system_changed)
        hints.accessibility().contrastPreferenceChanged.connect(self._system_changed)
        self._apply()

    @property
    def mode(self) -> str:
        """What the user chose, one of `MODES`."""
        return self._mode

    def set_mode(self, mode: str) -> None:
        """Choose one of `MODES`; anything else counts as "system"."""
        self._mode = mode if mode in MODES else "system"
        self._system_changed()

    def colour(self, role: str) -> QColor:
        """A token as a Qt colour."""
        return QColor(self.tokens[role])

    def icon(self, name: str, role: str = "muted", size: int = 16, room: int = 0) -> QIcon:
        """The icon in the colour of a role, with `room` pixels at its right; drawn once per theme."""
        key = (name, role, size, room)
        if key not in self._icons:
            disabled = self.tokens.tint("muted", 0.5)
            self._icons[key] = icons.icon(name, self.tokens[role], disabled, size, room)
        return self._icons[key]

    def pixmap(self, name: str, role: str, size: int, widget: QWidget) -> QPixmap:
        """The icon as a picture for a label, at the widget's resolution."""
        return icons.pixmap(name, self.tokens[role], size, widget.devicePixelRatioF())

    def font(self, step: str, *, weight: int = 400, mono: bool = False) -> QFont:
        """A font of the type scale ("small", "body", "reading", "title", "display")."""
        font = QFont(self._mono_family() if mono else self._family)
        font.setPixelSize(self.tokens.type[step])
        font.setWeight(QFont.Weight(weight))
        if mono:
            font.setStyleHint(QFont.StyleHint.Monospace)
        return font

    def watch(self, refresh: Callable[[], None]) -> None:
        """Call `refresh` (a method of a widget) now and at every change of theme; Qt ends it with the widget."""
        refresh()
        self.changed.connect(refresh)

    def _mono_family(self) -> str:
        return QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()

    def _wanted(self) -> str:
        hints = QGuiApplication.styleHints()
        if self._mode != "system":
            return self._mode
        if hints.accessibility().contrastPreference() == Qt.ContrastPreference.HighContrast:
            return "contrast"
        return "dark" if hints.colorScheme() == Qt.ColorScheme.Dark else "light"

    def _system_changed(self) -> None:
        wanted = tokens.load(self._wanted())
        if wanted is not self.tokens:
            self.tokens = wanted
            self._icons.clear()
            self._apply()
            self.changed.emit()

    def _apply(self) -> None:
        self._app.setFont(self.font("body"))
        self._app.setPalette(palette(self.tokens))
        self._app.setStyleSheet(stylesheet.generate(self.tokens))


def palette(kit: tokens.Tokens) -> QPalette:
    """The palette for what a style sheet does not reach (text editors, selections, tooltips)."""
    roles = QPalette.ColorRole
    result = QPalette()
    for role, colour in (
        (roles.Window, kit["bg"]),
        (roles.Base, kit["bg"]),
        (roles.AlternateBase, kit["surface"]),
        (roles.ToolTipBase, kit["raised"]),
        (roles.ToolTipText, kit["text"]),
        (roles.Text, kit["text"]),
        (roles.WindowText, kit["text"]),
        (roles.ButtonText, kit["text"]),
        (roles.Button, kit["surface"]),
        (roles.PlaceholderText, kit["muted"]),
        (roles.Highlight, kit.tint("accent", 0.35)),
        (roles.HighlightedText, kit["text"]),
        (roles.Link, kit["accent"]),
        (roles.Accent, kit["accent"]),
        (roles.Mid, kit["line"]),
    ):
        result.setColor(role, QColor(colour))
    for role in (roles.Text, roles.WindowText, roles.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, role, QColor(kit["muted"]))
    return result


def _interface_family(named: str) -> str:
    if named not in _GENERIC_FAMILIES:
        return named
    installed = set(QFontDatabase.families())
    return next((family for family in _FALLBACK_FAMILIES if family in installed), named)
