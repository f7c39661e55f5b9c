"""What the model reads, in an order its cache can reuse: system, history, passages, question.

A follow-up goes on from what the model was shown before: passages that were shown stay where they
stand and only new ones are added, so that nothing of the conversation is computed twice. Where that
is not possible (other passages, no room) the prompt is put together anew.

A passage is a stranger's text: it stands on one line between fences that nothing in it can close, the same
in every prompt so that caches hold, and without the sentences that read like instructions to the model.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from desktop_rag.answering.instructions import without_instructions

NOT_FOUND = "Not in your documents."
# "Quoted" is all the small models bear: told at more length not to obey the text, the starter model answered less
# and obeyed no less.
SYSTEM = (
    "Answer the question from the quoted text, briefly and exactly. Words in brackets such as [PERSON_3] are names."
    f" If the text does not answer it, say: {NOT_FOUND}"
)
# Of the forms tried with the starter model, this one made it copy the fact most often.
ASK = "According to the text above: {}"
# Of the fences tried with it, these made it obey documents least, and answer as well as without any.
OPEN, CLOSE = "<text>", "</text>"
_FENCE = re.compile(r"<(?=\s*/?\s*text\b)", re.IGNORECASE)
Message = dict[str, str]
# A rebuilt prompt takes the last turns along; more of them push the passages away from the question.
_HISTORY = 4
_MARGIN = 64
_PER_MESSAGE = 8


@dataclass(frozen=True, slots=True)
class Shown:
    """What a model was shown in a conversation, up to and including its last question.

    `turns` is how many messages the conversation had by then, that question included; `passages` are
    those in the messages, as they stand there.
    """

    messages: tuple[Message, ...]
    turns: int
    passages: tuple[str, ...]

    def to_payload(self) -> dict[str, Any]:
        """A JSON-ready mapping, for `from_payload`."""
        return {"messages": list(self.messages), "turns": self.turns, "passages": list(self.passages)}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Shown:
        """Rebuild what `to_payload` gave."""
        return cls(tuple(payload["messages"]), int(payload["turns"]), tuple(payload["passages"]))


@dataclass(frozen=True, slots=True)
class Built:
    """Chat messages, how many of the question's passages they hold, and what a follow-up can go on from."""

    messages: list[Message]
    used: int
    shown: Shown


def build(
    question: str,
    passages: Sequence[Mapping[str, Any]],
    history: Sequence[Mapping[str, str]],
    *,
    count: Callable[[str], int],
    budget: int,
    shown: Shown | None = None,
    limit: int | None = None,
) -> Built:
    """Chat messages within `budget` tokens; `history` is the whole conversation, `limit` the most passages at once.

    The question always stays; passages are cut from the worst upwards, then history from the oldest.
    The best passage is put last, next to the question, where small models read best.
    """
    pieces = [_piece(passage) for passage in passages[:limit]]
    messages = _extended(question, pieces, history, shown, count, budget, limit)
    if messages is not None:
        placed = dict.fromkeys([*(shown.passages if shown else ()), *(piece.fenced for piece in pieces)])
        return Built(messages, len(pieces), Shown(tuple(messages), len(history) + 1, tuple(placed)))
    messages, kept = _rebuilt(question, pieces, _answered(history)[-_HISTORY:], count, budget)
    return Built(messages, len(kept), Shown(tuple(messages), len(history) + 1, tuple(piece.fenced for piece in kept)))


def _extended(
    question: str,
    pieces: Sequence[_Piece],
    history: Sequence[Mapping[str, str]],
    shown: Shown | None,
    count: Callable[[str], int],
    budget: int,
    limit: int | None,
) -> list[Message] | None:
    """What was shown, the answer it got, and the question with the passages that are new; None where that cannot be."""
    if shown is None or len(history) != shown.turns + 1 or history[-1]["role"] != "assistant":
        return None
    new = [piece for piece in pieces if piece.fenced not in shown.passages]
    if limit is not None and len(shown.passages) + len(new) > limit:
        return None
    answer = {"role": "assistant", "content": history[-1]["content"]}
    messages = [*shown.messages, answer, _asked(question, new)]
    cost = sum(count(message["content"]) + _PER_MESSAGE for message in messages) + _MARGIN
    return messages if cost <= budget else None


