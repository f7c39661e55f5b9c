"""What the model reads, in an order its cache can reuse: system, history, passages, question."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

NOT_FOUND = "Not in your documents."
SYSTEM = (
    "Answer the question from the text, briefly and exactly. Words in brackets such as [PERSON_3] are names."
    f" If the text does not answer it, say: {NOT_FOUND}"
)
# Of the forms tried with the starter model, this one made it copy the fact most often.
ASK = "According to the text above: {}"
Message = dict[str, str]


def build(
    question: str,
    passages: Sequence[Mapping[str, Any]],
    history: Sequence[Mapping[str, str]],
    *,
    count: Callable[[str], int],
    budget: int,
) -> tuple[list[Message], int]:
    """Chat messages within `budget` tokens, and how many passages they hold.

    The question always stays; passages are cut from the worst upwards, then history from the oldest.
    The best passage is put last, next to the question, where small models read best.
    """
    ask = ASK.format(question)
    left = budget - count(SYSTEM) - count(ask) - 64
    kept: list[str] = []
    for passage in passages:
        text = _passage(passage)
        cost = count(text) + 4
        if cost > left and kept:
            break
        kept.append(text)
        left -= cost
    turns: list[Message] = []
    for turn in reversed(history):
        cost = count(turn["content"]) + 8
        if cost > left:
            break
        turns.insert(0, {"role": turn["role"], "content": turn["content"]})
        left -= cost
    while turns and turns[0]["role"] != "user":
        turns.pop(0)
    body = "\n\n".join(reversed(kept))
    user = f"{body}\n\n{ask}" if kept else ask
    return [{"role": "system", "content": SYSTEM}, *turns, {"role": "user", "content": user}], len(kept)


def _passage(passage: Mapping[str, Any]) -> str:
    context = str(passage.get("context") or "").strip()
    text = " ".join(str(passage["text"]).split())
    return f"{context}: {text}" if context else text
