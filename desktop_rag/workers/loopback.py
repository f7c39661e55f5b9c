"""A real OpenAI-compatible server on this machine, to measure the fifth engine against.

It is `llama_cpp.server` with a model of the user's, on 127.0.0.1, behind a random key, started and
ended by the terminal or window itself. A pipe holds it: it leaves when its parent does.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from desktop_rag.errors import EngineError, UsageError
from desktop_rag.logs import log
from desktop_rag.scratch import kept_scratch

START_SECONDS = 120.0
_END_SECONDS = 3.0
_MODULE = "desktop_rag.workers.loopback_server"
# Only what a program needs to run: the server's libraries take settings, proxies and keys from the environment.
_NEEDED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH", "PYTHONPATH")
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK")


class LoopbackServer:
    """The server as a context manager: `url`, `model`, `key_file` and `pid` hold while it is entered.

    Raises EngineError("start_failed") when the model cannot be served, UsageError("not_available") in
    a packaged application, which carries no server.
    """

    def __init__(self, model_path: Path, threads: int, context: int) -> None:
        self._options: dict[str, Any] = {
            "path": str(model_path),
            "model": model_path.stem,
            "threads": threads,
            "context": context,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self.model = model_path.stem
        self.key = ""
        self.url = ""

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._process is not None
        return self._process.pid

    @property
    def key_file(self) -> Path:
        """A file, readable by its owner only, that holds the key while the server runs."""
        assert self._folder is not None
        return self._folder / "key"

    def __enter__(self) -> LoopbackServer:
        if getattr(sys, "frozen", False):
            raise UsageError(
                "not_available",
                "The packaged application carries no server to measure against.",
                "Run the benchmark from source, or give it the address of a server you started.",
            )
        self.key = secrets.token_urlsafe(24)
        self._process = subprocess.Popen(
            [sys.executable, "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
        try:
            self.url = f"http://127.0.0.1:{self._port(self._process)}/v1"
            self._folder = kept_scratch("loopback")
            self.key_file.touch(mode=0o600)
            self.key_file.write_text(self.key)
        except BaseException:
            self._end()
            raise
        log.info("loopback server started: process %d", self._process.pid)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _port(self, process: subprocess.Popen[bytes]) -> int:
        """Wait until the server answers; a timer ends one that never does."""
        assert process.stdin is not None
        assert process.stdout is not None
        too_late = threading.Timer(START_SECONDS, process.kill)
        too_late.start()
        try:
            process.stdin.write(json.dumps({**self._options, "key": self.key}).encode() + b"\n")
            process.stdin.flush()
            said = json.loads(process.stdout.readline() or b"{}")
        except (OSError, ValueError):
            said = {}
        finally:
            too_late.cancel()
            too_late.join()
        if "port" not in said:
            raise EngineError(
                "start_failed",
                f"The server for {self.model} could not be started ({said.get('error', 'it ended')}).",
                "Check that the model works with llama.cpp, and that there is memory for it.",
            )
        return int(said["port"])

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.close()
            except OSError:
                log.debug("the loopback server had closed its pipe")
            for end in (None, process.terminate, process.kill):
                if end is not None:
                    end()
                try:
                    process.wait(_END_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    continue
            process.stdout.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def _environment() -> dict[str, str]:
    """What the server's process sees: no hub, no proxy, no setting of its libraries, threads that may spin."""
    kept = {name: os.environ[name] for name in _NEEDED if name in os.environ}
    return {**kept, **dict.fromkeys(_OFFLINE, "1"), "GOMP_SPINCOUNT": "10000", "PYTHONUNBUFFERED": "1"}
