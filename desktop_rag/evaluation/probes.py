"""What an engine can do, found out by trying it through its worker. A tick is earned, and shows by what.

A probe returns whether the capability holds (None: it could not be tried) and its evidence.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from desktop_rag.errors import Cancelled, DesktopRagError, EngineError, UsageError
from desktop_rag.evaluation.measuring import Watch, greedy, watched
from desktop_rag.evaluation.prompts import CHAT, LONG, QUESTIONS, passages
from desktop_rag.evaluation.team import Worker

STREAM_TOKENS = 120
STREAM_EVENTS = 10
STREAM_SHARE = 0.5
CANCEL_AFTER = 0.2
CANCEL_WITHIN = 0.3
CLIENTS = 3
LITTLE = 0.1
_SHORT_TOKENS = 24
_SCHEMA = {
    "type": "object",
    "properties": {"colour": {"type": "string", "maxLength": 12}, "count": {"type": "integer"}},
    "required": ["colour", "count"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Probed:
    """One capability of one engine; `evidence` is JSON-ready."""

    capability: str
    holds: bool | None
    evidence: dict[str, Any]

    def to_payload(self) -> dict[str, Any]:
        """A JSON-ready row."""
        return {"capability": self.capability, "holds": self.holds, "evidence": self.evidence}


def streaming(worker: Worker) -> Probed:
    """Text arrives while it is written: many events, the first of them early, and together they are the answer."""
    watch = watched(worker, "complete", **greedy(LONG, max_tokens=STREAM_TOKENS))
    again = watched(worker, "complete", **greedy(LONG, max_tokens=STREAM_TOKENS))
    first = watch.first if watch.first is not None else watch.ended
    evidence = {
        "events": watch.events,
        "first_token_s": first,
        "total_s": watch.ended,
        "same_as_again": "".join(watch.text) == "".join(again.text),
    }
    holds = watch.events >= STREAM_EVENTS and first < STREAM_SHARE * watch.ended
    return Probed("streaming", holds and bool(evidence["same_as_again"]), evidence)


def seed(worker: Worker) -> Probed:
    """The same seed draws the same answer, another seed another one."""
    texts = [_drawn(worker, number) for number in (7, 7, 8)]
    evidence = {"same_seed_same_text": texts[0] == texts[1], "other_seed_other_text": texts[1] != texts[2]}
    return Probed("seed", all(evidence.values()), evidence)


def prefix_reuse(worker: Worker) -> Probed:
    """A prompt that begins like the one before is not computed from its start again."""
    text = "\n\n".join(passage["text"] for passage in passages())[:_REUSE_CHARACTERS]
    cold = watched(worker, "complete", **greedy(f"{text}\n\nWhat is this about?", max_tokens=2))
    warm = watched(worker, "complete", **greedy(f"{text}\n\nName one machine.", max_tokens=2))
    reused = int(warm.usage.get("reused_tokens") or 0)
    evidence: dict[str, Any] = {"prompt_tokens": warm.usage.get("prompt_tokens"), "reused_tokens": reused}
    if cold.first and warm.first:
        evidence["first_token_ratio"] = warm.first / cold.first
        # An engine that does not count what it reuses shows it by its time.
        if warm.first < STREAM_SHARE * cold.first:
            return Probed("prefix_reuse", True, evidence)
    # The system message alone is no reuse to speak of.
    prompt = int(warm.usage.get("prompt_tokens") or 0)
    return Probed("prefix_reuse", 0 < prompt <= reused / STREAM_SHARE, evidence)


def structured(worker: Worker) -> Probed:
    """An answer that must follow a JSON schema does."""
    sampling = {"temperature": 0.0, "json_schema": _SCHEMA}
    messages = [{"role": "user", "content": "Give a colour and a count as JSON."}]
    watch = watched(worker, "complete", messages=messages, sampling=sampling, max_tokens=64)
    text = "".join(watch.text)
    try:
        value = json.loads(text)
    except ValueError:
        return Probed("grammar", False, {"text": text})
    fits = isinstance(value, dict) and isinstance(value.get("colour"), str) and isinstance(value.get("count"), int)
    return Probed("grammar", fits and set(value) == {"colour", "count"}, {"text": text})


def cancel_in_prefill(worker: Worker) -> Probed:
    """A long prompt that is still being read stops when asked to, without its process being ended."""
    # Other words than any probe before, so that nothing of it is in memory already.
    text = " ".join(f"{number}. {CHAT[number % len(CHAT)]}" for number in range(_CANCEL_SENTENCES))
    asked: list[float] = []

    def stop() -> None:
        asked.append(time.perf_counter())
        worker.cancel()

    timer = threading.Timer(CANCEL_AFTER, stop)
    watch = Watch()
    timer.start()
    try:
        for _ in watch.over(worker.stream("complete", **greedy(text, max_tokens=1))):
            pass
        reason = str(watch.done.get("reason"))
    except Cancelled:
        reason = "cancelled"
    ended = time.perf_counter()
    timer.cancel()
    timer.join()
    if not asked or reason != "cancelled":
        return Probed("cancel_in_prefill", False if asked else None, {"reason": reason, "asked": bool(asked)})
    seconds = ended - asked[0]
    return Probed("cancel_in_prefill", seconds <= CANCEL_WITHIN and not watch.text, {"seconds": seconds})


def concurrency(worker: Worker) -> Probed:
    """Several clients at once: queries a second, latency, and whether their product is the number of clients.

    Little's law: clients = queries a second * seconds a query, for a steady stream of requests.
    """
    latencies: list[float] = []
    failures: list[DesktopRagError] = []

    def client(number: int) -> None:
        try:
            for prompt in QUESTIONS[:_EACH_CLIENT]:
                question = greedy(f"{prompt} ({number})", max_tokens=_SHORT_TOKENS, ignore_end=True)
                latencies.append(watched(worker, "complete", **question).ended)
        except DesktopRagError as error:
            failures.append(error)

    begun = time.perf_counter()
    clients = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    seconds = time.perf_counter() - begun
    if failures:
        raise failures[0]
    rate, latency = len(latencies) / seconds, sum(latencies) / len(latencies)
    evidence = {"clients": CLIENTS, "queries_per_s": rate, "latency_s": latency, "product": rate * latency}
    return Probed("concurrency", None if abs(rate * latency / CLIENTS - 1) > LITTLE else True, evidence)


_REUSE_CHARACTERS = 2400
_CANCEL_SENTENCES = 110
_EACH_CLIENT = 6
WORKER_PROBES: tuple[tuple[str, Callable[[Worker], Probed]], ...] = (
    ("streaming", streaming),
    ("seed", seed),
    ("prefix_reuse", prefix_reuse),
    ("grammar", structured),
    ("cancel_in_prefill", cancel_in_prefill),
    ("concurrency", concurrency),
)


def tried(name: str, perform: Callable[[], Probed]) -> Probed:
    """A probe's result; what the engine refuses is a "no" with its reason, what breaks is not known."""
    try:
        return perform()
    except UsageError as error:
        return Probed(name, False, {"refused": error.message})
    except EngineError as error:
        return Probed(name, None, {"failed": error.message})
    except DesktopRagError as error:
        return Probed(name, False, {"failed": error.message})


def _drawn(worker: Worker, number: int) -> str:
    sampling = {"temperature": 1.0, "seed": number}
    messages = [{"role": "user", "content": CHAT[0]}]
    watch = watched(worker, "complete", messages=messages, sampling=sampling, max_tokens=_SHORT_TOKENS)
    return "".join(watch.text)
