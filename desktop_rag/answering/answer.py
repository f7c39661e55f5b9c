"""One question from first to last, as a generator of events; consumed alike by window, terminal and tests."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from desktop_rag.answering.prompt import NOT_FOUND
from desktop_rag.answering.reduce import reduced
from desktop_rag.errors import Cancelled, DesktopRagError, UsageError

Event = dict[str, Any]
STRATEGY = "concat"
WHOLE = "whole"
MAP_REDUCE = "map_reduce"
STRATEGIES = (STRATEGY, WHOLE, MAP_REDUCE)
# So many passages are read whole without being asked for it: it takes seconds.
_SOON_READ = 300


class Worker(Protocol):
    """One process that answers requests."""

    def stream(self, op: str, **args: Any) -> Iterator[Event]:
        """Events of one operation; the last is "done"."""
        ...

    def call(self, op: str, **args: Any) -> Event:
        """The last event of one operation."""
        ...

    def start(self) -> None:
        """Begin starting the process without waiting for it."""
        ...


class Team(Protocol):
    """The processes a question needs."""

    @property
    def library(self) -> Worker:
        """Searches and stores."""
        ...

    @property
    def chat(self) -> Worker:
        """Holds the language model."""
        ...


class Near(Protocol):
    """Asks the teams' servers of the collections a question goes to."""

    def __call__(
        self, question: str, *, collection: str | int | None, conversation: str | None, mode: str | None
    ) -> list[Event]:
        """What they found, for "prepare"; a note for each that did not answer. Raises nothing."""
        ...


def check_choice(strategy: str | None) -> None:
    """Raise UsageError for a strategy that is not there (yet)."""
    if strategy not in (None, *STRATEGIES):
        known = ", ".join(STRATEGIES)
        raise UsageError("not_available", f"The strategy “{strategy}” is not available yet.", f"Use one of: {known}.")


@dataclass(frozen=True, slots=True)
class Choice:
    """What answers: a worker that generates, and the model and engine asked of it (None: the settings')."""

    worker: Worker
    model: str | None = None
    engine: str | None = None


def answer(
    team: Team,
    question: str,
    *,
    collection: str | int | None = None,
    conversation: str | None = None,
    mode: str | None = None,
    max_tokens: int = 256,
    choice: Choice | None = None,
    strategy: str | None = None,
    near: Near | None = None,
) -> Iterator[Event]:
    """Yield "stored", "sources", "token"…, perhaps "partial", and "done". Closing it stops the model.

    The strategy "whole" reads every passage instead of asking the model about the best, with "reading_all" events, and
    quotes; with "map_reduce" the model reads what would be quoted, in turns ("reducing" events), and writes.
    Without a `mode` the settings say how passages are searched. Without a strategy it is chosen where a question asks
    for all there is, and there is not much. `near` asks the servers of collections that have one.
    Raises DesktopRagError when nothing could be answered; the stored question stays.
    """
    if not question.strip():
        raise UsageError("bad_request", "The question is empty.", "Type what you want to know.")
    prepared = team.library.call(
        "prepare",
        question=question,
        collection=collection,
        conversation=conversation,
        mode=mode,
        near=near(question, collection=collection, conversation=conversation, mode=mode) if near else [],
    )
    yield {"event": "stored", **{key: prepared[key] for key in ("conversation", "message", "question")}}
    yield {"event": "sources", **{key: prepared[key] for key in ("passages", "coverage", "timings_ms")}}
    if _reads_whole(prepared, strategy):
        writer = (choice or Choice(team.chat)) if strategy == MAP_REDUCE else None
        found = yield from _whole(team, prepared, writer, max_tokens, alone=strategy is not None)
        if found:
            return
    if prepared["missing"]:
        yield _done(team, prepared, NOT_FOUND, {}, found=False)
        return
    chosen = choice or Choice(team.chat)
    if chosen.worker is not team.chat:
        # The place of the KV memory and its key are for the sealed process alone.
        prepared = {**prepared, "kv": None}
    yield from _written(team, prepared, chosen, max_tokens)
    if prepared.get("kv"):
        # After the answer stands on the screen: what the model has read need not be read again after a restart.
        with suppress(DesktopRagError):
            team.chat.call("remember")


def _reads_whole(prepared: Event, strategy: str | None) -> bool:
    if strategy is not None:
        return strategy in (WHOLE, MAP_REDUCE)
    return prepared.get("whole") is not None and prepared["coverage"]["passages_total"] <= _SOON_READ


