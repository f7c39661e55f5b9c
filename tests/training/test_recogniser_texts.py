"""The generated texts: every slot is known, spans lie where the values are, noise moves nothing."""

from __future__ import annotations

from random import Random

import pytest

from desktop_rag.privacy.recogniser import LABELS
from desktop_rag.training.recogniser import generate
from desktop_rag.training.recogniser.generate import Example, Template, Writer, load_templates
from desktop_rag.training.recogniser.noise import joined, noisy
from desktop_rag.training.recogniser.polish import declined
from desktop_rag.training.recogniser.slots import SLOTS
from desktop_rag.training.recogniser.source import Source
from desktop_rag.training.recogniser.values import LANGUAGES, Pools, word_lists


def pools() -> dict[str, Pools]:
    """Small pools, made without the libraries that fill the real ones."""
    made = {
        language: Pools(
            first=[("Jean", False), ("Maria", True)],
            last_m=["Rivera", "Nowak"],
            last_f=["Rivera", "Nowak"],
            cities=["Lyon"],
            countries=["Peru"],
            streets=["Long Lane"],
            postcodes=["12345"],
            addresses=["12 Long Lane\nLyon, PE 12345"],
            companies=["Acme"],
            jobs=["Baker"],
            words=[f"word{chr(97 + n % 26)}" for n in range(9000)],
            lists=word_lists(language),
        )
        for language in LANGUAGES
    }
    made["world"] = made["en"]
    return made


@pytest.fixture
def writer() -> Writer:
    return Writer(Source(pools(), Random(7)))


@pytest.mark.parametrize("template", load_templates(), ids=lambda t: f"{t.language}-{t.genre}-{t.text[:24]}")
def test_every_template_can_be_written(writer: Writer, template: Template) -> None:
    for _ in range(3):
        example = writer.write(template)
        assert not set("{}‹›").intersection(example.text), example.text
        check(example)


def check(example: Example) -> None:
    ends = 0
    for start, end, label in example.spans:
        assert ends <= start < end <= len(example.text)
        assert label in LABELS
        assert example.text[start:end].strip()
        ends = end


def test_the_labels_of_slots_are_those_of_the_network() -> None:
    assert {label for label, _ in SLOTS.values() if label} == set(LABELS)


def test_a_value_stands_where_its_span_says(writer: Writer) -> None:
    example = writer.write(Template("en", "test", "<Dear|Dear> {city}!\\n{num}"))
    ((start, end, label),) = example.spans
    assert (start, label) == (5, "LOCATION")
    assert example.text[end] == "!"
    assert "\n" in example.text


def test_an_unknown_slot_is_a_mistake(writer: Writer) -> None:
    with pytest.raises(KeyError, match="nonsense"):
        writer.write(Template("en", "test", "{nonsense}"))


def test_the_same_seed_gives_the_same_texts() -> None:
    def texts() -> list[str]:
        made = Writer(Source(pools(), Random(3)))
        return [made.mixed(language).text for language in LANGUAGES]

    assert texts() == texts()


def test_templates_are_held_out_in_every_language() -> None:
    held = {t.language for t in load_templates() if t.held_out}
    assert held == set(LANGUAGES)
    assert sum(t.held_out for t in load_templates()) < len(load_templates()) / 5


def test_noise_keeps_every_place(writer: Writer) -> None:
    rng = Random(5)
    for template in load_templates():
        example = writer.write(template)
        length, spans = len(example.text), list(example.spans)
        noisy(example, rng)
        assert len(example.text) == length
        assert example.spans == spans


def test_joined_texts_keep_their_spans(writer: Writer) -> None:
    first, second = writer.write(Template("en", "a", "In {city}.")), writer.write(Template("en", "b", "To {country}."))
    both = joined(first, second, Random(1))
    assert [both.text[start:end] for start, end, _ in both.spans] == [
        first.text[slice(*first.spans[0][:2])], second.text[slice(*second.spans[0][:2])],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "case", "female", "form"),
    [
        ("Kowalski", "gen", False, "Kowalskiego"),
        ("Kowalska", "ins", True, "Kowalską"),
        ("Nowak", "dat", False, "Nowakowi"),
        ("Nowak", "gen", True, "Nowak"),
        ("Anna", "gen", True, "Anny"),
        ("Marta", "dat", True, "Marcie"),
        ("Jadwiga", "loc", True, "Jadwidze"),
        ("Jan", "ins", False, "Janem"),
        ("Marek", "gen", False, "Marka"),
        ("Piotr", "loc", False, "Piotrze"),
        ("Kowalska-Nowak", "gen", True, "Kowalskiej-Nowak"),
    ],
)
def test_polish_names_in_their_cases(name: str, case: str, female: bool, form: str) -> None:
    assert declined(name, case, female) == form


def test_what_is_unknown_has_a_label_of_its_own() -> None:
    assert generate.UNKNOWN not in LABELS
