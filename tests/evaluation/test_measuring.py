from __future__ import annotations

import os
from pathlib import Path

import pytest

from desktop_rag.errors import EngineError
from desktop_rag.evaluation.measuring import Watch, greedy, peak_rss_mb, watched
from tests.evaluation.scripted import ScriptedWorker


def test_a_stream_is_timed_without_being_changed() -> None:
    worker = ScriptedWorker({"complete": lambda **args: {"text": "one two three", "usage": {"prompt_tokens": 4}}})
    watch = watched(worker, "complete", **greedy("Count.", max_tokens=3))
    assert "".join(watch.text) == "one two three "
    assert (watch.events, watch.first_generated, watch.last_generated) == (3, 1, 3)
    assert watch.first is not None
    assert 0 <= watch.first <= watch.last <= watch.ended
    assert watch.usage["prompt_tokens"] == 4
    assert watch.decode_tps == pytest.approx(2 / watch.decode_seconds)


def test_too_little_text_has_no_speed() -> None:
    watch = Watch()
    list(watch.over([{"event": "token", "text": "one", "generated": 1}, {"event": "done"}]))
    with pytest.raises(EngineError, match="too little"):
        _ = watch.decode_tps


def test_an_answer_of_equal_length_ignores_its_end() -> None:
    assert greedy("Go on.", max_tokens=5, ignore_end=True)["sampling"] == {"temperature": 0.0, "ignore_end": True}
    assert "ignore_end" not in greedy("Go on.", max_tokens=5)["sampling"]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux keeps the peak there")
def test_the_peak_is_never_below_what_is_resident() -> None:
    peak = peak_rss_mb(os.getpid())
    assert peak is not None
    assert peak > 10
    assert peak_rss_mb(None) is None
    assert peak_rss_mb(2**22 + 1) is None
