"""Transformers: a Hugging Face folder run by PyTorch in this process, on CPU, CUDA or Apple's GPU.

An own loop over forward passes: the prompt in pieces, so that it can be cancelled; the prefix shared
with the previous prompt stays in the KV memory; logits for the last row only. The hub is never asked,
code that comes with a model is never run, weights are read from safetensors only.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desktop_rag import torch_part
from desktop_rag.engines.cancel import Cancellation
from desktop_rag.engines.draw import Chooser
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
from desktop_rag.engines.transformers_cache import KEEPABLE, crop, growing_cache
from desktop_rag.errors import EngineError, ModelError
from desktop_rag.models.facts import Facts
from desktop_rag.models.shape import Shape, shape_of_hf
from desktop_rag.offline import set_environment, thread_budget

NAME = "Transformers"
PREFILL_PIECE = 128
DTYPES = {"float32": 4, "bfloat16": 2, "float16": 2}


class TransformersEngine(FolderEngine):
    """One Hugging Face folder in memory. Raises ModelError when it cannot be loaded."""

    def __init__(self, path: Path, options: LoadOptions) -> None:
        torch_part.require("The Transformers engine")
        refuse_adapters(options, NAME)
        facts = open_folder(path, "hf", NAME)
        super().__init__(path)
        shape = shape_of_hf(path)
        self._device = choose_device(options)
        dtype = choose_dtype(self._device, options.compute_type)
        parameters = facts.parameters or 0
        if self._device == "cpu":
            refuse_too_large(facts.name, parameters * DTYPES[dtype])
        threads = options.threads or thread_budget("chat")
        self._model = _load(path, facts.name, dtype, self._device, threads)
        context = min(options.context, facts.context or options.context)
        self._cache = growing_cache(shape.layers, context)
        self._cached: list[int] = []
        self._info = _info(facts, shape, dtype, self._device, threads, context)

    def generate(
        self, prompt: Prompt, *, max_tokens: int, sampling: Sampling, cancelled: Cancellation
    ) -> Iterator[Piece | Finish]:
        """See Engine."""
        start = time.perf_counter()
        refuse_grammars(sampling, NAME)
        limit = min(max_tokens, self._room(prompt))
        tokens = list(prompt.tokens)
        reused = self._keep_prefix(tokens)
        answer: list[int] = []
        text, chooser = AnswerText(self._text, sampling.stop), Chooser(sampling)
        first: float | None = None
        reason = ""
        logits = self._read(tokens[reused:], cancelled)
        while not reason:
            if logits is None:
                reason = "cancelled"
                break
            token = chooser.choose(logits, answer)
            at = time.perf_counter() - start
            first = at if first is None else first
            if token in self._text.ends and not sampling.ignore_end:
                reason = "end"
                break
            answer.append(token)
            if new := text.add(token):
                yield Piece(new, len(answer), at)
            reason = why_ended(text, answer, limit, circles=not sampling.ignore_end)
            if not reason:
                logits = self._read([token], cancelled)
        if rest := text.end():
            yield Piece(rest, len(answer), time.perf_counter() - start)
        yield Finish(reason, len(prompt), reused, len(answer), first, time.perf_counter() - start)

    def logits_of(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """The row of logits (vocabulary,) after `tokens`, computed from nothing."""
        self._keep_prefix([])
        row = self._read(tokens, Cancellation())
        assert row is not None
        return row

    def close(self) -> None:
        """See Engine."""
        self._model = self._cache = None

    def _keep_prefix(self, tokens: Sequence[int]) -> int:
        """Forget what the KV memory holds beyond the shared prefix; at least one token is left to compute."""
        limit = min(len(self._cached), max(0, len(tokens) - 1))
        pairs = zip(self._cached[:limit], tokens, strict=False)
        shared = next((at for at, (one, two) in enumerate(pairs) if one != two), limit)
        del self._cached[shared:]
        crop(self._cache, shared)
        return shared

    def _read(self, tokens: Sequence[int], cancelled: Cancellation) -> NDArray[np.float32] | None:
        """Compute `tokens` after the cached ones; the last one's logits, or None when cancelled."""
        row = None
        for at in range(0, len(tokens), PREFILL_PIECE):
            if cancelled.is_set():
                return None
            piece = tokens[at : at + PREFILL_PIECE]
            row = self._forward(piece)
            self._cached += piece
        return row

    def _forward(self, piece: Sequence[int]) -> NDArray[np.float32]:
        """One pass. A failed one leaves the KV memory as it was."""
        import torch

        try:
            with torch.inference_mode():
                given = torch.tensor([piece], device=self._device)
                out = self._model(input_ids=given, past_key_values=self._cache, use_cache=True, logits_to_keep=1)
                row: NDArray[np.float32] = out.logits[0, -1].float().cpu().numpy()
                return row
        except (RuntimeError, MemoryError) as error:
            crop(self._cache, len(self._cached))
            if _is_out_of_memory(error):
                raise out_of_memory(self._info.model) from error
            raise EngineError("crashed", "The model stopped computing.", "Try again.", retryable=True) from error


