"""What the shield's card says of each process: pure, from handshakes and proofs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from desktop_rag.gui.backend import Backend
from desktop_rag.gui.seal.proving import NETWORK
from desktop_rag.privacy import proof_page
from desktop_rag.privacy.egress import Egress, kinds
from desktop_rag.privacy.proof_page import ROLES, Proof

ENFORCED = "The operating system refuses them every connection but the pipe to this window."
WATCHED = "Connections made by their Python code are refused; this system offers no stronger lock."
OPEN = "It may open connections, and nothing else: it sees no document and no vault."
_ALWAYS = ("library", "chat", "models")
_PURPOSES = {
    "download": ("Downloads", "Search and download of models. Nothing of your documents is sent."),
    "remote_model": ("Remote model", "Gets the cleaned text of your question and of the passages."),
    "remote_index": ("Team server", "Gets ids and vectors of cleaned passages and questions; no text, no names."),
    "local_index": ("Team server on this computer", "Gets ids and vectors; talks to this computer only."),
    "loopback": ("Measurement", "Talks to a server on this computer only."),
}
_HANDSHAKES = {
    "seccomp": ("shield-check", "ok", "Sealed"),
    "audit": ("shield-alert", "warn", "Sealed in part"),
    "": ("shield", "muted", "Not running"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One process: icon and tone, its name, its state in a word, and a sentence about it."""

    icon: str
    tone: str
    name: str
    state: str
    about: str


def title(purposes: Sequence[str], *, broken: bool) -> str:
    """What the card is headed by."""
    if broken:
        return "A process can open connections"
    if "remote_model" in purposes:
        return "Cleaned text leaves this computer"
    if "remote_index" in purposes:
        return "Vectors of cleaned text leave this computer"
    return "Nothing of yours leaves this computer" if purposes else "Nothing leaves this computer"


def about(backend: Backend, *, broken: bool) -> str:
    """What holds for all of the processes, said once."""
    if broken:
        return "The seal does not hold. Close the application, and keep the report for those who look after it."
    seals = {str((worker.hello or {}).get("seal")) for worker in (backend.library, backend.chat) if worker.hello}
    return f"The work is done in processes of their own. {WATCHED if 'audit' in seals else ENFORCED}"


def of_processes(backend: Backend, proofs: dict[str, Proof]) -> list[Line]:
    """The processes that are always told of, then whatever else runs or has proved its seal."""
    seals = {name: str((getattr(backend, name).hello or {}).get("seal") or "") for name in _ALWAYS}
    for worker in backend.running:
        if worker.role != NETWORK:
            seals.setdefault(worker.role, str((worker.hello or {}).get("seal") or ""))
    lines = []
    for role in dict.fromkeys((*seals, *proofs)):
        proof = proofs.get(role)
        kind, _, number = role.partition(" ")
        name, what = ROLES.get(kind, (kind, ""))
        name = f"{name} {number}".strip()
        lines.append(_proved(name, proof) if proof else _greeted(name, what, seals.get(role, "")))
    return lines


def of_purposes(purposes: Sequence[str]) -> list[Line]:
    """What the network is open for."""
    lines = []
    for purpose in purposes:
        name, what = _PURPOSES.get(purpose, (purpose, ""))
        remote = purpose in ("remote_model", "remote_index")
        lines.append(Line("globe", "bad" if remote else "warn", name, "Open", f"{what} {OPEN}"))
    return lines


def of_log(log: Egress) -> list[str]:
    """The log of connections, newest first: when, where to or what was refused, and why."""
    rows = [*((row, 1) for row in log.connections), *kinds(log.refused)]
    return [_entry(row, times) for row, times in sorted(rows, key=lambda pair: str(pair[0]["at"]), reverse=True)]


def _entry(row: Mapping[str, Any], times: int) -> str:
    at = f"{proof_page.local_time(row['at']):%d %b %H:%M}"
    what = proof_page.target_of(row) or str(row["what"])
    refused = "" if row["allowed"] else " refused" if times == 1 else f" refused {times:,} times"
    return f"{at}  {what}{refused}\n    {row.get('reason')}"


def _greeted(name: str, what: str, seal: str) -> Line:
    icon, tone, state = _HANDSHAKES.get(seal, ("shield-alert", "bad", "No seal"))
    return Line(icon, tone, name, state, what)


def _proved(name: str, proof: Proof) -> Line:
    words = proof_page.headline(proof)
    said = words[0].upper() + words[1:]
    if proof["sealed"]:
        return Line("circle-check", "ok", name, "Proved", said)
    if proof_page.broken(proof):
        return Line("shield-alert", "bad", name, "Not sealed", "It can open connections.")
    state = "No answer" if proof["sealed"] is None else "Sealed in part"
    return Line("shield-alert", "warn", name, state, said)
