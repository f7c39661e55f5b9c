"""A second start gives its files to the window that is open, and does not open another on the same library."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtNetwork import QLocalSocket

from desktop_rag.errors import UsageError
from desktop_rag.gui.handover import NAME, Reception, hand_over, meet

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def reception(tmp_path: Path, qtbot: Any) -> Any:
    made = Reception(tmp_path)
    yield made
    made.close()


def given(qtbot: Any, reception: Reception, data_dir: Path, files: list[str]) -> tuple[bool, list[str]]:
    """What a second start is told, which is a process of its own, and what the window gets."""
    code = "import sys, pathlib; from desktop_rag.gui.handover import hand_over"
    code += "; print(hand_over(pathlib.Path(sys.argv[1]), sys.argv[2:]))"
    with (
        qtbot.waitSignal(reception.asked, timeout=20_000) as blocker,
        subprocess.Popen(
            [sys.executable, "-c", code, str(data_dir), *files], stdout=subprocess.PIPE, text=True
        ) as other,
    ):
        blocker.wait()
        told = other.communicate(timeout=20)[0].strip()
    return told == "True", blocker.args[0]


def test_files_go_to_the_window_that_is_open(qtbot: Any, reception: Reception, tmp_path: Path) -> None:
    assert reception.listens
    told, files = given(qtbot, reception, tmp_path, ["relative.pdf", str(tmp_path / "a b.pdf")])
    assert told
    assert files[1] == str(tmp_path / "a b.pdf")
    assert files[0].startswith("/")
    assert files[0].endswith("/relative.pdf")


def test_without_files_it_only_comes_to_the_front(qtbot: Any, reception: Reception, tmp_path: Path) -> None:
    assert given(qtbot, reception, tmp_path, []) == (True, [])


def test_without_a_window_nobody_takes_them(qtbot: Any, tmp_path: Path) -> None:
    assert not hand_over(tmp_path, ["a.pdf"])


def test_the_socket_is_its_owners_only(reception: Reception, tmp_path: Path) -> None:
    assert (tmp_path / NAME).stat().st_mode & 0o077 == 0


def test_what_a_killed_window_left_is_taken_over(qtbot: Any, tmp_path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as left:  # as a killed process leaves it: there, and nobody behind it
        left.bind(str(tmp_path / NAME))
    assert not hand_over(tmp_path, ["a.pdf"])
    made = Reception(tmp_path)
    assert made.listens
    assert given(qtbot, made, tmp_path, []) == (True, [])
    made.close()


def test_a_second_reception_leaves_the_first_alone(qtbot: Any, reception: Reception, tmp_path: Path) -> None:
    second = Reception(tmp_path)
    assert reception.is_first
    assert not second.is_first
    assert not second.listens
    second.close()
    assert given(qtbot, reception, tmp_path, []) == (True, [])


_START = """
import pathlib, sys
from PySide6.QtCore import QCoreApplication, QTimer
from desktop_rag.gui.handover import meet
app = QCoreApplication([])
reception = meet(pathlib.Path(sys.argv[1]), sys.argv[2:])
if reception is None:
    print("handed over", flush=True)
    sys.exit()
files = list(sys.argv[2:])
reception.asked.connect(lambda more: (files.extend(more), len(files) == 4 and app.quit()))
QTimer.singleShot(60_000, app.quit)
app.exec()
print(*sorted(pathlib.Path(file).name for file in files), flush=True)
"""


def test_of_starts_at_the_same_moment_one_is_the_window_and_has_every_file(tmp_path: Path) -> None:
    names = [f"{number}.pdf" for number in range(4)]
    command = [sys.executable, "-c", _START, str(tmp_path / "data")]
    started = [subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True) for name in names]
    told = [one.communicate(timeout=120)[0].strip() for one in started]
    assert sorted(told) == sorted([" ".join(names), *["handed over"] * 3])


def test_a_window_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _START.replace("app.exec()", "print('there', flush=True); app.exec()")]
    with subprocess.Popen([*command, str(tmp_path)], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "there\n"
        assert not Reception(tmp_path).is_first
        first.kill()
    following = meet(tmp_path, [])
    assert following is not None
    assert following.listens
    following.close()


def test_a_long_path_is_reached_too(qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    data_dir = tmp_path / ("long" * 30)
    made = Reception(data_dir)
    assert made.listens
    assert given(qtbot, made, data_dir, []) == (True, [])
    assert next((tmp_path / "run").iterdir()).stat().st_mode & 0o077 == 0
    made.close()


def test_where_nothing_can_be_written_the_window_opens_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    made = meet(tmp_path / "file/data", [])
    assert made is not None
    assert made.is_first
    assert not made.listens
    made.close()


@pytest.mark.parametrize("noise", [b"{}\n", b"nonsense\n", b'{"files": 5}\n', b"\xff\xfe\n", b"[]\n"])
def test_noise_is_hung_up_on(qtbot: Any, reception: Reception, tmp_path: Path, noise: bytes) -> None:
    asked: list[object] = []
    reception.asked.connect(asked.append)
    client = QLocalSocket()
    client.connectToServer(str(tmp_path / NAME))
    assert client.waitForConnected(2000)
    client.write(noise)
    client.flush()
    qtbot.waitUntil(lambda: client.state() == QLocalSocket.LocalSocketState.UnconnectedState, timeout=5000)
    assert asked == []


def test_a_window_that_hangs_is_told_of_and_no_second_is_opened(
    qtbot: Any, reception: Reception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop_rag.gui.handover._ANSWER_MS", 200)
    with pytest.raises(UsageError, match="does not answer") as raised:  # the one it asks is this very thread
        meet(tmp_path, ["a.pdf"])
    assert raised.value.code == "window_hangs"


def test_who_has_the_lock_and_never_listens_is_waited_for_and_told_of(
    qtbot: Any, reception: Reception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop_rag.gui.handover._START_SECONDS", 0.5)
    monkeypatch.setattr("desktop_rag.gui.handover._CONNECT_MS", 100)
    reception._server.close()
    with pytest.raises(UsageError, match="does not answer"):
        meet(tmp_path, ["a.pdf"])


def test_a_desktops_token_comes_along(
    qtbot: Any, reception: Reception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    monkeypatch.setenv("XDG_ACTIVATION_TOKEN", "t-1")
    client = QLocalSocket()
    client.connectToServer(str(tmp_path / NAME))
    assert client.waitForConnected(2000)
    with qtbot.waitSignal(reception.asked, timeout=5000):
        client.write(json.dumps({"files": [], "token": "t-2"}).encode() + b"\n")
        client.flush()
    assert os.environ["XDG_ACTIVATION_TOKEN"] == "t-2"
    client.abort()
