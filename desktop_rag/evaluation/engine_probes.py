"""What only the engine itself can show: batches, adapters, precisions, devices. Runs in the `bench` role."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from desktop_rag.engines.cancel import Cancellation
from desktop_rag.engines.protocol import Engine, Finish, LoadOptions, Piece, Sampling
from desktop_rag.engines.registry import CTRANSLATE2, LLAMA_CPP, open_engine
from desktop_rag.errors import DesktopRagError
from desktop_rag.evaluation.probes import Probed, tried
from desktop_rag.evaluation.prompts import CHAT, QUESTIONS
from desktop_rag.evaluation.trial_adapter import write_trial_adapter
from desktop_rag.scratch import scratch

BATCH = 8
BATCH_GAIN = 1.5
_TOKENS = 32
_CONTEXT = 1024
_SCALED = 1e-4
Opener = Callable[[LoadOptions], Engine]
Event = dict[str, Any]


def run_probes(
    name: str, path: Path, options: dict[str, Any], cancelled: Cancellation
) -> Generator[Event | None, None, Event]:
    """Yields a "probe" event for each capability; returns {probes}."""
    given = {"context": _CONTEXT, **options}

    def opened(**more: Any) -> Engine:
        return open_engine(name, path, LoadOptions(**{**given, **more}))

    # In 8 bits the rounding of one row depends on how many are computed together: near ties fall otherwise.
    exact = {"compute_type": "float32"} if name == CTRANSLATE2 else {}
    probes: list[tuple[str, Callable[[], Probed]]] = [
        ("custom_models", lambda: custom_models(opened())),
        ("batching", lambda: batching(opened(**exact), cancelled)),
        ("adapters", lambda: adapters(opened(), path)),
        ("precision", lambda: precision(name, opened)),
        ("devices", devices),
    ]
    rows = []
    for capability, perform in probes:
        rows.append(tried(capability, perform).to_payload())
        yield {"event": "probe", "probe": rows[-1]}
    return {"probes": rows}


def custom_models(engine: Engine) -> Probed:
    """The file or folder that was chosen opens, and says what it is."""
    try:
        info = engine.info
        evidence = {"architecture": info.architecture, "weights_bytes": info.weights_bytes, "options": info.options}
        return Probed("custom_models", info.weights_bytes > 0, evidence)
    finally:
        engine.close()


def batching(engine: Engine, cancelled: Cancellation) -> Probed:
    """Eight prompts in one call: the same greedy texts as one by one, and more tokens a second."""
    try:
        together = getattr(engine, "generate_many", None)
        if together is None:
            return Probed("batching", False, {"reason": "one prompt at a time"})
        texts = [*QUESTIONS, *CHAT][:BATCH]
        prompts = [engine.render([{"role": "user", "content": text}]) for text in texts]
        sampling = Sampling()
        together(prompts[:1], max_tokens=_TOKENS, sampling=sampling)
        begun = time.perf_counter()
        alone = [_text(engine, prompt, sampling, cancelled) for prompt in prompts]
        middle = time.perf_counter()
        batch = list(together(prompts, max_tokens=_TOKENS, sampling=sampling))
        ended = time.perf_counter()
        same = sum(one.strip() == other.strip() for one, other in zip(alone, batch, strict=True))
        gain = (middle - begun) / (ended - middle)
        evidence = {
            "prompts": BATCH,
            "same_texts": same,
            "gain": gain,
            "one_by_one_s": middle - begun,
            "in_one_call_s": ended - middle,
            "options": engine.info.options,
        }
        return Probed("batching", same == BATCH and gain >= BATCH_GAIN, evidence)
    finally:
        engine.close()


def adapters(engine: Engine, model: Path) -> Probed:
    """A LoRA of random numbers: at scale 0 it changes nothing, at scale 1 something; its removal restores the model."""
    try:
        switch, logits_of = getattr(engine, "set_adapters", None), getattr(engine, "logits_of", None)
        if switch is None or logits_of is None:
            return Probed("adapters", False, {"reason": "no adapters"})
        tokens = engine.render([{"role": "user", "content": QUESTIONS[0]}]).tokens
        base = logits_of(tokens).copy()
        found = {}
        with scratch("probes") as folder:
            adapter = write_trial_adapter(model, folder / "trial.gguf")
            for name, chosen in (("off", [(adapter, 0.0)]), ("on", [(adapter, 1.0)]), ("removed", [])):
                switch(chosen)
                found[name] = float(abs(logits_of(tokens) - base).max())
        holds = found["off"] < _SCALED and found["removed"] < _SCALED and found["on"] > _SCALED
        return Probed("adapters", holds, {"largest_change": found})
    finally:
        engine.close()


def precision(name: str, opened: Callable[..., Engine]) -> Probed:
    """The same weights or the same context in another precision: what it takes is measured on loaded models."""
    if name == LLAMA_CPP:
        sizes = {kind: _measured(opened(kv_type=kind), "kv_bytes") for kind in ("f16", "q8_0")}
        return Probed("precision", sizes["q8_0"] < sizes["f16"], {"kv_bytes": sizes})
    if name == CTRANSLATE2:
        import ctranslate2  # type: ignore[import-untyped]

        kinds = sorted(ctranslate2.get_supported_compute_types("cpu"))
        return Probed("precision", len(kinds) > 1, {"compute_types": kinds})
    try:
        sizes = {kind: _measured(opened(compute_type=kind), "weights_bytes") for kind in ("float32", "bfloat16")}
    except DesktopRagError as error:
        return Probed("precision", False, {"refused": error.message})
    return Probed("precision", sizes["bfloat16"] < sizes["float32"], {"weights_bytes": sizes})


def devices() -> Probed:
    """More than one device to spread a model over; one is never a tick."""
    from desktop_rag.engines.devices import devices as listed

    names = [device.name for device in listed()]
    return Probed("several_devices", len(names) > 1, {"devices": names or ["1 device"]})


def _measured(engine: Engine, size: str) -> int:
    try:
        return int(getattr(engine.info, size))
    finally:
        engine.close()


def _text(engine: Engine, prompt: Any, sampling: Sampling, cancelled: Cancellation) -> str:
    parts = []
    for piece in engine.generate(prompt, max_tokens=_TOKENS, sampling=sampling, cancelled=cancelled):
        if isinstance(piece, Piece):
            parts.append(piece.text)
        assert isinstance(piece, Piece | Finish)
    return "".join(parts)
