"""Guessing by looking up: guesses really stood there, and guessing never costs much."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.engines.lookup import DRAFTS, SHORTEST_MATCH, Costs, Experience, PromptLookup, TokenIndex

FEW_WORDS = st.lists(st.integers(0, 3), max_size=60)
COST = {1: 1.0, 4: 1.8, 8: 3.6, 16: 6.2}


@given(FEW_WORDS, st.integers(0, 15))
def test_a_continuation_followed_the_same_tokens_before(tokens: list[int], limit: int) -> None:
    found, length = TokenIndex(tokens).continuation(limit)
    assert len(found) <= limit
    assert length >= SHORTEST_MATCH or not found
    if found:
        run = [*tokens[-SHORTEST_MATCH:], *found]
        places = range(len(tokens) - len(run) + 1)
        assert any(tokens[at : at + len(run)] == run for at in places)


@given(FEW_WORDS, FEW_WORDS)
def test_an_index_grows_as_if_it_had_been_made_at_once(first: list[int], then: list[int]) -> None:
    grown = TokenIndex(first)
    for token in then:
        grown.add(token)
    assert grown.continuation(7) == TokenIndex([*first, *then]).continuation(7)


@given(st.lists(st.integers(0, 10_000), unique=True, max_size=50))
def test_what_never_came_before_is_not_guessed(tokens: list[int]) -> None:
    assert TokenIndex(tokens).continuation(7) == ([], 0)


def test_the_longest_match_wins_and_of_equals_the_most_recent() -> None:
    longest = [9, 1, 2, 3, 50, 8, 1, 2, 3, 60, 9, 1, 2, 3]
    assert TokenIndex(longest).continuation(1) == ([50], 4)
    equal = [7, 1, 2, 3, 50, 8, 1, 2, 3, 60, 9, 1, 2, 3]
    assert TokenIndex(equal).continuation(1) == ([60], 3)


def play(
    prompt: list[int], answer: list[int], cost: dict[int, float] = COST, experience: Experience | None = None
) -> tuple[float, list[int]]:
    """The time of an answer in single computations, and the sizes of the drafts."""
    lookup, at, seconds, sizes = PromptLookup(prompt, experience), 0, 0.0, []
    while at < len(answer):
        draft = lookup.draft(len(answer) - at - 1)
        right = 0
        while right < len(draft) and draft[right] == answer[at + right]:
            right += 1
        lookup.checked(len(draft), right, cost[1 + len(draft)])
        seconds += cost[1 + len(draft)]
        sizes += [len(draft)] if draft else []
        for token in answer[at : at + right + 1]:
            lookup.add(token)
        at += right + 1
    return seconds, sizes


def test_a_quoted_passage_is_answered_in_a_fraction_of_the_time() -> None:
    passage = list(range(200))
    seconds, sizes = play([*passage, 900, 901], passage)
    assert seconds < 200 / 2
    assert max(sizes) == DRAFTS[-1], "drafts are long where they are right"


@given(st.lists(st.integers(0, 30), min_size=40, max_size=300), st.lists(st.integers(0, 30), max_size=300), st.data())
def test_guessing_never_costs_more_than_a_few_hundredths(
    prompt: list[int], answer: list[int], data: st.DataObject
) -> None:
    cost = {1: 1.0} | {1 + size: data.draw(st.floats(1.0, 1.0 + size)) for size in DRAFTS}
    seconds, _ = play(prompt, answer, cost)
    # What was to be expected of a draft may be wrong; what that can cost is what the credit holds, and what the
    # first tries of a size cost more than was guessed.
    surprise = 2 * sum(max(0.0, cost[1 + size] - 1.0) for size in DRAFTS)
    assert seconds <= len(answer) * 1.03 + surprise + 4.0


def test_where_a_batch_costs_as_much_as_its_tokens_every_size_is_soon_given_up() -> None:
    passage = list(range(400))
    flat = {1: 1.0, 4: 4.0, 8: 8.0, 16: 16.0}
    experience = Experience()
    play([*passage, 900, 901], passage, flat, experience)
    seconds, sizes = play([*passage, 900, 901], passage, flat, experience)
    assert sizes == [], "what one answer taught, the next one knows"
    assert seconds == len(passage)


@given(st.integers(3, 16), st.lists(st.tuples(st.sampled_from(DRAFTS), st.integers(0, 15)), max_size=40))
def test_a_chance_stays_one_and_follows_what_happened(match: int, drafts: list[tuple[int, int]]) -> None:
    experience = Experience()
    for drafted, accepted in drafts:
        experience.learn(match, drafted, min(drafted, accepted))
        assert 0 < experience.chance(match) <= 1
    before = experience.chance(match)
    experience.learn(match, 7, 7)
    assert experience.chance(match) >= before
    before = experience.chance(match)
    experience.learn(match, 7, 0)
    assert experience.chance(match) < before


def answering(prompt: list[int], said: list[int], experience: Experience | None = None) -> PromptLookup:
    """A lookup in the middle of an answer."""
    lookup = PromptLookup(prompt, experience)
    for token in said:
        lookup.add(token)
    return lookup


def test_sizes_that_are_not_allowed_are_not_proposed() -> None:
    lookup = answering([*range(50), 900], [*range(9)])
    assert lookup.draft(40) == [9, 10, 11, 12, 13, 14, 15]
    assert lookup.draft(40, lambda size: False) == []
    assert lookup.draft(2) == []


def test_only_what_the_model_said_can_match() -> None:
    template = [*range(20)]
    assert PromptLookup([*template, 50, 60, *template]).draft(40) == [], (
        "the template's words say nothing of the answer"
    )


def test_a_short_match_is_not_worth_a_guess_until_such_guesses_were_right() -> None:
    experience = Experience()
    prompt, said = [*range(50), 900], [0, 1, 2, 3]
    assert answering(prompt, said, experience).draft(40) == []
    for _ in range(20):
        experience.learn(4, 7, 7)
    assert answering(prompt, said, experience).draft(40) == [4, 5, 6, 7, 8, 9, 10]


def test_guesses_that_were_not_made_teach_as_well() -> None:
    experience = Experience()
    before = experience.chance(4)
    lookup = answering([*range(50), 900], [0, 1, 2, 3], experience)
    assert lookup.draft(40) == []
    lookup.add(4)
    assert experience.chance(4) > before
    assert lookup.draft(40) == []
    lookup.add(700)
    assert experience.chance(4) < before + 0.05


def test_one_slow_moment_does_not_change_a_price_much() -> None:
    costs = Costs()
    costs.measured(1, 1.0)
    costs.measured(4, 1000.0)
    assert costs.of(4) <= 3.0
    for _ in range(4):
        costs.measured(4, 2.5)
    costs.measured(1, 1000.0)
    assert costs.of(4) == 2.5