def _answered(history: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """Questions that got an answer, with it: many templates refuse two questions in a row."""
    pairs = [pair for pair in itertools.pairwise(history) if [turn["role"] for turn in pair] == ["user", "assistant"]]
    return [turn for pair in pairs for turn in pair]


def _rebuilt(
    question: str,
    pieces: Sequence[_Piece],
    history: Sequence[Mapping[str, str]],
    count: Callable[[str], int],
    budget: int,
) -> tuple[list[Message], list[_Piece]]:
    left = budget - count(SYSTEM) - count(ASK.format(question)) - _MARGIN
    kept: list[_Piece] = []
    for piece in pieces:
        cost = count(piece.fenced) + 4
        if cost > left and kept:
            break
        kept.append(piece)
        left -= cost
    turns: list[Message] = []
    for turn in reversed(history):
        cost = count(turn["content"]) + _PER_MESSAGE
        if cost > left:
            break
        turns.insert(0, {"role": turn["role"], "content": turn["content"]})
        left -= cost
    while turns and turns[0]["role"] != "user":
        turns.pop(0)
    return [{"role": "system", "content": SYSTEM}, *turns, _asked(question, kept)], kept


@dataclass(frozen=True, slots=True)
class _Piece:
    """A passage as it is shown: its heading, its text, which document and where in it, and whether it is a hit's
    surroundings."""

    context: str
    text: str
    place: tuple[int, int] | None
    around: bool

    @property
    def fenced(self) -> str:
        """Between its fences, alone."""
        return _fenced(self.context, self.text)


def _piece(passage: Mapping[str, Any]) -> _Piece:
    """A passage that is not known to be harmless is looked through first."""
    parts = [str(passage.get("context") or ""), str(passage["text"])]
    if passage.get("instruction_like", True):
        parts = [without_instructions(part) for part in parts]
    context, text = (_FENCE.sub("‹", " ".join(part.split())) for part in parts)
    place = passage.get("place")
    return _Piece(context, text, (place[0], place[1]) if place else None, bool(passage.get("around")))


def _fenced(context: str, text: str) -> str:
    return f"{OPEN}\n{context}: {text}\n{CLOSE}" if context else f"{OPEN}\n{text}\n{CLOSE}"


def _asked(question: str, pieces: Sequence[_Piece]) -> Message:
    ask = ASK.format(question)
    body = "\n\n".join(reversed(_joined(pieces)))
    return {"role": "user", "content": f"{body}\n\n{ask}" if pieces else ask}


def _joined(pieces: Sequence[_Piece]) -> list[str]:
    """The pieces between fences; a hit and what stands around it in one, in the order of the document."""
    beside = {piece.place: piece for piece in pieces if piece.place}
    done: set[int] = set()
    texts = []
    for piece in pieces:
        if id(piece) in done:
            continue
        run = _run(piece, beside) if piece.place else [piece]
        if not any(each.around for each in run):
            run = [piece]
        done.update(map(id, run))
        texts.append(_fenced(run[0].context, _flowing(run)))
    return texts


def _flowing(run: Sequence[_Piece]) -> str:
    """The texts of a run one after the other, a new heading before what stands under it."""
    parts = [run[0].text]
    for before, piece in itertools.pairwise(run):
        parts += [f"{piece.context}:"] if piece.context and piece.context != before.context else []
        parts.append(piece.text)
    return " ".join(parts)


def _run(piece: _Piece, beside: Mapping[tuple[int, int], _Piece]) -> list[_Piece]:
    """The pieces that follow each other without a gap in the document, this one among them."""
    assert piece.place is not None
    document, ordinal = piece.place
    first = last = ordinal
    while (document, first - 1) in beside:
        first -= 1
    while (document, last + 1) in beside:
        last += 1
    return [beside[document, place] for place in range(first, last + 1)]
