"""What becomes of a model's words: unsupported ones are left out, or give way to the passage itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from desktop_rag.workers import indexing, questions
from desktop_rag.workers.library import Library
from desktop_rag.workers.removing import remove_document
from tests.workers.driving import add, run

pytestmark = pytest.mark.slow
TEXT = (
    "Pump log\n\nThe valve K-777 was checked on 22 May 2024 and found tight.\n\n"
    "The next check is due in November 2025.\n"
)
QUESTION = "Was valve K-777 tight or leaking?"


@pytest.fixture
def prepared(library: Library, tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "log.txt"
    path.write_text(TEXT)
    add(library, path)
    return questions.prepare(library, {"question": QUESTION})


def finish(library: Library, prepared: dict[str, Any], answer: str) -> dict[str, Any]:
    return questions.finish(library, {**prepared, "answer": answer, "data": {}})


def test_a_supported_answer_stays_as_it_is(library: Library, prepared: dict[str, Any]) -> None:
    said = "The valve K-777 was found tight on 22 May 2024."
    done = finish(library, prepared, said)
    assert (done["answer"], done["draft"], done["left_out"]) == (said, None, 0)
    assert done["sentences"][0]["support"] == "supported"
    cited = done["citations"][0]
    assert TEXT[cited["start"] : cited["end"]] == cited["text"]


def test_what_trails_without_support_is_left_out(library: Library, prepared: dict[str, Any]) -> None:
    said = "The valve K-777 was found tight."
    ramble = f"{said} The weather in Lisbon is famous for its opera singers. Elephants seldom sign 4711 leases."
    done = finish(library, prepared, ramble)
    assert (done["answer"], done["left_out"], done["draft"]) == (said, 2, ramble)


def test_a_figure_no_passage_holds_gives_way_to_the_passage(library: Library, prepared: dict[str, Any]) -> None:
    done = finish(library, prepared, "The valve K-777 was checked on 17 May 2024 and found leaking.")
    assert done["found"]
    assert "found tight" in done["answer"]
    assert "17 May" not in done["answer"]
    assert "found tight" in done["citations"][0]["text"]


def test_nothing_near_is_not_in_the_documents(library: Library, prepared: dict[str, Any]) -> None:
    about = {**prepared, "prompt_question": "Which opera did the elephants of Lisbon sing?"}
    done = finish(library, about, "The elephants of Lisbon sang Carmen 4711 times.")
    assert (done["found"], done["citations"]) == (False, [])


def test_a_sentence_without_support_cites_nothing(library: Library, prepared: dict[str, Any]) -> None:
    said = "The valve K-777 was found tight. Elephants seldom sign 4711 leases. It was checked on 22 May 2024."
    done = finish(library, prepared, said)
    assert [s["support"] for s in done["sentences"]] == ["supported", "unsupported", "supported"]
    assert done["sentences"][1]["citations"] == []


def test_words_that_only_look_like_an_unknown_name_stay(library: Library, prepared: dict[str, Any]) -> None:
    said = "The valve K-777 was found tight. Ann asked."
    done = finish(
        library, {**prepared, "unknown": ["Ann", "K-777", "valve"]}, f"{said} The annual valve check was tight."
    )
    assert "[PERSON] asked" in (done["draft"] or done["answer"])
    assert "K-777" in done["answer"]
    assert "annual" in (done["draft"] or done["answer"])


def test_a_source_removed_meanwhile_takes_the_answer_along(library: Library, prepared: dict[str, Any]) -> None:
    remove_document(library, prepared["passages"][0]["document"])
    done = finish(library, prepared, "The valve K-777 was found tight.")
    assert not done["found"]
    assert "tight" not in done["answer"]


def test_a_kept_name_is_found_though_another_collection_knows_its_pseudonym(library: Library, tmp_path: Path) -> None:
    for name, policy in (("Hidden", "pseudonymise"), ("Open", "keep")):
        path = tmp_path / f"{name}.txt"
        path.write_text(f"{name} note. Mr Tobias Merriweather pays the rent of hall {len(name)}.")
        collection = library.collections.create(name, policy, False)["id"]
        run(indexing.add(library, [str(path)], collection, policy, False))
    found = questions.find(library, "What does Tobias Merriweather pay?", None, "bm25", 5)
    assert {hit["name"] for hit in found["hits"]} == {"Hidden.txt", "Open.txt"}


def test_under_mask_a_persons_name_is_no_reason_to_refuse(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "masked.txt"
    path.write_text("Mr Tobias Merriweather pays the rent of hall 4 every month in advance.")
    collection = library.collections.create("Masked", "mask", False)["id"]
    run(indexing.add(library, [str(path)], collection, "mask", False))
    about = {"question": "What does Mr Tobias Merriweather pay every month?", "collection": "Masked"}
    assert not questions.prepare(library, about)["missing"]


def test_saying_the_question_again_is_no_answer(library: Library, prepared: dict[str, Any]) -> None:
    done = finish(library, prepared, "The valve K-777 was tight or leaking.")
    assert "found tight" in done["answer"]


def test_a_follow_up_stays_in_its_collection(library: Library, tmp_path: Path) -> None:
    for name in ("Mine", "Theirs"):
        path = tmp_path / f"{name}.txt"
        path.write_text(f"{name}: the notice period is {len(name)} weeks.")
        collection = library.collections.create(name, "pseudonymise", False)["id"]
        run(indexing.add(library, [str(path)], collection, "pseudonymise", False))
    first = questions.prepare(library, {"question": "How long is the notice period?", "collection": "Mine"})
    again = {"question": "And how long is it in weeks?", "conversation": first["conversation"]}
    assert {p["name"] for p in questions.prepare(library, again)["passages"]} == {"Mine.txt"}


def test_an_answer_is_blanked_only_with_what_the_model_read(library: Library, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"note{number}.txt").write_text(f"Note {number}: the pump of hall {number} was painted green.")
    add(library, tmp_path)
    asked = questions.prepare(library, {"question": "What colour is the pump of hall 0?"})
    read, *unread = asked["passages"]
    done = questions.finish(library, {**asked, "answer": "It was painted green.", "passages_used": 1, "data": {}})
    cited = {c["document"] for c in done["citations"]}
    for passage in unread:
        if passage["document"] not in cited:
            assert remove_document(library, passage["document"]).counts["answers"] == 0
    assert remove_document(library, read["document"]).counts["answers"] == 1
