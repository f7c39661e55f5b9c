"""The key moves from any keeper to any other, and is never lost on the way, whenever the power goes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import pytest

from desktop_rag import paths
from desktop_rag.errors import StoreError, UsageError
from desktop_rag.store import keepers, key, key_record
from desktop_rag.store.key import Key, change_keeper, load_key, make_key, settle

if TYPE_CHECKING:
    from desktop_rag.store.key_record import Protection
    from tests.store.rings import Ring

pytestmark = pytest.mark.usefixtures("cheap")

KEEPERS = ("keyring", "passphrase", "file")
WAYS = list(itertools.product(KEEPERS, KEEPERS))
OLD, NEW = b"correct horse", b"battery staple"
STEPS = [(keepers, name) for name in ("keyring_put", "keyring_drop", "file_put", "file_drop")]


class Killed(BaseException):
    """The process is gone: no handler of ours catches it."""


def opened() -> Key:
    """The library's key by whatever passphrase holds, with what a kill has left cleared away."""
    for passphrase in (NEW, OLD):
        try:
            found = load_key(paths.data_dir(), passphrase)
        except StoreError:
            continue
        settle(paths.data_dir(), found, passphrase)
        return found
    raise AssertionError("neither passphrase opens the library")


def lying_about(ring: Ring) -> int:
    """How many keys lie in the open."""
    return len(ring.held) + len(list(paths.config_dir().rglob("*.key")))


def made(keeper: str) -> Key:
    return make_key(paths.data_dir(), cast("Protection", keeper), OLD)


def change(key: Key, keeper: str) -> Key:
    return change_keeper(paths.data_dir(), key, cast("Protection", keeper), NEW)


@pytest.mark.parametrize(("before", "after"), WAYS)
def test_from_any_keeper_to_any_other(ring: Ring, before: str, after: str) -> None:
    first = made(before)
    changed = change(first, after)
    assert (changed.raw, changed.protection) == (first.raw, after)
    found = opened()
    assert (found.raw, found.protection) == (first.raw, after)
    assert lying_about(ring) == (after != "passphrase")
    assert "stale" not in json.loads((paths.data_dir() / "store.json").read_text())
    if after == "passphrase":
        with pytest.raises(StoreError):
            load_key(paths.data_dir(), OLD)


def start_anew(ring: Ring) -> None:
    """No library, and no key of one."""
    ring.held.clear()
    for path in [paths.data_dir() / "store.json", *paths.config_dir().rglob("*.key")]:
        path.unlink(missing_ok=True)


def kill_at(patch: pytest.MonkeyPatch, place: int) -> None:
    """Let the process die before or after the `place`-th half of a step that touches the disk or the keyring."""
    halves = itertools.count()

    def dying(step: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            if next(halves) == place:
                raise Killed
            result = step(*args)
            if next(halves) == place:
                raise Killed
            return result

        return call

    for module, name in [*STEPS, (key_record, "write")]:
        patch.setattr(module, name, dying(getattr(module, name)))


@pytest.mark.parametrize(("before", "after"), WAYS)
def test_a_kill_anywhere_leaves_a_library_that_opens_and_no_key_too_many(ring: Ring, before: str, after: str) -> None:
    for place in itertools.count():
        start_anew(ring)
        first = made(before)
        with pytest.MonkeyPatch.context() as patch:
            kill_at(patch, place)
            try:
                change(first, after)
                ended = True
            except Killed:
                ended = False
        found = opened()
        assert found.raw == first.raw, f"lost at {place}"
        assert lying_about(ring) == (found.protection != "passphrase"), f"too many keys after {place}"
        if ended:
            break
    assert found.protection == after
    assert place >= 6, "it was killed too seldom to say anything"


def test_a_keyring_that_keeps_nothing_is_refused_and_the_old_keeper_stays() -> None:
    # The test run's own back end accepts everything and returns nothing.
    first = made("file")
    with pytest.raises(UsageError) as caught:
        change(first, "keyring")
    assert caught.value.code == "not_available"
    assert opened() == first
    assert "stale" not in json.loads((paths.data_dir() / "store.json").read_text())


def test_a_passphrase_is_needed_for_one() -> None:
    first = made("file")
    with pytest.raises(UsageError):
        change_keeper(paths.data_dir(), first, "passphrase", b"")
    assert opened() == first


def test_a_locked_keyring_is_asked_to_forget_again_later(ring: Ring) -> None:
    first = made("keyring")
    ring.locked = True
    change(first, "passphrase")
    assert lying_about(ring) == 1
    assert opened().raw == first.raw
    ring.locked = False
    assert opened().raw == first.raw
    assert lying_about(ring) == 0


def test_a_new_passphrase_that_would_not_open_is_noticed_before_the_old_one_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = made("passphrase")
    with monkeypatch.context() as patch:
        patch.setattr(key, "unwrap", lambda wrapped, passphrase: bytes(32))
        with pytest.raises(StoreError):
            change(first, "passphrase")
    assert opened() == first


def test_a_full_disk_leaves_everything_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    first = made("passphrase")

    def full(*_: Any) -> bool:
        raise StoreError("disk_full", "The disk is full.", "Free some space.")

    with monkeypatch.context() as patch:
        patch.setattr(keepers, "file_put", full)
        with pytest.raises(StoreError) as caught:
            change(first, "file")
    assert caught.value.code == "disk_full"
    assert opened() == first
