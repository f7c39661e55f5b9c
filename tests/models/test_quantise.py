"""Quantising the real starter model with llama.cpp's own quantiser."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop_rag import paths
from desktop_rag.errors import ModelError, UsageError
from desktop_rag.models.catalogue import find
from desktop_rag.models.facts import facts_of
from desktop_rag.models.quantise import TYPES, check_type, forecast, quantise
from tests.models.kit import gguf_bytes, hf_folder


@pytest.fixture(scope="module")
def starter() -> Path:
    path = find("smollm2-135m-instruct-q4_1").installed_path(paths.models_dir())
    assert path is not None
    return path


@pytest.mark.slow
@pytest.mark.parametrize("to", ["Q4_0", "Q8_0"])
def test_the_file_is_as_large_as_was_told_before(starter: Path, tmp_path: Path, to: str) -> None:
    told = forecast(starter, to)
    target = tmp_path / f"made-{to}.gguf"
    events = list(quantise(starter, target, to))
    facts = facts_of(target)
    assert facts.quantisation == to
    assert facts.parameters == facts_of(starter).parameters
    assert abs(target.stat().st_size - told.size) < 20_000
    weights = facts.parameters or 0
    # Block formats with their scale: 18 and 34 bytes for 32 values; the file holds names and tokens as well.
    assert weights * {"Q4_0": 4.5, "Q8_0": 8.5}[to] / 8 < target.stat().st_size
    fractions = [event["fraction"] for event in events if event["event"] == "progress"]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_a_quantised_source_is_warned_about(starter: Path) -> None:
    assert "loses more" in forecast(starter, "Q4_0").warning
    assert "not back" in forecast(starter, "F16").warning


def test_tensors_that_do_not_divide_are_counted(starter: Path) -> None:
    """Its embedding has 576 columns, K-quants take blocks of 256."""
    told = forecast(starter, "Q4_K_M")
    assert 0 < told.fallback < told.tensors
    assert forecast(starter, "Q8_0").fallback == 0


@pytest.mark.parametrize("name", [*TYPES, "q4_k_m", "f16"])
def test_names_in_any_case(name: str) -> None:
    assert check_type(name) in TYPES


def test_what_cannot_be_quantised(starter: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as unknown:
        forecast(starter, "Q3")
    assert "Q4_K_M" in unknown.value.hint
    with pytest.raises(UsageError) as same:
        forecast(starter, "Q4_1")
    assert "Q4_1 already" in same.value.message
    with pytest.raises(ModelError) as folder:
        forecast(hf_folder(tmp_path / "f"), "Q4_0")
    assert "not a GGUF" in folder.value.message
    hollow = tmp_path / "hollow.gguf"
    hollow.write_bytes(gguf_bytes())
    with pytest.raises(ModelError) as refused:
        list(quantise(hollow, tmp_path / "out.gguf", "Q4_0"))
    assert refused.value.code == "incompatible"
