"""Without a screen the window says so; Qt alone would end with a memory dump."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from desktop_rag.errors import UsageError
from desktop_rag.gui.display import check_display

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a screen")


@pytest.fixture(autouse=True)
def _nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("given", [{}, {"DISPLAY": ":4711"}, {"WAYLAND_DISPLAY": "wayland-4711"}])
def test_no_screen_is_said(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match="There is no screen") as raised:
        check_display()
    assert "desktop-rag --help" in raised.value.hint


def test_a_compositor_that_answers_is_a_screen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    with socket.socket(socket.AF_UNIX) as compositor:
        compositor.bind(str(tmp_path / "wayland-0"))
        with pytest.raises(UsageError):  # what one that has ended left behind
            check_display()
        compositor.listen()
        check_display()
        monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
        with pytest.raises(UsageError):
            check_display()
        monkeypatch.setenv("QT_QPA_PLATFORM", "xcb;wayland:decoration=none")
        check_display()


@pytest.mark.parametrize("platform", ["xcb", "wayland", "wayland;xcb", ";"])
def test_who_asks_for_a_screen_that_is_not_there_is_told_too(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", platform)
    with pytest.raises(UsageError, match="There is no screen"):
        check_display()


def test_an_open_connection_to_a_compositor_is_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYLAND_SOCKET", "7")
    check_display()


def test_who_asks_for_no_screen_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    check_display()


@pytest.mark.slow
def test_the_program_ends_with_a_sentence(tmp_path: Path) -> None:
    environment = {**os.environ, "DESKTOP_RAG_DATA_DIR": str(tmp_path), "DISPLAY": ":4711"}
    said = subprocess.run(
        [sys.executable, "-m", "desktop_rag"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith("There is no screen to open the window on.")
