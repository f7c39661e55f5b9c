"""Generating as an operation of a worker, the same for a model in this process and one behind an address."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Generator, Mapping, Sequence
from typing import Any, Protocol

from desktop_rag.answering.prompt import Built, Shown, build
from desktop_rag.engines.protocol import Engine, EngineInfo, Finish, Piece, Prompt, Sampling
from desktop_rag.errors import DesktopRagError
from desktop_rag.workers.loop import Operation, Request

COALESCE_SECONDS = 0.12
SMALL_MODEL_PARAMETERS = 400_000_000
SMALL_MODEL_BYTES = 300 * 2**20
SMALL_MODEL_PASSAGES = 2
MOST_PASSAGES = 24
_SAMPLING = {field.name for field in dataclasses.fields(Sampling)}
Event = dict[str, Any]


def sampling_of(args: Mapping[str, Any]) -> Sampling:
    """The sampling of a request's `sampling` mapping; unknown names are ignored."""
    wanted = {key: value for key, value in dict(args.get("sampling") or {}).items() if key in _SAMPLING}
    if args.get("ignore_end"):
        wanted["ignore_end"] = True
    if "stop" in wanted:
        wanted["stop"] = tuple(wanted["stop"])
    return Sampling(**wanted)


def built_for(engine: Engine, args: Mapping[str, Any], shown: Shown | None) -> Built:
    """The messages of {question, passages, history, max_tokens}, going on from what was `shown` before if possible.

    At most half of the context is kept free for the answer: few are as long as they may be.
    """
    context = engine.info.context
    return build(
        str(args["question"]),
        list(args.get("passages") or []),
        list(args.get("history") or []),
        count=engine.count,
        budget=context - min(int(args.get("max_tokens", 256)), context // 2),
        shown=shown,
        limit=SMALL_MODEL_PASSAGES if _is_small(engine.info) else MOST_PASSAGES,
    )


def _is_small(info: EngineInfo) -> bool:
    """By its parameters where they are known: the same model takes four times the bytes in another precision."""
    if info.parameters:
        return info.parameters < SMALL_MODEL_PARAMETERS
    return 0 < info.weights_bytes < SMALL_MODEL_BYTES


def answer_op(engine: Engine, request: Request) -> Operation:
    """Answer one question with its passages; keeps nothing."""
    built = built_for(engine, request.args, None)
    prompt = engine.render(built.messages)
    finish = yield from stream(engine, prompt, request)
    return {"reason": finish.reason, "passages_used": built.used, **usage_of(engine, finish)}


class Measures(Protocol):
    """Knows the machine's limit."""

    def fraction(self, engine: Engine, finish: Finish) -> float | None:
        """The share of it that an answer's decoding reached."""
        ...


def complete_op(engine: Engine, request: Request, limits: Measures | None = None) -> Operation:
    """Go on from {messages} or a bare {prompt}: the model alone, for measurements."""
    args = request.args
    messages = args.get("messages") or [{"role": "user", "content": str(args["prompt"])}]
    prompt = engine.render(messages)
    text: list[str] = []
    events = stream(engine, prompt, request)
    while True:
        try:
            event = next(events)
        except StopIteration as stop:
            finish: Finish = stop.value
            break
        text.append(event.get("text") or "")
        yield event
    fraction = limits.fraction(engine, finish) if limits else None
    return {"reason": finish.reason, "text": "".join(text), **usage_of(engine, finish, fraction)}


def stream(engine: Engine, prompt: Prompt, request: Request) -> Generator[Event, None, Finish]:
    """One prefill event, then token events every 120 ms at most, so that a fast model does not flood the pipe.

    Returns the Finish.
    """
    reused = _reused(engine, prompt)
    waiting = ""
    sent = -COALESCE_SECONDS
    first: Piece | None = None
    last: Piece | None = None
    pieces = engine.generate(
        prompt,
        max_tokens=int(request.args.get("max_tokens", 256)),
        sampling=sampling_of(request.args),
        cancelled=request.cancelled,
    )
    try:
        for piece in pieces:
            if isinstance(piece, Finish):
                if waiting and first is not None and last is not None:
                    yield _token_event(waiting, first, last)
                return piece
            if first is None:
                first = piece
                yield _prefill_event(len(prompt), reused, piece.at)
            last = piece
            waiting += piece.text
            if piece.at - sent >= COALESCE_SECONDS:
                yield _token_event(waiting, first, piece)
                waiting, sent = "", piece.at
    except DesktopRagError:
        # What was said before it broke off is passed on, also what still waited for company.
        if waiting and first is not None and last is not None:
            yield _token_event(waiting, first, last)
        raise
    raise AssertionError("an engine ends with Finish")


def usage_of(engine: Engine, finish: Finish, roofline_fraction: float | None = None) -> Event:
    """What a request took, by the names of the terminal's JSON."""
    first = finish.first_token
    return {
        "usage": {
            "prompt_tokens": finish.prompt_tokens,
            "generated_tokens": finish.generated_tokens,
            "reused_tokens": finish.reused_tokens,
            "prefill_tps": _rounded(finish.prefill_tps),
            "decode_tps": _rounded(finish.decode_tps),
            "roofline_fraction": _rounded(roofline_fraction, 4),
            "ttft_s": _rounded(first, 4),
            "seconds": _rounded(finish.finished, 4),
            "context": engine.info.context,
            "context_used": finish.prompt_tokens + finish.generated_tokens - finish.shifted,
            "drafted": finish.drafted,
            "accepted": finish.accepted,
            "shifted": finish.shifted,
        },
        "stages_ms": {
            "prefill": None if first is None else round(first * 1000, 1),
            "decode": None if first is None else round((finish.finished - first) * 1000, 1),
        },
        "generate_ms": round(finish.finished * 1000, 1),
    }


def _reused(engine: Engine, prompt: Prompt) -> int | None:
    """How many of the prompt's first tokens are in the KV memory; None where the engine tells only at the end."""
    cached: Sequence[int] | None = getattr(engine, "cached_tokens", None)
    return None if cached is None else min(shared_tokens(cached, prompt.tokens), max(0, len(prompt) - 1))


def shared_tokens(one: Sequence[int], other: Sequence[int]) -> int:
    """Length of the common beginning."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _prefill_event(prompt_tokens: int, reused: int | None, seconds: float) -> Event:
    computed = None if reused is None else prompt_tokens - reused
    speed = computed / seconds if computed and computed > 0 and seconds > 0 else None
    return {
        "event": "prefill",
        "tokens": prompt_tokens,
        "reused": reused,
        "seconds": round(seconds, 4),
        "tok_s": _rounded(speed),
    }


def _token_event(text: str, first: Piece, last: Piece) -> Event:
    decoding = last.at - first.at
    speed = (last.generated - first.generated) / decoding if decoding > 0 else None
    return {
        "event": "token",
        "text": text,
        "generated": last.generated,
        "seconds": round(last.at, 4),
        "ttft_s": round(first.at, 4),
        "tok_s": round(speed, 2) if speed else None,
    }


def _rounded(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)


def milliseconds_since(start: float) -> float:
    """Milliseconds since a `perf_counter` moment, to a tenth."""
    return round((time.perf_counter() - start) * 1000, 1)
