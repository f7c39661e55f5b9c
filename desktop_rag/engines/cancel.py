"""A flag that ends a computation: set from any thread, read from Python and by native code alike."""

from __future__ import annotations

import ctypes
import threading


class Cancellation(threading.Event):
    """An event whose state is also a byte in memory, so that a native callback can look without Python.

    A callback into Python for every node of a model's graph would cost more than it is worth.
    """

    def __init__(self) -> None:
        super().__init__()
        self._byte = ctypes.create_string_buffer(2)

    @property
    def address(self) -> int:
        """Where the byte lies: 0 until set, then 1; a zero byte follows. Valid as long as this object lives."""
        return ctypes.addressof(self._byte)

    def set(self) -> None:
        """Raise the flag."""
        self._byte[0] = b"\x01"
        super().set()

    def clear(self) -> None:
        """Lower the flag."""
        self._byte[0] = b"\x00"
        super().clear()
