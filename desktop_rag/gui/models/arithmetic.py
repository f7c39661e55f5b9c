"""The arithmetic of one model in rows of words and numbers, from what a `fit` request answered. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from desktop_rag.gui import words
from desktop_rag.gui.models import facts


@dataclass(frozen=True, slots=True)
class Fact:
    """A row: what it is, its number, and what it means."""

    name: str
    value: str
    meaning: str = ""


def arithmetic(fit: Mapping[str, Any], context: int) -> list[Fact]:
    """Weights, KV, context limit, speed, bound and break-even batch; what nobody measured is "—"."""
    need = fit.get("estimate_mb") or {}
    limit = fit.get("roofline") or {}
    kv = need.get("kv")
    kv_token = fit.get("kv_token_bytes") or (float(kv) * 2**20 / context if kv and context else None)
    break_even = limit.get("break_even_batch")
    return [
        Fact("Weights", words.memory(need.get("weights")), "Read once for every token that is written."),
        Fact(
            "Memory of the context",
            words.memory(kv),
            f"{words.size(int(kv_token))} for every token of the context." if kv_token else "",
        ),
        Fact(
            "Longest context that fits",
            f"{words.count(int(fit['context_limit']))} tokens" if fit.get("context_limit") else "—",
            "With the memory that is free now.",
        ),
        Fact("Expected speed", facts.tokens_per_second(fit.get("tok_s")), "What models of this size usually reach."),
        Fact(
            "Limit of this machine",
            f"{limit['tok_s']:.0f} tok/s" if limit.get("tok_s") else "—",
            "Bytes read for a token over the measured bandwidth.",
        ),
        Fact("Bound by", *_bound(limit)),
        Fact(
            "Break-even batch",
            f"{break_even:.0f} at once" if break_even else "—",
            "From this many questions at once on, computing takes longer than reading." if break_even else "",
        ),
    ]


def _bound(limit: Mapping[str, Any]) -> tuple[str, str]:
    bound, why = limit.get("bound"), limit.get("why")
    if bound == "cores":
        return "the cores", str(why)
    if bound == "memory":
        return "memory", str(why or "By reading alone: how fast its weights are unpacked was not measured here.")
    if bound == "compute":
        return "computing", "More or faster cores make it faster; fewer bits a weight help less."
    return "—", ""
