"""Where indexing is measured: a data directory, a configuration and workers of its own, gone afterwards."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from desktop_rag.evaluation.rounds import Round
from desktop_rag.evaluation.team import Event, Worker
from desktop_rag.scratch import scratch

Found = Generator[Event, None, dict[str, list[Round]]]
# The key of a data directory that lives for minutes belongs into no keyring and under nobody's passphrase.
_ENVIRONMENT = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", "DESKTOP_RAG_PASSPHRASE_FILE": None}


class Crew(Protocol):
    """The workers of one data directory (`desktop_rag.workers.crew.Workers`)."""

    @property
    def library(self) -> Worker:
        """The process that indexes; it starts with its first request."""
        ...

    def fresh(self, role: str) -> Worker:
        """A new process of a role; whoever asks closes it."""
        ...

    def close(self) -> None:
        """End every process."""
        ...


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured; the promises are about these sizes."""

    pages: int = 500
    files: int = 10_000
    scans: int = 4
    documents: int = 2_000
    settled: int = 200
    """Documents after which caches count as warm."""
    characters: int = 150_000
    page: int = 100_000
    """Characters of the shorter page; the longer one has ten times as many."""
    taken_in: int = 200


@dataclass(frozen=True, slots=True)
class Place:
    """A folder for files and the workers of the data directory beside them."""

    folder: Path
    crew: Crew
    sizes: Sizes


@contextmanager
def place(hire: Callable[[Path], Crew], sizes: Sizes) -> Iterator[Place]:
    """A place for one measurement; `hire` gives the workers of a data directory."""
    with scratch("bench") as root, kept_place(hire, root, sizes) as own:
        yield own


@contextmanager
def kept_place(hire: Callable[[Path], Crew], root: Path, sizes: Sizes) -> Iterator[Place]:
    """Such a place in a folder that stays, with what was in it."""
    for part in ("files", "data"):
        (root / part).mkdir(mode=0o700, exist_ok=True)
    own = {**_ENVIRONMENT, "DESKTOP_RAG_CONFIG_DIR": str(root / "config")}
    with _environment(own), closing(hire(root / "data")) as crew:
        yield Place(root / "files", crew, sizes)


@contextmanager
def _environment(changes: dict[str, str | None]) -> Iterator[None]:
    """The workers inherit the environment."""
    before = {name: os.environ.get(name) for name in changes}
    _set(changes)
    try:
        yield
    finally:
        _set(before)


def _set(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
