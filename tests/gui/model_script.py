"""What the scripted models worker, the scripted network and the scripted benchmark say."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from desktop_rag.errors import DesktopRagError, NetworkError, UsageError
from desktop_rag.gui.backend import Event

STARTER = "smollm2-135m-instruct-q4_1"
GB = 1 << 30


def row(identifier: str, name: str, size: int, **more: Any) -> dict[str, Any]:
    """An installed model."""
    return {
        "id": identifier, "name": name, "kind": "chat", "format": "gguf", "engines": ["llama.cpp"],
        "path": f"/models/{identifier}.gguf", "size": size, "quantisation": "Q4_K_M", "architecture": "llama",
        "context": 8192, "layers": 30, "parameters": 134_500_000, "licence": "Apache-2.0", "source": "import",
        "missing": False, "problem": "", "adapters": [], "parent": None, **more,
    }  # fmt: skip


def models() -> list[dict[str, Any]]:
    """What is on this computer."""
    return [
        row(STARTER, "SmolLM2 135M Instruct", 98_362_432, quantisation="Q4_1", source="starter",
            engines=["llama.cpp", "GPT4All"]),
        row("qwen2.5-1.5b-instruct-q4_k_m", "Qwen2.5 1.5B Instruct", 986_048_000, context=32768, layers=28,
            parameters=1_543_714_304, architecture="qwen2", engines=["llama.cpp", "GPT4All"], source="download"),
        row("smollm2-135m-ct2-int8", "SmolLM2 135M Instruct", 139_000_000, format="ct2", quantisation="int8",
            engines=["CTranslate2"], source="converted", parent=STARTER),
        row("mistral-7b", "Mistral 7B Instruct v0.3", 4_372_812_000, context=32768, layers=32,
            parameters=7_248_023_552, source="adopted:LM Studio"),
        row("gone", "A model that was moved", 700_000_000, missing=True, problem="gone"),
        row("all-minilm-l6-v2", "all-MiniLM-L6-v2", 91_567_913, kind="encoder", format="hf", engines=[], context=256,
            quantisation="F32", source="starter"),
    ]  # fmt: skip


def catalogue() -> list[dict[str, Any]]:
    """What can be downloaded."""

    def entry(identifier: str, name: str, size: int, context: int, licence: str | None, weights: float) -> Event:
        return {
            "id": identifier, "name": name, "kind": "chat", "size": size, "quantisation": "Q4_K_M",
            "licence": licence, "context": context, "parameters": int(weights), "installed": False,
            "downloadable": True, "fit": None,
        }  # fmt: skip

    return [
        entry("qwen2.5-0.5b", "Qwen2.5 0.5B Instruct", 398_000_000, 32768, "Apache-2.0", 494e6),
        entry("llama-3.2-1b", "Llama 3.2 1B Instruct", 807_694_464, 131072, "Llama 3.2", 1.24e9),
        entry("phi-4-mini", "Phi-4 mini Instruct", 2_491_874_272, 131072, "MIT", 3.84e9),
        entry("qwen2.5-7b", "Qwen2.5 7B Instruct", 4_683_073_536, 32768, None, 7.62e9),
    ]


def found() -> list[dict[str, Any]]:
    """What other applications hold."""
    return [
        row("", "Llama 3 8B Instruct", 4_661_000_000, path="/ollama/blobs/sha256-aa", application="Ollama",
            parameters=8_030_000_000, licence=""),
        row("", "Orca Mini 3B", 1_979_946_720, path="/gpt4all/orca-mini-3b.gguf", application="GPT4All",
            parameters=3_426_000_000, licence=""),
    ]  # fmt: skip


def unfinished(identifier: str, received: int, total: int | None, **more: Any) -> dict[str, Any]:
    """What a download has left."""
    name = more.pop("name", identifier)
    return {"id": identifier, "name": name, "received": received, "total": total, "running": False, "get": None, **more}


def fit(*, context: int = 4096, kv_type: str = "f16", **where: Any) -> Event:
    """An estimate that grows with the context, as the real one does."""
    name = str(where.get("model") or where.get("path"))
    size = next((float(item["size"]) for item in [*models(), *catalogue()] if item["id"] == name), 4.66e9)
    weights, kv = size / 2**20, context * {"f16": 0.09, "q8_0": 0.048, "q4_0": 0.026}[kv_type]
    total = weights + kv + 130
    fits = total < 4100
    speed = 14_000 / weights
    sentence = (
        f"fits: {total * 2**20 / 1e9:.1f} of 8 GB, about {speed * 0.7:.0f}–{speed:.0f} tok/s on this machine"
        if fits
        else f"does not fit: needs {total * 2**20 / 1e9:.1f} of 8 GB, {(total - 4100) / 954:.1f} GB too much now"
    )
    return {
        "estimate_mb": {"weights": weights, "kv": kv, "compute": 60.0, "process": 70.0, "total": total},
        "memory_mb": {"total": 7900.0, "free": 4100.0}, "fits": fits, "tok_s": [speed * 0.7, speed],
        "context": context, "context_limit": 22_528, "gpu_layers": 0, "layers": 30,
        "plan": "22 of 32 layers on GPU, 0.4 GB free" if name == "mistral-7b" else None, "sentence": sentence,
        "roofline": {"tok_s": speed * 1.1, "bound": "memory", "break_even_batch": 6.0},
        "kv_token_bytes": int(kv / context * 2**20),
    }  # fmt: skip


def inspected(path: str = "", model: str = "") -> Event:
    """What is in a file."""
    return {
        "architecture": "llama", "quantisation": "Q4_1",
        "metadata": {f"llama.key_{number}": number for number in range(20)} | {"general.name": "SmolLM2"},
        "template": "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
                    "{% endfor %}",
        "shape": {"layers": 30, "heads": 9, "kv_heads": 3, "vocabulary": 49152, "read_bytes": 92_000_000},
        "tensors_by_type": [
            {"type": "Q4_1", "count": 210, "bytes": 66_000_000},
            {"type": "Q8_0", "count": 1, "bytes": 30_000_000},
            {"type": "F32", "count": 61, "bytes": 140_000},
        ],
        "path": path or model,
    }  # fmt: skip


def machine() -> Event:
    """This machine."""
    return {"read_gbs": 14.2, "flops_g": 61.0, "cores": 2, "cpu": "Scripted CPU", "memory_mb": 7900, "devices": []}


def steps(text: str, result: Event) -> Iterator[Event]:
    """A conversion."""
    for number in range(3):
        yield {"event": "progress", "text": text, "fraction": number / 3}
    yield {"event": "done", **result}


class ScriptedDownload:
    """A download that waits in the middle until it is let go on; `error` ends it there."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.error: DesktopRagError | None = None
        self.closed = threading.Event()

    def __call__(self, **_args: Any) -> Iterator[Event]:
        try:
            for number in range(3):
                yield {"event": "progress", "received": number * 100_000_000, "total": 398_000_000, "rate": 12.5e6}
            while not self.go_on.wait(0.01):
                yield {"event": "progress", "received": 312_000_000, "total": 398_000_000, "rate": 12.5e6}
            if self.error is not None:
                raise self.error
            yield {"event": "done", "path": "/models/part"}
        finally:
            self.closed.set()


