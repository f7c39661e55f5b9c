"""The window. The only folder that may import Qt; it reaches everything else through `gui.backend`."""

from __future__ import annotations

import ctypes
import platform
import sys


def _keep_true_alive() -> None:
    """Make `True` immortal before Python 3.12, as later versions do themselves.

    `Signal.emit` of PySide6 6.12.0 returns `True` without counting the reference, so every emission
    takes one away; after some thousands the interpreter aborts ("deallocating True or False").
    The count of a static object of CPython may be raised freely: it is never given back.
    """
    if sys.version_info < (3, 12) and platform.python_implementation() == "CPython":
        count = ctypes.c_ssize_t.from_address(id(True))
        count.value += 1 << 40


_keep_true_alive()
