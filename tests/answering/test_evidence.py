"""Near misses: what a question names and the documents do not hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from desktop_rag.answering.evidence import is_missing, specifics, unfamiliar
from desktop_rag.retrieval.analyse import terms

COLLECTION = (
    "The Zenith pump Z-40 was installed on 3 May 2024 by [PERSON_1]. Fault code E-17 means that the motor is too "
    "hot. Part K-103 costs 18 euros. Bug 4502 froze the program. The club meets in the library; its account holds "
    "12,480 pounds. Harbour Road is closed. Die Pumpe wurde gewartet."
)
HELD = set(terms(COLLECTION))


def nowhere(word: str) -> bool:
    """As the library decides it: of a code the whole counts."""
    wanted = terms(word)
    if any(c.isdigit() for c in word):
        wanted = wanted[-1:]
    return bool(wanted) and not HELD & set(wanted)


@pytest.mark.parametrize(
    ("question", "absent"),
    [
        ("When was the Apex pump installed?", ["Apex"]),
        ("What does part K-999 cost?", ["K-999"]),
        ("What does fault code E-44 mean?", ["E-44"]),
        ("What was bug 7718?", ["7718"]),
        ("When does the Rotary Club meet?", ["Rotary Club"]),
        ("Is Station Road closed?", ["Station Road"]),
        ("Did the Zenith or the Apex A-90 fail?", ["Apex", "A-90"]),
        ("What is the salary of Ms Castellano?", ["Castellano"]),
        ("Where is Nikola Tesla buried?", ["Nikola Tesla"]),
    ],
)
def test_near_misses_are_told_apart(question: str, absent: list[str]) -> None:
    missing, named = is_missing(question, nowhere)
    assert (missing, named) == (True, absent) or (missing, named) == (True, [" ".join(absent)])


@pytest.mark.parametrize(
    "question",
    [
        "When was the Zenith pump installed?",
        "What does part K-103 cost?",
        "what does e-17 mean",
        "What was bug 4502?",
        "Who installed the pump on 3 May 2024?",
        "What happened on May 3rd?",
        "Does it weigh 10kg or hold 1.5GB?",
        "When Was The Apex Pump Installed",
        "Does the account hold 12480 pounds?",
        "What did [PERSON_1] install?",
        "WHEN WAS THE APEX PUMP INSTALLED?",
        "Installed was what? Nobody knows.",
        "Why? Maintenance was due.",
        "Is the Zenith GmbH pump hot?",
        "What did Mr [PERSON_1] say in 2023?",
        "Wann wurde die Pumpe mit der Dichtung gewartet?",
        "",
    ],
)
def test_what_may_be_there_is_not_refused(question: str) -> None:
    assert not is_missing(question, nowhere)[0]


def test_one_name_that_is_there_outweighs_one_that_is_not() -> None:
    assert is_missing("Did Apex deliver the Zenith pump?", nowhere) == (False, ["Apex"])


def test_specifics_of_a_question() -> None:
    found = specifics("Did Harbour Road, the Zenith Z-40 and [PERSON_1] cost 12,480 on 3 May or 22-Jan-13?")
    assert found.names == [["Harbour", "Road"], ["Zenith"]]
    assert found.codes == ["Z-40"]
    assert found.varied == ["[PERSON_1]", "12", "480", "3", "22-Jan-13"]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Why was the swimming pool closed?", True),
        ("Is there asbestos?", True),
        ("Why is the road closed?", False),
        ("What does the part cost?", False),
        ("Why?", False),
    ],
)
def test_questions_in_unfamiliar_words(question: str, expected: bool) -> None:
    assert unfamiliar(question, nowhere) is expected


@pytest.mark.parametrize("check", [is_missing, unfamiliar])
def test_an_empty_collection_holds_nothing_and_a_full_one_everything(check: Callable[..., object]) -> None:
    question = "When was the Apex pump K-9 installed?"
    assert check(question, lambda word: True) in (True, (True, ["Apex", "K-9"]))
    assert check(question, lambda word: False) in (False, (False, []))
