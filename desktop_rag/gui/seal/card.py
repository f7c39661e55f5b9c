"""The shield's card: the processes, the button that makes them prove their seal, and the log of connections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from desktop_rag.gui.backend import Backend
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.labels import IconLabel, label, line, set_tone
from desktop_rag.gui.pieces.popover import Popover
from desktop_rag.gui.seal import lines
from desktop_rag.gui.seal.proving import Proving
from desktop_rag.gui.theme import Theme
from desktop_rag.privacy import proof_page
from desktop_rag.privacy.egress import summary

_WIDTH = 400
_FOLD_HEIGHT = 150
_LOG_LINES = 50


class SealCard(Popover):
    """What the shield means; `purposes` are those the network is open for."""

    def __init__(
        self, theme: Theme, backend: Backend, proving: Proving, parent: QWidget, purposes: Sequence[str] = ()
    ) -> None:
        super().__init__(parent, _WIDTH)
        self.setAccessibleName("Network seal")
        self._theme, self._backend, self._proving, self._purposes = theme, backend, proving, purposes
        self._log = summary(backend.egress())
        self._title = label("", "heading")
        self._about = label("", "small", "muted", wrap=True)
        self.body.addWidget(self._title)
        self.body.addWidget(self._about)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(10)
        self._rows.setContentsMargins(0, 4, 0, 4)
        self.body.addLayout(self._rows)
        self._build_proof()
        self.body.addWidget(line())
        self._build_log()
        proving.changed.connect(self._show)
        self._show()

    def _build_proof(self) -> None:
        self.prove = TextButton(self._theme, "Prove it", self._proving.run, icon="shield-check", role="accent")
        self.prove.setToolTip("Each process that runs tries to connect, below the reach of this application's checks.")
        self.total = label("", "small", wrap=True)
        self.details = Fold(self._theme, "Details", lambda: self._make_room(self.log))
        self.copy = TextButton(self._theme, "Copy report", self._copy, kind="link", icon="copy")
        row = QHBoxLayout()
        row.setSpacing(4)
        for button in (self.prove, self.details.button, self.copy):
            row.addWidget(button)
        row.addStretch(1)
        self.body.addWidget(self.total)
        self.body.addLayout(row)
        self.body.addWidget(self.details)

    def _build_log(self) -> None:
        entries = lines.of_log(self._log)
        self.log = Fold(self._theme, "Show", lambda: self._make_room(self.details))
        self.log.say("\n".join(entries[:_LOG_LINES]))
        self.log.button.setVisible(bool(entries))
        self.log.button.setAccessibleName("Show the log of connections")
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(IconLabel(self._theme, "globe", "muted", 20))
        head.addWidget(label(proof_page.counted_connections(self._log), "heading"), 1)
        head.addWidget(self.log.button)
        self.body.addLayout(head)
        refused = proof_page.counted_refused(self._log)
        told = f"Each one is written down before it is made. {refused}{'.' if refused else ''}".strip()
        self.body.addWidget(label(told, "small", "muted", wrap=True))
        self.body.addWidget(self.log)

    def _show(self) -> None:
        """Say what is known now."""
        proofs, at, waiting = self._proving.proofs, self._proving.at, self._proving.waiting
        self._title.setText(lines.title(self._purposes, broken=self._proving.broken))
        self._about.setText(lines.about(self._backend, broken=self._proving.broken))
        _empty(self._rows)
        for one in [*lines.of_processes(self._backend, proofs), *lines.of_purposes(self._purposes)]:
            row = _row(self._theme, one)
            self._rows.addWidget(row)
            # Qt would show it later, and the card's height is worked out now.
            row.show()
        self.prove.setEnabled(not waiting)
        self.prove.say("Asking …" if waiting else "Prove it again" if proofs else "Prove it")
        self.copy.say("Copy report")
        finished = bool(proofs) and at is not None
        for button in (self.details.button, self.copy):
            button.setVisible(finished)
        self.total.setVisible(finished)
        if finished and at is not None:
            self.total.setText(f"{proof_page.total(proofs)} {at:%H:%M:%S}")
            set_tone(self.total, "bad" if self._proving.broken else "ok" if _all(proofs) else "warn")
            self.details.say("\n\n".join(_attempts(role, proof) for role, proof in proofs.items()))
        else:
            self.details.fold()
        self._settle()

    def _make_room(self, other: Fold) -> None:
        """Only one text is open at a time: the card has to fit on a small screen."""
        other.fold()
        self._settle()

    def _settle(self) -> None:
        """Fit the content now, and once the style sheet and the layout have been told of it, for good."""
        self.fit()
        QTimer.singleShot(0, self, self.fit)

    def _copy(self) -> None:
        report = proof_page.page(self._proving.at or datetime.now().astimezone(), self._proving.proofs, self._log)
        QGuiApplication.clipboard().setText("\n".join(report) + "\n")
        self.copy.say("Copied")


class Fold(QWidget):
    """Text that opens under a button, scrolled where it is long."""

    def __init__(self, theme: Theme, name: str, resized: Callable[[], object]) -> None:
        super().__init__()
        self._resized = resized
        self.button = TextButton(theme, name, self._toggle, kind="link", icon="chevron-down")
        self.text = label("", "small", "muted", wrap=True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._scroll = QScrollArea()
        self._scroll.setWidget(self.text)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFixedHeight(_FOLD_HEIGHT)
        self._scroll.setAccessibleName(name)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._scroll)
        self.hide()

    def say(self, text: str) -> None:
        """Change the text."""
        self.text.setText(text)

    def fold(self) -> None:
        """Close it."""
        self.hide()
        self.button.show_icon("chevron-down")

    def _toggle(self) -> None:
        self.setVisible(self.isHidden())
        self.button.show_icon("chevron-down" if self.isHidden() else "chevron-up")
        self._resized()


def _row(theme: Theme, one: lines.Line) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(10)
    row.addWidget(IconLabel(theme, one.icon, one.tone, 20), 0, Qt.AlignmentFlag.AlignTop)
    column = QVBoxLayout()
    column.setSpacing(1)
    head = QHBoxLayout()
    head.addWidget(label(one.name, "heading"), 1)
    head.addWidget(label(one.state, "small", one.tone))
    column.addLayout(head)
    column.addWidget(label(one.about, "small", "muted", wrap=True))
    row.addLayout(column, 1)
    return holder


def _attempts(role: str, proof: proof_page.Proof) -> str:
    return "\n".join([proof_page.ROLES.get(role, (role, ""))[0], *proof_page.attempts(proof)])


def _all(proofs: dict[str, proof_page.Proof]) -> bool:
    return all(proof["sealed"] for proof in proofs.values())


def _empty(column: QVBoxLayout) -> None:
    while (item := column.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
