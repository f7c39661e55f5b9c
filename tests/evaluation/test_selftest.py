"""The self-test: its documents are labelled to the letter, its figures are right, and it sees what leaks."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from desktop_rag.evaluation import selftest_values as values
from desktop_rag.evaluation.selftest import POLICIES, planted, selftest
from desktop_rag.evaluation.selftest_corpus import Document, Planted, assets, documents
from desktop_rag.evaluation.selftest_page import lines, selftest_page
from desktop_rag.evaluation.selftest_score import scores
from desktop_rag.workers.crew import Workers

LANGUAGES = ("de", "en", "es", "fr", "it", "nl", "pl")
SMALL = documents()[:4]
CLEAN = {"files": 1, "values": 1, "left_out": 0, "traces": [], "tables": [], "not_readable": [], "clean": True}


# -- the documents -----------------------------------------------------------------------------


def test_every_category_is_planted_in_every_language() -> None:
    for language in LANGUAGES:
        found = {span.category for document in documents() if document.language == language for span in document.spans}
        assert found == assets()["categories"].keys()


def test_the_documents_are_always_the_same_and_hold_more_than_500_values_to_look_for() -> None:
    assert documents() == documents()
    assert documents(1) != documents(2)
    assert len(planted(documents())) > 500


def test_every_label_covers_its_value_exactly() -> None:
    for document in documents():
        ends = [0]
        for span in document.spans:
            value = document.text[span.start : span.end]
            assert value == value.strip()
            assert value, document.id
            assert span.start >= ends[-1], "labels must not overlap"
            ends.append(span.end)
        assert "{" not in document.text
        assert "}" not in document.text


def test_a_person_meant_twice_is_the_same_person() -> None:
    mail = next(document for document in documents() if document.genre == "mail" and document.language == "en")
    people = [mail.text[span.start : span.end] for span in mail.spans if span.category == "person"]
    sender, receiver, greeted, _other, signed = people
    assert sender.startswith(signed)
    assert receiver.startswith(greeted)


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_have_right_check_digits(language: str) -> None:
    draw = random.Random(3)
    for _ in range(50):
        account = values.iban(draw, language).replace(" ", "")
        assert int("".join(str(int(c, 36)) for c in account[4:] + account[:4])) % 97 == 1
        card = [int(c) for c in reversed(values.card(draw, language)) if c.isdigit()]
        assert (sum(card[::2]) + sum(sum(divmod(2 * c, 10)) for c in card[1::2])) % 10 == 0


def test_known_numbers_of_states() -> None:
    """Numbers that the states themselves give as examples, from the same arithmetic."""
    assert values.luhn("7992739871") == "79927398713"
    draw = random.Random(5)
    for _ in range(50):
        pesel = values.national_id(draw, "pl")
        assert sum(int(d) * w for d, w in zip(pesel, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), strict=True)) % 10 == 0
        bsn = values.national_id(draw, "nl")
        assert sum(int(d) * w for d, w in zip(bsn, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True)) % 11 == 0
        nir = values.national_id(draw, "fr").replace(" ", "")
        assert (int(nir[:13]) + int(nir[13:])) % 97 == 0
        nip = values.tax_number(draw, "pl").replace("-", "")
        assert sum(int(d) * w for d, w in zip(nip, (6, 5, 7, 2, 3, 4, 5, 6, 7, -1), strict=True)) % 11 == 0


# -- the figures -------------------------------------------------------------------------------


def test_figures_by_category() -> None:
    text = "Ann Bell, 12 High Street, +44 20 7946 0991"
    gold = (Planted(0, 8, "person", "PERSON"), Planted(10, 24, "address", "STREET_ADDRESS"))
    document = Document("x", "en", "letter", text, gold)
    found = [
        {"start": 0, "end": 8, "label": "PERSON", "replace": True},
        {"start": 13, "end": 24, "label": "STREET_ADDRESS", "replace": False},
        {"start": 26, "end": 42, "label": "PERSON", "replace": True},
    ]
    told = scores([document, document], [found, []])
    person, address = told["categories"]["person"], told["categories"]["address"]
    assert (person["planted"], person["recall"], person["replaced"]) == (2, 0.5, 0.5)
    assert person["precision"] == pytest.approx(8 / 24, abs=0.001)
    assert (address["recall"], address["in_part"], address["replaced"]) == (0, 0.5, 0)
    assert told["languages"]["en"]["planted"] == 4
    weak = [(row["category"], row["language"]) for row in told["weak"]]
    assert weak == [("address", None), ("person", None), ("address", "en"), ("person", "en")]


def test_a_value_without_its_punctuation_counts_as_found() -> None:
    document = Document("x", "en", "mail", "+44 (20) 1", (Planted(0, 10, "phone", "PHONE_NUMBER"),))
    found = [{"start": 1, "end": 10, "label": "PHONE_NUMBER", "replace": True}]
    assert scores([document], [found])["categories"]["phone"]["recall"] == 1


# -- the search of the disk --------------------------------------------------------------------


class Finder:
    """Finds everything that was planted."""

    data_dir = Path()

    def fresh(self, role: str) -> Finder:
        assert role == "pii"
        return self

    def stream(self, op: str, **args: Any) -> Iterator[dict[str, Any]]:
        assert op == "find_own"
        for document, row in zip(SMALL, args["rows"], strict=True):
            spans = [{"start": s.start, "end": s.end, "label": s.label, "replace": True} for s in document.spans]
            yield {"event": "row", "row": {"id": row["id"], "spans": spans}}

    def close(self) -> None:
        """Nothing to end."""


class Crew:
    """A library that writes what a test wants into its data directory."""

    made: list[Crew]

    def __init__(self, data_dir: Path, environment: Mapping[str, str], content: bytes, state: str = "ready") -> None:
        self.data_dir, self.environment, self.library, self._state = data_dir, environment, self, state
        self.asked: list[str] = []
        (data_dir / "cache.bin").write_bytes(content)

    def stream(self, op: str, **args: Any) -> Iterator[dict[str, Any]]:
        files = sorted(Path(args["paths"][0]).iterdir())
        assert {path.name for path in files} == {document.file_name for document in SMALL}
        yield {"event": "done", "documents": [{"name": path.name, "state": self._state} for path in files]}

    def call(self, op: str, **args: Any) -> dict[str, Any]:
        self.asked.append(op)
        return dict(CLEAN)

    def close(self) -> None:
        """Nothing to end."""


def examined(content: bytes, state: str = "ready") -> tuple[dict[str, Any], list[Crew]]:
    crews: list[Crew] = []

    def hire(data_dir: Path, environment: Mapping[str, str]) -> Any:
        crews.append(Crew(data_dir, environment, content, state))
        return crews[-1]

    *_, done = selftest(Finder(), hire, texts=SMALL)  # type: ignore[arg-type]
    return done, crews


def test_nothing_on_the_disk_is_passed_under_each_policy_locked_and_unlocked() -> None:
    done, crews = examined(b"\x93\x11" * 5000)
    assert done["passed"] is True
    assert [part["policy"] for part in done["leaks"]["policies"]] == list(POLICIES)
    for part, crew, again in zip(done["leaks"]["policies"], crews[::2], crews[1::2], strict=True):
        assert [state["state"] for state in part["states"]] == ["unlocked", "locked"]
        assert all(state["bytes"] >= 10_000 for state in part["states"])
        assert (crew.asked, again.asked) == (["search", "prepare"], ["audit"])
        assert not crew.data_dir.exists(), "a throw-away library stayed"
        assert Path(crew.environment["DESKTOP_RAG_CONFIG_DIR"]).is_relative_to(crew.data_dir.parent)
    assert done["categories"]["person"]["recall"] == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_a_planted_value_on_the_disk_is_a_trace_that_does_not_tell_it(encoding: str) -> None:
    value = next(value for value, category in planted(SMALL).items() if category == "iban")
    done, _crews = examined(b"\x00\x01" + value.upper().encode(encoding))
    assert done["passed"] is False
    (trace,) = done["leaks"]["policies"][0]["states"][0]["traces"]
    assert trace == {"file": "cache.bin", "form": encoding, "category": "iban"}
    assert value not in str(done)
    assert "NOT passed" in lines(done)[0]


def test_documents_that_could_not_be_indexed_prove_nothing() -> None:
    done, _crews = examined(b"", state="failed")
    assert done["passed"] is False
    assert len(done["leaks"]["policies"][0]["not_indexed"]) == len(SMALL)


# -- the page ----------------------------------------------------------------------------------


class Tags(HTMLParser):
    """What a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _value in attrs}


