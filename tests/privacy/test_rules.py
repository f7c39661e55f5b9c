"""Terms that are always replaced and terms that never are: laws over any text, and what people write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.privacy.classes import Treatment, replaced_by_default, treatable, usual
from desktop_rag.privacy.finding import Finding
from desktop_rag.privacy.marks import OWN_TERM, Mark, laid_bare, laid_over
from desktop_rag.privacy.rules import ALWAYS, NEVER, Kind, Rule, Rules, key

# Words that share parts, accents as characters of their own, emoji, and signs of a script without spaces.
_WORDS = (
    "Rivera",
    "rivera",
    "RIVE\u0301RA",
    "Jean",
    "Acme",
    "Foundation",
    "Zoë",
    "Zoe\u0308",
    "7",
    "田中",
    "हिन्दी",
    "ß",
)
_GAPS = (" ", "-", ", ", "\n", " 👩‍👩‍👧 ", "’", "")
_LABELS = ("PERSON", "EMAIL_ADDRESS", "LOCATION", "ORGANIZATION", OWN_TERM)
_SCORES = st.floats(0, 1)
treatments = st.dictionaries(st.sampled_from([*_LABELS, "NEW_CLASS"]), st.builds(Treatment, st.booleans(), _SCORES))

phrases = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=3).map(" ".join)
texts = st.lists(st.tuples(st.sampled_from(_WORDS), st.sampled_from(_GAPS)), max_size=14).map(
    lambda parts: "".join(word + gap for word, gap in parts)
)
kinds: st.SearchStrategy[Kind] = st.sampled_from((ALWAYS, NEVER))
rules = st.lists(st.builds(Rule, kinds, phrases, st.sampled_from(_LABELS)), max_size=4)


@st.composite
def marked_texts(draw: st.DrawFn) -> tuple[str, list[Mark]]:
    """A text with marks that are sorted and do not overlap, some of them decided by a person."""
    text = draw(texts)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=10)))
    marks = []
    for number, (start, end) in enumerate(zip(cuts[::2], cuts[1::2], strict=False)):
        label, decided = draw(st.sampled_from(_LABELS)), draw(st.booleans())
        wanted = draw(st.booleans()) if decided else replaced_by_default(label)
        marks.append(Mark(start, end, label, 0.7, wanted, decided, number + 1))
    return text, marks


def covered(marks: list[Mark]) -> set[int]:
    return {at for mark in marks if mark.replace for at in range(mark.start, mark.end)}


@given(marked_texts(), rules)
def test_marks_stay_sorted_apart_and_inside_the_text(marked: tuple[str, list[Mark]], given_rules: list[Rule]) -> None:
    text, marks = marked
    settled = Rules(given_rules).settle(text, marks)
    ends = [0]
    for mark in settled:
        assert ends[-1] <= mark.start < mark.end <= len(text)
        ends.append(mark.end)
    assert Rules(given_rules).settle(text, settled) == settled, "a second time changes something"


@given(marked_texts(), rules)
def test_what_is_always_replaced_is_covered_but_for_a_persons_own_word(
    marked: tuple[str, list[Mark]], given_rules: list[Rule]
) -> None:
    text, marks = marked
    rules = Rules(given_rules)
    replaced = covered(rules.settle(text, marks))
    own_word = {at for mark in marks if mark.decided and not mark.replace for at in range(mark.start, mark.end)}
    for found in rules.always(text):
        assert set(range(found.start, found.end)) <= replaced | own_word


@given(marked_texts(), rules)
def test_nothing_is_uncovered_but_what_says_a_never_term(
    marked: tuple[str, list[Mark]], given_rules: list[Rule]
) -> None:
    text, marks = marked
    rules = Rules(given_rules)
    replaced = covered(rules.settle(text, marks))
    never = [rule.term for rule in given_rules if rule.kind == NEVER]
    for mark in marks:
        places = set(range(mark.start, mark.end))
        if mark.replace and not places <= replaced:
            said = key(text[mark.start : mark.end])
            assert not mark.decided
            assert any(said in key(term) for term in never), f"{said!r} is longer than each of {never}"


@given(texts, rules)
def test_a_term_is_found_wherever_a_plain_search_for_its_words_finds_it(text: str, given_rules: list[Rule]) -> None:
    """The reference: the text's words side by side, compared one place after the other."""
    plain = [rule for rule in given_rules if rule.kind == ALWAYS]
    found = Rules(plain).always(text)
    for rule in plain:
        for start in range(len(text)):
            for end in range(start + 1, min(len(text), start + 40) + 1):
                whole = (start == 0 or text[start - 1] in " -,\n👧’") and (end == len(text) or text[end] in " -,\n’")
                if whole and text[start:end].casefold() == rule.term.casefold():
                    assert any(f.start <= start and end <= f.end for f in found)


