"""The shield: what the operating system refuses to each process, read from the processes' own handshakes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop_rag.gui.backend import Backend, Worker
from desktop_rag.gui.pieces.buttons import ChipButton
from desktop_rag.gui.pieces.labels import IconLabel, label
from desktop_rag.gui.pieces.popover import Popover
from desktop_rag.gui.theme import Theme

_ENFORCED = "The operating system refuses it every connection but the pipe to this window (seccomp)."
_WATCHED = "Connections made by its Python code are refused; this system offers no stronger lock."
_OPEN = "It may open connections, and nothing else: it sees no document and no vault."
_ROLES = (
    ("library", "Library", "Your documents, the index and the vault."),
    ("chat", "Language model", "Reads the passages, writes the answer."),
    ("models", "Models", "Reads and converts model files."),
)
_PURPOSES = {
    "download": ("Downloads", "Search and download of models. Nothing of your documents is sent."),
    "remote_model": ("Remote model", "Gets the cleaned text of your question and of the passages."),
    "loopback": ("Measurement", "Talks to a server on this computer only."),
}
REMOTE_WORDS = "Remote: cleaned text leaves this computer"


@dataclass(frozen=True, slots=True)
class SealState:
    """The word on the shield, with its icon and colour."""

    word: str
    icon: str
    role: str


class SealChip(ChipButton):
    """The shield; one that is alarming keeps its words at any width."""

    def __init__(self, theme: Theme, on_click: Callable[[], object]) -> None:
        super().__init__(theme, "Starting", on_click, icon="shield")

    def show_state(self, state: SealState) -> None:
        """Say what is sealed, or what the network is open for."""
        alarming = state.role == "bad"
        self.set_kind({"bad": "alarm", "warn": "caution"}.get(state.role, "chip"))
        self.set_least(200 if alarming else 72)
        self.say(state.word)
        self.setAccessibleName(f"Network: {state.word}")
        self.show_icon(state.icon, "bg" if alarming else state.role)


def state_of(backend: Backend, opened: str = "", *, remote: bool = False) -> SealState:
    """Sealed when every running process says that the system enforces it.

    `remote` while answers come from a remote model, `opened` what else the network is open for, in words.
    """
    if remote:
        return SealState(REMOTE_WORDS, "radio-tower", "bad")
    if opened:
        return SealState(opened, "globe", "warn")
    seals = [worker.hello.get("seal") for worker in (backend.library, backend.chat) if worker.hello]
    if not seals:
        return SealState("Starting", "shield", "muted")
    if all(seal == "seccomp" for seal in seals):
        return SealState("Sealed", "shield-check", "ok")
    if all(seal == "audit" for seal in seals):
        return SealState("Sealed in part", "shield-alert", "warn")
    return SealState("Not sealed", "shield-alert", "bad")


def popover(theme: Theme, backend: Backend, parent: QWidget, purposes: Sequence[str] = ()) -> Popover:
    """What the shield means, process by process; `purposes` are those the network is open for."""
    card = Popover(parent, 340)
    card.setAccessibleName("Network seal")
    remote = "remote_model" in purposes
    title = "Cleaned text leaves this computer" if remote else "Nothing of yours leaves this computer"
    card.body.addWidget(label(title if purposes else "Nothing leaves this computer", "heading"))
    card.body.addWidget(label("Documents, index and model live in processes of their own.", tone="muted", wrap=True))
    for attribute, name, what in _ROLES:
        worker: Worker = getattr(backend, attribute)
        seal = str((worker.hello or {}).get("seal") or "")
        card.body.addWidget(_process(theme, name, what, seal))
    for purpose in purposes:
        name, what = _PURPOSES.get(purpose, (purpose, ""))
        card.body.addWidget(_row(theme, "globe", "bad" if purpose == "remote_model" else "warn", (name, what, _OPEN)))
    return card


def _process(theme: Theme, name: str, what: str, seal: str) -> QWidget:
    icon, role, text = {
        "seccomp": ("shield-check", "ok", _ENFORCED),
        "audit": ("shield-alert", "warn", _WATCHED),
        "": ("shield", "muted", "Not running now. It is sealed before it opens anything."),
    }.get(seal, ("shield-alert", "bad", "It runs without a seal."))
    return _row(theme, icon, role, (name, what, text))


def _row(theme: Theme, icon: str, role: str, words: tuple[str, str, str]) -> QWidget:
    name, what, text = words
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
