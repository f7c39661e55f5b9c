"""Memory of the chat process: what it takes beyond weights and KV, and how well that was told before loading."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from functools import partial
from typing import Any

from desktop_rag.errors import EngineError
from desktop_rag.evaluation.measuring import watched
from desktop_rag.evaluation.prompts import FIRST_QUESTION, passages
from desktop_rag.evaluation.rounds import Round, event_of, repeat
from desktop_rag.evaluation.stage import CONTEXT, Stage
from desktop_rag.evaluation.target_decode import Found, large_model
from desktop_rag.evaluation.team import Event, Worker
from desktop_rag.meter.memory import process_memory
from desktop_rag.models.installed import Installed

_TOKENS = 32
_EACH = 2


def overhead(stage: Stage) -> Found:
    """USS of a loaded process that has answered on 2,000 tokens, less its weights and its KV, in MB."""
    found: list[Round] = []
    for one in repeat(lambda _: _overhead(stage), extra=0):
        found.append(one)
        yield event_of("chat_overhead_mb", len(found), one)
    return {"chat_overhead_mb": found}


def estimate_error(stage: Stage) -> Found:
    """The estimate against the process, for the starter with two kinds of KV memory and for a 1B shape."""
    large = yield from large_model(stage)
    cases = [(stage.model, "f16"), (stage.model, "q8_0"), (large, "f16")]
    found: list[Round] = []
    for model, kv_type in cases:
        for one in repeat(partial(_error, stage, model, kv_type), _EACH, extra=0):
            found.append(one)
            yield event_of("memory_estimate_error", len(found), one)
    return {"memory_estimate_error": found}


def _overhead(stage: Stage) -> tuple[float, dict[str, Any]]:
    with stage.chat() as chat:
        parts = _used(chat)
    return parts["uss_mb"] - parts["weights_in_uss_mb"] - parts["kv_mb"], parts


def _error(stage: Stage, model: Installed, kv_type: str, _: int) -> tuple[float, dict[str, Any]]:
    with closing(stage.team.fresh("models")) as models:
        told = models.call("fit", model=model.id, context=CONTEXT, kv_type=kv_type)["estimate_mb"]
    with stage.chat(model, kv_type=kv_type) as chat:
        parts = _used(chat)
    # Weights that another process has mapped as well are no less needed.
    measured = parts["uss_mb"] + parts["weights_mb"] - parts["weights_in_uss_mb"]
    parts |= {"measured_mb": measured}
    parts |= {"model": model.id, "kv_type": kv_type, "estimate_mb": told}
    return abs(float(told["total"]) - measured) / measured, parts


def _used(chat: Worker) -> dict[str, Any]:
    """Let the process do its work once, so that its buffers are touched, and look."""
    watched(chat, "generate", question=FIRST_QUESTION, passages=passages(), history=[], max_tokens=_TOKENS)
    status: Event = chat.call("status")
    # The process may look into itself where others may not.
    memory: dict[str, Any] = status.get("process") or process_memory(chat.pid) or {}
    if memory.get("uss") is None:
        raise EngineError("start_failed", "This system does not tell what a process has to itself.")
    weights = float(status["weights_mb"])
    return {
        "uss_mb": float(memory["uss"]),
        "rss_mb": memory.get("rss"),
        "anonymous_mb": memory.get("anonymous"),
        "weights_mb": weights,
        "weights_in_uss_mb": weights_in_uss(memory, weights),
        "kv_mb": float(status["kv_mb"]),
    }


def weights_in_uss(memory: Mapping[str, Any], weights_mb: float) -> float:
    """How much of the weights counts as the process's own (MB): a mapped file that others map as well does not.

    Weights that the engine copied lie in anonymous memory and always count.
    """
    rss, anonymous = memory.get("rss"), memory.get("anonymous")
    if rss is None or anonymous is None or rss - anonymous < weights_mb:
        return weights_mb
    return min(weights_mb, max(0.0, float(memory["uss"]) - float(anonymous)))