@given(marked_texts(), st.data())
def test_a_mark_of_ones_own_is_there_afterwards_and_nothing_else_is_lost(
    marked: tuple[str, list[Mark]], data: st.DataObject
) -> None:
    text, marks = marked
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    if start == end:
        return
    mark = Mark(start, end, "PERSON", 1.0, replace=True, decided=True)
    assert covered(laid_over(text, marks, [mark])) == covered(marks) | set(range(start, end))
    bare = Mark(start, end, "PERSON", 1.0, replace=False, decided=True)
    left = covered(marks) - covered(laid_bare(text, marks, bare))
    assert left <= set(range(start, end)), "taking one back uncovers what lies beyond it"


def found(text: str, *said: Rule, findings: tuple[tuple[str, str], ...] = ()) -> list[tuple[str, str]]:
    """What is found in a text when a detector says `findings` (value, label), each once."""
    held = sorted((text.index(value), value, label) for value, label in findings)
    before = [Finding(at, at + len(value), label, 0.7) for at, value, label in held]
    return [(text[f.start : f.end], f.label) for f in Rules(said).apply(text, before)]


@pytest.mark.parametrize(
    ("text", "term", "places"),
    [
        ("The BLUE-HERON project, blue heron, and blue\nherons", "Blue Heron", ["BLUE-HERON", "blue heron"]),
        ("Zoë and ZOE\u0308 but not Zoey", "zoe", ["Zoë", "ZOE\u0308"]),
        ("👩‍👩‍👧Rivera👍 wrote", "rivera", ["Rivera"]),
        ("Call 0151 234 567 or 0151/234567 or 0151234567, not 01512345678", "0151-234-567",
         ["0151 234 567", "0151/234567", "0151234567"]),
        ("我叫田中太郎。", "田中太郎", ["田中太郎"]),
        ("김철수는 왔다", "김철수", ["김철수"]),
        ("यह हिन्दी है", "हिन्दी", ["हिन्दी"]),
        ("New York City Council", "York City Council", ["York City Council"]),
        ("Strasse, STRASSE", "Straße", ["Strasse", "STRASSE"]),
    ],
)  # fmt: skip
def test_a_term_is_found_as_people_write_it(text: str, term: str, places: list[str]) -> None:
    assert [value for value, _ in found(text, Rule(ALWAYS, term))] == places


def test_terms_that_overlap_are_covered_by_one_mark() -> None:
    said = (Rule(ALWAYS, "New York"), Rule(ALWAYS, "York City Council", "ORGANIZATION"))
    assert found("New York City Council", *said) == [("New York City Council", "ORGANIZATION")], "whatever its class"


def test_the_detectors_class_stands_where_the_rule_names_none() -> None:
    detected = (("Rivera", "PERSON"),)
    assert found("Ask Rivera.", Rule(ALWAYS, "rivera"), findings=detected) == [("Rivera", "PERSON")]
    own = Rule(ALWAYS, "rivera", "USER_NAME")
    assert found("Ask Rivera.", own, findings=detected) == [("Rivera", "USER_NAME")]
    longer = (("Jean Rivera", "PERSON"),)
    assert found("Ask Jean Rivera.", own, findings=longer) == [("Jean Rivera", "PERSON")]


def test_a_kept_finding_is_cut_by_what_is_always_replaced() -> None:
    text = "At Acme Pumps Leeds."
    result = Rules([Rule(ALWAYS, "pumps")]).settle(text, [Mark(3, 19, "ORGANIZATION", 0.7, replace=False)])
    said = [(text[mark.start : mark.end], mark.label, mark.replace) for mark in result]
    assert said == [("Acme", "ORGANIZATION", False), ("Pumps", OWN_TERM, True), ("Leeds", "ORGANIZATION", False)]


