"""One window for a data directory: a second start hands its files to the first one and brings it to the front.

A lock in the data directory says who is first, from the first moment of a start. They speak through a local socket
there, which only its owner can enter.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from desktop_rag.errors import StoreError, UsageError
from desktop_rag.logs import log
from desktop_rag.paths import private_dir

NAME = "window.sock"
_LOCK = "window.lock"
_CONNECT_MS = 1500
_ANSWER_MS = 10_000
_START_SECONDS = 10.0
_LONGEST = 100  # bytes: what every system takes as a socket's path
_MOST_BYTES = 1 << 20
_TOKEN = "XDG_ACTIVATION_TOKEN"  # noqa: S105 - what a Wayland desktop asks for before a window comes to the front


def meet(data_dir: Path, files: list[str]) -> Reception | None:
    """The reception of the first start on a data directory; None where the window of another one has the files now.

    Raises UsageError("window_hangs") where another start has the data directory and does not answer.
    """
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        reception = Reception(data_dir)
        if reception.is_first:
            return reception
        if hand_over(data_dir, files):
            return None
        time.sleep(0.1)  # it has just begun, or is about to end
    raise _hangs()


def hand_over(data_dir: Path, files: list[str]) -> bool:
    """Give files to the window that has the data directory open already; False where nobody listens.

    Raises UsageError("window_hangs") where it is there and does not answer.
    """
    socket = QLocalSocket()
    socket.connectToServer(_address(data_dir))
    if not socket.waitForConnected(_CONNECT_MS):
        return False
    message = {"files": [str(Path(file).absolute()) for file in files], "token": os.environ.get(_TOKEN, "")}
    socket.write(json.dumps(message).encode() + b"\n")
    socket.flush()
    # The other end answers: a window that hangs must not swallow the files.
    taken = socket.waitForReadyRead(_ANSWER_MS) or socket.bytesAvailable() > 0
    socket.disconnectFromServer()
    if not taken:
        raise _hangs()
    return True


def _hangs() -> UsageError:
    return UsageError(
        "window_hangs",
        "A window has this library open, and does not answer.",
        "Wait until it does, or end it; then start again.",
    )


class Reception(QObject):
    """`asked(files)` when another start wants this window, perhaps with files to add."""

    asked = Signal(list)

    def __init__(self, data_dir: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._visitors: list[QLocalSocket] = []
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._take)
        with suppress(StoreError):  # what cannot be written is said when the library is opened
            private_dir(data_dir)
        self._lock = QLockFile(str(data_dir / _LOCK))
        self._lock.setStaleLockTime(0)  # however long a window is open; what a killed one left is taken over
        taken = not self._lock.tryLock(0)
        self.is_first = not (taken and self._lock.error() == QLockFile.LockError.LockFailedError)
        if not taken:
            QLocalServer.removeServer(_address(data_dir))
            if not self._server.listen(_address(data_dir)):
                log.warning("other starts cannot reach this window: %s", self._server.serverError().name)

    @property
    def listens(self) -> bool:
        """Whether other starts find this window."""
        return self._server.isListening()

    def close(self) -> None:
        """Stop listening, and hang up on who is there."""
        self._server.close()
        for visitor in list(self._visitors):
            visitor.abort()
        self._lock.unlock()

    def _take(self) -> None:
        while self._server.hasPendingConnections():
            visitor = self._server.nextPendingConnection()
            self._visitors.append(visitor)
            # Slots without the visitor itself: a callable that holds its sender is freed while that is destroyed.
            visitor.readyRead.connect(self._read_all)
            visitor.disconnected.connect(self._let_go)
        self._read_all()

    def _read_all(self) -> None:
        for visitor in list(self._visitors):
            self._read(visitor)

    def _let_go(self) -> None:
        gone = [one for one in self._visitors if one.state() == QLocalSocket.LocalSocketState.UnconnectedState]
        for visitor in gone:
            self._visitors.remove(visitor)
            visitor.deleteLater()

    def _read(self, socket: QLocalSocket) -> None:
        if not socket.canReadLine():
            if socket.bytesAvailable() > _MOST_BYTES:
                socket.abort()
            return
        try:
            message = json.loads(bytes(socket.readLine().data()))
            files = [str(file) for file in message["files"]]
        except (ValueError, KeyError, TypeError):
            socket.abort()
            return
        if token := str(message.get("token") or ""):
            os.environ[_TOKEN] = token
        socket.write(b"{}\n")
        socket.flush()
        self.asked.emit(files)


def _address(data_dir: Path) -> str:
    path = str(data_dir / NAME)
    if len(os.fsencode(path)) <= _LONGEST:
        return path
    name = f"desktop-rag-{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}.sock"
    return str(Path(os.environ.get("XDG_RUNTIME_DIR") or data_dir, name))