def _whole(
    team: Team, prepared: Event, writer: Choice | None, max_tokens: int, *, alone: bool
) -> Generator[Event, None, bool]:
    """Everything is read, and what speaks of the question is quoted: no model writes, so nothing can be made up.

    With a `writer` its model reads the passages with those places, in turns, and writes the answer; where it fails or
    says nothing the quotes stand. Returns whether the question is answered; that nothing speaks of it is an answer only
    where this was asked for.
    """
    started = time.perf_counter()
    read: Event = {}
    asked = {"question": prepared["prompt_question"], "kind": prepared.get("whole") or "list"}
    for event in team.library.stream("read_all", **asked, collections=prepared["collections"]):
        if event["event"] == "done":
            read = event
        else:
            yield event
    if not read["places"] and not alone:
        return False
    coverage = {name: read[name] for name in ("passages_read", "passages_total", "pages_read", "pages_total")}
    timings = {**prepared["timings_ms"], "read_all": round((time.perf_counter() - started) * 1000, 1)}
    if writer is not None and read["places"]:
        known = {**prepared, "coverage": coverage, "timings_ms": timings, "passages": read["passages"]}
        written = yield from _reduced(team, known, writer, max_tokens)
        if written:
            return True
    about = _about({**prepared, "coverage": coverage, "timings_ms": timings}, {}, WHOLE)
    about["reason"], about["kind"] = "quoted", asked["kind"]
    finished = team.library.call(
        "quote_all",
        conversation=prepared["conversation"],
        places=read["places"],
        nothing=NOT_FOUND,
        data=about,
    )
    yield _ended(prepared, about, finished)
    return True


def _reduced(team: Team, prepared: Event, writer: Choice, max_tokens: int) -> Generator[Event, None, bool]:
    """What a model makes of the passages in turns, aligned to them; whether there is such an answer."""
    given = {**prepared, "history": [], "conversation": None, "kv": None}
    started = time.perf_counter()
    try:
        told = yield from reduced(
            lambda passages: _generate(writer, {**given, "passages": passages}, max_tokens),
            prepared["passages"],
            _refuses,
        )
    except DesktopRagError as error:
        yield {"event": "partial", "reason": error.code, "message": error.message}
        return False
    if not told["text"] or told["ended"].get("reason") == Cancelled().code:
        return False
    # All of them were read, whatever the last turn took.
    ended = {**told["ended"], "passages_used": len(prepared["passages"])}
    spent = round((time.perf_counter() - started) * 1000, 1)
    about = _about(prepared, ended, MAP_REDUCE)
    about["coverage"], about["trace"] = prepared["coverage"], prepared.get("trace")
    about["timings_ms"] = {**prepared["timings_ms"], "generate": spent}
    done = _stored(team, prepared, told["text"], ended, about, found=True, own_words=True)
    if done["found"]:
        yield done
    return bool(done["found"])


def _written(team: Team, prepared: Event, choice: Choice, max_tokens: int) -> Iterator[Event]:
    """What the model writes, and at last the stored answer."""
    parts: list[str] = []
    ended: Event = {}
    try:
        for event in _generate(choice, prepared, max_tokens):
            if event["event"] == "token":
                parts.append(event["text"])
            if event["event"] in ("token", "prefill"):
                yield event
            if event["event"] == "done":
                ended = event
    except DesktopRagError as error:
        yield from _partial(team, prepared, parts, error)
        return
    except GeneratorExit:
        # The user stopped: what was said so far is kept with the question.
        if parts:
            _finish(team, prepared, "".join(parts).strip(), {"reason": "cancelled"}, found=True)
        raise
    if ended.get("reason") == Cancelled().code:
        yield from _partial(team, prepared, parts, Cancelled())
        return
    text = "".join(parts).strip()
    found = bool(text) and not _refuses(text)
    yield _done(team, prepared, text if found else NOT_FOUND, ended, found=found)


def _partial(team: Team, prepared: Event, parts: list[str], error: DesktopRagError) -> Iterator[Event]:
    """Keep what was said before it broke off, first of all: who listens may be gone at the next event.

    Raises the error itself when nothing was said.
    """
    if not parts:
        raise error
    done = _done(team, prepared, "".join(parts).strip(), {"reason": error.code}, found=True)
    yield {"event": "partial", "reason": error.code, "message": error.message}
    yield done


def _generate(choice: Choice, prepared: Event, max_tokens: int) -> Iterator[Event]:
    yield from choice.worker.stream(
        "generate",
        question=prepared["prompt_question"],
        passages=_given(prepared["passages"]),
        history=prepared["history"],
        conversation=prepared["conversation"],
        policies=prepared.get("policies"),
        kv=prepared.get("kv"),
        generation=prepared.get("generation"),
        max_tokens=max_tokens,
        model=choice.model,
        engine=choice.engine,
    )


def _given(passages: list[Event]) -> list[Event]:
    """The passages as a model gets them: no names of files, their places only as numbers."""
    documents = {document: number for number, document in enumerate(dict.fromkeys(p.get("document") for p in passages))}
    return [
        {
            "text": p["text"],
            "context": p["context"],
            "instruction_like": p.get("instruction_like", True),
            **({"place": [documents[p["document"]], p["ordinal"]], "around": "around" in p} if "ordinal" in p else {}),
        }
        for p in passages
    ]


