"""An address leaves the application only by the user's click and word: the system's browser opens it then."""

from __future__ import annotations

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from desktop_rag.gui.links import host_of
from desktop_rag.gui.pieces.confirm import Confirm
from desktop_rag.gui.theme import Theme

# A longer word would widen the question beyond the window.
_LONGEST = 100


def ask_to_open(theme: Theme, parent: QWidget, address: str) -> Confirm | None:
    """Ask whether the browser shall open `address`; None for one that is not plainly of the web."""
    host = host_of(address)
    if host is None:
        return None
    shown = address if len(address) <= _LONGEST else f"{address[:_LONGEST]}…"
    question = Confirm(
        theme,
        parent.window(),
        f"Open {host} in your browser?",
        f"{shown}\n\n{host} will see this address and that you came. It was written by a model or a document.",
        "Open in browser",
        lambda _text: QDesktopServices.openUrl(QUrl(address, QUrl.ParsingMode.StrictMode)),
        danger=False,
    )
    question.open()
    return question
