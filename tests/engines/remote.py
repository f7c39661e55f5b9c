"""An engine behind the address of a server that misbehaves, and what it says when it fails."""

from __future__ import annotations

from typing import Any

import pytest

from desktop_rag.engines.cancel import Cancellation
from desktop_rag.engines.openai_engine import Patience
from desktop_rag.engines.openai_http import OpenAiEngine
from desktop_rag.engines.protocol import Piece, Sampling
from desktop_rag.errors import DesktopRagError
from tests.engines.contract import GREEDY, QUESTION

KEY = "sk-sentinel-4711"
# Long enough for a busy machine to answer at all, short enough for a test to wait for.
IMPATIENT = Patience(connect=5.0, silence=0.5)


def opened(url: str, **more: Any) -> OpenAiEngine:
    """With the key, and little patience."""
    return OpenAiEngine(url, key=KEY, patience=IMPATIENT, **more)


def failure(url: str, sampling: Sampling = GREEDY) -> tuple[list[Piece], DesktopRagError]:
    """What was said before the error, and the error; the key is never in it."""
    pieces: list[Piece] = []
    engine = opened(url)
    items = engine.generate(engine.render(QUESTION), max_tokens=9, sampling=sampling, cancelled=Cancellation())
    with pytest.raises(DesktopRagError) as caught:
        pieces.extend(item for item in items if isinstance(item, Piece))
    assert KEY not in str(caught.value.to_payload())
    assert caught.value.message.endswith(".")
    assert caught.value.hint
    return pieces, caught.value
