"""The log tells what was done, never with what."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop_rag import logs
from desktop_rag.workers.crew import Workers

SENTINEL = "Quillfeather-7431"


@pytest.fixture(autouse=True)
def _own_handlers() -> Iterator[None]:
    yield
    for handler in list(logs.log.handlers):
        logs.log.removeHandler(handler)
        handler.close()


def test_it_is_private_and_rotates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_BYTES", 400)
    logs.open_log(tmp_path, "library")
    for number in range(60):
        logs.log.info("search done %d ms", number)
    files = sorted((tmp_path / "logs").iterdir())
    assert [file.name for file in files] == ["library.log", "library.log.1", "library.log.2"]
    assert all(file.stat().st_mode & 0o077 == 0 and file.stat().st_size <= 400 for file in files)


def test_other_loggers_do_not_write_there(tmp_path: Path) -> None:
    logs.open_log(tmp_path, "library")
    logging.getLogger("presidio-analyzer").warning(SENTINEL)
    assert SENTINEL not in (tmp_path / "logs" / "library.log").read_text()


def test_a_folder_that_cannot_be_made_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    logs.open_log(tmp_path, "library")
    logs.log.info("still fine")


@pytest.mark.slow
def test_operations_are_logged_without_their_words(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    path = tmp_path / f"{SENTINEL}.txt"
    path.write_text(f"{SENTINEL} pays many ducats.")
    workers = Workers(data)
    try:
        workers.library.call("add", paths=[str(path)], review=False)
        workers.library.call("search", query=SENTINEL, mode="bm25")
        with pytest.raises(Exception, match="no document"):
            workers.library.call("document_text", document=SENTINEL)
    finally:
        workers.close()
    text = (data / "logs" / "library.log").read_text()
    assert "add done" in text
    assert "document_text not_found" in text
    assert SENTINEL not in text
    assert "ducats" not in text
