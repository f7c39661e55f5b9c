"""The engines by name, and which one runs a model's format; adapters are imported when one is opened."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_rag.errors import UsageError

if TYPE_CHECKING:
    from desktop_rag.engines.protocol import Engine, LoadOptions

LLAMA_CPP, CTRANSLATE2, GPT4ALL, TRANSFORMERS = "llama.cpp", "CTranslate2", "GPT4All", "Transformers"
REMOTE = "OpenAI-compatible"
ENGINES = (LLAMA_CPP, CTRANSLATE2, GPT4ALL, TRANSFORMERS, REMOTE)
_LOCAL = {
    LLAMA_CPP: ("desktop_rag.engines.llama_cpp", "LlamaCppEngine"),
    CTRANSLATE2: ("desktop_rag.engines.ctranslate2", "CTranslate2Engine"),
    GPT4ALL: ("desktop_rag.engines.gpt4all", "Gpt4AllEngine"),
    TRANSFORMERS: ("desktop_rag.engines.transformers", "TransformersEngine"),
}


def check_engine(name: str) -> str:
    """The engine's proper name, whatever its case. Raises UsageError("bad_request") for one that does not exist."""
    for engine in ENGINES:
        if engine.casefold() == name.casefold():
            return engine
    raise UsageError("bad_request", f"There is no engine “{name}”.", f"Use one of: {', '.join(ENGINES)}.")


def open_engine(name: str, path: Path, options: LoadOptions) -> Engine:
    """Load a model from this machine. Raises ModelError when it cannot be loaded, UsageError for a wrong name."""
    module, adapter = _LOCAL[name]
    engine: Engine = getattr(import_module(module), adapter)(path, options)
    return engine
