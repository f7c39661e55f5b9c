"""Tests that need a build of llama.cpp with an accelerator: `python3 packaging/offload.py` makes one and runs them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

REASON = "needs a build with an accelerator: python3 packaging/offload.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("DESKTOP_RAG_OFFLOAD"):
        return
    for item in items:
        if item.get_closest_marker("offload"):
            item.add_marker(pytest.mark.skip(reason=REASON))


@pytest.fixture(scope="module")
def starter() -> Path:
    from desktop_rag import paths
    from desktop_rag.models.catalogue import find

    path = find("smollm2-135m-instruct-q4_1").installed_path(paths.models_dir())
    assert path is not None, "run the set-up"
    return path
