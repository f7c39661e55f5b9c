"""What is not computed twice: a follow-up's first token, also after a restart; answers that copy their passages."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from desktop_rag.errors import EngineError
from desktop_rag.evaluation.measuring import Watch, greedy, watched
from desktop_rag.evaluation.prompts import (
    CHAT,
    EXTRACTIVE,
    FIRST_QUESTION,
    IS_QUOTATION,
    NEXT_QUESTION,
    copied_share,
    passages,
)
from desktop_rag.evaluation.rounds import Round, Surroundings, event_of, repeat
from desktop_rag.evaluation.stage import Stage, in_turn
from desktop_rag.evaluation.target_decode import Found
from desktop_rag.evaluation.team import Worker

_ANSWER_TOKENS = 24
_COPY_TOKENS = 160
_CHAT_TOKENS = 96
_KEY_BYTES = 32
_CONVERSATION = "bench"

# Messages, and the text that their answer is to quote ("" for none).
Asked = tuple[list[dict[str, str]], str]


def first_tokens(stage: Stage) -> Found:
    """A question on 2,000 tokens of passages, its follow-up, and the follow-up after a restart with saved KV."""
    followup: list[Round] = []
    restart: list[Round] = []

    def measure(_: int) -> tuple[float, dict[str, Any]]:
        surroundings = Surroundings()
        cold, warm, again = _session(stage)
        parts = {"cold": _told(cold), "followup": _told(warm), "restart": _told(again)}
        restart.append(surroundings.around(_first(again) / _first(cold), parts))
        return _first(warm) / _first(cold), parts

    for one in repeat(measure):
        followup.append(one)
        yield event_of("ttft_followup", len(followup), one)
        yield event_of("ttft_restart", len(restart), restart[-1])
    return {"ttft_followup": followup, "ttft_restart": restart}


def _session(stage: Stage) -> tuple[Watch, Watch, Watch]:
    with _kv_place(stage.team.data_dir) as kv:
        with stage.chat() as chat:
            cold = _ask(chat, kv, FIRST_QUESTION, [])
            history = [
                {"role": "user", "content": FIRST_QUESTION},
                {"role": "assistant", "content": "".join(cold.text).strip()},
            ]
            if not chat.call("remember")["kept"]:
                raise EngineError("start_failed", "The KV memory was not saved.", "Check the disk's free space.")
            warm = _ask(chat, kv, NEXT_QUESTION, history)
        with stage.chat() as chat:
            again = _ask(chat, kv, NEXT_QUESTION, history)
    return cold, warm, again


def _ask(chat: Worker, kv: dict[str, str], question: str, history: Sequence[dict[str, str]]) -> Watch:
    return watched(
        chat,
        "generate",
        question=question,
        passages=passages(),
        history=list(history),
        conversation=_CONVERSATION,
        kv=kv,
        max_tokens=_ANSWER_TOKENS,
        sampling={"temperature": 0.0},
    )


def _first(watch: Watch) -> float:
    """When the first token arrived, seconds after the question was sent."""
    if watch.first is None:
        raise EngineError("start_failed", "The model wrote nothing.", "Another model may do.")
    return watch.first


def _told(watch: Watch) -> dict[str, Any]:
    usage = watch.usage
    names = ("prompt_tokens", "reused_tokens", "ttft_s")
    return {"first_token_s": watch.first, **{name: usage.get(name) for name in names}}


@contextmanager
def _kv_place(data_dir: Path) -> Iterator[dict[str, str]]:
    """A private folder for the saved memory and a key nobody else has; both gone afterwards."""
    folder = tempfile.mkdtemp(prefix="bench-kv-", dir=data_dir)
    try:
        yield {"folder": folder, "key": b64encode(secrets.token_bytes(_KEY_BYTES)).decode()}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def lookup_extractive(stage: Stage) -> Found:
    """Answers that quote a text, with lookup and without; an answer that turned out to be none is left out."""
    asked = [(list(messages), source) for messages, source in EXTRACTIVE]
    return _lookup(stage, "lookup_extractive", asked, _COPY_TOKENS)


def lookup_chat(stage: Stage) -> Found:
    """Answers without a source, with lookup and without."""
    asked = [([{"role": "user", "content": prompt}], "") for prompt in CHAT]
    return _lookup(stage, "lookup_chat", asked, _CHAT_TOKENS)


def _lookup(stage: Stage, name: str, asked: Sequence[Asked], tokens: int) -> Found:
    found: list[Round] = []
    with stage.chat(lookup=True) as using, stage.chat(lookup=False) as plain:
        chosen = list(asked)
        for one in repeat(lambda number: _compared(number, using, plain, chosen, tokens)):
            found.append(one)
            yield event_of(name, len(found), one)
    return {name: found}


def _compared(
    number: int, using: Worker, plain: Worker, chosen: list[Asked], tokens: int
) -> tuple[float, dict[str, Any]]:
    """All prompts on both sides; decoding only, as reading the prompt is the same work for both.

    What is no quotation though one was asked for leaves `chosen`: the next rounds need not ask it again.
    """
    pairs: list[tuple[Watch, Watch]] = []
    for at, (messages, source) in enumerate(list(chosen)):
        args = greedy(messages, max_tokens=tokens)
        sides = (partial(watched, worker, "complete", **args) for worker in (using, plain))
        one, other = in_turn(number + at, *sides)
        text = "".join(other.text)
        if "".join(one.text) != text:
            raise EngineError("start_failed", "Prompt lookup changed an answer's text.", "Please report it.")
        if source and copied_share(text, source) < IS_QUOTATION:
            chosen.remove((messages, source))
        else:
            pairs.append((one, other))
    if not pairs:
        raise EngineError("start_failed", "The model quotes none of the texts.", "Another model may do.")
    seconds = {
        "lookup": sum(one.decode_seconds for one, _ in pairs),
        "plain": sum(other.decode_seconds for _, other in pairs),
    }
    counts = {name: sum(int(one.usage.get(name) or 0) for one, _ in pairs) for name in ("drafted", "accepted")}
    generated = sum(one.last_generated for one, _ in pairs)
    parts = {**seconds, "same_text": True, "answers": len(pairs), "tokens": generated, **counts}
    return seconds["plain"] / seconds["lookup"], parts
