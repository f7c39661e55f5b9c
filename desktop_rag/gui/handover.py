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
    # The other end answers: a window that hangs must not swallow the files.
    taken = socket.waitForBytesWritten(_WAIT_MS) and socket.waitForReadyRead(_WAIT_MS)
    socket.disconnectFromServer()
    return bool(taken)


class Reception(QObject):
    """`asked(files)` when another start wants this window, perhaps with files to add."""

    asked = Signal(list)

    def __init__(self, data_dir: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._take)
        if not self._server.listen(_address(data_dir)) and self._is_left_over(data_dir):
            # Of a window that was killed: nobody answers there.
            QLocalServer.removeServer(_address(data_dir))
            self._server.listen(_address(data_dir))

    @property
    def listens(self) -> bool:
        """Whether other starts find this window; where not, each opens one of its own."""
        return self._server.isListening()

    def close(self) -> None:
        """Stop listening."""
        self._server.close()

    def _is_left_over(self, data_dir: Path) -> bool:
        socket = QLocalSocket()
        socket.connectToServer(_address(data_dir))
        answered = socket.waitForConnected(_WAIT_MS)
        socket.abort()
        return not answered

    def _take(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            socket.readyRead.connect(lambda socket=socket: self._read(socket))
            socket.disconnected.connect(socket.deleteLater)

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
    return str(data_dir / NAME)
