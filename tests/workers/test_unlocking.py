"""The library's process, locked and unlocked: what it answers meanwhile, and that no passphrase is left anywhere."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from desktop_rag import paths
from desktop_rag.errors import StoreError, UsageError
from desktop_rag.store.key import load_key, make_key
from desktop_rag.store.lock import acquire
from desktop_rag.workers.client import WorkerClient
from desktop_rag.workers.crew import Workers

pytestmark = pytest.mark.slow

OWN, OTHER = "correct horse battery", "staple of another field"
Open = Callable[..., WorkerClient]


@pytest.fixture
def library() -> Iterator[Open]:
    """Starts the library's process on the test's data directory, opening "now", "ask" or "later"."""
    crews: list[Workers] = []

    def start(opening: str = "now") -> WorkerClient:
        crews.append(Workers(paths.data_dir(), opening=opening))
        return crews[-1].library

    yield start
    for crew in crews:
        crew.close()


@pytest.fixture
def locked() -> None:
    """A library behind a passphrase."""
    make_key(paths.data_dir(), "passphrase", OWN.encode())


def refused(worker: WorkerClient, op: str, **args: object) -> StoreError:
    with pytest.raises(StoreError) as caught:
        worker.call(op, **args)
    assert caught.value.code == "wrong_key"
    assert caught.value.hint
    return caught.value


def written() -> bytes:
    """Every byte in the folders the application writes to."""
    root = paths.data_dir().parent
    return b"".join(path.read_bytes() for path in root.rglob("*") if path.is_file())


def test_nothing_is_answered_before_the_passphrase_and_nothing_of_it_is_written(locked: None, library: Open) -> None:
    worker = library("ask")
    for op in ("collections", "doctor", "documents"):
        assert refused(worker, op).details == {"unlock": "passphrase"}
    with acquire(paths.data_dir()):
        pass  # a locked library is nobody's
    process = worker.pid
    assert refused(worker, "unlock", passphrase=OTHER).details["wrong"] is True
    told = worker.call("key")
    assert (told["key"], told["open"], told["keyring"]) == ("passphrase", False, False)
    assert worker.call("unlock", passphrase=OWN)["key"] == "passphrase"
    assert worker.pid == process, "a wrong passphrase costs no process"
    assert worker.call("collections")["collections"]
    assert worker.call("doctor")["key"] == "passphrase"
    with pytest.raises(StoreError), acquire(paths.data_dir()):
        pass
    content = written()
    for secret in (OWN, OTHER):
        for code in ("utf-8", "utf-16-le", "utf-32-le"):
            assert secret.encode(code) not in content
    assert load_key(paths.data_dir(), OWN.encode()).raw not in content
    log = (paths.data_dir() / "logs" / "library.log").read_text()
    assert "unlock wrong_key" in log
    assert "unlock done" in log


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_process_that_died_is_locked_again(locked: None, library: Open) -> None:
    worker = library("ask")
    worker.call("unlock", passphrase=OWN)
    process = worker.pid
    assert process is not None
    os.kill(process, signal.SIGKILL)
    assert worker._process is not None
    worker._process.ended.wait(5)
    refused(worker, "collections")
    assert worker.call("unlock", passphrase=OWN)["key"] == "passphrase"


def test_a_new_library_waits_for_its_owners_word(library: Open) -> None:
    worker = library("ask")
    assert refused(worker, "collections").details == {"unlock": "choose"}
    assert worker.call("key")["key"] is None
    with pytest.raises(UsageError):
        worker.call("unlock", keeper="passphrase", passphrase="short")
    assert not (paths.data_dir() / "library.db").exists()
    assert worker.call("unlock", keeper="passphrase", passphrase=OWN)["key"] == "passphrase"
    assert worker.call("collections")["collections"]


def test_a_new_library_in_a_script_is_made_without_asking(library: Open) -> None:
    worker = library()
    assert worker.call("collections")["collections"]
    assert worker.call("doctor")["key"] == "file"


def test_told_to_wait_it_opens_and_makes_nothing(library: Open) -> None:
    worker = library("later")
    refused(worker, "collections")
    assert worker.call("key")["open"] is False
    assert not (paths.data_dir() / "store.json").exists()


def test_only_who_knows_the_passphrase_changes_it(locked: None, library: Open) -> None:
    worker = library("ask")
    worker.call("unlock", passphrase=OWN)
    for present in (None, OTHER):
        refused(worker, "key_change", keeper="passphrase", passphrase=OTHER, present=present)
        refused(worker, "key_change", keeper="file", present=present)
    with pytest.raises(UsageError):
        worker.call("key_change", keeper="passphrase", passphrase="short", present=OWN)
    with pytest.raises(UsageError):
        worker.call("key_change", keeper="friend", present=OWN)
    assert load_key(paths.data_dir(), OWN.encode()).protection == "passphrase"
    assert worker.call("key_change", keeper="passphrase", passphrase=OTHER, present=OWN)["key"] == "passphrase"
    with pytest.raises(StoreError):
        load_key(paths.data_dir(), OWN.encode())
    assert worker.call("collections")["collections"], "the open library does not mind"
    assert worker.call("key_change", keeper="file", present=OTHER)["key"] == "file"
    assert worker.call("doctor")["key"] == "file"


def test_a_backup_is_restored_where_there_is_no_library_and_nowhere_else(
    locked: None, library: Open, tmp_path: Path
) -> None:
    worker = library("ask")
    worker.call("unlock", passphrase=OWN)
    worker.call("collection_create", name="Rents", policy="mask")
    target = tmp_path / "b.zip"
    events = list(worker.stream("key_backup", file=str(target), passphrase=OTHER))
    assert {event["step"] for event in events[:-1]} <= {"copying", "checking", "packing"}
    assert events[-1]["bytes"] == target.stat().st_size
    with pytest.raises(UsageError):
        worker.call("key_backup", file=str(target), passphrase=OTHER)
    worker.call("key_backup", file=str(target), passphrase=OTHER, replace=True)
    with pytest.raises(StoreError):
        worker.call("key_restore", file=str(target), passphrase=OTHER)
    elsewhere = Workers(paths.private_dir(tmp_path / "elsewhere"), opening="later")
    try:
        refused(elsewhere.library, "key_restore", file=str(target), passphrase=OWN)
        elsewhere.library.call("key_restore", file=str(target), passphrase=OTHER)
        refused(elsewhere.library, "collections")
        elsewhere.library.call("unlock", passphrase=OTHER)
        assert "Rents" in [row["name"] for row in elsewhere.library.call("collections")["collections"]]
    finally:
        elsewhere.close()


def test_who_lost_the_passphrase_begins_anew_and_keeps_the_old_one(locked: None, library: Open) -> None:
    worker = library("ask")
    worker.call("unlock", passphrase=OWN)
    with pytest.raises(UsageError):
        worker.call("key_set_aside")
    worker.close()
    worker = library("ask")
    folder = Path(worker.call("key_set_aside")["folder"])
    assert refused(worker, "unlock").details == {"unlock": "choose"}
    worker.call("unlock", keeper="file")
    assert worker.call("collections")["collections"]
    assert load_key(folder, OWN.encode()).protection == "passphrase"
