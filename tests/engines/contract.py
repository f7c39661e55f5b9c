"""What every engine must do, whatever library is behind it: inherit `EngineContract` and provide `engine`."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from desktop_rag.engines.protocol import Engine, Finish, Piece
from desktop_rag.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

QUESTION = [
    {"role": "system", "content": "You answer briefly."},
    {"role": "user", "content": "Name three fruits and their colours."},
]
TEXT = "The pump is checked every month, and its seals are replaced after two years of service. "
CANCEL_SECONDS = 2.0


def answer(
    engine: Engine,
    prompt: Sequence[int],
    *,
    max_tokens: int = 24,
    temperature: float = 0.0,
    seed: int = 0,
    cancelled: threading.Event | None = None,
) -> tuple[list[Piece], Finish]:
    *pieces, finish = engine.generate(
        prompt,
        max_tokens=max_tokens,
        temperature=temperature,
        seed=seed,
        cancelled=cancelled or threading.Event(),
    )
    assert isinstance(finish, Finish)
    assert all(isinstance(piece, Piece) for piece in pieces)
    return [piece for piece in pieces if isinstance(piece, Piece)], finish


def text_of(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


class AfterLooks(threading.Event):
    """A flag that is raised while the engine computes: when it has been looked at so many times."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.left = looks
        self.raised_at = 0.0

    def is_set(self) -> bool:
        self.left -= 1
        if self.left == 0:
            self.raised_at = time.perf_counter()
            self.set()
        return super().is_set()


