"""The user's own questions: kept, found again after a new cut, measured by, and gone with their document."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from desktop_rag.errors import UsageError
from desktop_rag.evaluation.weighing import USUAL
from desktop_rag.retrieval.modes import MODES
from desktop_rag.workers import beside, cleaning_again, indexing, judged_measuring, judging, questions, receipts, ruling
from tests.workers.driving import add, everything, run

if TYPE_CHECKING:
    from desktop_rag.workers.library import Library

pytestmark = pytest.mark.slow
TEXTS = {
    "pump": "The warranty of the pump P-7 lasts 24 months from the day of delivery. Seals are excluded.\n",
    "rent": "The rent is 1450 euros a month, due on the third working day. Jean Rivera signed the lease.\n",
    "travel": "Hotels are paid up to 120 euros a night. A guarantee is given to hotels on request.\n",
}
QUESTION = "How long is the guarantee on the pump?"


@pytest.fixture
def filled(library: Library, tmp_path: Path) -> Library:
    for name, text in TEXTS.items():
        (tmp_path / f"{name}.txt").write_text(text)
    add(library, *(tmp_path / f"{name}.txt" for name in TEXTS))
    return library


def hit(library: Library, question: str, name: str) -> dict[str, Any]:
    hits = questions.find(library, question, None, "hybrid", 3)["hits"]
    return next(found for found in hits if found["name"] == f"{name}.txt")


def answered(library: Library, question: str, name: str) -> str:
    """A stored answer that cites a document; returns its message."""
    prepared = questions.prepare(library, {"question": question, "collection": None})
    passage = hit(library, question, name)
    data = {"citations": [{key: passage[key] for key in ("document", "name", "page", "locator", "start", "end")}]}
    return library.conversations.add_answer(prepared["conversation"], "24 months.", data, [passage["document"]])


def measured(library: Library, **more: Any) -> dict[str, Any]:
    return run(judged_measuring.measure(library, None, **more))[1]


def test_a_good_answer_is_a_question_to_measure_by_until_the_mark_goes(filled: Library) -> None:
    message = answered(filled, QUESTION, "pump")
    judging.mark(filled, message)
    judging.mark(filled, message)
    (row,) = judging.listed(filled)
    assert (row["question"], row["message"]) == (QUESTION, message)
    assert [passage["name"] for passage in row["passages"]] == ["pump.txt"]
    judging.unmark(filled, message)
    assert judging.listed(filled) == []


def test_it_goes_with_its_conversation(filled: Library) -> None:
    message = answered(filled, QUESTION, "pump")
    judging.mark(filled, message)
    (conversation,) = [row["id"] for row in filled.conversations.all()]
    filled.conversations.delete(conversation)
    assert judging.listed(filled) == []


def test_an_answer_without_citations_is_nothing_to_measure_by(filled: Library) -> None:
    prepared = questions.prepare(filled, {"question": QUESTION, "collection": None})
    message = filled.conversations.add_answer(prepared["conversation"], "I do not know.", {"citations": []}, [])
    with pytest.raises(UsageError, match="No passage"):
        judging.mark(filled, message)
    with pytest.raises(UsageError, match="no such answer"):
        judging.mark(filled, "gone")


def test_a_name_in_a_typed_question_is_not_kept(filled: Library) -> None:
    judging.judge(filled, "Who is Jean Rivera?", [hit(filled, "Who signed the lease?", "rent")])
    (row,) = judging.listed(filled)
    assert "Rivera" not in row["question"]


def test_every_mode_and_the_weights_are_measured(filled: Library) -> None:
    judging.judge(filled, QUESTION, [hit(filled, QUESTION, "pump")])
    judging.judge(filled, "When is the rent due?", [hit(filled, "When is the rent due?", "rent")])
    events, done = run(judged_measuring.measure(filled, None))
    (own,) = done["sets"]
    assert [row["mode"] for row in own["modes"]] == list(MODES)
    assert own["queries"] == 2
    assert all(row["recall@10"] == 1.0 for row in own["modes"] if row["mode"] not in ("bm25", "tfidf"))
    assert own["encoder"]["name"]
    assert own["verdict"]
    assert (own["fusion"]["now"], own["fusion"]["sure"]) == (USUAL, False)
    assert done["left_out"] == 0
    shares = [event["fraction"] for event in events]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)


def test_other_encoders_are_measured_beside_the_one_in_use(filled: Library) -> None:
    judging.judge(filled, QUESTION, [hit(filled, QUESTION, "pump")])
    before = [tuple(row) for row in filled.db.execute("SELECT chunk_id, encoder_id FROM vectors ORDER BY 1, 2")]
    events, done = run(judged_measuring.measure(filled, None, ["bm25", "dense", "hybrid", "rerank"], ["all"]))
    (one,) = done["sets"]
    own, other = one["encoders"]
    assert (own["in_use"], other["in_use"]) == (True, False)
    assert (own["encoder"]["name"], other["encoder"]["name"]) == ("all-MiniLM-L6-v2", "multilingual-e5-small")
    for each in (own, other):
        assert [row["mode"] for row in each["modes"]] == ["dense", "hybrid", "rerank"]
        assert each["passages_s"] > 0
        assert each["size_mb"] > 10
    assert other["against"]["mode"] == "hybrid"
    said = events[0]["foreseen"], events[0]["text"]
    assert said[0]["encoder"] == "multilingual-e5-small"
    assert said[0]["passages"] == 3
    assert said[0]["seconds"] > 0
    assert said[1] == "to encode 3 passages with multilingual-e5-small will take a few seconds"
    assert "no sure difference" in one["encoders_verdict"][0]
    assert "encoding 3 passages with multilingual-e5-small 0 %" in [event["text"] for event in events]
    after = [tuple(row) for row in filled.db.execute("SELECT chunk_id, encoder_id FROM vectors ORDER BY 1, 2")]
    assert after == before, "the index stays as it is"
    assert "encoders" not in run(judged_measuring.measure(filled, None, ["bm25"], ["all"]))[1]["sets"][0]
    with pytest.raises(UsageError, match="no encoder"):
        run(judged_measuring.measure(filled, None, ["dense"], ["unheard"]))


def test_a_question_does_not_wait_while_another_encoder_works(filled: Library) -> None:
    steps = list(beside.encoded(filled, filled.default_collection()["id"], "multilingual-e5-small"))
    assert None in steps, "the library looks for other work while passages are encoded"
    assert [step["event"] for step in steps if step] == ["progress"]


@pytest.mark.parametrize("when", ["encoding", "My documents: dense by"])
def test_a_document_that_is_removed_meanwhile_is_left_out(filled: Library, when: str) -> None:
    passage = hit(filled, QUESTION, "pump")
    judging.judge(filled, "When is the rent due?", [hit(filled, "When is the rent due?", "rent")])
    measuring = judged_measuring.measure(filled, None, ["dense", "hybrid", "rerank"], ["all"])
    done, removed = None, False
    while done is None:
        try:
            step = next(measuring)
        except StopIteration as end:
            done = end.value
            continue
        if not removed and step and str(step["text"]).startswith(when):
            run(receipts.remove(filled, [passage["document"]]))
            removed = True
    assert removed
    assert [row["recall@10"] for row in done["sets"][0]["encoders"][1]["modes"]] == [1.0] * 3


def test_the_right_passage_is_found_again_after_a_new_cleaning(filled: Library) -> None:
    judging.judge(filled, "Is the rent due on the third working day?", [hit(filled, "When is the rent due?", "rent")])
    (before,) = judging.listed(filled)
    ruling.add(filled, {"kind": "always", "term": "third working day", "label": "OWN_TERM", "collection": None})
    run(cleaning_again.clean_again(filled))
    (after,) = judging.listed(filled)
    assert "third working day" not in hit(filled, "When is the rent due?", "rent")["text"]
    assert "third working day" not in after["question"], "what is private now is taken out of the question too"
    assert after["passages"] == before["passages"]
    assert measured(filled, modes=["hybrid"])["sets"][0]["modes"][0]["success@1"] == 1.0


def test_what_is_read_again_is_still_judged(filled: Library) -> None:
    passage = hit(filled, QUESTION, "pump")
    judging.judge(filled, QUESTION, [passage])
    run(indexing.read_again(filled, [passage["document"]]))
    own = measured(filled, modes=["hybrid"])["sets"][0]
    assert own["modes"][0]["success@1"] == 1.0


def test_a_question_goes_with_its_document_and_leaves_no_trace(filled: Library) -> None:
    passage = hit(filled, QUESTION, "pump")
    judging.judge(filled, "Is the wobbling pump of the cellar under warranty?", [passage])
    receipt = run(receipts.remove(filled, [passage["document"]]))[1]["receipt"]
    assert judging.listed(filled) == []
    assert receipt["erased"]["judged"] == 1
    assert all(row["verified"] for row in receipt["documents"])
    assert "wobbling" not in everything(filled)


def test_a_question_about_another_document_goes_if_it_repeats_the_erased_one(filled: Library) -> None:
    said = "Does the warranty of the pump P-7 lasts 24 months from the day of delivery cover hotels?"
    judging.judge(filled, said, [hit(filled, "Hotels?", "travel")])
    judging.judge(filled, "What do hotels cost?", [hit(filled, "Hotels?", "travel")])
    receipt = run(receipts.remove(filled, [hit(filled, QUESTION, "pump")["document"]]))[1]["receipt"]
    assert [row["question"] for row in judging.listed(filled)] == ["What do hotels cost?"]
    assert all(row["verified"] for row in receipt["documents"])


def test_without_questions_it_is_said_what_to_do(filled: Library) -> None:
    with pytest.raises(UsageError, match="no questions of your own") as raised:
        measured(filled)
    assert "Search quality" in raised.value.hint
