"""A library of an earlier version is brought up to date wholly or not at all, and says so while it takes long."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from desktop_rag.retrieval.postings import Postings
from desktop_rag.store import connection
from desktop_rag.store.connection import open_database
from desktop_rag.store.migrations import MIGRATIONS
from tests.store.old_library import BEFORE, KEY, connect, make

_PASSAGES, _WORDS = 1500, 40


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("old") / "library.db"
    make(made, _PASSAGES, _WORDS)
    return made


@pytest.fixture
def path(old: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(old, tmp_path / "library.db"))


def whole(path: Path) -> None:
    """It is of this version and every passage has its words, both ways."""
    db = open_database(path, KEY)
    postings = Postings(db)
    assert db.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
    assert postings.agrees()
    assert postings.count() == _PASSAGES
    assert len(postings.read(["word1"])["word1"][0]) == _PASSAGES
    assert not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'postings'").fetchone()
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    db.close()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
def test_a_kill_leaves_the_old_version_or_the_new_one(old: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.store.old_library"]
    chance, versions = Random(5), set()
    for number in range(8):
        path = Path(shutil.copy(old, tmp_path / f"{number}.db"))
        with subprocess.Popen([*command, str(path)], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"begun\n"
            time.sleep(chance.uniform(0.02, 0.4))
            child.kill()
        db = connect(path)
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        has_old = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'postings'").fetchone()[0]
        assert has_old == (version == BEFORE), "half of a step"
        versions.add(version)
        db.close()
        whole(path)
    assert BEFORE in versions, "no kill came in the middle"


def test_signs_are_given_while_it_works_and_not_afterwards(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_SIGN_SECONDS", 0.0)
    monkeypatch.setattr(connection, "_INSTRUCTIONS", 1_000)
    signs: list[int] = []
    db = open_database(path, KEY, lambda: signs.append(1))
    assert signs
    before = len(signs)
    db.execute("SELECT count(*) FROM chunks a, chunks b").fetchone()
    assert len(signs) == before
    db.close()
    whole(path)
