"""No core dumps: a crash of native code must not write a document's text, or the key, to a file."""

from __future__ import annotations

import contextlib


def forbid_dumps() -> None:
    """Set the size limit of core files to nothing, for this process and its children; Windows has none to limit."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
