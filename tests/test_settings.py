"""Settings: declared once, stored at once, and a bad value falls back alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as run_with
from hypothesis import strategies as st

from desktop_rag.settings import SETTINGS, Settings

if TYPE_CHECKING:
    from pathlib import Path

DEFAULTS = {setting.name: setting.default for setting in SETTINGS}
GOOD = {
    "theme": "dark",
    "policy": "mask",
    "review": False,
    "passages": 7,
    "max_tokens": 512,
    "model": "some-model",
    "engine": "CTranslate2",
    "context": 2048,
    "kv_type": "q8_0",
    "keep_kv": False,
    "gpu_layers": 12,
    "sealed": False,
    "remote_url": "http://127.0.0.1:8000/v1",
    "remote_model": "their-model",
    "review_pages": True,
    "real_values": False,
    "second_opinion": True,
    "auto_lock": 10,
    "exact_up_to": 5000,
    "search": "deep",
    "reranker": "none",
    "around": "section",
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def values(folder: Path) -> dict[str, Any]:
    held = Settings(folder)
    return {name: held[name] for name in DEFAULTS}


def store(folder: Path, content: object) -> None:
    (folder / "settings.json").write_text(content if isinstance(content, str) else json.dumps(content))


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert values(tmp_path) == DEFAULTS


def test_every_setting_is_declared_completely() -> None:
    assert set(GOOD) == set(DEFAULTS), "the tests must know every setting"
    for setting in SETTINGS:
        assert setting.valid(setting.default)
        assert setting.label
        assert setting.help.endswith(".")


def test_what_is_set_is_there_the_next_time(tmp_path: Path) -> None:
    held = Settings(tmp_path)
    for name, value in GOOD.items():
        assert held.set(name, value)
        assert held[name] == value
    assert values(tmp_path) == GOOD


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        *(("theme", value) for value in ("pink", "", None, 1, ["dark"])),
        *(("policy", value) for value in ("hide", None, True)),
        *(("review", value) for value in (1, 0, "yes", None)),
        *(("passages", value) for value in (0, 13, -1, 2.5, "4", True, None, float("nan"), float("inf"))),
        *(("max_tokens", value) for value in (31, 2049, 100.5, [256])),
        *(("gpu_layers", value) for value in (-2, 1000, "all")),
        *(("sealed", value) for value in (0, "no", None)),
        *(("kv_type", value) for value in ("f32", "", None)),
    ],
)
def test_a_bad_value_falls_back_alone(tmp_path: Path, name: str, bad: object) -> None:
    store(tmp_path, {**GOOD, name: bad})
    assert values(tmp_path) == {**GOOD, name: DEFAULTS[name]}


@pytest.mark.parametrize(("name", "bad"), [("theme", "pink"), ("review", 1), ("passages", 99), ("passages", 4.5)])
def test_a_bad_value_is_not_taken(tmp_path: Path, name: str, bad: object) -> None:
    store(tmp_path, GOOD)
    held = Settings(tmp_path)
    assert held.set(name, bad) is False
    assert held[name] == GOOD[name]
    assert values(tmp_path) == GOOD


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "\x00", '"text"', "[[" * 10])
def test_a_damaged_file_means_defaults(tmp_path: Path, content: str) -> None:
    store(tmp_path, content)
    assert values(tmp_path) == DEFAULTS


def test_bytes_that_are_no_text_mean_defaults(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_bytes(b"\xff\xfe\x00")
    assert values(tmp_path) == DEFAULTS


@given(st.dictionaries(st.sampled_from([*DEFAULTS, "unknown"]), JSON))
@run_with(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_whatever_is_stored_every_value_is_allowed(tmp_path: Path, stored: dict[str, Any]) -> None:
    store(tmp_path, stored)
    held = Settings(tmp_path)
    for setting in SETTINGS:
        assert setting.valid(held[setting.name])
        if setting.valid(stored.get(setting.name)):
            assert held[setting.name] == stored[setting.name]
