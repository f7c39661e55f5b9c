"""The `bench` role: what the application is measured against, in a process of its own.

The baselines run under the chat role's conditions (threads, spinning, seal) and without the chat
role's code. Operations: `count`, `bare_loop`, `high_level`, `bandwidth`, `probe`, `unload`, and for `bench --ingest`
`pdf_text`, `enter_folder` and `naive_ingest`; for `bench --retrieval` `default_encode` and `rank_bm25`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from desktop_rag import paths
from desktop_rag.errors import UsageError
from desktop_rag.evaluation.bare_loop import BareLoop
from desktop_rag.evaluation.engine_probes import run_probes
from desktop_rag.evaluation.high_level import HighLevel
from desktop_rag.evaluation.recount import count_tokens
from desktop_rag.meter.bandwidth import steps
from desktop_rag.meter.machine import Machine
from desktop_rag.models.catalogue import SPACY_MODEL, find
from desktop_rag.workers.loop import Operation, Request, Service

_CONTEXT = 4096
_MICRO_BATCH = 128
_BANDWIDTH_SECONDS = 1.0


class _Bench:
    """Keeps the baseline that was used last, so that rounds do not pay for loading."""

    def __init__(self) -> None:
        self._held: BareLoop | HighLevel | None = None
        self._key: tuple[Any, ...] = ()

    def count(self, request: Request) -> Operation:
        """{path, texts} -> {counts}: tokens of each text by the model's own tokenizer."""
        path, texts = _path(request), [str(text) for text in request.args["texts"]]
        yield None
        return {"counts": count_tokens(path, texts)}

    def bare_loop(self, request: Request) -> Operation:
        """{path, messages, tokens, threads, context, micro_batch} -> {tok_s, seconds, ttft_s, text, prompt_tokens}."""
        args, path = request.args, _path(request)
        context, threads = int(args.get("context", _CONTEXT)), int(args["threads"])
        micro_batch = int(args.get("micro_batch") or _MICRO_BATCH)
        loop = self._keep(
            ("bare", path, threads, context, micro_batch),
            lambda: BareLoop(path, threads=threads, context=context, micro_batch=micro_batch),
        )
        assert isinstance(loop, BareLoop)
        prompt = loop.tokens(list(args["messages"]))
        result: dict[str, Any] = {}
        for step in loop.run(prompt, int(args["tokens"])):
            result = step or {}
            yield None
        tokens = result.pop("tokens")
        return {**result, "generated": len(tokens), "prompt_tokens": len(prompt), "text": loop.text(tokens)}

    def high_level(self, request: Request) -> Operation:
        """{path, messages, tokens, threads, context} -> {tok_s, seconds, ttft_s, text, generated}."""
        args, path = request.args, _path(request)
        context, threads = int(args.get("context", _CONTEXT)), int(args["threads"])
        high = self._keep(("high", path, threads, context), lambda: HighLevel(path, threads=threads, context=context))
        assert isinstance(high, HighLevel)
        result: dict[str, Any] = {}
        for step in high.run(list(args["messages"]), int(args["tokens"])):
            result = step or {}
            yield None
        return result

    def bandwidth(self, request: Request) -> Operation:
        """{seconds, read_bytes, weights} -> {read_gbs, kernel, kernel_gbs}, measured now.

        The bandwidth for that working set, and how fast the engine's kernels get through weights of these
        types (bytes by type) with all cores: slower than reading where unpacking them is the bound.
        """
        machine: Machine | None = None
        for step in steps(float(request.args.get("seconds", _BANDWIDTH_SECONDS))):
            machine = step
            yield None
        assert machine is not None
        read_bytes = request.args.get("read_bytes")
        read_gbs = machine.gbs_for(float(read_bytes)) if read_bytes else machine.read_gbs
        weights = dict(request.args.get("weights") or {})
        rate = machine.rate_for(weights, float(read_bytes)) if weights and read_bytes else None
        return {"read_gbs": read_gbs, "kernel": machine.kernel, "kernel_gbs": rate}

    def probe(self, request: Request) -> Operation:
        """{engine, path, options} -> one event a probe, then all of them."""
        return run_probes(
            str(request.args["engine"]), _path(request), dict(request.args.get("options") or {}), request.cancelled
        )

    def unload(self, request: Request) -> Operation:
        """Free what is held."""
        self._let_go()
        yield None
        return {}

    def _keep(self, key: tuple[Any, ...], make: Callable[[], BareLoop | HighLevel]) -> BareLoop | HighLevel:
        if key != self._key or self._held is None:
            self._let_go()
            self._held, self._key = make(), key
        return self._held

    def _let_go(self) -> None:
        if self._held is not None:
            self._held.close()
        self._held, self._key = None, ()


def _pdf_text(request: Request) -> Operation:
    """{path, ours_first} -> {ours, pdfium, pages, characters}: see `compared`."""
    from desktop_rag.evaluation.ingest_extract import compared

    yield None
    return compared(Path(str(request.args["path"])), ours_first=bool(request.args["ours_first"]))


def _enter_folder(data_dir: Path, request: Request) -> Operation:
    """{folder} -> {documents}: its files in the library of this data directory, as if they had been indexed."""
    from desktop_rag.evaluation.ingest_entering import enter

    yield None
    return {"documents": enter(data_dir, Path(str(request.args["folder"])))}


class _Naive:
    """Keeps the pipeline's models between rounds."""

    def __init__(self) -> None:
        self._run: Callable[[Path], dict[str, Any]] | None = None

    def ingest(self, request: Request) -> Operation:
        """{folder} -> {documents, characters, seconds, ...}: see `naive_pipeline`."""
        from desktop_rag.evaluation.ingest_naive import naive_pipeline

        yield None
        if self._run is None:
            folders = [find(name).folder(paths.models_dir()) for name in (SPACY_MODEL, "all-minilm-l6-v2")]
            self._run = naive_pipeline(*folders)
        return self._run(Path(str(request.args["folder"])))


class _DefaultEncoder:
    """Keeps sentence-transformers' model between rounds."""

    def __init__(self) -> None:
        self._encode: Callable[[list[str]], float] | None = None

    def encode(self, request: Request) -> Operation:
        """{texts} -> {seconds}: see `default_encoder`."""
        from desktop_rag.evaluation.growth_naive import default_encoder

        yield None
        if self._encode is None:
            self._encode = default_encoder(find("all-minilm-l6-v2").folder(paths.models_dir()))
        return {"seconds": self._encode([str(text) for text in request.args["texts"]])}


def _rank_bm25(request: Request) -> Operation:
    """{chunks, questions} -> {ms: one for each question}: see `naive_bm25`."""
    from desktop_rag.evaluation.growth_naive import naive_bm25

    yield None
    return {"ms": naive_bm25(int(request.args["chunks"]), [str(text) for text in request.args["questions"]])}


def _path(request: Request) -> Path:
    path = Path(str(request.args["path"]))
    if not path.exists():
        raise UsageError("bad_request", f"There is no model {path.name}.", "Check the path.")
    return path


def open_service(data_dir: Path, options: dict[str, Any]) -> Service:
    """The role's operations."""
    bench = _Bench()
    return Service(
        {
            "count": bench.count,
            "bare_loop": bench.bare_loop,
            "high_level": bench.high_level,
            "bandwidth": bench.bandwidth,
            "probe": bench.probe,
            "unload": bench.unload,
            "naive_ingest": _Naive().ingest,
            "pdf_text": _pdf_text,
            "default_encode": _DefaultEncoder().encode,
            "rank_bm25": _rank_bm25,
            "enter_folder": partial(_enter_folder, data_dir),
        }
    )
