"""Deep search: several retrievers look at once, under a deadline; who is late or dead is left out and named."""

from __future__ import annotations

import queue
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from desktop_rag.retrieval.analyse import terms
from desktop_rag.retrieval.fuse import Scores

SECONDS = 3.0
"""So long the retrievers may take."""
_WORD = re.compile(r"\[[A-Z][A-Z_]*(?:_\d+)?\]|\w[\w'’.-]*\w|\w")
# What is asked, never what is asked about.
_ASKING = frozenset(
    "what which who whom whose when where why how much many does do did can could should would shall may might please"
    " tell me you your we our i my he she they them there any some about".split()
)
State = Literal["answered", "failed", "late"]


@dataclass(frozen=True, slots=True)
class Member:
    """One retriever: what people call it, and how it finds chunks with scores. It runs in a thread of its own."""

    name: str
    find: Callable[[], Scores]


@dataclass(frozen=True, slots=True)
class Report:
    """How a member did: milliseconds until it ended or was left, and how many chunks it found."""

    name: str
    state: State
    ms: float
    hits: int

    def told(self) -> dict[str, Any]:
        """As data."""
        return {"name": self.name, "state": self.state, "ms": self.ms, "hits": self.hits}


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the members found, by name, and a report of each in the order they were named."""

    found: dict[str, Scores]
    reports: list[Report]

    @property
    def notes(self) -> list[str]:
        """A sentence for each member that did not answer."""
        said = {"failed": "failed and was left out.", "late": "was not done in time and was left out."}
        return [f"“{report.name}” {said[report.state]}" for report in self.reports if report.state in said]


def gather(
    members: Sequence[Member], seconds: float = SECONDS, interrupt: Callable[[], None] = lambda: None
) -> Gathered:
    """Ask all members at once and wait for them, at most so long.

    `interrupt` is called when some are late, to end what they do; nobody waits for them.
    """
    answers: queue.SimpleQueue[tuple[int, Scores | None, float]] = queue.SimpleQueue()
    started = time.monotonic()
    for number, member in enumerate(members):
        threading.Thread(
            target=_ask, args=(number, member, started, answers), name=f"deep {number}", daemon=True
        ).start()
    ended: dict[int, tuple[Scores | None, float]] = {}
    while len(ended) < len(members):
        try:
            number, found, ms = answers.get(timeout=max(0.0, started + seconds - time.monotonic()))
        except queue.Empty:
            interrupt()
            break
        ended[number] = found, ms
    late = _since(started)
    gathered = Gathered({}, [])
    for number, member in enumerate(members):
        found, ms = ended.get(number, (None, late))
        gathered.reports.append(_report(member.name, found, ms, number in ended))
        if found is not None:
            gathered.found[member.name] = found
    return gathered


def _ask(number: int, member: Member, started: float, answers: queue.SimpleQueue[Any]) -> None:
    try:
        found: Scores | None = member.find()
    except Exception:  # noqa: BLE001 - whatever kills one member, the others answer, and the report names it
        found = None
    answers.put((number, found, _since(started)))


def _report(name: str, found: Scores | None, ms: float, ended: bool) -> Report:
    if found is not None:
        return Report(name, "answered", ms, len(found))
    return Report(name, "failed" if ended else "late", ms, 0)


def _since(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 3)


def rewritten(question: str, earlier: Sequence[str] = ()) -> str:
    """The question as its words of content, those of the earlier questions after them, each once; "" without any.

    No model writes: "How long is the warranty?" after "What about the pump P-7?" is "long warranty pump P-7".
    """
    kept: dict[tuple[str, ...], str] = {}
    for text in (question, *reversed(earlier)):
        for word in _WORD.findall(text):
            said = tuple(terms(word))
            if said and word.casefold() not in _ASKING:
                kept.setdefault(said, word)
    return " ".join(kept.values())


def together(first: Mapping[int, float], second: Mapping[int, float]) -> dict[int, float]:
    """The mean of two scores of the same kind; what only one of them knows keeps that."""
    both = {key: (value + second[key]) / 2 if key in second else value for key, value in first.items()}
    return {**second, **both}
