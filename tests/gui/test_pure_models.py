"""The pure parts of the Models screen: numbers in words, the bar's parts and widths."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.gui.models import facts
from desktop_rag.gui.models.arithmetic import arithmetic
from desktop_rag.gui.pieces.bars import widths
from desktop_rag.gui.settings_rows import choice_name
from desktop_rag.settings import SETTINGS
from tests.gui import model_script


@given(st.lists(st.floats(0, 1e6), max_size=8), st.floats(1, 2000))
def test_the_parts_of_a_bar_fill_it_and_none_disappears(sizes: list[float], room: float) -> None:
    wide = widths(sizes, room)
    assert len(wide) == len(sizes)
    assert all(width >= 0 for width in wide)
    if sum(sizes) > 0:
        assert sum(wide) <= room * 1.0001
        assert all(width > 0 for width, size in zip(wide, sizes, strict=True) if size > 0)


@given(st.integers(512, 32768), st.sampled_from(["f16", "q8_0", "q4_0"]))
def test_the_parts_of_the_fits_bar_are_the_memory(context: int, kv_type: str) -> None:
    fit = model_script.fit(model=model_script.STARTER, context=context, kv_type=kv_type)
    shares = facts.shares(fit)
    if fit["fits"]:
        assert sum(share.megabytes for share in shares) == pytest.approx(fit["memory_mb"]["total"])
        assert facts.missing_mb(fit) == 0
    else:
        assert facts.missing_mb(fit) > 0


def test_a_fit_that_is_unknown_is_no_promise() -> None:
    assert facts.fit_words(None)[0] == "Working out whether it fits…"
    assert facts.fit_words({"fits": False})[1] == "bad"
    assert facts.shares(None) == facts.shares({"error": "no"}) == []
    assert [fact.value for fact in arithmetic({}, 4096)] == ["—"] * 7


@pytest.mark.parametrize(
    ("limit", "value", "meaning"),
    [
        ({"bound": "cores", "why": "Unpacking is slower."}, "the cores", "Unpacking is slower."),
        ({"bound": "memory", "why": "The cores keep up."}, "memory", "The cores keep up."),
        ({"bound": "memory", "why": None}, "memory", "By reading alone: how fast its weights are unpacked"),
        ({"bound": "compute", "why": None}, "computing", "More or faster cores make it faster"),
    ],
)
def test_the_bound_and_why(limit: dict[str, Any], value: str, meaning: str) -> None:
    fact = next(fact for fact in arithmetic({"roofline": limit}, 4096) if fact.name == "Bound by")
    assert fact.value == value
    assert fact.meaning.startswith(meaning)


@pytest.mark.parametrize(
    ("number", "said"),
    [(134_515_008, "135 M parameters"), (1_543_714_304, "1.5 B parameters"), (None, ""), (0, "")],
)
def test_parameters(number: int | None, said: str) -> None:
    assert facts.parameters(number) == said


@pytest.mark.parametrize(
    ("pair", "said"),
    [([9.0, 12.4], "9–12 tok/s"), ([0.8, 1.2], "0.8–1.2 tok/s"), ([40.2, 40.4], "40 tok/s"), (None, "—")],
)
def test_speeds(pair: Any, said: str) -> None:
    assert facts.tokens_per_second(pair) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 s"), (89, "89 s"), (91, "2 min"), (4800, "80 min"), (6000, "1 h 40 min"), (None, ""), (float("nan"), "")],
)
def test_durations(seconds: float | None, said: str) -> None:
    assert facts.duration(seconds) == said


def test_a_download_of_unknown_length_promises_no_end() -> None:
    assert facts.received({"received": 5_000_000, "total": None, "rate": 1e6}) == "5.0 MB · 1.0 MB/s"
    assert facts.received({"received": 0, "total": 10_000_000, "rate": None}) == "0 bytes of 10 MB"


def test_deleting_says_what_stays() -> None:
    rows = model_script.models()
    said = facts.goes_along({**rows[0], "source": "import"}, rows)
    assert "What was made from it stays: “SmolLM2 135M Instruct”." in said


def test_every_choice_of_a_setting_has_words() -> None:
    for setting in SETTINGS:
        for choice in setting.choices:
            assert choice_name(setting.name, choice).strip(), f"{setting.name} = {choice!r}"
    assert choice_name("engine", "") == "Automatic"
    assert choice_name("engine", "llama.cpp") == "llama.cpp"
    assert choice_name("kv_type", "q8_0") == "8 bits"
