"""How the terminal face speaks: one JSON object or plain lines on stdout, progress on stderr."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Mapping
from typing import Any, TextIO

_SHARE = re.compile(r" \d+ %$")
# What steers a terminal or turns and hides text: documents, models and file names must do neither.
_STEERING = dict.fromkeys(
    [*range(9), *range(11, 32), *range(127, 160), 0x202D, 0x202E, *range(0xE0000, 0xE0080)], "\ufffd"
)


class Output:
    """Where a command's result and its progress go."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self._moving = ""
        self._step = ""

    def result(self, data: Mapping[str, Any], lines: list[str]) -> None:
        """The command's result: the object, or the lines for people."""
        self.settle()
        _print(json.dumps(data, ensure_ascii=False) if self.as_json else _inert("\n".join(lines)), sys.stdout)

    def progress(self, event: Mapping[str, Any], line: str | None) -> None:
        """One event while the command works; a line that ends in "40 %" moves on in its place, or is told once."""
        if self.as_json:
            _print(json.dumps({k: v for k, v in event.items() if k != "id"}, ensure_ascii=False), sys.stderr)
        elif line is not None and _SHARE.search(line):
            self._move(_inert(line))
        elif line is not None:
            self.settle()
            _print(_inert(line), sys.stderr)

    def write(self, text: str) -> None:
        """A piece of an answer as it comes; nothing in JSON mode."""
        self.settle()
        if not self.as_json:
            sys.stdout.write(_inert(text))
            sys.stdout.flush()

    def settle(self) -> None:
        """Take a line that moves off the terminal: something that stays comes next."""
        if self._moving:
            sys.stderr.write(f"\r{' ' * len(self._moving)}\r")
            sys.stderr.flush()
        self._moving = ""

    def _move(self, line: str) -> None:
        if sys.stderr.isatty():
            shown = line[: shutil.get_terminal_size().columns - 1]
            sys.stderr.write(f"\r{shown:<{len(self._moving)}}")
            sys.stderr.flush()
            self._moving = shown
        elif (step := _SHARE.sub("", line)) != self._step:
            # In a file or a pipe nothing can be overwritten: each step is one line.
            self._step = step
            _print(f"{step} …", sys.stderr)


def counted(number: int, one: str) -> str:
    """ "1 passage", "3 passages", "1,203 passages"."""
    return f"{number:,} {one if number == 1 else one + 's'}"


def _inert(text: str) -> str:
    return text.translate(_STEERING)


def _print(text: str, stream: TextIO) -> None:
    # File names may hold lone surrogates, which no terminal takes.
    stream.write(text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n")
    stream.flush()
