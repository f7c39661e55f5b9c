"""What the C library keeps of memory that is not used any more: little, in a process that lives for days (Linux).

Each thread would get an arena of its own, whose gaps nobody else fills, and the top of the heap would only be given
back when it is free by chance.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

_M_ARENA_MAX = -8


def one_arena() -> None:
    """Let all threads share their memory; before the first of them begins."""
    if sys.platform == "linux" and hasattr(_libc(), "mallopt"):
        _libc().mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Hand unused memory to the system: a few milliseconds."""
    if sys.platform == "linux" and hasattr(_libc(), "malloc_trim"):
        _libc().malloc_trim(0)


@cache
def _libc() -> Any:
    return ctypes.CDLL(None)
