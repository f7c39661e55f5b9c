"""The contract of a detector, kept by the real one; and the rules that put its findings in order."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag import paths
from desktop_rag.errors import ModelError
from desktop_rag.models.catalogue import find
from desktop_rag.privacy.classes import replaced_by_default
from desktop_rag.privacy.detect import PresidioDetector
from desktop_rag.privacy.finding import Detector, Finding
from desktop_rag.privacy.second import SecondOpinion
from desktop_rag.privacy.sift import sift

FINDINGS = st.lists(
    st.builds(
        lambda start, length, label, score: Finding(start, start + length, label, score),
        st.integers(0, 30),
        st.integers(1, 20),
        st.sampled_from(["PERSON", "DATE_TIME", "PHONE_NUMBER", "LOCATION"]),
        st.floats(0.35, 1.0),
    ),
    max_size=8,
)


class DetectorContract:
    """What every detector must do; `sample` is a text and what must be found in it."""

    sample: tuple[str, dict[str, str]]

    @pytest.fixture
    def detector(self) -> Detector:
        raise NotImplementedError

    @staticmethod
    def values(detector: Detector, text: str) -> dict[str, str]:
        (found,) = detector.detect([text])
        return {text[f.start : f.end]: f.label for f in found}

    def test_offsets_are_exact(self, detector: Detector) -> None:
        text, wanted = self.sample
        assert wanted.items() <= self.values(detector, text).items()

    def test_offsets_are_code_points(self, detector: Detector) -> None:
        text, wanted = self.sample
        assert wanted.items() <= self.values(detector, f"\U0001f600 é — {text}").items()

    def test_one_list_per_text_sorted_and_disjoint(self, detector: Detector) -> None:
        text, _ = self.sample
        results = list(detector.detect([text, "", "Nothing here.", text + " " + text]))
        assert len(results) == 4
        assert results[1] == []
        for found in results:
            assert all(a.end <= b.start for a, b in pairwise(found))
            assert all(0 <= f.score <= 1 and f.start < f.end for f in found)


class TestWordDetector(DetectorContract):
    sample = ("Jean Rivera called.", {"Jean Rivera": "PERSON"})

    @pytest.fixture
    def detector(self, word_detector: type) -> Detector:
        made: Detector = word_detector({"Jean Rivera": "PERSON"})
        return made


@pytest.mark.slow
class TestPresidioDetector(DetectorContract):
    sample = (
        "The inspection was led by Marta Lindqvist, reachable at marta.lindqvist@brackwater.co.uk or +44 20 7946 0182. "
        "Please pay to GB29 NWBK 6016 1331 9268 19 from card 4111 1111 1111 1111.",
        {
            "Marta Lindqvist": "PERSON",
            "marta.lindqvist@brackwater.co.uk": "EMAIL_ADDRESS",
            "+44 20 7946 0182": "PHONE_NUMBER",
            "GB29 NWBK 6016 1331 9268 19": "IBAN_CODE",
            "4111 1111 1111 1111": "CREDIT_CARD",
        },
    )

    @pytest.fixture
    def detector(self, real_detector: Detector) -> Detector:
        return real_detector

    def test_a_name_broken_over_two_lines_is_one_name(self, detector: Detector) -> None:
        assert (
            self.values(detector, "The report was written by Marta\nLindqvist in the spring.")["Marta\nLindqvist"]
            == "PERSON"
        )

    def test_a_name_after_a_title_is_found_without_the_title(self, detector: Detector) -> None:
        found = self.values(detector, "Dear Mr Okonkwo,\nDr. Baker's letter has arrived.")
        assert (found.get("Okonkwo"), found.get("Baker")) == ("PERSON", "PERSON")

    def test_the_mail_recogniser_opens_no_socket_and_writes_no_cache(
        self, detector: Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object, **__: object) -> socket.socket:
            raise AssertionError("a socket was opened")

        monkeypatch.setattr(socket, "socket", refuse)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("TLDEXTRACT_CACHE", str(tmp_path / "tld"))
        import tldextract

        extractor = tldextract.tldextract.TLD_EXTRACTOR
        assert extractor.suffix_list_urls == ()
        assert "someone@else.example.org" in self.values(detector, "Write to someone@else.example.org today.")
        assert os.listdir(tmp_path) == []


@pytest.mark.slow
class TestSecondOpinion(DetectorContract):
    sample = (
        "The inspection was led by Marta Lindqvist in Berlin, who had come from London for the Red Cross.",
        {"Marta Lindqvist": "PERSON", "Berlin": "LOCATION", "London": "LOCATION"},
    )

    @pytest.fixture
    def detector(self, real_detector: Detector) -> Detector:
        return SecondOpinion(find("en_core_web_sm-3.8.0").folder(paths.models_dir()))

    def test_it_has_no_opinion_on_other_languages(self, detector: Detector) -> None:
        assert self.values(detector, "Die Prüfung leitete Frau Lindqvist aus Berlin, und sie dauerte lange.") == {}

    def test_the_detector_takes_it_in(self, detector: Detector) -> None:
        text = "yo Baxter u coming 2 the show in Glasgow tonite"
        both = PresidioDetector(paths.assets_dir() / "recogniser", _Says({"tonite": "LOCATION"}))
        assert self.values(both, text)["tonite"] == "LOCATION"


class _Says:
    """Finds the given words, whatever the text."""

    def __init__(self, words: dict[str, str]) -> None:
        self._words = words

    def detect(self, texts: Sequence[str]) -> Iterator[list[Finding]]:
        for text in texts:
            yield [Finding(text.index(w), text.index(w) + len(w), label, 0.7) for w, label in self._words.items()]


def test_without_its_model_the_detector_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as raised:
        PresidioDetector(tmp_path)
    assert raised.value.code == "not_installed"


class TestSift:
    def spans(self, text: str, *findings: Finding) -> list[tuple[str, str]]:
        return [(text[f.start : f.end], f.label) for f in sift(text, findings)]

    def test_edges_and_possessives_go(self) -> None:
        text = "“Rivera’s” car, (Anna Marsh), *Bo Lund*"
        found = [Finding(0, 10, "PERSON", 0.8), Finding(16, 28, "PERSON", 0.8), Finding(30, 39, "PERSON", 0.8)]
        assert self.spans(text, *found) == [("Rivera", "PERSON"), ("Anna Marsh", "PERSON"), ("Bo Lund", "PERSON")]

    def test_small_letters_are_a_name_only_beyond_doubt(self) -> None:
        text = "call anna bauer or the buyer"
        sure, unsure = (Finding(5, 15, "PERSON", score) for score in (0.84, 0.7))
        assert self.spans(text, sure) == [("anna bauer", "PERSON")]
        assert self.spans(text, unsure) == []
        assert self.spans(text, Finding(19, 28, "PERSON", 0.84)) == []

    @pytest.mark.parametrize("text", ["Report 2025", "a@b", "x", "A"])
    def test_what_cannot_be_a_name_is_none(self, text: str) -> None:
        assert self.spans(text, Finding(0, len(text), "PERSON", 0.85)) == []

    @pytest.mark.parametrize(
        "name",
        [
            "Juan Carlos de la Vega",
            "Anna van der Linden",
            "María José García López",
            "Karl-Theodor zu Guttenberg",
            "Anne McArthur",
            "J.R. O’Brien",
            "John F. Kennedy",
            "van Gogh",
            "Ahmed al-Rashid",
            "Juan Carlos\nde la Vega",
        ],
    )
    def test_a_titled_name_is_found_to_its_end(self, name: str) -> None:
        text = f"We thank Mr {name} for his letter."
        whole, first = text.index(name), len(name.split(maxsplit=1)[0])
        assert self.spans(text) == [(name, "PERSON")]
        # As spaCy gives it: the whole name, less sure than a shorter one.
        found = [Finding(whole, whole + len(name), "PERSON", 0.85), Finding(whole, whole + first, "PERSON", 0.9)]
        assert self.spans(text, *found) == [(name, "PERSON")]

    @pytest.mark.parametrize(
        "text", ["Ask Mr Baker. The rent is due.", "Mr Baker\nFinance Director", "Mr Baker de facto"]
    )
    def test_a_titled_name_ends_where_it_ends(self, text: str) -> None:
        assert self.spans(text) == [("Baker", "PERSON")]

    def test_what_overlaps_is_replaced_whole_under_the_surest_class(self) -> None:
        text = "Jean Rivera Lopez"
        assert self.spans(text, Finding(0, 11, "PERSON", 0.7), Finding(5, 17, "US_PASSPORT", 0.5)) == [(text, "PERSON")]

    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("Anna Marsh/Bo Lund", ["Anna Marsh", "Bo Lund"]),
            ("Anna Marsh & Bo Lund", ["Anna Marsh", "Bo Lund"]),
            ("Marsh, Anna and Bo Lund", ["Marsh", "Anna", "Bo Lund"]),
            ("Anna Marsh 2025", ["Anna Marsh"]),
            ("Anna 12", ["Anna"]),
            ("Anna Marsh anna@marsh.example", ["Anna Marsh", "anna@marsh.example"]),
            ("van Gogh", ["van Gogh"]),
            ("dear Anna Marsh", ["Anna Marsh"]),
            ("Dr. Anna Marsh", ["Anna Marsh"]),
            ("the Buyer", []),
            ("王伟", ["王伟"]),
        ],
    )
    def test_names_are_taken_out_of_what_they_are_joined_to(self, text: str, names: list[str]) -> None:
        assert [value for value, _ in self.spans(text, Finding(0, len(text), "PERSON", 0.85))] == names

    @pytest.mark.parametrize(
        ("text", "kept"),
        [
            ("2.8 54 1 480\n27", False),
            ("2.8 541 480 27", False),
            ("541 480\n2755", False),
            ("+44 20 7946\n0182", True),
            ("(020) 7946\n0182", True),
            ("020 7946 0182", True),
            ("020.7946.0182", True),
        ],
    )
    def test_the_figures_of_a_table_are_no_phone_number(self, text: str, kept: bool) -> None:
        assert self.spans(text, Finding(0, len(text), "PHONE_NUMBER", 0.4)) == (
            [(text, "PHONE_NUMBER")] if kept else []
        )

    def test_an_organisation_with_a_person_s_name_is_a_person(self) -> None:
        text = "Maria Rivera, Acme Ltd"
        found = [Finding(0, 12, "ORGANIZATION", 0.85), Finding(14, 22, "ORGANIZATION", 0.85)]
        assert self.spans(text, *found) == [("Maria Rivera", "PERSON"), ("Acme Ltd", "ORGANIZATION")]

    def test_a_phone_number_is_not_sheltered_by_a_date(self) -> None:
        text = "on 3 May 020 7946 0182"
        found = [Finding(3, len(text), "DATE_TIME", 0.95), Finding(9, len(text), "PHONE_NUMBER", 0.4)]
        assert self.spans(text, *found) == [("020 7946 0182", "PHONE_NUMBER")]

    @given(st.text("Ab3 .,'()-\n", min_size=50, max_size=60), FINDINGS)
    def test_results_are_sorted_disjoint_and_made_of_what_was_found(self, text: str, findings: list[Finding]) -> None:
        kept = sift(text, findings)
        assert all(a.end <= b.start for a, b in pairwise(kept))
        for f in kept:
            assert text[f.start : f.end].strip() == text[f.start : f.end] != ""
            inside = [g for g in findings if g.start < f.end and f.start < g.end]
            assert f.label in {g.label for g in inside}
            assert all(any(g.start <= at < g.end for g in inside) for at in range(f.start, f.end))

    @given(st.text("Ab3 ", min_size=50, max_size=60), FINDINGS)
    def test_whatever_must_be_replaced_is_covered(self, text: str, findings: list[Finding]) -> None:
        kept = [f for f in sift(text, findings) if replaced_by_default(f.label)]
        for f in findings:
            if f.label == "PHONE_NUMBER" and text[f.start : f.end].strip():
                assert any(k.start < f.end and f.start < k.end for k in kept)


def test_the_contract_can_fail() -> None:
    class Blind:
        def detect(self, texts: Sequence[str]) -> Iterator[list[Finding]]:
            return ([] for _ in texts)

    class BlindContract(DetectorContract):
        sample = TestWordDetector.sample

    with pytest.raises(AssertionError):
        BlindContract().test_offsets_are_exact(Blind())
