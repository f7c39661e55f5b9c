"""Workers that misbehave, a library with the real models in this process, and files to index."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from desktop_rag.workers import client
from desktop_rag.workers.client import WorkerClient

if TYPE_CHECKING:
    from desktop_rag.workers.library import Library

HERE = Path(__file__).parent

MakeClient = Callable[..., WorkerClient]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MakeClient]:
    """Makes a client whose process is `fake_worker.py` with the given behaviours, one per life."""
    monkeypatch.setenv("FAKE_LIVES", str(tmp_path / "lives"))
    yield from _clients(monkeypatch, HERE / "fake_worker.py")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeClient]:
    """Makes a client whose process runs the real loop around `small_service.py`."""
    yield from _clients(monkeypatch, HERE / "small_service.py")


def _clients(monkeypatch: pytest.MonkeyPatch, script: Path) -> Iterator[MakeClient]:
    monkeypatch.setattr(client, "worker_command", lambda role: [sys.executable, str(script)])
    made: list[WorkerClient] = []

    def make(*behaviours: str, disposable: bool = False) -> WorkerClient:
        made.append(WorkerClient("fake", list(behaviours), disposable=disposable))
        return made[-1]

    yield make
    for worker in made:
        worker.close()


@pytest.fixture(scope="session")
def models() -> dict[str, Any]:
    """The real detector and encoder, loaded once for all tests."""
    from desktop_rag import paths
    from desktop_rag.models.catalogue import find
    from desktop_rag.privacy.detect import PresidioDetector
    from desktop_rag.retrieval.encode import CTranslate2Encoder
    from desktop_rag.workers.library import ENCODER_MODEL

    with pytest.MonkeyPatch.context() as patch:
        # As in the real process: spaCy must not bring torch along.
        patch.setitem(sys.modules, "torch", None)
        detector = PresidioDetector(paths.assets_dir() / "recogniser")
        encoder = CTranslate2Encoder(find(ENCODER_MODEL).folder(paths.models_dir()), threads=1)
        next(iter(detector.detect(["Jean Rivera"])))
    return {"detector": detector, "encoder": encoder}


@pytest.fixture
def open_library(models: dict[str, Any]) -> Iterator[Callable[[], Library]]:
    """Opens the test's data directory in this process, as the library worker does; again after `close`."""
    from desktop_rag import paths
    from desktop_rag.settings import Settings
    from desktop_rag.workers.library import Library

    opened: list[Library] = []

    # Chroma has to be right in small collections too: it is the larger ones' cache.
    Settings(paths.data_dir()).set("exact_up_to", 0)

    def make() -> Library:
        library = Library(paths.data_dir())
        vars(library).update(models)
        opened.append(library)
        return library

    yield make
    for library in opened:
        library.close()


@pytest.fixture
def library(open_library: Callable[[], Library]) -> Library:
    """One opened library."""
    return open_library()
