"""No core dumps, no looking in: neither a crash nor another process may get at a document's text, or the key."""

from __future__ import annotations

import contextlib
import ctypes
import sys

_PR_SET_DUMPABLE = 4


def forbid_dumps() -> None:
    """Set the size limit of core files to nothing, for this process and its children; Windows has none to limit."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def forbid_inspection() -> None:
    """On Linux, keep other processes of the same user out of this one's memory and descriptors, until it starts another
    program. A sealed process could else take over one that may connect."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, ctypes.c_ulong(0))