def hub(query: str, limit: int) -> Event:
    """What Hugging Face finds."""
    if query == "nothing":
        return {"results": []}
    if query == "offline":
        raise NetworkError("offline", "huggingface.co cannot be reached.", "Check the connection and try again.")
    files = [{"file": f"model-{name}.gguf", "size": size, "sha256": "a" * 64}
             for name, size in (("Q4_K_M", 986_000_000), ("Q8_0", 1_640_000_000))]  # fmt: skip
    return {"results": [{"repo": "Qwen/Qwen2.5-1.5B-Instruct-GGUF", "licence": "apache-2.0", "downloads": 412_345,
                        "files": files[:limit]}]}  # fmt: skip


_RESULTS = (
    ("llama.cpp", "Q4_1", 82.4, 1.9, 0.71, 0.09, 271.0, 0.78),
    ("CTranslate2", "int8", 61.0, 2.2, 0.95, 0.15, 322.0, 0.63),
    ("CTranslate2", "float32", 22.3, 0.6, 2.6, 0.42, 742.0, 0.88),
    ("GPT4All", "Q4_1 copy", 68.9, 5.1, 0.84, 0.16, 301.0, 0.66),
    ("Transformers", "float32", 9.8, 0.3, 5.9, 0.66, 1180.0, 0.39),
)


def bench_rows() -> list[dict[str, Any]]:
    """A table of five platforms."""
    return [
        {"platform": platform, "options": options, "device": "cpu", "model": STARTER, "n": 6, "avg_tok_s": speed,
         "std_tok_s": std, "avg_time_s": seconds, "avg_output_tokens": 58.3, "ttft_s": first, "peak_rss_mb": peak,
         "roofline_fraction": share, "runs": []}
        for platform, options, speed, std, seconds, first, peak, share in _RESULTS
    ]  # fmt: skip


def skipped() -> list[dict[str, Any]]:
    """A platform that could not run."""
    error = {"code": "not_available", "message": "The server is not part of this installation.", "hint": ""}
    return [{"platform": "OpenAI-compatible", "options": "llama_cpp.server, Q4_1", "error": error}]


def bench(_engines: list[str]) -> Iterator[Event]:
    """A whole benchmark."""
    about = {"cpu": "Scripted CPU", "cores": 2, "read_gbs": 14.2}
    yield {"event": "machine", "machine": about}
    for number, result in enumerate(bench_rows()):
        yield {"event": "progress", "text": f"{result['platform']} {result['options']}", "fraction": number / 6}
        yield {"event": "row", "row": result}
    yield {"event": "skipped", "skipped": skipped()[0]}
    yield {"event": "done", "rows": bench_rows(), "skipped": skipped(), "machine": about, "record": "r.json"}


def probe(engines: list[str]) -> Iterator[Event]:
    """What engines can do."""
    found_ = []
    for name in engines:
        probes = [
            {"capability": "streaming", "holds": True, "evidence": {"events": 88, "first_token_s": 0.091}},
            {"capability": "batching", "holds": name == "CTranslate2", "evidence": {"reason": "one prompt at a time"}},
            {"capability": "prefix_reuse", "holds": name == "llama.cpp", "evidence": {"reused_tokens": 412}},
            {"capability": "several_devices", "holds": None, "evidence": {}},
        ]
        for one in probes:
            yield {"event": "probe", "engine": name, "probe": one}
        found_.append({"engine": name, "options": "", "probes": probes, "error": None})
    yield {"event": "done", "engines": found_}


def unavailable(*_args: Any) -> Iterator[Event]:
    """What is said of a part that is not there."""
    raise UsageError("not_available", "The benchmark is not available yet.")
    yield {}
