"""The starter model converted once for a whole run: every test module that asks gets the same folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop_rag import paths
from desktop_rag.models.catalogue import find
from desktop_rag.models.convert_chat import to_ctranslate2, to_hf


def starter() -> Path:
    """The starter model's GGUF file."""
    path = find("smollm2-135m-instruct-q4_1").installed_path(paths.models_dir())
    assert path is not None, "run the set-up"
    return path


def hf_folder(factory: pytest.TempPathFactory) -> Path:
    """The starter model as a Hugging Face folder in float32."""
    target = factory.getbasetemp() / "converted" / "hf"
    if not target.exists():
        assert list(to_hf(starter(), target))[-1]["fraction"] == 1.0
    return target


def ct2_folder(factory: pytest.TempPathFactory, compute_type: str) -> Path:
    """The starter model for CTranslate2."""
    source, target = hf_folder(factory), factory.getbasetemp() / "converted" / f"ct2-{compute_type}"
    if not target.exists():
        assert list(to_ctranslate2(source, target, compute_type))[-1]["fraction"] == 1.0
    return target
