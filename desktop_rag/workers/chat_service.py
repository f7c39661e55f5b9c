"""The `chat` role: one language model in memory, answering one request at a time."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from desktop_rag import paths
from desktop_rag.answering.prompt import build
from desktop_rag.engines.protocol import Engine, Finish, Piece
from desktop_rag.errors import ModelError, UsageError
from desktop_rag.meter.memory import mapped_mb, resident_mb
from desktop_rag.models.catalogue import find, load_catalogue
from desktop_rag.models.inspect import inspect
from desktop_rag.offline import thread_budget
from desktop_rag.workers.loop import Operation, Request, Service

COALESCE_SECONDS = 0.03
CONTEXT = 4096
SMALL_MODEL_BYTES = 300 * 2**20
SMALL_MODEL_PASSAGES = 2


class _Chat:
    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._model: str | None = None
        self._path: Path | None = None

    def load(self, request: Request) -> Operation:
        """Load a model (the starter by default); keeps the one that is there if it is the same."""
        engine = self._loaded(request.args.get("model"))
        yield None
        return self._status(engine)

    def status(self, request: Request) -> Operation:
        """What is loaded and the memory it takes."""
        yield None
        return self._status(self._engine) if self._engine else {"model": None}

    def generate(self, request: Request) -> Operation:
        """Stream an answer to {question, passages, history, max_tokens, temperature, seed}."""
        args = request.args
        begin = time.perf_counter()
        engine = self._loaded(args.get("model"))
        loaded = time.perf_counter()
        yield {"event": "loaded", "load_ms": round((loaded - begin) * 1000, 1)}
        max_tokens = int(args.get("max_tokens", 256))
        messages, used = build(
            str(args["question"]),
            list(args.get("passages") or [])[: _passage_limit(engine)],
            list(args.get("history") or []),
            count=engine.count,
            budget=engine.info.context - max_tokens,
        )
        prompt = engine.render(messages)
        finish = yield from self._stream(engine, prompt, max_tokens, request)
        return {"reason": finish.reason, "passages_used": used, **self._usage(engine, finish), **self._status(engine)}

    def _stream(self, engine: Engine, prompt: list[int], max_tokens: int, request: Request) -> Any:
        """Coalesce pieces so that a fast model does not flood the pipe."""
        waiting = ""
        sent = 0.0
        first: Piece | None = None
        last: Piece | None = None
        pieces = engine.generate(
            prompt,
            max_tokens=max_tokens,
            temperature=float(request.args.get("temperature", 0.0)),
            seed=int(request.args.get("seed", 0)),
            cancelled=request.cancelled,
        )
        for piece in pieces:
            if isinstance(piece, Finish):
                if waiting and first is not None and last is not None:
                    yield _token_event(waiting, first, last)
                return piece
            first = first or piece
            last = piece
            waiting += piece.text
            if piece.at - sent >= COALESCE_SECONDS:
                yield _token_event(waiting, first, piece)
                waiting, sent = "", piece.at
        raise AssertionError("an engine ends with Finish")

    def _loaded(self, model: str | None) -> Engine:
        if self._engine is not None and model in (None, self._model):
            return self._engine
        identity, path = _model_path(model)
        inspect(path)
        from desktop_rag.engines.llama_cpp import LlamaCppEngine

        if self._engine is not None:
            self._engine.close()
            self._engine = None
        self._engine = LlamaCppEngine(path, context=CONTEXT, threads=thread_budget("chat"))
        self._model, self._path = identity, path
        return self._engine

    def _status(self, engine: Engine) -> dict[str, Any]:
        info = engine.info
        weights = mapped_mb(self._path) if self._path else None
        return {
            "model": self._model,
            "engine": info.engine,
            "context": info.context,
            "threads": info.threads,
            "weights_mb": weights or round(info.weights_bytes / 2**20, 1),
            "kv_mb": round(info.kv_bytes / 2**20, 1),
            "memory_mb": resident_mb(),
        }

    @staticmethod
    def _usage(engine: Engine, finish: Finish) -> dict[str, Any]:
        def rounded(value: float | None) -> float | None:
            return None if value is None else round(value, 2)

        return {
            "usage": {
                "prompt_tokens": finish.prompt_tokens,
                "generated_tokens": finish.generated_tokens,
                "reused_tokens": finish.reused_tokens,
                "prefill_tps": rounded(finish.prefill_tps),
                "decode_tps": rounded(finish.decode_tps),
                "roofline_fraction": None,
                "ttft_s": rounded(finish.first_token),
                "context": engine.info.context,
                "context_used": finish.prompt_tokens + finish.generated_tokens,
            },
            "generate_ms": round(finish.finished * 1000, 1),
        }


def _passage_limit(engine: Engine) -> int | None:
    """A very small model is confused by more than two passages, and answers sooner with two."""
    return SMALL_MODEL_PASSAGES if engine.info.weights_bytes < SMALL_MODEL_BYTES else None


def _token_event(text: str, first: Piece, last: Piece) -> dict[str, Any]:
    decoding = last.at - first.at
    speed = (last.generated - first.generated) / decoding if decoding > 0 else None
    return {
        "event": "token",
        "text": text,
        "generated": last.generated,
        "seconds": round(last.at, 4),
        "ttft_s": round(first.at, 4),
        "tok_s": round(speed, 2) if speed else None,
    }


def _model_path(model: str | None) -> tuple[str, Path]:
    """A catalogue id or the path of a GGUF file; None is the starter."""
    if model and (model.endswith(".gguf") or "/" in model):
        path = Path(model)
        if not path.is_file():
            raise ModelError("not_installed", f"There is no model file {path.name}.", "Check the path.")
        return model, path
    chat_models = [entry for entry in load_catalogue() if entry.kind == "chat"]
    entry = (
        find(model) if model else next((e for e in chat_models if e.installed_path(paths.models_dir())), chat_models[0])
    )
    if entry.kind != "chat":
        raise UsageError("bad_request", f"“{entry.id}” is not a chat model.")
    path_found = entry.installed_path(paths.models_dir())
    if path_found is None:
        raise ModelError("not_installed", f"The model {entry.name} is not installed.", "Run the set-up again.")
    return entry.id, path_found


def open_service(data_dir: Path, options: dict[str, Any]) -> Service:
    """The role's operations."""
    chat = _Chat()
    return Service({"load": chat.load, "status": chat.status, "generate": chat.generate})
