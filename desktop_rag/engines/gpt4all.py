"""GPT4All 2.8.2: its own build of llama.cpp of July 2024, driven through its C interface.

The Python class around it would look for models in the network, wraps every prompt into a template of
its own and forgets its cache between calls. Here the prompt is rendered by the model's own template
and given as it is, what the cache already holds is not computed again, and both callbacks can stop
the work. What the library cannot do stays so: draws take no seed, an answer also ends at one of its
built-in stop strings ("### Human" and the like) and at its end whatever `ignore_end` says, and Cancel
waits for the 128 prompt tokens in hand.
"""

from __future__ import annotations

import ctypes
import queue
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from desktop_rag.engines.cancel import Cancellation
from desktop_rag.engines.gpt4all_vocabulary import Vocabulary
from desktop_rag.engines.pieces import LoopWatch, TextStream
from desktop_rag.engines.protocol import ChatMessage, EngineInfo, Finish, LoadOptions, Piece, Prompt, Sampling
from desktop_rag.engines.stop_strings import StopStrings
from desktop_rag.engines.template import disarmed
from desktop_rag.errors import EngineError, ModelError, UsageError
from desktop_rag.models.footprint import kv_token_bytes
from desktop_rag.models.gpt4all_copy import can_copy, refusal
from desktop_rag.models.inspect import GgufInfo, inspect
from desktop_rag.models.shape import shape_of_gguf

# llmodel.h, LLMODEL_MAX_PROMPT_BATCH; the binding's default of 8 makes a prefill crawl.
_BATCH = 128
_REPEAT_WINDOW = 64
# The library refuses a prompt that leaves fewer tokens than this.
_LEAST_ROOM = 4
# Neither "%1" alone, after which it computes two line breaks of its own, nor a template of its choice.
_AS_IT_IS = b"%1%2"
_STEPS_BACK = 8
_LOOK_SECONDS = 0.05
_BACKEND = "cpu" if sys.platform == "darwin" else "kompute"


