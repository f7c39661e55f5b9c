"""What every target needs: the starter model, equal conditions, and processes that end with their measurement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from desktop_rag.engines.registry import LLAMA_CPP
from desktop_rag.evaluation.measuring import greedy, watched
from desktop_rag.evaluation.prompts import WARM_UP
from desktop_rag.evaluation.team import Event, Team, Worker
from desktop_rag.models.installed import Installed
from desktop_rag.offline import thread_budget

CONTEXT = 4096
_WARM_TOKENS = 24
Paint = Callable[[Iterable[Event]], float]


@dataclass(frozen=True, slots=True)
class Stage:
    """The workers, the model, and how painting is timed (None: there is no window here to paint into)."""

    team: Team
    model: Installed
    paint: Paint | None = None

    @property
    def threads(self) -> int:
        """The threads every side of a comparison gets."""
        return thread_budget("chat")

    @contextmanager
    def chat(self, model: Installed | None = None, **options: Any) -> Iterator[Worker]:
        """A chat process of its own, loaded and warm. Lookup is off unless asked for: it would flatter decoding."""
        wanted = {"context": CONTEXT, "threads": self.threads, "lookup": False, **options}
        with closing(self.team.fresh("chat")) as worker:
            worker.call("load", engine=LLAMA_CPP, model=_name(model or self.model), options=wanted)
            watched(worker, "complete", **greedy(WARM_UP, max_tokens=_WARM_TOKENS))
            yield worker

    @contextmanager
    def baseline(self) -> Iterator[Worker]:
        """The process of the baselines."""
        with closing(self.team.fresh("bench")) as worker:
            yield worker

    def same_conditions(self, question: str, tokens: int) -> dict[str, Any]:
        """The arguments of a baseline for this question."""
        return {
            "path": str(self.model.path),
            "messages": [{"role": "user", "content": question}],
            "tokens": tokens,
            "threads": self.threads,
            "context": CONTEXT,
        }


def in_turn(number: int, one: Callable[[], Any], other: Callable[[], Any]) -> tuple[Any, Any]:
    """Both results; which side goes first changes with every round, so that neither always finds a cooler machine."""
    if number % 2:
        second = other()
        return one(), second
    first = one()
    return first, other()


def _name(model: Installed) -> str:
    return str(model.path) if model.source == "file" else model.id
