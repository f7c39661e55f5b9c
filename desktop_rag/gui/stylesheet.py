"""The style sheet, generated from the tokens; widgets choose a variant through the dynamic property `kind`."""

from __future__ import annotations

from desktop_rag.gui.tokens import Tokens


def generate(kit: Tokens) -> str:
    """The whole style sheet of the application for one theme."""
    return "\n".join(
        (_base(kit), _buttons(kit), _chips(kit), _fields(kit), _surfaces(kit), _lists(kit), _bars(kit), _words(kit))
    )


def _base(kit: Tokens) -> str:
    return f"""
QWidget {{ color: {kit["text"]}; font-size: {kit.type["body"]}px; outline: none; }}
QMainWindow, QDialog, QWidget[kind="page"] {{ background: {kit["bg"]}; }}
QWidget[kind="surface"] {{ background: {kit["surface"]}; }}
QToolTip {{ background: {kit["raised"]}; color: {kit["text"]}; border: 1px solid {kit["line"]};
  padding: 6px 8px; font-size: {kit.type["small"]}px; }}
QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
QAbstractScrollArea {{ border: none; }}
QSplitter::handle {{ background: {kit["line"]}; }}
QFrame[kind="line"] {{ background: {kit["line"]}; border: none; }}
"""


def _buttons(kit: Tokens) -> str:
    radius = kit.radius["control"]
    return f"""
QPushButton {{ background: {kit["raised"]}; border: 1px solid {kit["line"]}; border-radius: {radius}px;
  padding: 5px 12px; min-height: 20px; }}
QPushButton:hover {{ background: {kit.hover}; }}
QPushButton:pressed {{ background: {kit.selected}; }}
QPushButton:focus {{ border: 2px solid {kit["accent"]}; padding: 4px 11px; }}
QPushButton:disabled {{ color: {kit["muted"]}; }}
QPushButton[kind="primary"] {{ background: {kit["accent"]}; color: {kit["on_accent"]}; border-color: {kit["accent"]};
  font-weight: 600; }}
QPushButton[kind="primary"]:hover {{ background: {kit.tint("accent", 0.88, "text")}; }}
QPushButton[kind="primary"]:focus {{ border: 2px solid {kit["text"]}; }}
QPushButton[kind="primary"]:disabled {{ background: {kit.tint("muted", 0.16, "raised")}; border-color: transparent;
  color: {kit["muted"]}; }}
QPushButton[kind="danger"] {{ color: {kit["bad"]}; border-color: {kit["bad"]}; }}
QPushButton[kind="quiet"], QToolButton {{ background: transparent; border: 2px solid transparent;
  border-radius: {radius}px; padding: 3px; }}
QPushButton[kind="quiet"] {{ padding: 4px 8px; }}
QPushButton[kind="quiet"]:hover, QToolButton:hover {{ background: {kit.hover}; }}
QPushButton[kind="quiet"]:focus, QToolButton:focus {{ border: 2px solid {kit["accent"]}; }}
QToolButton:checked {{ background: {kit.selected}; }}
QToolButton::menu-indicator, QPushButton::menu-indicator {{ image: none; width: 0; }}
QPushButton[kind="row"] {{ background: transparent; border: 2px solid transparent; text-align: left;
  padding: 5px 8px; }}
QPushButton[kind="row"]:hover {{ background: {kit.hover}; }}
QPushButton[kind="row"]:checked {{ background: {kit.selected}; }}
QPushButton[kind="row"]:focus {{ border: 2px solid {kit["accent"]}; }}
QPushButton[kind="example"] {{ background: {kit["raised"]}; border: 1px solid {kit["line"]};
  border-radius: {kit.radius["card"]}px; text-align: left; padding: 9px 12px; }}
QPushButton[kind="example"]:hover {{ border-color: {kit["accent"]}; background: {kit["raised"]}; }}
QPushButton[kind="example"]:focus {{ border: 2px solid {kit["accent"]}; padding: 8px 11px; }}
QPushButton[kind="link"] {{ background: transparent; border: 2px solid transparent; color: {kit["accent"]};
  padding: 2px 4px; }}
QPushButton[kind="link"]:hover {{ background: {kit.tint("accent", 0.1)}; }}
QPushButton[kind="link"]:focus {{ border-color: {kit["accent"]}; }}
QPushButton[kind="tab"] {{ background: transparent; border: 2px solid transparent; color: {kit["muted"]};
  padding: 3px 10px; }}
QPushButton[kind="tab"]:hover {{ background: {kit.hover}; }}
QPushButton[kind="tab"]:checked {{ background: {kit.selected}; color: {kit["text"]}; font-weight: 600; }}
QPushButton[kind="tab"]:focus {{ border-color: {kit["accent"]}; }}
"""


