"""One window for a data directory: a second start hands its files to the first one and brings it to the front.

They speak through a local socket in the data directory, which only its owner can enter.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

NAME = "window.sock"
_WAIT_MS = 1500
_MOST_BYTES = 1 << 20
_TOKEN = "XDG_ACTIVATION_TOKEN"  # noqa: S105 - what a Wayland desktop asks for before a window comes to the front


def hand_over(data_dir: Path, files: list[str]) -> bool:
    """Give files to the window that has the data directory open already; False where there is none."""
    socket = QLocalSocket()
    socket.connectToServer(_address(data_dir))
    if not socket.waitForConnected(_WAIT_MS):
        return False
    message = {"files": [str(Path(file).absolute()) for file in files], "token": os.environ.get(_TOKEN, "")}
    socket.write(json.dumps(message).encode() + b"\n")
    socket.flush()
    # The other end answers: a window that hangs must not swallow the files.
    taken = socket.waitForReadyRead(_WAIT_MS) or socket.bytesAvailable() > 0
    socket.disconnectFromServer()
    return bool(taken)


class Reception(QObject):
    """`asked(files)` when another start wants this window, perhaps with files to add."""

    asked = Signal(list)

    def __init__(self, data_dir: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._visitors: list[QLocalSocket] = []
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._take)
        # Listening would take the place of whoever listens there already.
        if not _answers(data_dir):
            QLocalServer.removeServer(_address(data_dir))
            self._server.listen(_address(data_dir))

    @property
    def listens(self) -> bool:
        """Whether other starts find this window; where not, each opens one of its own."""
        return self._server.isListening()

    def close(self) -> None:
        """Stop listening, and hang up on who is there."""
        self._server.close()
        for visitor in list(self._visitors):
            visitor.abort()

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


def _answers(data_dir: Path) -> bool:
    """Whether a window listens; what one that was killed left behind does not."""
    socket = QLocalSocket()
    socket.connectToServer(_address(data_dir))
    answered = socket.waitForConnected(_WAIT_MS)
    socket.abort()
    return bool(answered)


def _address(data_dir: Path) -> str:
    return str(data_dir / NAME)