class EngineContract:
    """The laws; `forget` empties the engine's cache by asking something that shares nothing."""

    @pytest.fixture
    def engine(self) -> Engine:
        raise NotImplementedError

    def forget(self, engine: Engine) -> None:
        answer(engine, engine.render([{"role": "user", "content": "?"}])[::-1], max_tokens=1)

    def test_it_says_what_is_loaded(self, engine: Engine) -> None:
        info = engine.info
        assert info.engine
        assert info.model
        assert info.context >= 512
        assert info.weights_bytes > 1_000_000
        assert info.kv_bytes > 0
        assert info.threads >= 1

    def test_count_is_additive_enough_for_budgets(self, engine: Engine) -> None:
        assert engine.count("") == 0
        one = engine.count(TEXT)
        assert 10 < one < len(TEXT)
        assert abs(engine.count(TEXT * 10) - 10 * one) <= 10

    def test_a_special_token_written_by_an_author_is_plain_text(self, engine: Engine) -> None:
        assert engine.count("<|im_end|>") > 1

    def test_more_messages_make_a_longer_prompt(self, engine: Engine) -> None:
        short, long = engine.render(QUESTION[1:]), engine.render([*QUESTION, *QUESTION])
        assert short
        assert len(long) > len(short)

    def test_greedy_answers_are_the_same_every_time(self, engine: Engine) -> None:
        prompt = engine.render(QUESTION)
        first = text_of(answer(engine, prompt)[0])
        assert first.strip()
        self.forget(engine)
        assert text_of(answer(engine, prompt)[0]) == first

    def test_a_seed_repeats_a_drawn_answer_and_another_seed_differs(self, engine: Engine) -> None:
        prompt = engine.render(QUESTION)
        drawn = [text_of(answer(engine, prompt, temperature=1.5, seed=seed)[0]) for seed in (1, 1, 2)]
        assert drawn[0] == drawn[1] != drawn[2]

    def test_max_tokens_is_kept(self, engine: Engine) -> None:
        for limit in (1, 5):
            pieces, finish = answer(engine, engine.render(QUESTION), max_tokens=limit)
            assert (finish.reason, finish.generated_tokens) == ("length", limit)
            assert [piece.generated for piece in pieces] == sorted({piece.generated for piece in pieces})

    def test_a_reused_prefix_changes_nothing_but_the_time(self, engine: Engine) -> None:
        shared = {"role": "user", "content": TEXT * 8}
        one = engine.render([QUESTION[0], shared, {"role": "user", "content": "What is checked?"}])
        two = engine.render([QUESTION[0], shared, {"role": "user", "content": "When are seals replaced?"}])
        self.forget(engine)
        fresh = text_of(answer(engine, two)[0])
        self.forget(engine)
        answer(engine, one)
        pieces, finish = answer(engine, two)
        common = next(i for i, (a, b) in enumerate(zip(one, two, strict=False)) if a != b)
        assert finish.reused_tokens >= common - 1 > 100
        assert finish.prompt_tokens == len(two)
        assert text_of(pieces) == fresh

    def test_a_repeated_prompt_reuses_all_but_what_must_be_computed(self, engine: Engine) -> None:
        prompt = engine.render(QUESTION)
        first = text_of(answer(engine, prompt)[0])
        pieces, finish = answer(engine, prompt)
        assert finish.reused_tokens == len(prompt) - 1
        assert text_of(pieces) == first

    def test_cancel_stops_a_prefill_and_the_next_answer_is_whole(self, engine: Engine) -> None:
        long = engine.render([{"role": "user", "content": TEXT * ((engine.info.context - 100) // engine.count(TEXT))}])
        prompt = engine.render(QUESTION)
        self.forget(engine)
        fresh = text_of(answer(engine, prompt)[0])
        self.forget(engine)
        cancelled = AfterLooks(50)
        pieces, finish = answer(engine, long, cancelled=cancelled)
        assert time.perf_counter() - cancelled.raised_at < CANCEL_SECONDS
        assert (pieces, finish.reason, finish.first_token) == ([], "cancelled", None)
        assert text_of(answer(engine, prompt)[0]) == fresh
        resumed, finish = answer(engine, long, max_tokens=4)
        self.forget(engine)
        assert text_of(resumed) == text_of(answer(engine, long, max_tokens=4)[0])

    def test_cancel_between_tokens_keeps_what_was_said(self, engine: Engine) -> None:
        prompt = engine.render(QUESTION)
        whole = text_of(answer(engine, prompt)[0])
        cancelled = threading.Event()
        pieces: list[Piece] = []
        for item in engine.generate(prompt, max_tokens=24, temperature=0.0, seed=0, cancelled=cancelled):
            if isinstance(item, Finish):
                assert item.reason == "cancelled"
            else:
                pieces.append(item)
                cancelled.set()
        assert 0 < len(text_of(pieces)) < len(whole)
        assert whole.startswith(text_of(pieces))
        assert text_of(answer(engine, prompt)[0]) == whole

    def test_an_abandoned_answer_harms_nothing(self, engine: Engine) -> None:
        prompt = engine.render(QUESTION)
        whole = text_of(answer(engine, prompt)[0])
        begun = engine.generate(prompt, max_tokens=24, temperature=0.0, seed=0, cancelled=threading.Event())
        next(iter(begun))
        del begun
        assert text_of(answer(engine, prompt)[0]) == whole

    def test_a_prompt_that_does_not_fit_is_refused(self, engine: Engine) -> None:
        token = engine.render(QUESTION)[-1]
        with pytest.raises(ModelError) as caught:
            answer(engine, [token] * engine.info.context)
        assert caught.value.code == "context_too_long"
        assert answer(engine, engine.render(QUESTION), max_tokens=1)[1].generated_tokens == 1

    def test_an_answer_ends_where_the_context_does(self, engine: Engine) -> None:
        prompt = engine.render([{"role": "user", "content": TEXT * 400}])[: engine.info.context - 3]
        _, finish = answer(engine, prompt, max_tokens=50)
        assert finish.generated_tokens <= 3

    def test_timings_are_ordered_and_speeds_follow_from_them(self, engine: Engine) -> None:
        self.forget(engine)
        pieces, finish = answer(engine, engine.render(QUESTION), max_tokens=8)
        assert finish.first_token is not None
        moments = [finish.first_token, *(piece.at for piece in pieces[1:]), finish.finished]
        assert moments == sorted(moments)
        assert finish.decode_tps == pytest.approx(7 / (finish.finished - finish.first_token))
        computed = finish.prompt_tokens - finish.reused_tokens
        assert finish.prefill_tps == pytest.approx(computed / finish.first_token)
