"""`desktop-rag privacy seal` and `privacy egress`: the proof that nothing can get out, and the log of what did."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from typing import Any

from desktop_rag.cli.output import Output
from desktop_rag.errors import DesktopRagError
from desktop_rag.privacy import egress, proof_page
from desktop_rag.privacy.proof import unanswered
from desktop_rag.workers.client import WorkerClient
from desktop_rag.workers.crew import Workers
from desktop_rag.workers.main import SEALED_ROLES

NOT_PROVED = 1
_PIPE_KEYS = ("event", "id", "children")


def add_commands(kinds: Any, add: Callable[[Any, str, Any, str], ArgumentParser]) -> None:
    """Put the two kinds beside the others of `privacy`."""
    add(
        kinds,
        "seal",
        run_seal,
        "Start every sealed process and let it try to connect, below Python: the system must refuse."
        " Leaves with 0 if every process was refused, else with 1.",
    )
    add(kinds, "egress", run_egress, "List every connection that was permitted, with its reason, and those refused.")


def run_seal(workers: Workers, options: Namespace, output: Output) -> int:
    """Print what came of each process's attempts."""
    proofs: dict[str, proof_page.Proof] = {}
    for role in SEALED_ROLES:
        output.progress({"event": "progress", "role": role}, f"{proof_page.ROLES[role][0]} …")
        if role == "library":
            proofs |= _asked(workers.library)
        else:
            with closing(workers.fresh(role)) as worker:
                proofs |= _asked(worker)
    sealed = all(proof["sealed"] for proof in proofs.values())
    log = egress.summary(egress.read(workers.data_dir))
    now = datetime.now().astimezone()
    result = {"at": now.isoformat(timespec="seconds"), "sealed": sealed, "roles": proofs}
    output.result(result, proof_page.page(now, proofs, log))
    return 0 if sealed else NOT_PROVED


def _asked(worker: WorkerClient) -> dict[str, proof_page.Proof]:
    """A process's proof by its role, with those of the processes it has."""
    try:
        answer = worker.call("prove", start=True)
    except DesktopRagError as error:
        return {worker.role: {**unanswered(error.message), "error": error.to_payload()}}
    proofs = {worker.role: answer, **answer["children"]}
    return {role: {k: v for k, v in proof.items() if k not in _PIPE_KEYS} for role, proof in proofs.items()}


def run_egress(workers: Workers, options: Namespace, output: Output) -> int:
    """Print the egress log."""
    rows = egress.read(workers.data_dir)
    log = egress.summary(rows)
    counts = {"since": log.since, "connections": len(log.connections), "refused": len(log.refused)}
    output.result({**counts, "rows": rows}, proof_page.egress_lines(log))
    return 0
