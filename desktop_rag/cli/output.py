"""How the terminal face speaks: one JSON object or plain lines on stdout, progress on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, TextIO


class Output:
    """Where a command's result and its progress go."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def result(self, data: Mapping[str, Any], lines: list[str]) -> None:
        """The command's result: the object, or the lines for people."""
        _print(json.dumps(data, ensure_ascii=False) if self.as_json else "\n".join(lines), sys.stdout)

    def progress(self, event: Mapping[str, Any], line: str | None) -> None:
        """One event while the command works."""
        if self.as_json:
            _print(json.dumps({k: v for k, v in event.items() if k != "id"}, ensure_ascii=False), sys.stderr)
        elif line is not None:
            _print(line, sys.stderr)

    def write(self, text: str) -> None:
        """A piece of an answer as it comes; nothing in JSON mode."""
        if not self.as_json:
            sys.stdout.write(text)
            sys.stdout.flush()


def _print(text: str, stream: TextIO) -> None:
    # File names may hold lone surrogates, which no terminal takes.
    stream.write(text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n")
    stream.flush()
