"""What every engine offers: a chat template, a tokenizer, and a stream of pieces of text with honest timings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Protocol

ChatMessage = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What is loaded. Sizes in bytes; `context` and KV size for the context actually allocated."""

    engine: str
    model: str
    context: int
    weights_bytes: int
    kv_bytes: int
    threads: int


@dataclass(frozen=True, slots=True)
class Piece:
    """The text of one or more new tokens; `at` is seconds since the request, `generated` tokens so far."""

    text: str
    generated: int
    at: float


@dataclass(frozen=True, slots=True)
class Finish:
    """How a generation ended: `reason` is "end", "length", "loop" or "cancelled". Times in seconds since the request.

    Decode speed is (generated - 1) / (finished - first_token): prefill is not in it.
    """

    reason: str
    prompt_tokens: int
    reused_tokens: int
    generated_tokens: int
    first_token: float | None
    finished: float

    @property
    def decode_tps(self) -> float | None:
        """Tokens a second while decoding; None for fewer than two tokens."""
        if self.first_token is None or self.generated_tokens < 2 or self.finished <= self.first_token:
            return None
        return (self.generated_tokens - 1) / (self.finished - self.first_token)

    @property
    def prefill_tps(self) -> float | None:
        """Prompt tokens computed (not reused) a second until the first token."""
        if not self.first_token:
            return None
        return (self.prompt_tokens - self.reused_tokens) / self.first_token


class Engine(Protocol):
    """One loaded model. Not thread-safe; `cancelled` may be set from any thread."""

    @property
    def info(self) -> EngineInfo:
        """What is loaded."""
        ...

    def render(self, messages: Sequence[ChatMessage]) -> list[int]:
        """The prompt's token ids after the model's own chat template."""
        ...

    def count(self, text: str) -> int:
        """Tokens of a plain text."""
        ...

    def generate(
        self, prompt: Sequence[int], *, max_tokens: int, temperature: float, seed: int, cancelled: Event
    ) -> Iterator[Piece | Finish]:
        """Pieces as they are decoded, then one Finish.

        Raises ModelError("context_too_long") when prompt and answer cannot fit.
        """
        ...

    def close(self) -> None:
        """Free everything."""
        ...
