"""The shield: what the operating system refuses to each process, read from the processes' own handshakes."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop_rag.gui.backend import Backend, Worker
from desktop_rag.gui.pieces.labels import IconLabel, label
from desktop_rag.gui.pieces.popover import Popover
from desktop_rag.gui.theme import Theme

_ENFORCED = "The operating system refuses it every connection but the pipe to this window (seccomp)."
_WATCHED = "Connections made by its Python code are refused; this system offers no stronger lock."
_ROLES = (
    ("library", "Library", "Your documents, the index and the vault."),
    ("chat", "Language model", "Reads the passages, writes the answer."),
)


@dataclass(frozen=True, slots=True)
class SealState:
    """The word on the shield, with its icon and colour."""

    word: str
    icon: str
    role: str


def state_of(backend: Backend) -> SealState:
    """Sealed when every running process says that the system enforces it."""
    seals = [worker.hello.get("seal") for worker in (backend.library, backend.chat) if worker.hello]
    if not seals:
        return SealState("Starting", "shield", "muted")
    if all(seal == "seccomp" for seal in seals):
        return SealState("Sealed", "shield-check", "ok")
    if all(seal == "audit" for seal in seals):
        return SealState("Sealed in part", "shield-alert", "warn")
    return SealState("Not sealed", "shield-alert", "bad")


def popover(theme: Theme, backend: Backend, parent: QWidget) -> Popover:
    """What the shield means, process by process."""
    card = Popover(parent, 340)
    card.setAccessibleName("Network seal")
    card.body.addWidget(label("Nothing leaves this computer", "heading"))
    card.body.addWidget(label("Documents, index and model live in processes of their own.", tone="muted", wrap=True))
    for attribute, name, what in _ROLES:
        worker: Worker = getattr(backend, attribute)
        seal = str((worker.hello or {}).get("seal") or "")
        card.body.addWidget(_process(theme, name, what, seal))
    return card


def _process(theme: Theme, name: str, what: str, seal: str) -> QWidget:
    icon, role, text = {
        "seccomp": ("shield-check", "ok", _ENFORCED),
        "audit": ("shield-alert", "warn", _WATCHED),
        "": ("shield", "muted", "Not running now. It is sealed before it opens anything."),
    }.get(seal, ("shield-alert", "bad", "It runs without a seal."))
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 4, 0, 0)
    row.setSpacing(10)
    row.addWidget(IconLabel(theme, icon, role, 20))
    column = QVBoxLayout()
    column.setSpacing(1)
    column.addWidget(label(name, "heading"))
    column.addWidget(label(what, wrap=True))
    column.addWidget(label(text, "small", "muted", wrap=True))
    row.addLayout(column, 1)
    return holder