class Gpt4AllEngine:
    """One GGUF file in GPT4All's library, on the processor. Raises ModelError when it cannot be loaded."""

    def __init__(self, path: Path, options: LoadOptions) -> None:
        info = inspect(path)
        _check(info, options)
        self._vocabulary = Vocabulary(path)
        self._template = self._vocabulary.template()
        context = min(options.context, info.context or options.context)
        try:
            self._library, self._model = _load(path, context)
        except ModelError:
            self._vocabulary.close()
            raise
        if options.threads:
            self._model.set_thread_count(options.threads)
        self._cached: tuple[int, ...] = ()
        self._run: _Run | None = None
        self._info = _info(info, context, int(self._model.thread_count()))

    @property
    def info(self) -> EngineInfo:
        """See Engine."""
        return self._info

    def render(self, messages: Sequence[ChatMessage]) -> Prompt:
        """See Engine."""
        safe = disarmed(messages, self._vocabulary.control)
        text = self._template.render(safe)
        tokens = self._tokens(text)
        keep = _shared(tokens, self._tokens(self._template.head(safe)))
        return Prompt(messages=tuple(messages), text=text, tokens=tokens, keep=keep)

    def count(self, text: str) -> int:
        """See Engine."""
        return len(self._vocabulary.tokenize(text, special=False))

    def generate(
        self, prompt: Prompt, *, max_tokens: int, sampling: Sampling, cancelled: Cancellation
    ) -> Iterator[Piece | Finish]:
        """See Engine. A draw cannot be repeated: the library takes no seed."""
        start = time.perf_counter()
        self._settle()
        if sampling.grammar is not None or sampling.json_schema is not None:
            raise UsageError("not_available", "GPT4All follows no grammar.", "Use llama.cpp.")
        room = self._info.context - len(prompt)
        if room < _LEAST_ROOM:
            raise ModelError(
                "context_too_long",
                "The question and its passages do not fit the model's memory.",
                "Use fewer passages.",
            )
        if cancelled.is_set():
            yield Finish("cancelled", len(prompt), 0, 0, None, time.perf_counter() - start)
            return
        limit = min(max_tokens, room)
        reused, text = self._rest(prompt)
        run = self._begin(text, reused, limit, sampling, cancelled)
        shown = _Shown(self._vocabulary, sampling.stop)
        reason = None
        try:
            for token, moment in run.tokens(cancelled):
                at = moment - start
                if self._vocabulary.ends(token):
                    reason = "end"
                elif new := shown.add(token, at):
                    yield Piece(new, shown.generated, at)
                reason = reason or shown.ended
                if reason or cancelled.is_set():
                    break
        finally:
            self._settle(run)
        if reason is None and not cancelled.is_set():
            reason = "length" if shown.generated >= limit else "end"
        if rest := shown.rest():
            yield Piece(rest, shown.generated, time.perf_counter() - start)
        computed = reused + len(run.prompt)
        finished = time.perf_counter() - start
        yield Finish(reason or "cancelled", computed, reused, shown.generated, shown.first, finished)

    def close(self) -> None:
        """See Engine."""
        self._settle()
        self._model.close()
        self._vocabulary.close()

    def _tokens(self, text: str) -> tuple[int, ...]:
        """As GPT4All makes them: it adds the token that begins a text itself where the model wants one."""
        tokens = self._vocabulary.tokenize(text, special=True)
        bos = (self._vocabulary.bos,)
        return bos + tokens if self._vocabulary.adds_bos and tokens[:1] != bos else tokens

    def _rest(self, prompt: Prompt) -> tuple[int, str]:
        """How many tokens the cache holds already, and the text that is left to compute.

        The library takes text, so the cut must lie where the rest alone splits into the same tokens.
        """
        tokens = prompt.tokens
        shared = min(_shared(tokens, self._cached), len(tokens) - 1)
        control = next((at for at in range(shared, 0, -1) if self._vocabulary.is_control(tokens[at])), 0)
        for at in (*range(shared, max(0, shared - _STEPS_BACK), -1), control):
            rest = self._vocabulary.joined(tokens[at:])
            if at and self._vocabulary.tokenize(rest, special=True) == tokens[at:]:
                return at, rest
        whole = prompt.text or self._vocabulary.joined(tokens)
        begins = self._vocabulary.text(self._vocabulary.bos) if self._vocabulary.adds_bos else ""
        return 0, whole.removeprefix(begins)

    def _begin(self, text: str, reused: int, limit: int, sampling: Sampling, cancelled: Cancellation) -> _Run:
        greedy = sampling.temperature <= 0
        self._model._set_context(
            n_predict=limit,
            top_k=1 if greedy else sampling.top_k,
            top_p=1.0 if greedy else sampling.top_p,
            min_p=0.0 if greedy else sampling.min_p,
            temp=sampling.temperature,
            n_batch=_BATCH,
            repeat_penalty=1.0 if greedy else sampling.repeat_penalty,
            repeat_last_n=_REPEAT_WINDOW,
        )
        self._model.context.n_past = reused
        self._run = _Run(self._library, self._model, text, cancelled)
        return self._run

    def _settle(self, run: _Run | None = None) -> None:
        """Wait until an answer (the last one by default) computes no more; an older one no longer matters."""
        if self._run is not None and run in (None, self._run):
            self._cached = self._run.end()
            self._run = None


