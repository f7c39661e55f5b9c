"""Ending an answer before a stop string, without ever showing the beginning of one."""

from __future__ import annotations

from collections.abc import Sequence


class StopStrings:
    """Holds back what might become a stop string, and ends the text before the first that does."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._tail = ""
        self.hit = False

    def add(self, text: str) -> str:
        """The text that can be shown by now."""
        if self.hit:
            return ""
        text = self._tail + text
        found = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:
            self.hit, self._tail = True, ""
            return text[: min(found)]
        held = max((_overlap(text, stop) for stop in self._stops), default=0)
        self._tail = text[len(text) - held :]
        return text[: len(text) - held]

    def end(self) -> str:
        """What was held back for nothing."""
        rest, self._tail = self._tail, ""
        return rest


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of `text` are the beginning of `stop`."""
    return next((n for n in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:n])), 0)
