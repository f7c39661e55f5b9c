"""`eval retrieval --mine`: the user's own questions, measured from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_rag.workers.crew import Workers

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine, Ran

pytestmark = pytest.mark.slow
QUESTION = "How long does the warranty of the pump last?"


@pytest.fixture(scope="module")
def judged(cli: CommandLine, added: Ran) -> None:
    """A question of which the letter holds the answer."""
    assert added.code == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DESKTOP_RAG_CONFIG_DIR", str(cli.root / "config"))
        workers = Workers(cli.root / "data")
        try:
            hits = workers.library.call("search", query=QUESTION, k=5)["hits"]
            right = [hit for hit in hits if hit["name"] == "letter.md" and "24 months" in hit["text"]]
            assert len(workers.library.call("judge", question=QUESTION, passages=right)["questions"]) == 1
        finally:
            workers.close()


def test_without_questions_it_says_what_to_do(cli: CommandLine, added: Ran) -> None:
    ran = cli("eval", "retrieval", "--mine", "--json")
    assert ran.code == 2
    assert ran.json["error"]["message"].startswith("There are no questions of your own")


def test_nothing_can_be_marked_before_there_is_an_answer(cli: CommandLine, added: Ran) -> None:
    assert added.code == 0
    ran = cli("eval", "retrieval", "--mark", "--json")
    assert (ran.code, ran.json["error"]["message"]) == (2, "There are no answers yet.")
    assert cli("eval", "retrieval", "--mark", "unheard", "--json").json["error"]["code"] == "not_found"
    assert "no folder" in cli("eval", "retrieval", "--mark", "--mine", "--json").json["error"]["message"]


@pytest.mark.usefixtures("judged")
def test_every_mode_is_measured_on_the_own_questions(cli: CommandLine) -> None:
    ran = cli("eval", "retrieval", "--mine", "--mode", "bm25", "--mode", "hybrid", "--json")
    (own,) = ran.json["sets"]
    assert ([row["mode"] for row in own["modes"]], own["queries"]) == (["bm25", "hybrid"], 1)
    assert all(row["recall@10"] == 1.0 for row in own["modes"])
    assert own["fusion"]["now"] == "usual"
    assert [event["event"] for event in ran.progress if event["event"] != "progress"] == []
    said = cli("eval", "retrieval", "--mine", "--mode", "hybrid", "--collection", "My documents")
    assert said.code == 0
    assert "My documents: " in said.stdout
    assert "  Weights: " in said.stdout


def test_an_answer_is_called_good_and_that_is_taken_back(cli: CommandLine, added: Ran) -> None:
    assert added.code == 0
    asked = cli("ask", "What was the price of the bearing of the pump?", "--strategy", "whole", "--json").json
    assert asked["citations"], "only what cites a passage can be marked"
    marked = cli("eval", "retrieval", "--mark", asked["conversation"], "--json").json
    kept = marked["changed"]
    assert kept["question"] == "What was the price of the bearing of the pump?"
    assert {passage["name"] for passage in kept["passages"]} == {cited["name"] for cited in asked["citations"]}
    assert kept in marked["questions"]
    own = cli("eval", "retrieval", "--mine", "--mode", "hybrid", "--json").json["sets"][0]
    assert own["queries"] == len(marked["questions"])
    said = cli("eval", "retrieval", "--unmark")
    assert said.code == 0
    assert "is not measured by any more" in said.stdout
    again = cli("eval", "retrieval", "--unmark", asked["conversation"])
    assert "was not marked" in again.stdout
