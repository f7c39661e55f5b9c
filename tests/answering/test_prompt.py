"""The prompt's budget: never over it, the question always in it, the best passage next to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.answering.prompt import ASK, NOT_FOUND, SYSTEM, build

WORDS = st.text("abc .\n", min_size=1, max_size=120)
PASSAGES = st.lists(st.builds(lambda text, context: {"text": text, "context": context}, WORDS, WORDS), max_size=6)
HISTORY = st.lists(
    st.builds(lambda role, text: {"role": role, "content": text}, st.sampled_from(["user", "assistant"]), WORDS),
    max_size=6,
)


def count(text: str) -> int:
    """A counter that is not additive over words, as tokenizers are not."""
    return len(text) // 3 + text.count(" ") + 1


@given(WORDS, PASSAGES, HISTORY, st.integers(0, 900))
def test_the_prompt_stays_in_its_budget(
    question: str, passages: list[dict[str, str]], history: list[dict[str, str]], room: int
) -> None:
    budget = count(SYSTEM) + count(ASK.format(question)) + 64 + room
    messages, kept = build(question, passages, history, count=count, budget=budget)
    assert sum(count(message["content"]) for message in messages) <= budget
    assert 0 <= kept <= len(passages)


@given(WORDS, PASSAGES, HISTORY, st.integers(-500, 900))
def test_the_order_can_be_cached_and_the_question_is_last(
    question: str, passages: list[dict[str, str]], history: list[dict[str, str]], budget: int
) -> None:
    messages, _ = build(question, passages, history, count=count, budget=budget)
    roles = [message["role"] for message in messages]
    assert (roles[0], roles[-1]) == ("system", "user")
    assert messages[-1]["content"].endswith(ASK.format(question))
    assert messages[0]["content"] == SYSTEM
    if len(messages) > 2:
        assert roles[1] == "user"
        turns = [{"role": m["role"], "content": m["content"]} for m in messages[1:-1]]
        assert turns == history[len(history) - len(turns) :]


def numbered(number: int) -> list[dict[str, str]]:
    return [{"text": f"passage number {i} " + "x " * 50, "context": "Part"} for i in range(number)]


def test_the_best_passage_stands_next_to_the_question() -> None:
    (_, user), kept = build("Why?", numbered(3), [], count=count, budget=10_000)
    assert kept == 3
    places = [user["content"].index(f"passage number {i}") for i in range(3)]
    assert places == sorted(places, reverse=True)


def test_the_worst_passages_go_first() -> None:
    (_, user), kept = build("Why?", numbered(6), [], count=count, budget=count(SYSTEM) + 500)
    assert 0 < kept < 6
    assert [f"passage number {i}" in user["content"] for i in range(6)] == [i < kept for i in range(6)]


def test_the_newest_turns_stay() -> None:
    history = [{"role": role, "content": f"{role} {i} " + "x" * 90} for i in range(5) for role in ("user", "assistant")]
    messages, _ = build("Why?", [], history, count=count, budget=count(SYSTEM) + 64 + 300)
    assert 2 < len(messages) < 12
    assert messages[-2]["content"].startswith("assistant 4")


def test_the_model_is_told_how_to_refuse() -> None:
    assert NOT_FOUND in SYSTEM
