"""The log: what was done, how long it took and how it ended. Never what it was done with.

One rotating file per process role in the data directory's `logs` folder, readable by its owner only.
Only this application's own logger writes there; libraries, whose messages may quote text, do not.
"""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from desktop_rag.errors import StoreError
from desktop_rag.paths import private_dir

_BYTES = 1_000_000
_FILES = 3
log = logging.getLogger("desktop_rag")


class _PrivateFile(RotatingFileHandler):
    """A rotating file with mode 0600."""

    def _open(self):  # type: ignore[no-untyped-def]  # noqa: ANN202 - the base class's own signature
        stream = super()._open()
        Path(self.baseFilename).chmod(0o600)
        return stream


def open_log(data_dir: Path, role: str) -> None:
    """Let this process write `logs/ROLE.log`; without a writable folder nothing is logged."""
    log.setLevel(logging.INFO)
    log.propagate = False
    for handler in list(log.handlers):
        log.removeHandler(handler)
        handler.close()
    try:
        path = private_dir(data_dir / "logs") / f"{role}.log"
        handler = _PrivateFile(path, maxBytes=_BYTES, backupCount=_FILES - 1, encoding="utf-8")
    except (OSError, StoreError):
        log.addHandler(logging.NullHandler())
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(message)s"))
    log.addHandler(handler)