def test_the_page_stands_alone_and_tells_what_an_officer_needs() -> None:
    done, _crews = examined(b"")
    html = selftest_page({key: value for key, value in done.items() if key != "event"})
    page = Tags()
    page.feed(html)
    assert not page.tags & {"script", "img", "link", "iframe", "object", "base", "form"}
    assert not page.attributes & {"src", "href", "onclick", "onload", "style"}
    assert "http" not in html
    assert "url(" not in html
    assert "@import" not in html
    for words in (
        "What was tested",
        "By category",
        "By language",
        "Limits",
        done["recogniser"]["sha256"],
        done["date"],
    ):
        assert words in html
    assert not any(re.search(re.escape(value), html) for value in planted(SMALL))


@pytest.mark.slow
def test_the_real_thing(tmp_path: Path) -> None:
    some = [document for document in documents() if document.genre in ("letter", "table")][:4]
    workers = Workers(tmp_path)
    try:
        *_, done = selftest(workers, Workers, policies=("mask",), texts=some)  # type: ignore[arg-type]
    finally:
        workers.close()
    assert done["passed"] is True
    assert done["leaks"]["policies"][0]["documents"] == len(some)
    assert done["leaks"]["policies"][0]["audit"]["values"] > 10
    assert done["categories"]["iban"]["recall"] == 1
