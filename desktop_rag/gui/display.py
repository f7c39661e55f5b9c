"""Whether there is a screen to open a window on: without one Qt ends the process with a memory dump."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from desktop_rag.errors import UsageError

_X11 = "libX11.so.6"


def check_display() -> None:
    """Raises UsageError("no_display") on a Linux system without one that can be reached."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return
    if _wayland() or _x11():
        return
    raise UsageError(
        "no_display",
        "There is no screen to open the window on.",
        "Start it from a desktop session. All of it works in the terminal too: desktop-rag --help",
    )


def _wayland() -> bool:
    name = os.environ.get("WAYLAND_DISPLAY")
    return bool(name) and (Path(os.environ.get("XDG_RUNTIME_DIR", "/"), name or "")).exists()


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
