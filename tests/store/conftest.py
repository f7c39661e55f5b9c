"""An encrypted database in a folder of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import keyring
import pytest

from desktop_rag.store import passphrase
from desktop_rag.store.connection import open_database
from desktop_rag.store.key import Key
from tests.store.rings import Ring

if TYPE_CHECKING:
    from pathlib import Path

KEY = Key(bytes(range(32)), "file")

Open = Callable[..., Any]


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passphrases that cost next to nothing, where what they cost is not what is tested."""
    monkeypatch.setattr(passphrase, "_COST", {"memory_kib": 64, "iterations": 1, "lanes": 1})


@pytest.fixture
def ring() -> Iterator[Ring]:
    before = keyring.get_keyring()
    made = Ring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "library.db"


@pytest.fixture
def connect(path: Path) -> Iterator[Open]:
    """Opens the database, by default with the right key."""
    opened: list[Any] = []

    def connect(key: Key = KEY) -> Any:
        opened.append(open_database(path, key))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture
def db(connect: Open) -> Any:
    return connect()
