"""A signal from outside closes the window, also while nothing moves in it."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

_WINDOW = """
import sys
from PySide6.QtCore import QCoreApplication
from desktop_rag.gui.polite_end import PoliteEnd
app = QCoreApplication([])
end = PoliteEnd(lambda: (print("closed", flush=True), app.quit()))
print("ready", flush=True)
app.exec()
end.stop()
"""


_BEFORE = """
import os, signal, sys
from PySide6.QtCore import QCoreApplication
from desktop_rag.gui.polite_end import PoliteEnd
app = QCoreApplication([])
end = PoliteEnd(lambda: (print("closed", flush=True), app.quit()))
os.kill(os.getpid(), int(sys.argv[1]))
app.exec()
end.stop()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_loop_ends(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", _WINDOW], stdout=subprocess.PIPE, text=True) as window:
        assert window.stdout is not None
        assert window.stdout.readline() == "ready\n"
        window.send_signal(number)
        try:
            assert window.communicate(timeout=20)[0] == "closed\n"
        finally:
            window.kill()
    assert window.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_the_loop_ends_it_too(number: signal.Signals) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _BEFORE, str(int(number))], stdout=subprocess.PIPE, text=True, timeout=60, check=True
    )
    assert ran.stdout == "closed\n"
