"""The window. The only folder that may import Qt; it reaches everything else through `gui.backend`."""

from __future__ import annotations

import ctypes
import platform
import sys


def _keep_singletons_alive() -> None:
    """Make None, True, False, NotImplemented and Ellipsis immortal before Python 3.12, as later versions do themselves.

    PySide6 6.12.0 is built as if they always were: `Signal.emit`, for one, returns `True` without
    counting the reference. Each call takes one away, and after some thousands the interpreter aborts
    ("deallocating True or False", "deallocating None"). The count of a static object of CPython may
    be raised freely: it is never given back.
    """
    if sys.version_info < (3, 12) and platform.python_implementation() == "CPython":
        for static in (None, True, False, NotImplemented, Ellipsis):
            count = ctypes.c_ssize_t.from_address(id(static))
            count.value += 1 << 40


_keep_singletons_alive()