def _refuses(text: str) -> bool:
    """Whether the model said that the passages do not hold the answer."""
    start = text.lstrip(" \"'*").casefold()[: len(NOT_FOUND) + 10]
    return start.startswith(NOT_FOUND.casefold().rstrip("."))


def _done(team: Team, prepared: Event, text: str, ended: Event, *, found: bool) -> Event:
    started = time.perf_counter()
    result = _finish(team, prepared, text, ended, found=found)
    result["timings_ms"]["finish"] = round((time.perf_counter() - started) * 1000, 1)
    return result


def _finish(team: Team, prepared: Event, text: str, ended: Event, *, found: bool) -> Event:
    """Align and store the answer; the event that ends it."""
    return _stored(team, prepared, text, ended, _about(prepared, ended, STRATEGY), found=found)


def _stored(
    team: Team, prepared: Event, text: str, ended: Event, about: Event, *, found: bool, own_words: bool = False
) -> Event:
    finished = team.library.call(
        "finish",
        conversation=prepared["conversation"],
        prompt_question=prepared["prompt_question"],
        passages=prepared["passages"],
        answer=text,
        unknown=prepared["unknown"],
        passages_used=ended.get("passages_used", 0 if not ended else None),
        found=found,
        own_words=own_words,
        data=about,
    )
    about["timings_ms"]["align"] = finished["align_ms"]
    about["memory_mb"]["library"] = finished.get("memory_mb")
    return _ended(prepared, about, finished)


def _about(prepared: Event, ended: Event, strategy: str) -> Event:
    """What is told and kept of how an answer came about; `ended` is the model's last event, empty without one."""
    read = prepared["coverage"]["passages_read"] if ended or strategy == WHOLE else 0
    return {
        "coverage": {**prepared["coverage"], "passages_read": ended.get("passages_used", read)},
        "usage": ended.get("usage") or _no_usage(),
        "strategy": strategy,
        "whole": prepared.get("whole"),
        "trace": _traced(prepared, ended),
        "engine": ended.get("engine"),
        "model": ended.get("model"),
        "device": ended.get("device"),
        "reason": ended.get("reason") or "missing",
        "timings_ms": {
            **prepared["timings_ms"],
            **_model_stages(ended),
        },
        "memory_mb": {
            "weights": ended.get("weights_mb"),
            "kv": ended.get("kv_mb"),
            "window": None,
            "library": None,
            "chat": ended.get("memory_mb"),
        },
    }


def _traced(prepared: Event, ended: Event) -> Event | None:
    """How the passages were found, each hit as "read" by the model or "cut": there was no room for it."""
    traced: Event | None = prepared.get("trace")
    if traced is None or not ended:
        return traced
    used = {passage["chunk"] for passage in prepared["passages"][: ended.get("passages_used")]}
    states = {True: "read", False: "cut"}
    rows = [{**r, "state": states[r["chunk"] in used] if r["state"] == "hit" else r["state"]} for r in traced["rows"]]
    beside = {passage["chunk"]: passage["around"] for passage in prepared["passages"] if "around" in passage}
    # What stands around the best one may have been a candidate itself, with worse places.
    rows = [row if row["chunk"] not in beside else {**row, **_around(row["chunk"], beside, used)} for row in rows]
    others = beside.keys() - {row["chunk"] for row in rows}
    rows += [{"places": {}, "scores": {}, **_around(chunk, beside, used)} for chunk in sorted(others)]
    return {**traced, "rows": rows}


def _around(chunk: int, beside: dict[int, int], used: set[int]) -> Event:
    return {"chunk": chunk, "around": beside[chunk], "state": "around" if chunk in used else "cut"}


def _ended(prepared: Event, about: Event, finished: Event) -> Event:
    kept = {key: finished[key] for key in ("answer", "found", "draft", "left_out", "citations", "sentences", "message")}
    return {
        "event": "done",
        **about,
        **kept,
        "question": prepared["question"],
        "conversation": prepared["conversation"],
    }


def _model_stages(ended: Event) -> dict[str, float]:
    """The model's time in its two stages, or as a whole where nothing was said: the sum of all stages is the whole."""
    stages = {name: ms for name, ms in (ended.get("stages_ms") or {}).items() if ms is not None}
    if stages or "generate_ms" not in ended:
        return stages
    return {"generate": ended["generate_ms"]}


def _no_usage() -> dict[str, None]:
    tokens = ("prompt_tokens", "generated_tokens", "reused_tokens", "drafted", "accepted", "shifted")
    speeds = ("prefill_tps", "decode_tps", "roofline_fraction", "ttft_s", "seconds")
    return dict.fromkeys((*tokens, *speeds, "context", "context_used"))
