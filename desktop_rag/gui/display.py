"""Whether there is a screen to open a window on: without one Qt ends the process with a memory dump."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from PySide6.QtNetwork import QLocalSocket

from desktop_rag.errors import UsageError

_X11 = "libX11.so.6"
_WAIT_MS = 2000


def check_display() -> None:
    """Raises UsageError("no_display") on a Linux system without one that can be reached."""
    if not sys.platform.startswith("linux"):
        return
    wanted = [name.partition(":")[0] for name in os.environ.get("QT_QPA_PLATFORM", "").split(";") if name]
    checks = {"wayland": _wayland, "xcb": _x11}
    # What was asked for besides these two needs neither.
    if any(name not in checks for name in wanted) or any(checks[name]() for name in wanted or checks):
        return
    raise UsageError(
        "no_display",
        "There is no screen to open the window on.",
        "Start it from a desktop session. All of it works in the terminal too: desktop-rag --help",
    )


def _wayland() -> bool:
    """Whether the compositor that the session names is there; a socket's file outlives it."""
    if os.environ.get("WAYLAND_SOCKET"):
        return True
    name = os.environ.get("WAYLAND_DISPLAY")
    if not name:
        return False
    socket = QLocalSocket()
    socket.connectToServer(str(Path(os.environ.get("XDG_RUNTIME_DIR", "/"), name)))
    found = socket.waitForConnected(_WAIT_MS)
    socket.abort()
    return bool(found)


def _x11() -> bool:
    """Whether the server that $DISPLAY names lets this process in."""
    if not os.environ.get("DISPLAY"):
        return False
    try:
        library = ctypes.CDLL(_X11)
    except OSError:
        return True  # what cannot be asked is left to Qt
    library.XOpenDisplay.restype, library.XOpenDisplay.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
    library.XCloseDisplay.argtypes = [ctypes.c_void_p]
    display = library.XOpenDisplay(None)
    if display:
        library.XCloseDisplay(display)
    return bool(display)
