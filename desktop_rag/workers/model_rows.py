"""What the `models` role tells of models: the list, one file's inside, this machine."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from desktop_rag.errors import DesktopRagError, ModelError
from desktop_rag.meter import bandwidth, machine
from desktop_rag.models.catalogue import Entry, offered
from desktop_rag.models.engines import engines_for
from desktop_rag.models.facts import Facts, facts_of
from desktop_rag.models.folders import read_object
from desktop_rag.models.inspect import inspect
from desktop_rag.models.installed import find_installed, installed
from desktop_rag.models.shape import Shape, shape_of_ct2, shape_of_gguf, shape_of_hf
from desktop_rag.models.tables import ct2_table, safetensors_table
from desktop_rag.models.unfinished import unfinished
from desktop_rag.settings import Settings
from desktop_rag.workers.model_fit import tell

MIB = 2**20
LONGEST_VALUE = 4000
TABLE_ROWS = 5000


def listed(data_dir: Path, *, fits: bool) -> dict[str, Any]:
    """Installed models, those that can be downloaded (`fits` adds their arithmetic), and unfinished downloads."""
    models = installed(data_dir)
    here = {model.id for model in models if not model.problem}
    chosen = str(Settings(data_dir)["model"])
    first = next((model.id for model in models if model.kind == "chat" and not model.problem), "")
    active = chosen or first
    return {
        "models": [{**model.row(), "active": model.id == active} for model in models],
        "catalogue": [_offer(entry, here, data_dir, fits) for entry in offered()],
        "unfinished": [one.row() for one in unfinished(data_dir)],
    }


def _offer(entry: Entry, here: set[str], data_dir: Path, fits: bool) -> dict[str, Any]:
    told: dict[str, Any] | None = None
    if fits:
        try:
            told = tell({"model": entry.id}, data_dir)
        except DesktopRagError:
            told = None
    return {
        "id": entry.id,
        "name": entry.name,
        "kind": entry.kind,
        "size": entry.size,
        "quantisation": entry.quantisation,
        "licence": entry.licence,
        "context": entry.context,
        "parameters": entry.parameters,
        "languages": list(entry.languages),
        "format": "hf" if entry.kind == "reranker" else "gguf",
        "repo": entry.source.repo,
        "file": entry.source.file,
        "sha256": entry.files[0].sha256,
        "installed": entry.id in here,
        "downloadable": bool(entry.source.repo),
        "fit": told,
    }


def inside(args: dict[str, Any], data_dir: Path) -> dict[str, Any]:
    """What a model file or folder says of itself: {path | model} -> facts, shape, metadata, template, tensors."""
    path = _path(args, data_dir)
    facts = facts_of(path)
    told = dataclasses.asdict(facts)
    told |= {"path": str(facts.path), "files": list(facts.files)}
    told["engines"] = list(engines_for(facts.format, facts.kind, facts.architecture, facts.pre_tokenizer, path.name))
    told |= _gguf(path) if facts.format == "gguf" else _folder(facts)
    return told


def _path(args: dict[str, Any], data_dir: Path) -> Path:
    given = str(args.get("path") or args.get("model") or "")
    path = Path(given).expanduser()
    if args.get("path") or "/" in given or given.lower().endswith(".gguf"):
        return path.absolute()
    return find_installed(given, data_dir).path


def _gguf(path: Path) -> dict[str, Any]:
    info = inspect(path)
    metadata = {key: _short(value) for key, value in info.metadata.items() if key != "tokenizer.chat_template"}
    return {
        "version": info.version,
        "metadata": metadata,
        "template": info.metadata.get("tokenizer.chat_template"),
        "tokenizer": {"model": info.tokenizer, "pre": info.metadata.get("tokenizer.ggml.pre")},
        "tensors": info.tensors,
        "tensors_by_type": _by_type((tensor.type, tensor.bytes) for tensor in info.table),
        "table": [[t.name, list(t.dims), t.type, t.bytes] for t in info.table[:TABLE_ROWS]],
        "shape": _shape_row(lambda: shape_of_gguf(info)),
    }


def _folder(facts: Facts) -> dict[str, Any]:
    if facts.format == "ct2":
        table, read = list(ct2_table(facts.path / "model.bin").tensors), shape_of_ct2
    else:
        table, read = list(safetensors_table(facts.path)), shape_of_hf
    return {
        "metadata": {},
        "template": _template(facts.path),
        "tensors": len(table),
        "tensors_by_type": _by_type((tensor.type, tensor.bytes) for tensor in table),
        "table": [[t.name, list(t.dims), t.type, t.bytes] for t in table[:TABLE_ROWS]],
        "shape": _shape_row(lambda: read(facts.path)),
    }


def _template(folder: Path) -> str | None:
    """The chat template of a folder: a file of its own, or an entry of the tokenizer's configuration."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8", errors="replace")
    template = read_object(folder / "tokenizer_config.json").get("chat_template")
    return template if isinstance(template, str) else None


