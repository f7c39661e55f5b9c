"""Whatever is asked, in every mode: never an exception, every score a number, no passage twice."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop_rag.retrieval.modes import MODES
from desktop_rag.workers import questions
from desktop_rag.workers.protocol import decode, encode
from tests.workers.driving import add

if TYPE_CHECKING:
    from desktop_rag.workers.library import Library

pytestmark = pytest.mark.slow
_K = 5
_TEXTS = {
    "pump": "The warranty of the pump P-7 lasts 24 months. Jean Rivera signed on 3 May 2021.\n",
    "pump again": "The warranty of the pump P-7 lasts 24 months. Jean Rivera signed on 3 May 2021.\n",
    "pompe": "La garantie de la pompe dure vingt-quatre mois à compter de la livraison.\n",
    "泵": "泵的保修期为二十四个月，从交货之日起计算。\n",
    "figures": "12 345 6789 0 1.5 2,75 100 % 2021 2022 2023\n",
}
_WORDS = " ".join(f"word{n} pump" for n in range(5_000))
QUESTIONS = {
    "empty": "",
    "blank": " \t\n\r\x0b\u00a0\u2028",
    "10 000 words": _WORDS,
    "one word 10 000 times": "pump " * 10_000,
    "one word of 100 000 letters": "pump" * 25_000,
    "100 000 Chinese characters": "泵的保修期" * 20_000,
    "only stop words": "the of and to is it that",
    "stop words of four languages": "the der la на of und le и",
    "only numbers": "12 345 6789 0 1.5 2,75 100",
    "one very long number": "9" * 5_000,
    "figures that are no numbers": "²⁰²¹ ①②③④ ፩፪፫፬ Ⅳ x²⁰²¹ ½ ٢٠٢١",
    "mixed scripts": "pump насос مضخة 泵 ポンプ पंप ปั๊ม 펌프 αντλία",
    "right to left": "\u202epmup\u202c ضمان المضخة",
    "operators": '"NEAR(pump, 5)" AND (warranty* OR -seal) NOT ^title:x {a b} + pump',
    "quotes": '\'"`´‘’“”«» "pump',
    "injection": "'; DROP TABLE chunks; -- \" OR 1=1",
    "wildcards": "% _ * ? [a-z] \\ .* ^$",
    "our own tokens": "[PERSON_1] [PERSON_99999999999999999999] [PERSON] [X_1",
    "a byte of nothing": "pump\x00warranty\x00",
    "halves of characters": "pump \ud800 warranty \udfff",
    "marks alone": "\u0301\u0302\u0303 \u20e3 \u200d\ufe0f",
    "pictures": "👩‍👩‍👧‍👦 🏳️‍🌈 pump 🔧",
    "controls": "\x01\x02\x1b[31mpump\x7f\x9f",
    "not a character": "\ufffe\uffff\U0010ffff pump",
}


@pytest.fixture(scope="module")
def filled(models: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """One library for all questions, in folders of its own."""
    from desktop_rag.settings import Settings
    from desktop_rag.workers.library import Library

    root = tmp_path_factory.mktemp("asked")
    (root / "files").mkdir()
    for name, text in _TEXTS.items():
        (root / "files" / f"{name}.txt").write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DESKTOP_RAG_CONFIG_DIR", str(root / "config"))
        Settings(root / "data").set("exact_up_to", 0)
        library = Library(root / "data")
        vars(library).update(models)
        rows = add(library, root / "files")
        assert [row["error"] for row in rows if row["state"] != "ready"] == []
        yield library
        library.close()


def asked(library: Library, question: str, mode: str) -> dict[str, Any]:
    """What a search gives, after looking at it closely."""
    found = questions.find(library, question, None, mode, _K, traced=True, explain=True)
    assert found["mode"] == mode
    hits = found["hits"]
    assert len(hits) <= _K
    assert len({(hit["document"], hit["page"], hit["start"], hit["end"]) for hit in hits}) == len(hits)
    scores = [value for hit in hits for value in (hit["score"], *hit["scores"].values())]
    assert all(math.isfinite(score) for score in scores), scores
    assert [hit["score"] for hit in hits] == sorted((hit["score"] for hit in hits), reverse=True)
    # It reaches the window, and prints as JSON that others read.
    assert decode(encode({"event": "done", **found})) is not None
    json.dumps(found, allow_nan=False)
    return found


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_every_question_is_answered_in_every_mode(filled: Library, question: str) -> None:
    for mode in MODES:
        asked(filled, question, mode)


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_every_question_can_be_stored_and_its_passages_found(filled: Library, question: str) -> None:
    prepared = questions.prepare(filled, {"question": question, "mode": "deep"})
    again = questions.prepare(
        filled, {"question": question, "mode": "hybrid", "conversation": prepared["conversation"]}
    )
    assert decode(encode({"event": "done", **again})) is not None
    assert len(filled.conversations.one(prepared["conversation"])["messages"]) == 2


_TEXT = st.text(st.characters(), max_size=60) | st.lists(
    st.sampled_from([*"ab \"'*-()[]{}:^~\\/%_", "pump", "AND", "NEAR", "[PERSON_1]", "泵", "\u0301", "\x00", "3.5"]),
    max_size=25,
).map("".join)


@settings(max_examples=60, deadline=None)
@given(_TEXT, st.sampled_from(MODES))
def test_any_text_is_answered_in_any_mode(filled: Library, question: str, mode: str) -> None:
    asked(filled, question, mode)


@settings(max_examples=40, deadline=None)
@given(_TEXT)
def test_any_text_can_be_a_question(filled: Library, question: str) -> None:
    prepared = questions.prepare(filled, {"question": question, "mode": "hybrid"})
    assert decode(encode({"event": "done", **prepared})) is not None


def test_what_stands_in_two_documents_takes_one_place(filled: Library) -> None:
    for mode in MODES:
        hits = asked(filled, "How long is the warranty of the pump?", mode)["hits"]
        twice = [hit for hit in hits if hit["name"].startswith("pump")]
        assert len(twice) == 1, mode


@pytest.mark.parametrize("content", ["", " \n\t\n", "-,-\n", "\u0301\n", "the of and\n"])
def test_a_collection_with_one_empty_document_answers(library: Library, tmp_path: Path, content: str) -> None:
    (tmp_path / "empty.txt").write_text(content, encoding="utf-8")
    (row,) = add(library, tmp_path / "empty.txt")
    assert row["state"] in ("ready", "failed")
    assert row["state"] == "ready" or row["error"]["message"]
    for mode in MODES:
        for question in ("pump", "", "-,-"):
            asked(library, question, mode)
    questions.prepare(library, {"question": "pump", "mode": "deep"})


def test_many_copies_of_one_document_are_one_hit(library: Library, tmp_path: Path) -> None:
    for number in range(30):
        # Other bytes, the same passage.
        (tmp_path / f"{number}.txt").write_text(_TEXTS["pump"] + "\n" * number, encoding="utf-8")
    assert {row["state"] for row in add(library, tmp_path)} == {"ready"}
    for mode in MODES:
        assert len(asked(library, "the warranty of the pump", mode)["hits"]) == 1, mode