@pytest.mark.parametrize(
    ("value", "term", "stays"),
    [
        ("Rivera", "RIVERA", False),
        ("Rivera,", "Rivera", False),
        ("Rivera", "Rivera Foundation", False),
        ("Jean Rivera", "Rivera", True),
        ("Rivera Foundation of", "Rivera Foundation", True),
    ],
)
def test_a_never_term_spares_itself_and_its_parts_but_nothing_longer(value: str, term: str, stays: bool) -> None:
    text = "Jean Rivera, Rivera Foundation of Leeds"
    at = text.index(value) if value != "Rivera" else text.index("Rivera Foundation")
    result = Rules([Rule(NEVER, term)]).apply(text, [Finding(at, at + len(value), "PERSON", 0.9)])
    assert bool(result) is stays


def test_always_comes_before_never() -> None:
    said = (Rule(NEVER, "Rivera Foundation"), Rule(ALWAYS, "Rivera"))
    assert found("The Rivera Foundation", *said) == [("Rivera", OWN_TERM)]


def test_a_persons_decision_about_a_place_comes_before_the_rules() -> None:
    text = "Rivera and Rivera"
    marks = [
        Mark(0, 6, "PERSON", 0.9, replace=False, decided=True),
        Mark(11, 17, "PERSON", 0.9, replace=True, decided=True),
    ]
    assert Rules([Rule(ALWAYS, "Rivera")]).settle(text, marks)[0] == marks[0]
    assert Rules([Rule(NEVER, "Rivera")]).settle(text, marks) == marks


def test_of_several_collections_one_is_enough_to_replace_and_all_are_needed_to_spare() -> None:
    one, other = Rules([Rule(ALWAYS, "Heron"), Rule(NEVER, "Rivera")]), Rules([Rule(NEVER, "Rivera"), Rule(NEVER, "X")])
    both = Rules.of_all([one, other])
    text = "Heron, Rivera, X"
    marks = [Finding(7, 13, "PERSON", 0.9), Finding(15, 16, "PERSON", 0.9)]
    assert [text[f.start : f.end] for f in both.apply(text, marks)] == ["Heron", "X"]
    assert Rules.of_all([]).apply(text, marks) == marks


@pytest.mark.parametrize("term", ["", " ", "!?", "👍", "\u0301"])
def test_a_term_without_a_letter_or_digit_has_no_key_and_finds_nothing(term: str) -> None:
    assert key(term) == ""
    assert Rules([Rule(ALWAYS, term)]).always("anything 👍 !?") == []


@given(marked_texts(), rules, treatments)
def test_a_class_that_is_left_uncovers_no_always_term_and_no_decided_place(
    marked: tuple[str, list[Mark]], given_rules: list[Rule], classes: dict[str, Treatment]
) -> None:
    text, marks = marked
    held = Rules(given_rules, classes)
    treated = held.treated(marks)
    assert [mark for mark in treated if mark.decided] == [mark for mark in marks if mark.decided]
    replaced = covered(held.settle(text, treated))
    own_word = {at for mark in marks if mark.decided and not mark.replace for at in range(mark.start, mark.end)}
    for found in held.always(text):
        assert set(range(found.start, found.end)) <= replaced | own_word
    assert covered([mark for mark in marks if mark.decided]) <= replaced


@given(st.text(st.characters(categories=["Lu"]), min_size=1), _SCORES, treatments)
def test_an_unknown_class_is_replaced_whatever_is_said(label: str, score: float, classes: dict[str, Treatment]) -> None:
    if label not in treatable():
        held = Rules((), {**classes, label: Treatment(False)})
        assert held.replaces(label, score)
        assert not held.unsure(label, score)


@given(st.sampled_from(treatable()), _SCORES, st.lists(treatments, min_size=1, max_size=3))
def test_of_several_collections_one_that_replaces_a_class_is_enough(
    label: str, score: float, several: list[dict[str, Treatment]]
) -> None:
    each = [Rules((), classes) for classes in several]
    assert Rules.of_all(each).replaces(label, score) == any(held.replaces(label, score) for held in each)
    assert Rules.of_all([]).replaces(label, score) == usual(label).replace


def test_a_class_is_replaced_from_its_threshold_on_or_left() -> None:
    text = "Rivera Leeds a@b.org"
    findings = [Finding(0, 6, "PERSON", 0.7), Finding(7, 12, "LOCATION", 0.8), Finding(13, 20, "EMAIL_ADDRESS", 0.9)]
    said = {"PERSON": Treatment(True, 0.8), "LOCATION": Treatment(True, 0.8), "EMAIL_ADDRESS": Treatment(False)}
    held = Rules((), said)
    assert [text[f.start : f.end] for f in held.apply(text, findings)] == ["Leeds"]
    assert [held.unsure(f.label, f.score) for f in findings] == [True, False, False]
