"""The library's own convenient way to stream an answer, as most programs use it: the line to be at least as fast as.

Only the `bench` role imports it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from desktop_rag.engines.llama_backends import open_llama
from desktop_rag.errors import EngineError
from desktop_rag.evaluation.bare_loop import silence

_BREATH = 16


class HighLevel:
    """`llama_cpp.Llama` with its own defaults, but for the threads and the context, which are ours."""

    def __init__(self, path: Path, *, threads: int, context: int) -> None:
        llama_cpp = open_llama()

        silence(llama_cpp)
        self._llama = llama_cpp.Llama(
            str(path), n_ctx=context, n_threads=threads, n_threads_batch=threads, n_gpu_layers=0, verbose=False
        )
        # Creating it set the library's own log function again.
        silence(llama_cpp)

    def run(self, messages: Sequence[Mapping[str, str]], count: int) -> Iterator[dict[str, Any] | None]:
        """Stream `count` greedy tokens; yields None now and then.

        The last value is {generated, text, ttft_s, seconds, tok_s}.
        """
        self._llama.reset()
        begun = time.perf_counter()
        marks: list[float] = []
        text: list[str] = []
        reason = None
        with _endless():
            chunks: Any = self._llama.create_chat_completion(
                messages=[dict(message) for message in messages],
                temperature=0.0,
                max_tokens=count,
                stream=True,
            )
            for chunk in chunks:
                choice = chunk["choices"][0]
                reason = choice["finish_reason"] or reason
                if (content := choice["delta"].get("content")) is None:
                    continue
                marks.append(time.perf_counter())
                text.append(content)
                if len(marks) % _BREATH == 0:
                    yield None
        if reason != "length":
            raise EngineError("start_failed", "The answer ended before it was long enough to be measured.")
        seconds = marks[-1] - marks[0]
        yield {
            "generated": count,
            "text": "".join(text),
            "ttft_s": marks[0] - begun,
            "seconds": seconds,
            "tok_s": (count - 1) / seconds,
        }

    def close(self) -> None:
        """Free everything."""
        self._llama.close()


@contextmanager
def _endless() -> Iterator[None]:
    """Let the answer go on after its end, as long as it is measured.

    The class has no such switch, and banning the end tokens by `logit_bias` would cost it a copy of the
    logits for every token: it would be slowed down by our measuring it.
    """
    from llama_cpp import llama_cpp as low_level

    asked = low_level.llama_vocab_is_eog
    low_level.llama_vocab_is_eog = lambda vocab, token: False
    try:
        yield
    finally:
        low_level.llama_vocab_is_eog = asked
