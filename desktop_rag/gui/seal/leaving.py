"""What the network is open for, by what the user has set: uses begun by hand, a remote model, servers of a team."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_rag.gui.model_wires import remote
from desktop_rag.gui.network import REMOTE
from desktop_rag.retrieval.chroma_dialect import is_this_machine

if TYPE_CHECKING:
    from desktop_rag.gui.main_window import MainWindow

TEAM, TEAM_HERE = "remote_index", "local_index"


def purposes(window: MainWindow) -> list[str]:
    """All of them, each once."""
    found = [*window.network.purposes, *([REMOTE] if remote(window) else []), *_servers(window)]
    return list(dict.fromkeys(found))


def asks_a_team(window: MainWindow) -> bool:
    """Whether questions go to a team's server elsewhere, so that vectors leave this computer."""
    return TEAM in _servers(window)


def _servers(window: MainWindow) -> set[str]:
    """A sealed application asks servers on this computer only."""
    addresses = [row["server"] for row in window.library.collections if row.get("server")]
    found = {TEAM_HERE if is_this_machine(address) else TEAM for address in addresses}
    return found - {TEAM} if window.settings["sealed"] else found
