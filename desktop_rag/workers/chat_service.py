"""The `chat` role: one language model in memory, answering one request at a time."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from desktop_rag.answering.prompt import Built
from desktop_rag.engines.protocol import Engine, LoadOptions, Prompt
from desktop_rag.engines.registry import LLAMA_CPP, check_engine, open_engine
from desktop_rag.errors import UsageError
from desktop_rag.meter.memory import mapped_mb, process_memory, resident_mb
from desktop_rag.models.installed import Installed, resolve
from desktop_rag.settings import Settings
from desktop_rag.workers.generating import built_for, complete_op, milliseconds_since, stream, usage_of
from desktop_rag.workers.keeping import Keeper
from desktop_rag.workers.loop import Operation, Request, Service
from desktop_rag.workers.tuning import Limits, calibrate, load_options

_OPTIONS = {field.name for field in dataclasses.fields(LoadOptions)}
# The settings that decide what is loaded, and how.
_WHAT, _HOW = ("model", "engine"), ("context", "kv_type", "gpu_layers")


class _Chat:
    """The loaded model, and what it was shown in each conversation."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._engine: Engine | None = None
        self._model: Installed | None = None
        self._choice: tuple[Any, ...] = ()
        self._wanted: tuple[Any, ...] = ()
        self._settings: tuple[Any, ...] = ()
        self._tuning: Generator[Any, None, None] | None = None
        self._adapters: tuple[tuple[str, float], ...] = ()
        self._keeper = Keeper()
        self._limits = Limits(data_dir)

    def load(self, request: Request) -> Operation:
        """Load {model, engine, options} (the settings' where not given); keeps what is there if it is the same.

        A request that names nothing goes on with what is there, until the settings change.
        """
        engine = self._loaded(request.args)
        yield None
        return self._status(engine)

    def status(self, request: Request) -> Operation:
        """What is loaded and the memory it takes."""
        yield None
        return self._status(self._engine) if self._engine else {"model": None}

    def generate(self, request: Request) -> Operation:
        """Stream an answer to {question, passages, history, conversation, kv, max_tokens, sampling}."""
        begin = time.perf_counter()
        engine = self._loaded(request.args)
        yield {"event": "loaded", "load_ms": milliseconds_since(begin)}
        built, prompt = self._prompt(engine, request.args)
        finish = yield from stream(engine, prompt, request)
        self._keeper.answered(request.args, built)
        return {
            "reason": finish.reason,
            "passages_used": built.used,
            **usage_of(engine, finish, self._limits.fraction(engine, finish)),
            **self._status(engine),
        }

    def complete(self, request: Request) -> Operation:
        """The model alone, for measurements: {messages | prompt, max_tokens, sampling}."""
        engine = self._loaded(request.args)
        done = yield from complete_op(engine, request, self._limits)
        return {**done, **self._status(engine)}

    def remember(self, request: Request) -> Operation:
        """Write what the last answer left in the KV memory to disk, encrypted; it costs nothing to ask again."""
        yield None
        return {"kept": self._keeper.keep(self._engine) if self._engine else False}

    def tune(self, request: Request) -> Operation:
        """Measure this machine and how it runs the loaded model best, once; in steps that give way to questions."""
        self._loaded(request.args)
        if not self._limits.known:
            # Measured first: what a model reaches is held against it.
            yield from self._limits.measure()
        # A question may have brought another model, or none, meanwhile.
        if self._engine is not None and self._model is not None and self._tuning is None:
            self._tuning = steps = calibrate(self._data_dir, self._model, self._engine)
            try:
                yield from steps
            finally:
                self._tuning = None if self._tuning is steps else self._tuning
        return self._status(self._engine) if self._engine else {}

    def _prompt(self, engine: Engine, args: Mapping[str, Any]) -> tuple[Built, Prompt]:
        assert self._model is not None
        shown = self._keeper.begin(engine, self._model, args, self._adapters)
        built = built_for(engine, args, shown)
        prompt = engine.render(built.messages)
        self._keeper.restore(engine, prompt)
        return built, prompt

    def adapters(self, request: Request) -> Operation:
        """Use exactly these {adapters: [{path, scale}]} (LoRA) with the model that is loaded."""
        engine = self._loaded({})
        wanted = tuple((str(row["path"]), float(row["scale"])) for row in request.args["adapters"])
        switch = getattr(engine, "set_adapters", None)
        if switch is None:
            raise UsageError("not_available", f"{engine.info.engine} has no adapters.", "Use llama.cpp.")
        yield None
        switch(wanted)
        self._adapters = wanted
        self._keeper.forget()
        return self._status(engine)

    def _loaded(self, args: Mapping[str, Any]) -> Engine:
        settings = Settings(self._data_dir)
        now = tuple(settings[name] for name in (*_WHAT, *_HOW))
        wanted = _wanted(args)
        if self._engine is not None and now == self._settings and wanted in ((), self._wanted):
            return self._engine
        name = args.get("engine") or settings["engine"] or None
        model, engine_name = resolve(
            args.get("model") or settings["model"] or None, self._data_dir, check_engine(name) if name else None
        )
        given = {key: value for key, value in dict(args.get("options") or {}).items() if key in _OPTIONS}
        choice = (model.path, engine_name, _comparable(given), now[len(_WHAT) :])
        if self._engine is None or choice != self._choice:
            self._close()
            # Planned after the former model is gone: what it held on a device is free again.
            options = load_options(self._data_dir, model, engine_name, settings, given)
            self._engine = open_engine(engine_name, model.path, options)
            self._model, self._choice, self._adapters = model, choice, options.adapters
        self._wanted, self._settings = wanted, now
        return self._engine

    def _close(self) -> None:
        if self._tuning is not None:
            # It computes with the weights that go.
            self._tuning.close()
            self._tuning = None
        if self._engine is not None:
            self._keeper.forget()
            self._engine.close()
            self._engine = None

    def _status(self, engine: Engine) -> dict[str, Any]:
        info, model = engine.info, self._model
        assert model is not None
        weights = mapped_mb(model.path) if info.engine == LLAMA_CPP and info.mapped else None
        return {
            "model": model.id,
            "name": model.name,
            "engine": info.engine,
            "options": info.options,
            "device": info.device,
            "layers": info.layers,
            "gpu_layers": info.gpu_layers,
            "context": info.context,
            "threads": info.threads,
            "weights_mb": weights or round(info.weights_bytes / 2**20, 1),
            "weights_mapped": info.mapped,
            "kv_mb": round(info.kv_bytes / 2**20, 1),
            "memory_mb": resident_mb(),
            "process": process_memory(),
        }


def _wanted(args: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a request asks to be loaded, comparable; empty when it leaves the choice open."""
    options = args.get("options") or {}
    if not (args.get("model") or args.get("engine") or options):
        return ()
    return (args.get("model"), args.get("engine"), _comparable(options))


def _comparable(options: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((key, str(value)) for key, value in options.items()))


def open_service(data_dir: Path, options: dict[str, Any]) -> Service:
    """The role's operations."""
    chat = _Chat(data_dir)
    handlers = {
        name: getattr(chat, name) for name in ("load", "status", "generate", "complete", "remember", "tune", "adapters")
    }
    return Service(handlers, frozenset({"tune"}))
