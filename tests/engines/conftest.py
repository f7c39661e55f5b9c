"""Converted copies of the starter model for the engines that do not read GGUF files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines import converted


@pytest.fixture(scope="session")
def starter_gguf() -> Path:
    """The starter model's GGUF file."""
    return converted.starter()


@pytest.fixture(scope="session")
def hf_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter model as a Hugging Face folder in float32."""
    return converted.hf_folder(tmp_path_factory)


@pytest.fixture(scope="session")
def ct2_float32(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter model for CTranslate2 in float32."""
    return converted.ct2_folder(tmp_path_factory, "float32")


@pytest.fixture(scope="session")
def ct2_int8(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter model for CTranslate2 in int8."""
    return converted.ct2_folder(tmp_path_factory, "int8")
