"""The proof of the seal, as the window runs it: every live process is asked, none is started for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from PySide6.QtCore import QObject, Signal

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.backend import Backend, Event, Worker
from desktop_rag.gui.tasks import Tasks
from desktop_rag.privacy import proof_page
from desktop_rag.privacy.proof import unanswered
from desktop_rag.privacy.proof_page import Proof

NETWORK = "network"


@dataclass(frozen=True, slots=True)
class _Found:
    """What one process has proved; it holds as long as that very process lives."""

    worker: Worker
    pid: int | None
    role: str
    proof: Proof


class Proving(QObject):
    """Asks the processes and keeps what they answered; `changed` whenever there is something new."""

    changed = Signal()

    def __init__(self, backend: Backend, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._backend, self._tasks = backend, tasks
        self._found: list[_Found] = []
        self.waiting = 0
        self.at: datetime | None = None

    @property
    def proofs(self) -> dict[str, Proof]:
        """By role, what the processes that still live have proved; a second one of a role is "chat 2"."""
        seen: Counter[str] = Counter()
        proofs: dict[str, Proof] = {}
        for found in self._found:
            if found.worker.hello is not None and found.worker.pid == found.pid:
                seen[found.role] += 1
                proofs[found.role if seen[found.role] == 1 else f"{found.role} {seen[found.role]}"] = found.proof
        return proofs

    @property
    def broken(self) -> bool:
        """Whether a process that lives has shown that it can connect though it should not."""
        return any(proof_page.broken(proof) for proof in self.proofs.values())

    def run(self) -> None:
        """Ask every process that runs now; those of the network, which may connect, have nothing to prove."""
        if self.waiting:
            return
        workers = [worker for worker in self._backend.running if worker.role != NETWORK]
        self._found, self.at = [], None
        self.waiting = len(workers)
        for worker in workers:
            self._tasks.call(
                partial(worker.call, "prove"), partial(self._answered, worker), partial(self._unanswered, worker)
            )
        self.changed.emit()

    def _answered(self, worker: Worker, answer: Event) -> None:
        proofs = {worker.role: answer, **{role: proof for role, proof in answer["children"].items() if proof}}
        self._keep(worker, proofs)

    def _unanswered(self, worker: Worker, error: DesktopRagError) -> None:
        self._keep(worker, {worker.role: unanswered(error.message)})

    def _keep(self, worker: Worker, proofs: dict[str, Proof]) -> None:
        self._found += [_Found(worker, worker.pid, role, proof) for role, proof in proofs.items()]
        self.waiting -= 1
        if not self.waiting:
            self.at = datetime.now().astimezone()
        self.changed.emit()