def _shape_row(read: Any) -> dict[str, Any] | None:
    try:
        shape: Shape = read()
    except (ModelError, KeyError, ValueError):
        # An encoder, or an architecture nobody has described yet: the rest is worth showing.
        return None
    return {name: value for name, value in dataclasses.asdict(shape).items() if name != "layer_bytes"}


def _by_type(rows: Iterator[tuple[str, int]]) -> list[dict[str, Any]]:
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for kind, size in rows:
        counts[kind] += 1
        sizes[kind] += size
    return [{"type": kind, "count": counts[kind], "bytes": size} for kind, size in sizes.most_common()]


def _short(value: Any) -> Any:
    return f"{value[:LONGEST_VALUE]}…" if isinstance(value, str) and len(value) > LONGEST_VALUE else value


def machine_row(data_dir: Path) -> dict[str, Any]:
    """This machine; the measured numbers are null until somebody measures (`measure`)."""
    known = machine.remembered(data_dir)
    memory = psutil.virtual_memory()
    return {
        "cpu": machine.cpu_name(),
        "cores": known.cores if known else psutil.cpu_count(logical=False) or os.cpu_count(),
        "memory_mb": {"total": round(memory.total / MIB), "free": round(memory.available / MIB)},
        "read_gbs": known.read_gbs if known else None,
        "kernel": known.kernel if known else None,
        "flops_g": round(known.flops / 1e9, 1) if known else None,
        "rates": dict(known.rates) if known else None,
        "measured_at": known.measured_at if known else None,
        "flag": known.flag if known else None,
        "devices": device_rows(),
    }


def device_rows() -> list[dict[str, Any]]:
    """What llama.cpp can compute on here, as its build lists it.

    The processor says which of the build's variants was chosen for it; `variant` is None where there is only one.
    """
    from desktop_rag.engines.devices import devices
    from desktop_rag.engines.llama_backends import chosen_variant, variants

    rows = [dataclasses.asdict(device) for device in devices()]
    chosen, there = chosen_variant(), list(variants())
    return [row | ({"variant": chosen, "variants": there} if row["kind"] == "cpu" else {}) for row in rows]


def worth_measuring(data_dir: Path) -> bool:
    """Whether the machine was never measured, or only while other programs were busy, which now they are not."""
    known = machine.remembered(data_dir)
    return known is None or (known.disturbed and bandwidth.quiet())


def measure(data_dir: Path) -> Iterator[dict[str, Any]]:
    """Measure the machine in steps of a fraction of a second, and remember it.

    What was measured in a quiet moment is not replaced by what was measured in a busy one.
    """
    yield {"event": "progress", "text": "Measuring this machine", "fraction": None}
    for found in bandwidth.steps():
        if found is None:
            yield {"event": "progress", "text": "Measuring this machine", "fraction": None}
        elif not (found.disturbed and (known := machine.remembered(data_dir)) and not known.disturbed):
            machine.remember(data_dir, found)
