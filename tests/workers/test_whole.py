"""Reading everything with the real library: every passage counts, quotes are exact, what is gone is left out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from desktop_rag.errors import UsageError
from desktop_rag.workers import questions, whole
from tests.workers.driving import add

if TYPE_CHECKING:
    from desktop_rag.workers.library import Library

pytestmark = pytest.mark.slow
QUESTION = "List all invoices that are overdue."


def invoice(number: int, said: str) -> str:
    goods = "For the delivery of goods in the first half of the year we charge the sum named below."
    return f"Invoice {number}\n\n{goods} The invoice is {said}. Payment goes to the account you know.\n"


@pytest.fixture
def filled(library: Library, tmp_path: Path) -> list[str]:
    said = ["paid on 3 March 2025", "overdue since 12 April 2025", "paid on 1 May 2025", "overdue since 30 May 2025"]
    paths = []
    for number, words in enumerate(said):
        paths.append(tmp_path / f"invoice {number}.txt")
        paths[-1].write_text(invoice(number, words))
    return [row["id"] for row in add(library, *paths)]


def read(library: Library, question: str = QUESTION, kind: str = "list") -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The events of a reading, and its result."""
    steps = whole.read_all(library, {"question": question, "kind": kind, "collections": library.chosen(None)})
    events = []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as stop:
            return [event for event in events if event is not None], stop.value


def quoted(library: Library, result: dict[str, Any]) -> dict[str, Any]:
    asked = questions.prepare(library, {"question": QUESTION})
    args = {"conversation": asked["conversation"], "places": result["places"], "nothing": "Nothing.", "data": {}}
    return whole.quote_all(library, args)


def test_everything_is_read_and_what_speaks_of_it_is_quoted(library: Library, filled: list[str]) -> None:
    events, result = read(library)
    total = sum(len(library.documents.chunks(document)) for document in filled)
    assert [event["passages_read"] for event in events] == sorted(event["passages_read"] for event in events)
    assert events[0]["passages_read"] == 0
    assert result["passages_read"] == result["passages_total"] == total
    done = quoted(library, result)
    assert done["answer"] == (
        "- The invoice is overdue since 12 April 2025.\n- The invoice is overdue since 30 May 2025."
    )
    assert [c["document"] for c in done["citations"]] == [filled[1], filled[3]]
    assert {c["support"] for c in done["citations"]} == {"supported"}
    for sentence, citation in zip(done["sentences"], done["citations"], strict=True):
        assert sentence["citations"] == [citation["marker"]]
        assert done["answer"][sentence["start"] : sentence["end"]] == f"- {citation['text']}"
        original = Path(library.documents.row(citation["document"])["path"]).read_text()
        assert original[citation["start"] : citation["end"]] == citation["text"]
    (kept,) = [m for m in library.conversations.one(_last(library))["messages"] if m["role"] == "assistant"]
    assert kept["text"] == done["answer"]


def test_documents_of_another_language_are_read_in_theirs(library: Library, tmp_path: Path) -> None:
    said = ["am 3. März 2025 bezahlt", "seit dem 12. April 2025 überfällig", "seit dem 30. Mai 2025 überfällig"]
    goods = "Für die Lieferung der Waren im ersten Halbjahr berechnen wir die unten genannte Summe."
    for number, words in enumerate(said):
        text = f"Rechnung {number}\n\n{goods} Die Rechnung ist {words}. Die Zahlung geht auf das bekannte Konto.\n"
        (tmp_path / f"rechnung {number}.txt").write_text(text, encoding="utf-8")
    add(library, *sorted(tmp_path.glob("rechnung *.txt")))
    _, result = read(library, "Welche Rechnungen sind überfällig?")
    assert [place["text"] for place in result["places"]] == [
        "Die Rechnung ist seit dem 12. April 2025 überfällig.",
        "Die Rechnung ist seit dem 30. Mai 2025 überfällig.",
    ]


def test_what_was_removed_meanwhile_is_left_out(library: Library, filled: list[str]) -> None:
    from desktop_rag.workers.removing import remove_document

    _, result = read(library)
    remove_document(library, filled[1])
    done = quoted(library, result)
    assert done["answer"] == "- The invoice is overdue since 30 May 2025."
    remove_document(library, filled[3])
    done = quoted(library, result)
    assert (done["answer"], done["found"], done["citations"]) == ("Nothing.", False, [])


def test_an_unknown_way_of_reading_is_refused(library: Library) -> None:
    with pytest.raises(UsageError, match="poem"):
        read(library, kind="poem")


def test_an_empty_library_is_read_at_once(library: Library) -> None:
    events, result = read(library)
    assert result["places"] == []
    assert result["passages_total"] == 0
    assert len(events) == 1


def test_a_question_that_asks_for_all_is_known_as_such(library: Library, filled: list[str]) -> None:
    assert questions.prepare(library, {"question": QUESTION})["whole"] == "list"
    assert questions.prepare(library, {"question": "When is the invoice due?"})["whole"] is None


def _last(library: Library) -> str:
    return str(library.conversations.all()[0]["id"])
