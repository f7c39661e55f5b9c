"""Personal data in a whole document: nothing is skipped, failures stop it, names found once are found everywhere."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.documents.model import Block, Page
from desktop_rag.errors import DocumentError
from desktop_rag.privacy.finding import Detector, Finding
from desktop_rag.privacy.findings import SEGMENT_CHARS, MemoryRows, Wording, complete, doubtful, find_in_page, segments
from desktop_rag.privacy.vault import Vault

Words = Callable[..., Detector]


def page(text: str, blocks: Sequence[Block] = ()) -> Page:
    return Page(1, None, text, tuple(blocks))


def completed(texts: list[str], detector: Detector, known: Vault | None = None) -> list[list[tuple[str, str]]]:
    pages = [page(text) for text in texts]
    given = [[f for part in find_in_page(p, detector) for f in part] for p in pages]
    found = all_of(complete(pages, given, known))
    return [[(p.text[f.start : f.end], f.label) for f in fs] for p, fs in zip(pages, found, strict=True)]


def all_of(steps: Generator[None, None, list[list[Finding]]]) -> list[list[Finding]]:
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return list(stop.value)


@given(st.lists(st.text("ab \n.", min_size=1, max_size=900), max_size=20))
def test_segments_cover_the_whole_text_in_order(parts: list[str]) -> None:
    blocks, at = [], 0
    for part in parts:
        blocks.append(Block("paragraph", at, at + len(part)))
        at += len(part)
    made = page("".join(parts), blocks)
    cuts = segments(made)
    covered = {at for start, end in cuts for at in range(start, end)}
    assert {at for at, c in enumerate(made.text) if not c.isspace()} <= covered
    assert all(start < end for start, end in cuts)
    assert [end for _, end in cuts][:-1] <= [start for start, _ in cuts][1:]


def test_no_segment_is_too_long_for_one_look_even_in_one_huge_block() -> None:
    text = "word " * 20_000 + "x" * 20_000
    cuts = segments(page(text, [Block("paragraph", 0, len(text))]))
    assert max(end - start for start, end in cuts) <= 4 * SEGMENT_CHARS
    assert "".join(text[start:end] for start, end in cuts) == text


def test_findings_are_offsets_of_the_page_not_of_the_segment(word_detector: Words) -> None:
    text = "Filler text. " * 1000 + "Jean Rivera signed."
    (last,) = [f for part in find_in_page(page(text), word_detector({"Jean Rivera": "PERSON"})) for f in part]
    assert text[last.start : last.end] == "Jean Rivera"
    assert last.start > 10_000


class Broken:
    """A detector that fails, or gives nothing back at all."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    def detect(self, texts: Sequence[str]) -> Iterator[list[Finding]]:
        if self._error is not None:
            raise self._error
        return iter(())


@pytest.mark.parametrize("error", [RuntimeError("native"), ValueError("value"), MemoryError(), None])
def test_a_detector_that_fails_stops_the_document(error: Exception | None) -> None:
    with pytest.raises(DocumentError) as raised:
        list(find_in_page(page("Jean Rivera signed."), Broken(error)))
    assert raised.value.code == "scrub_failed"
    assert "Rivera" not in raised.value.message


def test_a_name_found_once_is_found_on_every_page(word_detector: Words) -> None:
    texts = ["Jean Rivera signed.", "Later Rivera left; RIVERA's car stayed.", "a riveraside walk"]
    first_page_only = word_detector({"Jean Rivera": "PERSON"})
    assert completed(texts, first_page_only) == [
        [("Jean Rivera", "PERSON")],
        [("Rivera", "PERSON"), ("RIVERA", "PERSON")],
        [],
    ]


def test_a_known_person_is_found_though_the_detector_sees_nothing(word_detector: Words) -> None:
    known = Vault(MemoryRows())
    known.resolve("PERSON", "Jean Rivera")
    known.resolve("IBAN_CODE", "GB29 NWBK 6016 1331 9268 19")
    texts = ["Rivera has GB29 NWBK 6016 1331 9268 19."]
    assert completed(texts, word_detector({}), known) == [
        [("Rivera", "PERSON"), ("GB29 NWBK 6016 1331 9268 19", "IBAN_CODE")]
    ]


def test_a_known_name_displaces_a_kept_finding_but_no_replaced_one(word_detector: Words) -> None:
    known = Vault(MemoryRows())
    known.resolve("PERSON", "Jean Rivera")
    texts = ["Rivera Street is long. jean@rivera.example"]
    detector = word_detector({"Rivera Street": "LOCATION", "jean@rivera.example": "EMAIL_ADDRESS"})
    found = completed(texts, detector, known)
    assert found == [[("Rivera", "PERSON"), ("Street", "LOCATION"), ("jean@rivera.example", "EMAIL_ADDRESS")]]


