"""What every engine offers: a chat template, a tokenizer, and a stream of pieces of text with honest timings.

Five adapters keep this protocol: llama.cpp, CTranslate2, GPT4All, Transformers and any
OpenAI-compatible URL. `desktop_rag.engines.registry` opens them by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from desktop_rag.engines.cancel import Cancellation

ChatMessage = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen; the defaults are greedy and switch every filter off.

    `temperature` 0 is greedy, then `seed` and the filters are without effect. `top_k` 0, `top_p` 1,
    `min_p` 0 and `repeat_penalty` 1 are off. An answer ends before the first of the `stop` strings.
    `grammar` is GBNF, `json_schema` a JSON schema; at most one of them is set. `ignore_end` goes on to
    `max_tokens` whatever the model says (and however it repeats itself), for measurements of equal length;
    GPT4All and servers at an address cannot, and end where the model does.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repeat_penalty: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    grammar: str | None = None
    json_schema: Mapping[str, Any] | None = None
    ignore_end: bool = False


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How a model is put into memory; None leaves the choice to the engine (calibrated where it was measured).

    `context` in tokens. `gpu_layers` -1 means all. `kv_type` is "f16", "q8_0" or "q4_0".
    `compute_type` is CTranslate2's, or a dtype's name for Transformers. `adapters` are LoRA files with their scale.
    `lookup` lets greedy answers copy from the prompt (prompt-lookup speculation); the text stays the same.
    Only llama.cpp has `threads_batch`, `micro_batch`, `flash_attention`, `kv_type` and `lookup`; elsewhere they
    are without effect. An engine that has no adapters, or not the device, says so instead.
    """

    context: int = 4096
    threads: int | None = None
    threads_batch: int | None = None
    micro_batch: int | None = None
    flash_attention: bool | None = None
    kv_type: str = "f16"
    gpu_layers: int = 0
    device: str | None = None
    compute_type: str | None = None
    adapters: tuple[tuple[str, float], ...] = ()
    lookup: bool = True


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What is loaded. Sizes in bytes; `context` and `kv_bytes` for the context actually allocated.

    `read_bytes` is what one decoded token reads of the weights (a lookup in an embedding table reads a
    row, not the table), `kv_token_bytes` what it adds to the KV memory and reads back for every token
    before it: with the bandwidth they give the roofline. None where an engine cannot know.
    `mapped` weights are the file itself, which the system may drop and read again; others are a copy.
    `options` names in a few words what a benchmark's reader must know, such as "Q4_1" or "int8".
    """

    engine: str
    model: str
    context: int
    weights_bytes: int
    kv_bytes: int
    threads: int
    options: str = ""
    architecture: str = ""
    device: str = "cpu"
    layers: int = 0
    gpu_layers: int = 0
    parameters: int | None = None
    read_bytes: int | None = None
    kv_token_bytes: int | None = None
    mapped: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model reads. `tokens` is empty where the engine keeps its tokenizer to itself (a URL).

    The first `keep` tokens (the system message) are never shifted out of the context.
    """

    messages: tuple[ChatMessage, ...] = ()
    text: str = ""
    tokens: tuple[int, ...] = field(default=(), repr=False)
    keep: int = 0

    def __len__(self) -> int:
        return len(self.tokens)


@dataclass(frozen=True, slots=True)
class Piece:
    """The text of one or more new tokens; `at` is seconds since the request, `generated` tokens so far."""

    text: str
    generated: int
    at: float


@dataclass(frozen=True, slots=True)
class Finish:
    """How a generation ended: `reason` is "end", "stop", "length", "loop" or "cancelled". Seconds since the request.

    Decode speed is (generated - 1) / (finished - first_token): prefill is not in it. `drafted` and
    `accepted` count the tokens that prompt lookup proposed and that the model agreed with; `shifted`
    those that fell out of a full context.
    """

    reason: str
    prompt_tokens: int
    reused_tokens: int
    generated_tokens: int
    first_token: float | None
    finished: float
    drafted: int = 0
    accepted: int = 0
    shifted: int = 0

    @property
    def decode_tps(self) -> float | None:
        """Tokens a second while decoding; None for fewer than two tokens."""
        if self.first_token is None or self.generated_tokens < 2 or self.finished <= self.first_token:
            return None
        return (self.generated_tokens - 1) / (self.finished - self.first_token)

    @property
    def prefill_tps(self) -> float | None:
        """Prompt tokens computed (not reused) a second until the first token."""
        if not self.first_token or not self.prompt_tokens:
            return None
        return (self.prompt_tokens - self.reused_tokens) / self.first_token


class Engine(Protocol):
    """One loaded model. Not thread-safe; `cancelled` may be set from any thread."""

    @property
    def info(self) -> EngineInfo:
        """What is loaded."""
        ...

    def render(self, messages: Sequence[ChatMessage]) -> Prompt:
        """The prompt after the model's own chat template. Raises ModelError("incompatible") when that refuses."""
        ...

    def count(self, text: str) -> int:
        """Tokens of a plain text (an estimate where the engine keeps its tokenizer to itself)."""
        ...

    def generate(
        self, prompt: Prompt, *, max_tokens: int, sampling: Sampling, cancelled: Cancellation
    ) -> Iterator[Piece | Finish]:
        """Pieces as they are decoded, then one Finish.

        Raises ModelError("context_too_long") when prompt and answer cannot fit, UsageError("not_available")
        for a grammar, schema or filter the engine does not have.
        """
        ...

    def close(self) -> None:
        """Free everything."""
        ...
