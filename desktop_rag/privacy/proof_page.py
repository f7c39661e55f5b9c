"""The proof of the seal in words: a line for each process, and a page a data-protection officer can keep."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import desktop_rag
from desktop_rag.privacy.egress import Egress, kinds
from desktop_rag.privacy.proof import NO_STRONGER_LOCK
from desktop_rag.privacy.seal import WATCHED

Proof = Mapping[str, Any]
"""As `proof.prove` returns it, or `proof.unanswered`."""

ROLES = {
    "library": ("Library", "Your documents, the index and the vault."),
    "parse": ("Reader of files", "Reads one file at a time."),
    "chat": ("Language model", "Reads the passages, writes the answer."),
    "models": ("Models", "Reads and converts model files."),
    "bench": ("Measurements", "Measures engines and indexing."),
    "trial": ("Trial of a model", "Loads a model once, to see what fits."),
    "pii": ("Measurement of the cleaning", "Compares what finds personal data."),
    "retrieval": ("Measurement of the search", "Searches judged sets, never your documents."),
    "network": ("Network", "May open connections, for one purpose that you allow."),
}
_HOW = (
    "Each process tried these ways out itself, by the system's own functions (the C library), below the reach of any\n"
    "check in this application. Only this computer was addressed, on a port nobody listens on."
)


def broken(proof: Proof) -> bool:
    """Whether a process could connect that should not be able to; a system without a stronger lock is no breach."""
    return proof["sealed"] is False and proof["seal"] != WATCHED


def headline(proof: Proof) -> str:
    """What came of a process's proof, in a line."""
    if proof["sealed"]:
        return f"connect refused by the system: {proof['attempts'][0]['errno']}"
    if proof["sealed"] is None:
        return str(proof["words"])
    return "no stronger lock on this system" if proof["seal"] == WATCHED else "NOT sealed: it can open connections"


def total(proofs: Mapping[str, Proof]) -> str:
    """How many processes were refused the network."""
    sealed = sum(proof["sealed"] is True for proof in proofs.values())
    if any(broken(proof) for proof in proofs.values()):
        return f"The seal is broken: only {sealed} of {len(proofs)} processes were refused."
    if any(proof["seal"] == WATCHED for proof in proofs.values()):
        return NO_STRONGER_LOCK
    if sealed == len(proofs) == 1:
        return "The one process that runs was refused every connection."
    every = "All" if sealed == len(proofs) else f"{sealed} of"
    return f"{every} {len(proofs)} processes were refused every connection."


def attempts(proof: Proof) -> list[str]:
    """A line for each way out that was tried."""
    lines = []
    for attempt in proof["attempts"]:
        name = f" ({attempt['errno']})" if attempt["errno"] else ""
        lines.append(f"{attempt['call']}: {attempt['result']}{name}")
    return lines


def page(at: datetime, proofs: Mapping[str, Proof], egress: Egress) -> list[str]:
    """The whole proof as lines of plain text."""
    system = f"{platform.system()} {platform.machine()}"
    lines = [
        "Desktop RAG: proof of the seal",
        f"{at:%Y-%m-%d %H:%M:%S %Z}, version {desktop_rag.__version__}, {system}",
        "",
        total(proofs),
        _HOW,
    ]
    for role, proof in proofs.items():
        name, what = ROLES.get(role, (role, ""))
        lines += ["", f"{name}: {what}", f"  {headline(proof)}"]
        if proof["attempts"]:
            lines += [f"  {proof['words']}", *(f"    {line}" for line in attempts(proof))]
    return [*lines, "", *egress_lines(egress)]


def counted_connections(egress: Egress) -> str:
    """How many connections there were, and since when."""
    count = len(egress.connections)
    one = f"{count:,} connection{'' if count == 1 else 's'}"
    return f"{one} since {local_time(egress.since):%d %B %Y}" if egress.since else f"{one} so far"


def egress_lines(egress: Egress) -> list[str]:
    """The egress log for people."""
    refused = kinds(egress.refused)
    lines = [*(row_line(row) for row in egress.connections), *(row_line(row, times) for row, times in refused)]
    return [
        f"{counted_connections(egress)}, {counted_refused(egress) or 'nothing had to be refused'}",
        *(f"  {one}" for one in sorted(lines)),
    ]


def counted_refused(egress: Egress) -> str:
    """How many kinds of attempts were refused, "" for none."""
    count = len(kinds(egress.refused))
    return f"{count} kind{'' if count == 1 else 's'} of attempt refused" if count else ""


def row_line(row: Mapping[str, Any], times: int = 1) -> str:
    """One line of the egress log for people; of what happened `times` times, the last."""
    target = f" {target_of(row)}" if row.get("host") else ""
    name = ROLES.get(str(row.get("role")), (str(row.get("role")), ""))[0]
    verdict = "permitted" if row["allowed"] else "refused"
    often = f" ({times:,} times)" if times > 1 else ""
    at = f"{local_time(row['at']):%Y-%m-%d %H:%M:%S}"
    return f"{at}  {name}: {row['what']}{target} {verdict}: {row.get('reason')}{often}"


def target_of(row: Mapping[str, Any]) -> str:
    """The server's name with its port."""
    host, port = str(row.get("host") or ""), row.get("port")
    return f"{host}:{port}" if port else host


def local_time(at: object) -> datetime:
    """A time of the log as the clock on the wall showed it."""
    return datetime.fromisoformat(str(at)).astimezone()
