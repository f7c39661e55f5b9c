"""Reading a file in a disposable child: whatever happens to the child is one error of that file."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from desktop_rag.errors import DocumentError
from desktop_rag.workers import parsing
from desktop_rag.workers.parsing import Parser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def parser(tmp_path: Path) -> Iterator[Parser]:
    made = Parser(tmp_path)
    yield made
    made.close()


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.txt"
    path.write_text("The pump is checked every month.\n")
    return path


class Scripted:
    """Stands for the client: plays a script of events and errors."""

    def __init__(self, *script: dict[str, object] | Exception | float) -> None:
        self.script = script
        self.killed = 0

    def stream(self, op: str, **args: object) -> Iterator[dict[str, object]]:
        for step in self.script:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, float):
                deadline = time.monotonic() + step
                while time.monotonic() < deadline and not self.killed:
                    time.sleep(0.01)
                if self.killed:
                    return
            else:
                yield step

    def kill(self) -> None:
        self.killed += 1

    def close(self) -> None:
        pass


def test_the_last_yield_is_the_whole_file(parser: Parser, note: Path) -> None:
    *_, parsed = parser.read(note)
    assert parsed.info is not None
    assert parsed.info.format == "text"
    assert parsed.read_pages == 1
    assert "checked every month" in parsed.pages[0].text  # type: ignore[union-attr]


def test_a_crash_is_an_unreadable_file_and_the_next_one_is_read(parser: Parser, note: Path, tmp_path: Path) -> None:
    long = tmp_path / "long.txt"
    long.write_text("The pump is checked every month.\n\n" * 600_000)
    reading = parser.read(long)
    next(reading)
    parser._client.ready().child.kill()
    with pytest.raises(DocumentError) as caught:
        list(reading)
    assert caught.value.code == "unreadable"
    *_, parsed = parser.read(note)
    assert parsed.read_pages == 1


def test_a_reader_that_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch, parser: Parser, note: Path) -> None:
    monkeypatch.setattr(parsing, "SILENT_SECONDS", 0.1)
    client = Scripted(60.0)
    parser._client = client  # type: ignore[assignment]
    with pytest.raises(DocumentError) as caught:
        list(parser.read(note))
    assert caught.value.code == "parse_timeout"
    assert client.killed == 1


def test_a_reader_that_trickles_for_ever_is_stopped(
    monkeypatch: pytest.MonkeyPatch, parser: Parser, note: Path
) -> None:
    monkeypatch.setattr(parsing, "TOTAL_SECONDS", 0.0)
    parser._client = Scripted(60.0)  # type: ignore[assignment]
    with pytest.raises(DocumentError) as caught:
        list(parser.read(note))
    assert caught.value.code == "parse_timeout"


def test_a_long_scan_may_take_long_as_long_as_its_pages_come(
    monkeypatch: pytest.MonkeyPatch, parser: Parser, note: Path
) -> None:
    monkeypatch.setattr(parsing, "TOTAL_SECONDS", 0.5)
    page = {"event": "page", "number": 1, "locator": None, "text": "a", "blocks": [], "confidence": 0.9}
    parser._client = Scripted(*[0.3, page] * 4, {"event": "done"})  # type: ignore[assignment]
    *_, whole = parser.read(note)
    assert whole.recognised_pages == 4


def test_giving_up_ends_the_child(parser: Parser, note: Path) -> None:
    client = Scripted({"event": "unread", "number": 1, "locator": None, "cause": "scan"}, 60.0)
    parser._client = client  # type: ignore[assignment]
    reading = parser.read(note)
    while not next(reading).pages:
        pass
    reading.close()
    assert client.killed == 1


def test_requests_take_turns_and_only_the_one_at_work_ends_the_child(parser: Parser, note: Path) -> None:
    client = Scripted({"event": "unread", "number": 1, "locator": None, "cause": "scan"}, 60.0)
    parser._client = client  # type: ignore[assignment]
    first, second = parser.read(note), parser.read(note)
    while not next(first).pages:
        pass
    for _ in range(3):
        assert not next(second).pages, "the child is given one file at a time"
    second.close()
    assert client.killed == 0, "the first file is still being read"
    first.close()
    assert client.killed == 1


def test_waiting_for_one_s_turn_is_not_taking_too_long(
    monkeypatch: pytest.MonkeyPatch, parser: Parser, note: Path
) -> None:
    client = Scripted({"event": "unread", "number": 1, "locator": None, "cause": "scan"}, 60.0)
    parser._client = client  # type: ignore[assignment]
    first, second = parser.read(note), parser.read(note)
    while not next(first).pages:
        pass
    next(second)
    monkeypatch.setattr(parsing, "TOTAL_SECONDS", -1.0)
    for _ in range(3):
        next(second)
    first.close()


def test_a_place_that_is_never_found_is_given_up(monkeypatch: pytest.MonkeyPatch, parser: Parser, note: Path) -> None:
    monkeypatch.setattr(parsing, "SILENT_SECONDS", 0.1)
    client = Scripted(60.0)
    parser._client = client  # type: ignore[assignment]
    with pytest.raises(DocumentError) as caught:
        list(parser.ask("locate", note, page=1, start=0, end=5))
    assert caught.value.code == "parse_timeout"
    assert client.killed == 1


def test_the_reader_s_own_error_comes_through(parser: Parser, tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        list(parser.read(tmp_path / "gone.txt"))
    assert caught.value.code == "not_found"