class _Run:
    """One call of the library, which blocks until its answer is whole, in a thread of its own."""

    def __init__(self, library: Any, model: Any, text: str, cancelled: Cancellation) -> None:
        self._library = library
        self._model = model
        self._text = text.encode("utf-8", "replace")
        self._cancelled = cancelled
        self._stopped = threading.Event()
        self._inbox: queue.SimpleQueue[tuple[int, float] | None] = queue.SimpleQueue()
        self._failed = False
        self._kept: tuple[int, ...] | None = None
        self.prompt: list[int] = []
        self._thread = threading.Thread(target=self._call, name="gpt4all", daemon=True)
        self._thread.start()

    def tokens(self, cancelled: Cancellation) -> Iterator[tuple[int, float]]:
        """The answer's tokens with the moment they came; ends with the answer or when it is cancelled.

        Raises EngineError("crashed") when the library failed.
        """
        while not cancelled.is_set():
            try:
                item = self._inbox.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                continue
            if item is None:
                if self._failed:
                    raise EngineError("crashed", "GPT4All could not compute the answer.", "Try again.", retryable=True)
                return
            yield item

    def end(self) -> tuple[int, ...]:
        """Stop after the step in hand; the tokens that are in the library's cache by then."""
        self._stopped.set()
        self._thread.join()
        if self._kept is None:
            context = self._model.context
            held = min(int(context.n_past), int(context.tokens_size))
            self._kept = () if self._failed else tuple(context.tokens[:held])
        return self._kept

    def _call(self) -> None:
        library = self._library
        library.llmodel.llmodel_prompt(
            self._model.model,
            self._text,
            _AS_IT_IS,
            library.PromptCallback(self._on_prompt),
            library.ResponseCallback(self._on_answer),
            False,
            self._model.context,
            True,
            ctypes.c_char_p(),
        )
        self._inbox.put(None)

    def _on_prompt(self, token: int) -> bool:
        self.prompt.append(token)
        return not (self._stopped.is_set() or self._cancelled.is_set())

    def _on_answer(self, token: int, _piece: bytes) -> bool:
        if token < 0:
            self._failed = True
            return False
        self._inbox.put((token, time.perf_counter()))
        return not (self._stopped.is_set() or self._cancelled.is_set())


class _Shown:
    """What of an answer is shown: whole characters, nothing of a stop string, no circles."""

    def __init__(self, vocabulary: Vocabulary, stop: Sequence[str]) -> None:
        self._vocabulary = vocabulary
        self._stream = TextStream()
        self._stops = StopStrings(stop)
        self._circles = LoopWatch()
        self.generated = 0
        self.first: float | None = None
        self.ended: str | None = None

    def add(self, token: int, at: float) -> str:
        """The text a token brings to light, `at` seconds since the request."""
        self.first = at if self.first is None else self.first
        self.generated += 1
        new = self._stops.add(self._stream.add(self._vocabulary.piece(token)))
        if self._stops.hit:
            self.ended = "stop"
        elif self._circles.add(token):
            self.ended = "loop"
        return new

    def rest(self) -> str:
        """What was held back for nothing."""
        return "" if self._stops.hit else self._stops.add(self._stream.end()) + self._stops.end()


def _check(info: GgufInfo, options: LoadOptions) -> None:
    """Refuse what the library would only refuse in its own words, or by ending the process."""
    if options.adapters:
        raise UsageError("not_available", "GPT4All takes no LoRA adapters here.", "Use llama.cpp.")
    if options.gpu_layers or options.device not in (None, "cpu"):
        raise UsageError("not_available", "GPT4All computes on the processor only here.", "Use llama.cpp.")
    why = refusal(info)
    if why:
        hint = "Make a GPT4All copy of it." if can_copy(info.path) else "Use llama.cpp."
        raise ModelError("incompatible", f"{info.path.name} cannot be opened: {why}.", hint)


def _load(path: Path, context: int) -> tuple[Any, Any]:
    """The binding's module and the loaded model."""
    from gpt4all import _pyllmodel  # type: ignore[import-untyped]

    try:
        model = _pyllmodel.LLModel(str(path), context, 0, _BACKEND)
        loaded = bool(model.load_model())
    except RuntimeError as error:
        raise _unloadable(path) from error
    if not loaded:
        model.close()
        raise _unloadable(path)
    return _pyllmodel, model


def _unloadable(path: Path) -> ModelError:
    return ModelError(
        "incompatible",
        f"GPT4All cannot load {path.name}.",
        "It may need more memory than there is, or be too new for GPT4All; try llama.cpp.",
    )


def _info(info: GgufInfo, context: int, threads: int) -> EngineInfo:
    shape = shape_of_gguf(info)
    token = int(kv_token_bytes(shape, "f16"))
    return EngineInfo(
        engine="GPT4All",
        model=info.path.stem,
        context=context,
        weights_bytes=shape.weights_bytes,
        kv_bytes=token * context,
        threads=threads,
        options=info.quantisation,
        architecture=info.architecture,
        layers=shape.layers,
        parameters=shape.parameters,
        read_bytes=shape.read_bytes,
        kv_token_bytes=token,
        mapped=True,
    )


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two sequences have in common at their start."""
    limit = min(len(one), len(other))
    return next((at for at in range(limit) if one[at] != other[at]), limit)
