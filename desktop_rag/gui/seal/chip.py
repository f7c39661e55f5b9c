"""The shield itself: one word for how the application is sealed, read from the processes' own handshakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from desktop_rag.gui.backend import Backend
from desktop_rag.gui.pieces.buttons import ChipButton
from desktop_rag.gui.theme import Theme

REMOTE_WORDS = "Remote: cleaned text leaves this computer"
TEAM_WORDS = "Team server: vectors leave this computer"
BROKEN_WORDS = "The seal is broken"


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


def state_of(
    backend: Backend, opened: str = "", *, remote: bool = False, team: bool = False, broken: bool = False
) -> SealState:
    """Sealed when every running process says that the system enforces it.

    `remote` while answers come from a remote model, `team` while a team's server elsewhere is asked, `opened` what else
    the network is open for, in words, `broken` when a proof has shown that a process can connect.
    """
    if broken:
        return SealState(BROKEN_WORDS, "shield-alert", "bad")
    if remote:
        return SealState(REMOTE_WORDS, "radio-tower", "bad")
    if team:
        return SealState(TEAM_WORDS, "radio-tower", "bad")
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
