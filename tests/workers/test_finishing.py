"""What becomes of a model's words: unsupported ones are left out, or give way to the passage itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from desktop_rag.workers import questions
from desktop_rag.workers.library import Library
from tests.workers.driving import add

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