def choose_device(options: LoadOptions) -> str:
    """Where to compute: as asked, the first accelerator when layers are to go there, else "cpu".

    Raises ModelError("backend_missing") for an accelerator that is not there: never a silent fall-back.
    """
    import torch

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if options.device is None and options.gpu_layers == 0:
        return "cpu"
    wanted = options.device or next((name for name in ("cuda", "mps") if there[name]), "")
    if not there.get(wanted.partition(":")[0]):
        name = wanted or "accelerator"
        raise ModelError("backend_missing", f"PyTorch finds no {name} on this machine.", "Use the processor instead.")
    return wanted


def choose_dtype(device: str, asked: str | None) -> str:
    """The weights' type: as asked, else the fastest that the device computes in without loss of sense.

    bfloat16 keeps float32's range: on a CPU only where it has instructions for it, on CUDA from
    compute capability 8. Raises ModelError("incompatible") for another name.
    """
    import torch

    if asked is not None:
        if asked not in DTYPES:
            known = ", ".join(DTYPES)
            raise ModelError("incompatible", f"Transformers does not compute in {asked}.", f"Use one of: {known}.")
        return asked
    if device.startswith("cuda"):
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"
    if device == "mps":
        return "float16"
    return "bfloat16" if _cpu_has_bfloat16() else "float32"


def _cpu_has_bfloat16() -> bool:
    import torch

    found = torch.cpu.get_capabilities()
    return any(found.get(name) for name in ("avx512_bf16", "amx_bf16", "amx_tile", "bf16"))


def _load(path: Path, name: str, dtype: str, device: str, threads: int) -> Any:
    set_environment()
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging as noise

    logging: Any = noise
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.set_num_threads(threads)
    try:
        model = AutoModelForCausalLM.from_pretrained(
            str(path),
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=getattr(torch, dtype),
            attn_implementation="sdpa",
        )
        kinds = set(getattr(model.config.get_text_config(), "layer_types", None) or ())
        if not kinds <= KEEPABLE:
            raise ModelError(
                "incompatible", f"{name} mixes attention with other layers.", "Use this model with llama.cpp."
            )
        ready: Any = model
        return ready.eval().to(device)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, MemoryError, ImportError) as error:
        if _is_out_of_memory(error):
            raise out_of_memory(name) from error
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError("incompatible", f"{name} cannot be loaded: {reason}", "Choose another model.") from error


def _info(facts: Facts, shape: Shape, dtype: str, device: str, threads: int, context: int) -> EngineInfo:
    width = DTYPES[dtype]
    parameters = facts.parameters or shape.parameters or 0
    unread = 0 if shape.tied else shape.vocabulary * shape.embedding
    kv = shape.layers * shape.kv_heads * (shape.head_dim_k + shape.head_dim_v) * width
    return EngineInfo(
        engine=NAME,
        model=facts.name,
        context=context,
        weights_bytes=parameters * width,
        kv_bytes=kv * context,
        threads=threads,
        options=dtype,
        architecture=facts.architecture,
        device=device,
        layers=shape.layers,
        gpu_layers=0 if device == "cpu" else shape.layers,
        parameters=parameters,
        read_bytes=(parameters - unread) * width,
        kv_token_bytes=kv,
    )


def _is_out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or "allocate memory" in str(error) or "out of memory" in str(error)