def test_a_name_is_as_sure_as_its_surest_place() -> None:
    """Else a threshold would replace somebody here and leave them there."""
    pages = [page("Jean Rivera came. Rivera left."), page("Dear Rivera, dear Zoe Falk")]
    given = [
        [Finding(0, 11, "PERSON", 0.9)],
        [Finding(5, 11, "PERSON", 0.5), Finding(18, 26, "PERSON", 0.6)],
    ]
    found = all_of(complete(pages, given, None))
    assert [[(p.text[f.start : f.end], f.score) for f in fs] for p, fs in zip(pages, found, strict=True)] == [
        [("Jean Rivera", 0.9), ("Rivera", 0.9)],
        [("Rivera", 0.9), ("Zoe Falk", 0.6)],
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The work was led by Rosalind Quill on Monday.", "Rosalind Quill"),
        ("He thanked Director Quill. Any director may sign.", "Quill"),
        ("It ended. Then Quill left.", "Quill"),
        ("Dear Frau Quill, hello", "Quill"),
        ("Yesterday: Maybe Quill came.", "Quill"),
    ],
)
def test_a_surname_takes_its_first_name_along(word_detector: Words, text: str, name: str) -> None:
    assert completed([text], word_detector({"Quill": "PERSON"})) == [[(name, "PERSON")]]


def test_a_first_name_found_through_its_surname_is_found_alone_too(word_detector: Words) -> None:
    texts = ["Ms Quill signed.", "The work was led by Rosalind Quill on Monday.", "In May Rosalind left."]
    found = completed(texts, word_detector({"Ms Quill": "PERSON"}))
    assert [value for page_ in found for value, _ in page_] == ["Ms Quill", "Rosalind Quill", "Rosalind"]


class TestEverydayTerms:
    TEXT = (
        "The Licensed Marks are named here. All licensed goods bear marks. Anna Marsh and Rose signed; a rose bloomed."
    )

    def labels(self, names: dict[str, float]) -> dict[str, str]:
        return {name: self.label(self.TEXT, name, score=score) for name, score in names.items()}

    def label(self, text: str, name: str, label: str = "PERSON", score: float = 0.85) -> str:
        wording = Wording()
        wording.read(text)
        at = text.index(name)
        return wording.weighed(text, Finding(at, at + len(name), label, score)).label

    def test_a_defined_term_is_set_apart_and_a_name_is_not(self) -> None:
        assert self.labels({"Licensed Marks": 0.85, "Anna Marsh": 0.85}) == {
            "Licensed Marks": "POSSIBLE_NAME",
            "Anna Marsh": "PERSON",
        }

    def test_what_the_detector_is_sure_of_stays_a_person(self) -> None:
        assert self.labels({"Rose": 0.85}) == {"Rose": "POSSIBLE_NAME"}
        assert self.labels({"Rose": 0.9}) == {"Rose": "PERSON"}

    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("Rose Brown signed. A rose, and a brown one.", "Rose Brown"),
            ("Mark Price agreed to the price beside the mark.", "Mark Price"),
            ("Sable Stone wrote from sable.stone@acme.example about sable and stone.", "Sable Stone"),
            ("Sable Stone wrote from sablestone@acme.example about sable and stone.", "Sable Stone"),
        ],
    )
    def test_a_given_name_or_an_address_speaks_for_a_person(self, text: str, name: str) -> None:
        assert self.label(text, name) == "PERSON"

    @pytest.mark.parametrize(
        ("name", "label"),
        [
            ("Maria Rivera", "PERSON"),
            ("Quoba Zintl", "PERSON"),
            ("Martin Holdings", "ORGANIZATION"),
            ("Victoria University", "ORGANIZATION"),
            ("Acme Nuts", "ORGANIZATION"),
        ],
    )
    def test_an_organisation_with_a_person_s_name_is_a_person(self, name: str, label: str) -> None:
        text = f"Write to {name} or to quoba.zintl@acme.example."
        assert self.label(text, name, "ORGANIZATION") == label


def test_looking_through_a_document_gives_way_after_every_page() -> None:
    pages = [page(f"Page {number}") for number in range(50)]
    assert sum(1 for _ in complete(pages, [[] for _ in pages], None)) >= len(pages)


def test_lone_names_and_low_scores_are_looked_at_first() -> None:
    assert doubtful("PERSON", "Rivera", 0.85)
    assert not doubtful("PERSON", "Jean Rivera", 0.85)
    assert doubtful("PHONE_NUMBER", "020 7946 0182", 0.4)
