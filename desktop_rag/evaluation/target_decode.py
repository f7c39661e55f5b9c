"""Decode speed against three lines: a bare loop, the library's own streaming, and what the memory can deliver."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from desktop_rag.engines.registry import LLAMA_CPP
from desktop_rag.errors import ModelError
from desktop_rag.evaluation.limits import Limit, limit_of
from desktop_rag.evaluation.measuring import Watch, greedy, watched
from desktop_rag.evaluation.platforms import Wanted
from desktop_rag.evaluation.prompts import LONG
from desktop_rag.evaluation.rounds import Round, collected
from desktop_rag.evaluation.stage import Stage, in_turn
from desktop_rag.evaluation.synthetic import prepared_synthetic
from desktop_rag.evaluation.team import Event, Worker
from desktop_rag.models.installed import Installed

BARE_TOKENS = 384
LONG_TOKENS = 1000
LARGE_TOKENS = 64
LARGE_SHAPE = "llama-3.2-1b"
LARGE_QUANTISATION = "Q4_0"
_BANDWIDTH_SECONDS = 0.6
_WARM_TOKENS = 24
Found = Generator[Event, None, dict[str, list[Round]]]


def against_bare_loop(stage: Stage) -> Found:
    """Worker, pipe and painting against a bare `llama_decode` loop on the same library."""
    return _against(stage, "decode_vs_bare_loop", "bare_loop", BARE_TOKENS, painted=True)


def against_high_level(stage: Stage) -> Found:
    """Worker and pipe against `create_chat_completion(stream=True)`; nobody paints either of them."""
    return _against(stage, "decode_vs_high_level", "high_level", LONG_TOKENS, painted=False)


def _against(stage: Stage, name: str, op: str, tokens: int, *, painted: bool) -> Found:
    conditions = stage.same_conditions(LONG, tokens)
    with stage.chat(flash_attention=False) as chat, stage.baseline() as baseline:
        baseline.call(op, **{**conditions, "tokens": LARGE_TOKENS})

        def ours() -> dict[str, Any]:
            return _ours(stage, chat, tokens, painted=painted)

        def measure(number: int) -> tuple[float, dict[str, Any]]:
            app, other = in_turn(number, ours, lambda: baseline.call(op, **conditions))
            parts = {
                "app_tok_s": app["tok_s"],
                f"{op}_tok_s": other["tok_s"],
                "tokens": app["tokens"],
                "painted": app["painted"],
                "same_text": app["text"].strip() == str(other["text"]).strip(),
            }
            return app["tok_s"] / other["tok_s"], parts

        return (yield from collected(name, measure))


def against_bandwidth(stage: Stage) -> Found:
    """A shape of a billion parameters against the bandwidth measured right before and after each answer."""
    wanted = Wanted(LLAMA_CPP, LARGE_SHAPE, LARGE_QUANTISATION)
    model = yield from prepared_synthetic(stage.team, LARGE_SHAPE, wanted)
    limit = limit_of(model, {})
    if limit is None:
        raise ModelError("incompatible", f"The sizes of {model.name} cannot be read.", "Delete it; it is made again.")
    conditions = {**stage.same_conditions(LONG, LARGE_TOKENS), "path": str(model.path)}
    with stage.chat(model) as chat, stage.baseline() as baseline:
        baseline.call("bare_loop", **conditions)

        def measure(number: int) -> tuple[float, dict[str, Any]]:
            return _share(number, lambda tokens: _ours(stage, chat, tokens, painted=False), baseline, conditions, limit)

        return (yield from collected("decode_vs_bandwidth_1b", measure))


def _share(
    number: int, ours: Callable[[int], dict[str, Any]], baseline: Worker, conditions: Event, limit: Limit
) -> tuple[float, dict[str, Any]]:
    asked = {"seconds": _BANDWIDTH_SECONDS, "read_bytes": limit.read_bytes, "weights": limit.read_types}
    before = baseline.call("bandwidth", **asked)
    # Whoever comes first after that finds cold caches, and a clock that heavy reading has lowered.
    ours(_WARM_TOKENS)
    app, bare = in_turn(number, lambda: ours(LARGE_TOKENS), lambda: baseline.call("bare_loop", **conditions))
    after = baseline.call("bandwidth", **asked)
    # The limit is what the machine showed that it can do: the better of the two.
    read_gbs = max(float(before["read_gbs"]), float(after["read_gbs"]))
    kernel_gbs = max(float(before["kernel_gbs"]), float(after["kernel_gbs"]))
    ratio = app["tok_s"] / bare["tok_s"]
    parts = {
        "app_tok_s": app["tok_s"],
        "bare_loop_tok_s": bare["tok_s"],
        "read_bytes": limit.read_bytes,
        "read_gbs": [before["read_gbs"], after["read_gbs"]],
        "kernels": [before.get("kernel"), after.get("kernel")],
        "kernel_gbs": [before["kernel_gbs"], after["kernel_gbs"]],
        "vs_bare_loop": ratio,
        "vs_bare_loop_when_cores_are_the_bound": ratio if kernel_gbs < read_gbs else None,
    }
    return limit.fraction(app["tok_s"], app["usage"], read_gbs), parts


def _ours(stage: Stage, chat: Worker, tokens: int, *, painted: bool) -> dict[str, Any]:
    """One answer of exactly `tokens` tokens, timed where it is consumed."""
    args = greedy(LONG, max_tokens=tokens, ignore_end=True)
    if painted and stage.paint is not None:
        watch = Watch()
        # The painter begins to count when it has drawn something, a moment after the first token arrived.
        seconds = max(stage.paint(watch.over(chat.stream("complete", **args))), watch.decode_seconds)
    else:
        watch = watched(chat, "complete", **args)
        seconds = watch.decode_seconds
    if watch.last_generated != tokens:
        raise ModelError("incompatible", "The answer ended before it was long enough to be measured.")
    return {
        "tok_s": (watch.last_generated - watch.first_generated) / seconds,
        "tokens": watch.last_generated,
        "painted": painted and stage.paint is not None,
        "text": "".join(watch.text),
        "usage": watch.usage,
    }


def large_model(stage: Stage) -> Generator[Event, None, Installed]:
    """The 1B shape, for who needs it as well."""
    return prepared_synthetic(stage.team, LARGE_SHAPE, Wanted(LLAMA_CPP, LARGE_SHAPE, LARGE_QUANTISATION))
