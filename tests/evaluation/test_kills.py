"""The library is killed while it works, and loses nothing."""

from __future__ import annotations

import sys

import pytest

from desktop_rag.errors import UsageError
from desktop_rag.evaluation.kills import kills, lines
from desktop_rag.workers.crew import Workers


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
def test_twenty_kills_lose_nothing() -> None:
    *_, done = kills(Workers, 20, seed=7)
    assert done["kills"] == 20 == sum(done["phases"].values())
    assert {name: done[name] for name in ("lost", "half", "undone", "unequal")} == {
        "lost": 0,
        "half": 0,
        "undone": 0,
        "unequal": 0,
    }
    assert done["too_late"] < 10, "most kills must come in the middle"
    assert "✓ lost 0" in "\n".join(lines(done))


def test_no_kill_is_none() -> None:
    with pytest.raises(UsageError):
        next(kills(Workers, 0))


def test_a_loss_is_told() -> None:
    told = {"kills": 1, "seconds": 2.0, "phases": {"add": 1}, "too_late": 0, "usable_again_p50_s": 1.0}
    counts = {"lost": 1, "half": 0, "undone": 0, "unequal": 0, "usable_again_p95_s": 1.0}
    assert "✗ lost 1, half there 0" in "\n".join(lines({**told, **counts}))
