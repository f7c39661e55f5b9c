"""A defect of PySide6 6.12.0 that ends the process on Python 3.11, and that it does not reach us."""

from __future__ import annotations

import subprocess
import sys

_MANY_EMISSIONS = """
import desktop_rag.gui
from PySide6.QtCore import QObject, Signal
class Source(QObject):
    told = Signal(int)
source = Source()
for number in range(50_000):
    source.told.emit(number)
"""


def test_many_emissions_do_not_end_the_process() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _MANY_EMISSIONS], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr[-400:]
