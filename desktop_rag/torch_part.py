"""PyTorch and what stands on it: with the source always there, in the installed application a package of its own."""

from __future__ import annotations

import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import desktop_rag
from desktop_rag.errors import ModelError

PACKAGE = "desktop-rag-torch"
STAMP = "DESKTOP_RAG_VERSION"
"""In the package's folder: the version of the application it goes with."""


def require(purpose: str) -> None:
    """Make PyTorch importable. Raises ModelError("backend_missing") where it is not installed.

    `purpose` begins the sentence that says what needs it, such as "Converting a model".
    """
    other = _other_version()
    if other is not None:
        raise ModelError(
            "backend_missing", f"{purpose} needs PyTorch, and {PACKAGE} is of version {other}.", how_to_add()
        )
    if not is_there():
        raise ModelError("backend_missing", f"{purpose} needs PyTorch, which is not installed.", how_to_add())


def is_there() -> bool:
    """Whether PyTorch can be imported in this process; looks where the package puts it."""
    folder = _folder()
    if folder is not None and folder.is_dir() and _other_version() is None and str(folder) not in sys.path:
        # Behind the application's own modules, which it was built to go with.
        sys.path.append(str(folder))
    return find_spec("torch") is not None


def _other_version() -> str | None:
    """The version of a package that was built for another application than this one: both share numpy and Python."""
    folder = _folder()
    try:
        stamp = (folder / STAMP).read_text(encoding="utf-8").strip() if folder is not None else None
    except OSError:
        return None
    return stamp if stamp != desktop_rag.__version__ else None


def version() -> str | None:
    """The version of PyTorch that is installed, without reaching for it."""
    folder = _folder()
    places = [*sys.path, *([str(folder)] if folder is not None else [])]
    found = next(iter(metadata.distributions(name="torch", path=places)), None)
    return found.version if found is not None else None


def how_to_add() -> str:
    """The one command that adds it."""
    if _folder() is None:
        return "Run: python3 packaging/dev.py setup"
    return f"Add it: sudo apt install ./{PACKAGE}_{desktop_rag.__version__}_amd64.deb"


def _folder() -> Path | None:
    """Where the package puts it; None when this is not the installed application."""
    return Path(sys.executable).parent / "torch" if getattr(sys, "frozen", False) else None