def _chips(kit: Tokens) -> str:
    return f"""
QPushButton[kind="chip"] {{ background: {kit.tint("muted", 0.1)}; border: 2px solid transparent; border-radius: 12px;
  padding: 0 8px; min-height: 20px; font-size: {kit.type["small"]}px; color: {kit["text"]}; }}
QPushButton[kind="chip"]:hover {{ background: {kit.tint("muted", 0.2)}; }}
QPushButton[kind="chip"]:focus {{ border-color: {kit["accent"]}; padding: 0 8px; }}
QPushButton[kind="alarm"], QPushButton[kind="caution"] {{ border-radius: 12px; padding: 0 8px; min-height: 20px;
  font-size: {kit.type["small"]}px; font-weight: 600; }}
QPushButton[kind="alarm"] {{ background: {kit["bad"]}; border: 2px solid {kit["bad"]}; color: {kit["bg"]}; }}
QPushButton[kind="caution"] {{ background: {kit.tint("warn", 0.14)}; border: 2px solid {kit["warn"]};
  color: {kit["text"]}; }}
QPushButton[kind="alarm"]:focus, QPushButton[kind="caution"]:focus {{ border-color: {kit["text"]}; padding: 0 8px; }}
QLabel[kind="chip"] {{ background: {kit.tint("muted", 0.14, "raised")}; border-radius: 8px; padding: 1px 8px;
  font-size: {kit.type["small"]}px; }}
"""


def _fields(kit: Tokens) -> str:
    radius = kit.radius["control"]
    return f"""
QLineEdit, QComboBox {{ background: {kit["raised"]}; border: 1px solid {kit["line"]}; border-radius: {radius}px;
  padding: 5px 8px; min-height: 20px; selection-background-color: {kit.tint("accent", 0.35)};
  selection-color: {kit["text"]}; }}
QLineEdit:focus, QComboBox:focus {{ border: 2px solid {kit["accent"]}; padding: 4px 7px; }}
QLineEdit, QPlainTextEdit {{ placeholder-text-color: {kit["muted"]}; }}
QComboBox::drop-down {{ border: none; width: 20px; }}
QComboBox QAbstractItemView {{ background: {kit["raised"]}; border: 1px solid {kit["line"]}; padding: 4px;
  selection-background-color: {kit.selected}; selection-color: {kit["text"]}; }}
QMenu {{ background: {kit["raised"]}; border: 1px solid {kit["line"]}; border-radius: {radius}px; padding: 4px; }}
QMenu::item {{ padding: 6px 24px 6px 12px; border-radius: 4px; }}
QMenu::item:selected {{ background: {kit.selected}; }}
QMenu::item:disabled {{ color: {kit["muted"]}; }}
QMenu::separator {{ height: 1px; background: {kit["line"]}; margin: 4px 8px; }}
QCheckBox, QRadioButton {{ spacing: 10px; padding: 3px; }}
QCheckBox::indicator, QRadioButton::indicator {{ width: 18px; height: 18px; }}
QSlider {{ min-height: 24px; }}
QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {kit["line"]}; }}
QSlider::sub-page:horizontal {{ height: 4px; border-radius: 2px; background: {kit["accent"]}; }}
QSlider::handle:horizontal {{ width: 14px; height: 14px; margin: -6px 0; border-radius: 8px;
  background: {kit["raised"]};
  border: 1px solid {kit["accent"]}; }}
QSlider::handle:horizontal:focus {{ background: {kit["accent"]}; }}
QFrame[kind="composer"] {{ background: {kit["raised"]}; border: 1px solid {kit["line"]};
  border-radius: {kit.radius["card"] + 4}px; }}
QFrame[kind="composer"][active="true"] {{ border: 1px solid {kit["accent"]}; }}
QFrame[kind="composer"] QPlainTextEdit {{ background: transparent; border: none; font-size: {kit.type["reading"]}px; }}
"""


