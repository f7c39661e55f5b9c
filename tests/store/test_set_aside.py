"""A library nobody can unlock is moved beside whole, never deleted, and a new one can begin in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from desktop_rag import paths
from desktop_rag.store.collections import Collections
from desktop_rag.store.connection import open_database
from desktop_rag.store.key import load_key, make_key
from desktop_rag.store.set_aside import set_aside

pytestmark = pytest.mark.usefixtures("cheap")

OWN = b"correct horse"


class Killed(BaseException):
    """The process is gone: no handler of ours catches it."""


@pytest.fixture
def locked() -> Path:
    """A data directory whose passphrase is lost, for now."""
    data_dir = paths.data_dir()
    db = open_database(data_dir / "library.db", make_key(data_dir, "passphrase", OWN))
    Collections(db).create("Rents", "mask", True)
    db.close()
    (data_dir / "library.db.before-2").write_bytes(b"older")
    (data_dir / "settings.json").write_text("{}")
    for folder in ("chroma", "kv", "models"):
        (data_dir / folder).mkdir()
        (data_dir / folder / "file").write_bytes(b"content")
    return data_dir


def check(data_dir: Path, aside: Path) -> None:
    assert sorted(path.name for path in data_dir.iterdir()) == ["models", "settings.json"]
    assert sorted(path.name for path in aside.iterdir()) == sorted(
        ["chroma", "kv", "library.db", "library.db.before-2", "store.json"]
    )
    db = open_database(aside / "library.db", load_key(aside, OWN))
    assert [row["name"] for row in Collections(db).all()] == ["Rents"]
    db.close()


def test_it_stays_whole_beside_and_opens_there(locked: Path) -> None:
    aside = set_aside(locked)
    assert aside.parent == locked.parent
    check(locked, aside)
    assert load_key(locked).made


def test_after_a_kill_it_goes_on_where_it_was(locked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, moved = Path.rename, []

    def dying(self: Path, target: Path) -> Any:
        if len(moved) == 3:
            raise Killed
        moved.append(self.name)
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", dying)
        with pytest.raises(Killed):
            set_aside(locked)
    assert (locked / "store.json").exists()
    check(locked, set_aside(locked))
