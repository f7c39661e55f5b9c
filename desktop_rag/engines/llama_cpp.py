"""The llama.cpp engine: a GGUF model, run by an own loop over llama-cpp-python's low-level API.

The high-level class re-detokenises the whole answer at every token, cannot stop inside a prefill and
runs on half the cores by default. Here logits are computed where they are looked at, the longest prefix
shared with the previous prompt stays in the KV memory, and a flag in memory ends a computation within
one graph node.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from desktop_rag.engines.adapters import set_adapters
from desktop_rag.engines.cancel import Cancellation
from desktop_rag.engines.llama_context import LlamaContext, Logits
from desktop_rag.engines.llama_library import LlamaModel
from desktop_rag.engines.llama_loop import Answer, Job
from desktop_rag.engines.llama_sampling import chooser, is_greedy
from desktop_rag.engines.lookup import Experience, PromptLookup
from desktop_rag.engines.protocol import ChatMessage, EngineInfo, Finish, LoadOptions, Piece, Prompt, Sampling
from desktop_rag.engines.stop_strings import StopStrings
from desktop_rag.engines.template import ChatTemplate, disarmed
from desktop_rag.errors import ModelError
from desktop_rag.models.facts import quantisation_of
from desktop_rag.models.shape import shape_of_gguf
from desktop_rag.offline import thread_budget


class LlamaCppEngine:
    """One GGUF file in memory. Raises ModelError when it cannot be loaded; nothing is left behind then."""

    def __init__(self, path: Path, options: LoadOptions) -> None:
        self._model = LlamaModel(path, options)
        self._context: LlamaContext | None = None
        try:
            self._template = ChatTemplate(
                self._model.meta("tokenizer.chat_template"),
                bos=self._model.text_of(self._model.bos),
                eos=self._model.text_of(self._model.eos),
            )
            self._control = self._model.control_words()
            self._context = LlamaContext(self._model, options, options.threads or thread_budget("chat"))
            if options.adapters:
                self.set_adapters(options.adapters)
            self._info = self._describe()
        except BaseException:
            self.close()
            raise
        self._lookup = options.lookup and not self._model.is_recurrent
        self._experience = Experience()

    @property
    def info(self) -> EngineInfo:
        """See Engine."""
        return self._info

    @property
    def model_pointer(self) -> Any:
        """The library's model, for those that measure it."""
        return self._model.pointer

    @property
    def context_pointer(self) -> Any:
        """The library's context."""
        return self._there.pointer

    @property
    def cached_tokens(self) -> tuple[int, ...]:
        """The tokens whose keys and values are in the KV memory."""
        return tuple(self._there.tokens)

    def render(self, messages: Sequence[ChatMessage]) -> Prompt:
        """See Engine."""
        safe = disarmed(messages, self._control)
        text = self._template.render(safe)
        tokens = self._model.tokenize(text, special=True)
        if self._model.adds_bos and tokens[:1] != [self._model.bos]:
            tokens.insert(0, self._model.bos)
        keep = self._count_in(tokens, len(self._template.head(safe).encode("utf-8", "replace")))
        return Prompt(tuple(messages), text, tuple(tokens), keep)

    def count(self, text: str) -> int:
        """See Engine."""
        return len(self._model.tokenize(text, special=False))

    def generate(
        self, prompt: Prompt, *, max_tokens: int, sampling: Sampling, cancelled: Cancellation
    ) -> Iterator[Piece | Finish]:
        """See Engine."""
        if not prompt.tokens or len(prompt) >= self._there.size:
            raise ModelError(
                "context_too_long",
                "The question and its passages do not fit the model's memory.",
                "Use fewer passages.",
            )
        lookup = PromptLookup(prompt.tokens, self._experience) if self._lookup and is_greedy(sampling) else None
        # A grammar has nothing left to say after its end.
        to_the_limit = sampling.ignore_end and sampling.grammar is None and sampling.json_schema is None
        stops = StopStrings(sampling.stop)
        job = Job(prompt, max_tokens, chooser(self._model, sampling), stops, cancelled, lookup, to_the_limit)
        yield from Answer(self._model, self._there, job).run()

    def snapshot(self, tokens: int) -> tuple[tuple[int, ...], bytes]:
        """The ids of the first `tokens` cached positions, and their keys and values as the library writes them."""
        return self._there.snapshot(tokens)

    def restore(self, tokens: Sequence[int], state: bytes) -> bool:
        """Put a snapshot into the KV memory for the next prompt to reuse.

        False when it does not fit this model or context; the memory is empty then.
        """
        return self._there.restore(tokens, state)

    def set_adapters(self, adapters: Sequence[tuple[str | Path, float]]) -> None:
        """Use exactly these LoRA files with these scales. Raises ModelError, UsageError (see engines.adapters)."""
        set_adapters(self._model.pointer, self._there.pointer, adapters)
        self._there.clear()

    def logits_of(self, tokens: Sequence[int]) -> Logits:
        """The logits (vocab,) after these tokens."""
        reused = self._there.keep_prefix(tokens)
        self._there.compute(tokens[reused:])
        return self._there.logits(-1).copy()

    def close(self) -> None:
        """See Engine."""
        if self._context is not None:
            self._context.close()
            self._context = None
        self._model.close()

    @property
    def _there(self) -> LlamaContext:
        assert self._context is not None, "the engine is closed"
        return self._context

    def _count_in(self, tokens: Sequence[int], size: int) -> int:
        """How many of the first tokens lie within the first `size` bytes."""
        length = 0
        for count, token in enumerate(tokens):
            length += self._model.length_of(token)
            if length > size:
                return count
        return len(tokens) - 1

    def _describe(self) -> EngineInfo:
        model, context = self._model, self._there
        per_token = context.kv_token_bytes()
        shape = shape_of_gguf(model.header)
        return EngineInfo(
            engine="llama.cpp",
            model=model.path.stem,
            context=context.size,
            weights_bytes=int(model.c.llama_model_size(model.pointer)),
            kv_bytes=per_token * context.size,
            threads=context.threads,
            options=quantisation_of(model.header),
            architecture=model.header.architecture,
            device=model.placement.device,
            layers=model.placement.layers,
            gpu_layers=model.placement.gpu_layers,
            parameters=int(model.c.llama_model_n_params(model.pointer)),
            read_bytes=shape.read_bytes,
            kv_token_bytes=per_token,
            mapped=model.mapped,
        )
