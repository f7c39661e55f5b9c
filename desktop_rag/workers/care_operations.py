"""What the `library` role is asked about its own health: examined, audited, made smaller."""

from __future__ import annotations

from typing import Any

from desktop_rag.workers import auditing, compacting, health
from desktop_rag.workers.library import Library
from desktop_rag.workers.loop import Handler, Operation, Request
from desktop_rag.workers.unlocking import Gate

BACKGROUND = frozenset({"audit", "compact"})


class CareOperations:
    """One method per operation; the method's name is the operation's."""

    def __init__(self, gate: Gate, seal: Any) -> None:
        self._gate, self._seal = gate, seal

    @property
    def _library(self) -> Library:
        return self._gate.library

    @property
    def handlers(self) -> dict[str, Handler]:
        """The operations by name."""
        return {"audit": self.audit, "doctor": self.doctor, "compact": self.compact}

    def audit(self, request: Request) -> Operation:
        """Whether any replaced value of {collection}, or of all, stands in a file or in the cleaned texts."""
        return auditing.audit(self._library, request.args.get("collection"))

    def doctor(self, request: Request) -> Operation:
        """The state of everything."""
        yield None
        return health.examine(self._library, self._seal)

    def compact(self, request: Request) -> Operation:
        """Give back the room that removed documents left, see `compacting`."""
        return compacting.compact(self._library)