def _surfaces(kit: Tokens) -> str:
    card = kit.radius["card"]
    return f"""
QFrame[kind="card"] {{ background: {kit["raised"]}; border: {kit.line_width}px solid {kit["line"]};
  border-radius: {card}px; }}
QFrame[kind="card"][chosen="true"] {{ border: 2px solid {kit["accent"]}; }}
QFrame[kind="soft"] {{ background: {kit["surface"]}; border: {kit.line_width - 1}px solid {kit["line"]};
  border-radius: {card}px; }}
QFrame[kind="floating"] {{ background: {kit["raised"]}; border: 1px solid {kit["line"]}; border-radius: {card}px; }}
QFrame[kind="notice"] {{ background: {kit.tint("warn", 0.1)}; border: 1px solid {kit.tint("warn", 0.35)};
  border-radius: {card}px; }}
QFrame[kind="error"] {{ background: {kit.tint("bad", 0.08)}; border: 1px solid {kit.tint("bad", 0.35)};
  border-radius: {card}px; }}
QFrame[kind="calm"] {{ background: {kit.tint("accent", 0.07)}; border: 1px solid {kit.tint("accent", 0.25)};
  border-radius: {card}px; }}
QTextEdit, QTextBrowser, QPlainTextEdit {{ background: transparent; border: none;
  selection-background-color: {kit.tint("accent", 0.35)}; selection-color: {kit["text"]}; }}
"""


def _lists(kit: Tokens) -> str:
    radius = kit.radius["control"]
    return f"""
QListView, QTreeView {{ background: transparent; border: 2px solid transparent; border-radius: {radius}px; }}
QListView[ring="true"]:focus, QTreeView[ring="true"]:focus {{ border-color: {kit["accent"]}; }}
"""


def _bars(kit: Tokens) -> str:
    return f"""
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 2px; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 2px; }}
QScrollBar::handle {{ background: {kit.tint("muted", 0.35)}; border-radius: 3px; }}
QScrollBar::handle:vertical {{ min-height: 32px; }}
QScrollBar::handle:horizontal {{ min-width: 32px; }}
QScrollBar::handle:hover {{ background: {kit.tint("muted", 0.6)}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""


def _words(kit: Tokens) -> str:
    return f"""
QLabel {{ background: transparent; }}
QLabel[tone="muted"] {{ color: {kit["muted"]}; }}
QLabel[tone="private"] {{ color: {kit["private"]}; }}
QLabel[tone="ok"] {{ color: {kit["ok"]}; }}
QLabel[tone="warn"] {{ color: {kit["warn"]}; }}
QLabel[tone="bad"] {{ color: {kit["bad"]}; }}
QLabel[tone="accent"] {{ color: {kit["accent"]}; }}
QLabel[step="small"] {{ font-size: {kit.type["small"]}px; }}
QLabel[step="reading"] {{ font-size: {kit.type["reading"]}px; }}
QLabel[step="title"] {{ font-size: {kit.type["title"]}px; font-weight: 600; }}
QLabel[step="display"] {{ font-size: {kit.type["display"]}px; font-weight: 600; }}
QLabel[step="heading"] {{ font-size: {kit.type["body"]}px; font-weight: 600; }}
"""
