"""CTranslate2: a converted folder (`desktop_rag.models.convert_chat`), int8 or floating point, on CPU or CUDA.

What it cannot do, by its library: stop while it reads a prompt; keep the KV memory between answers,
except that of a fixed beginning, which is used for the system message; filters other than top-k and
top-p; grammars. Its random generator is seeded once for every thread it computes in, so a drawn answer
that shall be repeatable needs a fresh one: the model is loaded again (0.1 s for 135 MB).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from desktop_rag.engines.cancel import Cancellation
from desktop_rag.engines.ctranslate2_run import Run
from desktop_rag.engines.folder_text import (
    AnswerText,
    FolderEngine,
    open_folder,
    out_of_memory,
    refuse_adapters,
    refuse_grammars,
    refuse_too_large,
    why_ended,
)
from desktop_rag.engines.protocol import EngineInfo, Finish, LoadOptions, Piece, Prompt, Sampling
from desktop_rag.errors import EngineError, ModelError, UsageError
from desktop_rag.models.shape import shape_of_ct2
from desktop_rag.offline import thread_budget

NAME = "CTranslate2"
# The state kept for a beginning is freed only with the model: so few, and none that is long.
MAX_BEGINNINGS = 8
MAX_BEGINNING_TOKENS = 2048
_VALUE_BYTES = {"float32": 4.0, "int16": 2.0, "float16": 2.0, "bfloat16": 2.0, "int8": 1.0}


class CTranslate2Engine(FolderEngine):
    """One converted folder in memory. Raises ModelError when it cannot be loaded."""

    def __init__(self, path: Path, options: LoadOptions) -> None:
        refuse_adapters(options, NAME)
        facts = open_folder(path, "ct2", NAME)
        super().__init__(path)
        self._path = path
        self._threads = options.threads or thread_budget("chat")
        # There is no half way: layers on a device means all of them.
        self._device = options.device or ("cuda" if options.gpu_layers else "cpu")
        self._compute_type = options.compute_type or "default"
        self._run: Run | None = None
        weights = (path / "model.bin").stat().st_size
        refuse_too_large(facts.name, weights)
        self._generator = self._open()
        shape = shape_of_ct2(path)
        effective = str(self._generator.compute_type)
        kv = 2 * shape.layers * shape.kv_heads * shape.head_dim_k * (4 if effective.endswith("float32") else 2)
        context = min(options.context, facts.context or options.context)
        self._info = EngineInfo(
            engine=NAME,
            model=facts.name,
            context=context,
            weights_bytes=weights,
            kv_bytes=kv * context,
            threads=self._threads,
            options=effective.removesuffix("_float32"),
            architecture=facts.architecture,
            device=self._device,
            layers=shape.layers,
            gpu_layers=0 if self._device == "cpu" else shape.layers,
            parameters=facts.parameters or shape.parameters,
            read_bytes=round(shape.read_bytes * _widened(facts.quantisation, effective)),
            kv_token_bytes=kv,
        )

    def generate(
        self, prompt: Prompt, *, max_tokens: int, sampling: Sampling, cancelled: Cancellation
    ) -> Iterator[Piece | Finish]:
        """See Engine."""
        start = time.perf_counter()
        options = _sampling_options(sampling)
        limit = min(max_tokens, self._room(prompt))
        if sampling.ignore_end:
            # Until then the library lets no end be chosen.
            options["min_length"] = limit
        if not self._idle(cancelled):
            yield Finish("cancelled", len(prompt), 0, 0, None, time.perf_counter() - start)
            return
        self._seed(sampling)
        compute, reused = self._computation(prompt, limit, options)
        answer: list[int] = []
        text = AnswerText(self._text, sampling.stop)
        reason, first = "", None
        run = self._run = Run(compute)
        try:
            for token, moment in run.steps(cancelled):
                at = moment - start
                first = at if first is None else first
                if token in self._text.ends:
                    reason = "end"
                    break
                answer.append(token)
                if new := text.add(token):
                    yield Piece(new, len(answer), at)
                reason = why_ended(text, answer, limit, circles=not sampling.ignore_end)
                if reason:
                    break
        except (RuntimeError, ValueError, MemoryError) as error:
            raise self._failed(error) from error
        finally:
            run.stop()
        if rest := text.end():
            yield Piece(rest, len(answer), time.perf_counter() - start)
        # The library ends by itself only where it was told to: at the limit.
        reason = reason or ("cancelled" if cancelled.is_set() else "length")
        yield Finish(reason, len(prompt), reused, len(answer), first, time.perf_counter() - start)

    def generate_many(self, prompts: Sequence[Prompt], *, max_tokens: int, sampling: Sampling) -> list[str]:
        """The answers to all prompts, computed together; stop strings are not looked for. Errors as `generate`."""
        options = _sampling_options(sampling)
        limit = min([max_tokens, *(self._room(prompt) for prompt in prompts)])
        self._idle(None)
        self._seed(sampling)
        try:
            results = self._generator.generate_batch(
                [self._text.names(prompt.tokens) for prompt in prompts],
                max_length=limit,
                end_token=sorted(self._text.ends),
                include_prompt_in_result=False,
                **options,
            )
        except (RuntimeError, ValueError, MemoryError) as error:
            raise self._failed(error) from error
        return [self._text.decode(result.sequences_ids[0]) for result in results]

    def close(self) -> None:
        """See Engine."""
        if self._run is not None:
            self._run.stop()
            self._run.wait()
        self._generator.unload_model()
        # Its threads end with the object, and must not outlive the interpreter.
        self._generator = None

    def _open(self) -> Any:
        """A fresh generator; nothing is remembered of the one before."""
        import ctranslate2  # type: ignore[import-untyped]

        name = self._path.name
        if self._device != "cpu" and not ctranslate2.get_cuda_device_count():
            raise ModelError("backend_missing", "CTranslate2 finds no CUDA device.", "Use the processor instead.")
        known = ctranslate2.get_supported_compute_types(self._device) | {"default", "auto"}
        if self._compute_type not in known:
            message = f"This machine does not compute in {self._compute_type} with CTranslate2."
            raise ModelError("incompatible", message, f"Use one of: {', '.join(sorted(known))}.")
        self._beginnings: set[tuple[int, ...]] = set()
        self._has_drawn = False
        try:
            return ctranslate2.Generator(
                str(self._path),
                device=self._device,
                compute_type=self._compute_type,
                inter_threads=1,
                intra_threads=self._threads,
            )
        except MemoryError as error:
            raise out_of_memory(name) from error
        except (RuntimeError, ValueError) as error:
            if "out of memory" in str(error):
                raise out_of_memory(name) from error
            raise ModelError("incompatible", f"{name} cannot be loaded: {error}", "Convert the model again.") from error

    def _idle(self, cancelled: Cancellation | None) -> bool:
        """Wait for a computation that was left while it read its prompt; False when cancelled meanwhile."""
        if cancelled is not None and cancelled.is_set():
            return False
        return self._run is None or self._run.wait(cancelled)

    def _seed(self, sampling: Sampling) -> None:
        if sampling.temperature <= 0 or sampling.top_k == 1:
            return
        import ctranslate2

        if self._has_drawn:
            self._generator.unload_model()
            self._generator = self._open()
        # The largest value means "take a random one".
        ctranslate2.set_random_seed(sampling.seed % 0xFFFFFFFF)
        self._has_drawn = True

    def _computation(
        self, prompt: Prompt, limit: int, options: dict[str, Any]
    ) -> tuple[Callable[[Callable[[Any], bool]], object], int]:
        """What the thread shall run, and how many tokens of the prompt it need not compute."""
        beginning = prompt.tokens[: prompt.keep]
        known = beginning in self._beginnings
        few = len(self._beginnings) < MAX_BEGINNINGS and len(beginning) <= MAX_BEGINNING_TOKENS
        kept = len(beginning) if 0 < prompt.keep < len(prompt) and (known or few) else 0
        generator, ends = self._generator, sorted(self._text.ends)
        names = self._text.names(prompt.tokens)

        def compute(callback: Callable[[Any], bool]) -> object:
            result = generator.generate_batch(
                [names[kept:]],
                static_prompt=names[:kept] or None,
                max_length=limit,
                end_token=ends,
                include_prompt_in_result=False,
                callback=callback,
                **options,
            )
            if kept:
                self._beginnings.add(beginning)
            return result

        return compute, kept if known else 0

    def _failed(self, error: Exception) -> ModelError | EngineError:
        if isinstance(error, MemoryError) or "out of memory" in str(error):
            return out_of_memory(self._info.model)
        return EngineError("crashed", f"The model stopped computing: {error}", "Try again.", retryable=True)


def _sampling_options(sampling: Sampling) -> dict[str, Any]:
    """The library's names; raises UsageError("not_available") for what it does not have."""
    refuse_grammars(sampling, NAME)
    options: dict[str, Any] = {"repetition_penalty": sampling.repeat_penalty}
    if sampling.temperature <= 0:
        return options | {"sampling_topk": 1}
    if sampling.min_p > 0:
        raise UsageError("not_available", "CTranslate2 has no min-p filter.", "Use top-p, or another engine.")
    return options | {
        "sampling_topk": sampling.top_k,
        "sampling_topp": sampling.top_p,
        "sampling_temperature": sampling.temperature,
    }


def _widened(stored: str, effective: str) -> float:
    """How much wider the weights lie in memory than in the file: half precision runs as float32 on a processor."""
    one, other = (_VALUE_BYTES.get(name.partition("_")[0]) for name in (stored, effective))
    return other / one if one and other else 1.0
