"""Where everything lies: the user's data, the configuration (keys), the read-only models, the assets."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import platformdirs

from desktop_rag.errors import StoreError

APP = "desktop-rag"


def data_dir(chosen: str | None = None) -> Path:
    """The folder that holds everything of the user; made private (0700) on first use."""
    path = Path(chosen or os.environ.get("DESKTOP_RAG_DATA_DIR") or platformdirs.user_data_dir(APP, appauthor=False))
    return private_dir(path.expanduser().absolute())


def config_dir() -> Path:
    """The folder for settings and the key file; never inside the data directory."""
    return private_dir(
        Path(os.environ.get("DESKTOP_RAG_CONFIG_DIR") or platformdirs.user_config_dir(APP, appauthor=False))
    )


def cache_dir() -> Path:
    """The folder for what can be made again at any time, such as vectors of judged sets; nobody misses it."""
    return private_dir(
        Path(os.environ.get("DESKTOP_RAG_CACHE_DIR") or platformdirs.user_cache_dir(APP, appauthor=False))
    )


def models_dir() -> Path:
    """The read-only folder of starter models, made by set-up or the installed package."""
    return Path(os.environ.get("DESKTOP_RAG_MODELS_DIR") or Path(sys.prefix) / "share" / APP / "models")


def assets_dir() -> Path:
    """The application's own pictures, tokens and catalogues."""
    beside_package = Path(__file__).resolve().parent.parent / "assets"
    return beside_package if beside_package.is_dir() else Path(sys.prefix) / "share" / APP / "assets"


def private_dir(path: Path) -> Path:
    """Make `path` with its parents, readable by its owner only. Raises StoreError("read_only") where that cannot be."""
    try:
        if not path.is_dir():
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.chmod(0o700)
    except OSError as error:
        raise StoreError(
            "read_only",
            f"The folder {path} cannot be made: {error.strerror}.",
            "Choose another place (--data-dir), or allow writing there.",
        ) from error
    return path
