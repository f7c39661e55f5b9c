"""Long work on models, composed from its parts: copies in other formats, quantising, random weights, adapters.

Each is a generator of progress events that returns {model, known}: the model as it is now installed,
and whether it was there already.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

from desktop_rag.errors import ModelError, UsageError
from desktop_rag.models.cards import slug
from desktop_rag.models.catalogue import load_catalogue
from desktop_rag.models.facts import facts_of
from desktop_rag.models.installed import Installed, find_installed, from_facts, installed
from desktop_rag.models.lora import check_adapter, set_adapters
from desktop_rag.models.making import Event, check_room, made_from, progress, register, unused_id, workplace
from desktop_rag.store.files import unwritable

TARGETS = {"ct2": "CTranslate2", "hf": "Transformers", "gpt4all": "GPT4All"}
DEFAULT_TYPES = {"ct2": "int8", "hf": "float32", "gpt4all": ""}

Steps = Generator[Event, None, dict[str, Any]]


def chosen(args: Mapping[str, Any], data_dir: Path) -> Installed:
    """The model that {model} means: an id, the beginning of one, or a path. Raises as `find_installed`, `facts_of`."""
    name = str(args.get("model") or "")
    if not name:
        raise UsageError("bad_request", "Which model?", "Name an id of the list, or a path.")
    if "/" in name or name.lower().endswith(".gguf"):
        path = Path(name).expanduser().absolute()
        known = next((model for model in installed(data_dir) if model.path == path), None)
        return known or from_facts(slug(path.stem), facts_of(path), source="file")
    model = find_installed(name, data_dir)
    if model.problem:
        raise ModelError("not_installed", f"{model.name} is not there or not whole.", "Get it again.")
    return model


def convert(args: Mapping[str, Any], data_dir: Path) -> Steps:
    """Serve {model, to: "ct2" | "hf" | "gpt4all", compute_type?}."""
    parent, to = chosen(args, data_dir), str(args.get("to") or "")
    if to not in TARGETS:
        raise UsageError("bad_request", f"“{to}” is no format to convert to.", f"Use one of: {', '.join(TARGETS)}.")
    compute_type = str(args.get("compute_type") or DEFAULT_TYPES[to])
    made = {"to": to, "compute_type": compute_type}
    there = made_from(parent, data_dir, lambda card: card.get("made") == made)
    if there is not None:
        return {"model": there.row(), "known": True}
    suffix = f"{to}-{compute_type}" if compute_type else to
    with workplace(data_dir, unused_id(f"{parent.id}-{suffix}", data_dir)) as folder:
        target = folder / (f"{parent.path.stem}-gpt4all.gguf" if to == "gpt4all" else "model")
        yield from _converting(parent, target, to, compute_type)
        name = f"{parent.name} for {TARGETS[to]}"
        model = register(data_dir, folder, target, **_child(parent, "converted", name), made=made)
    return {"model": model.row(), "known": False}


def quantise(args: Mapping[str, Any], data_dir: Path) -> Steps:
    """Serve {model, to, estimate?}: to a GGUF type, or for CTranslate2 to a compute type; `estimate` tells the size."""
    from desktop_rag.models import quantise as quantiser

    parent, to = chosen(args, data_dir), str(args.get("to") or "")
    if parent.format == "ct2" or (parent.format == "hf" and to.lower() == to):
        return (yield from convert({"model": parent.parent or parent.id, "to": "ct2", "compute_type": to}, data_dir))
    to = quantiser.check_type(to)
    told = quantiser.forecast(parent.path, to)
    yield {"event": "estimate", "size": told.size, "bits": told.bits, "warning": told.warning, "to": to}
    if args.get("estimate"):
        return {"size": told.size, "bits": told.bits, "warning": told.warning, "fallback": told.fallback}
    made = {"to": to, "compute_type": ""}
    there = made_from(parent, data_dir, lambda card: card.get("made") == made)
    if there is not None:
        return {"model": there.row(), "known": True}
    stem = parent.id.removesuffix(f"-{slug(parent.quantisation)}") if parent.quantisation else parent.id
    with workplace(data_dir, unused_id(f"{stem}-{to}", data_dir)) as folder:
        check_room(folder, told.size)
        target = folder / f"{slug(parent.name)}-{to}.gguf"
        yield from quantiser.quantise(parent.path, target, to)
        model = register(data_dir, folder, target, **_child(parent, "quantised", parent.name), made=made)
    return {"model": model.row(), "known": False}


def synthetic(args: Mapping[str, Any], data_dir: Path) -> Steps:
    """Serve {shape, quantisation, format}: random weights of a real architecture's shape, to measure speed with."""
    from desktop_rag.models import synthetic as writer

    shape, kind = str(args.get("shape") or ""), str(args.get("quantisation") or "Q4_0")
    made = writer.architecture(shape)
    is_ct2 = args.get("format") == "ct2"
    wanted = slug(f"synthetic-{shape}-{kind}{'-ct2' if is_ct2 else ''}")
    there = next((model for model in installed(data_dir) if model.id == wanted and not model.problem), None)
    if there is not None:
        return {"model": there.row(), "known": True}
    with workplace(data_dir, wanted) as folder:
        target = folder / ("model" if is_ct2 else f"{wanted}.gguf")
        yield from _random(target, shape, kind, is_ct2=is_ct2)
        more = {"name": f"{made.name} (random weights)", "source": "synthetic", "licence": ""}
        model = register(data_dir, folder, target, **more)
    return {"model": model.row(), "known": False}


def adapters(args: Mapping[str, Any], data_dir: Path) -> dict[str, Any]:
    """Serve {model, adapters: [{path, scale}]}: all are looked at before anything is remembered."""
    model = chosen(args, data_dir)
    if model.format != "gguf" or model.kind != "chat":
        raise UsageError("bad_request", f"{model.name} takes no adapters.", "Only GGUF chat models do.")
    wanted = [
        (str(Path(str(row["path"])).expanduser().absolute()), float(row.get("scale", 1.0)))
        for row in args.get("adapters") or ()
    ]
    for path, scale in wanted:
        check_adapter(Path(path), scale, model.architecture)
    set_adapters(data_dir, model.id, wanted)
    return {"model": find_installed(model.id, data_dir).row()}


def _converting(parent: Installed, target: Path, to: str, compute_type: str) -> Iterator[Event]:
    if to == "gpt4all":
        from desktop_rag.models.gpt4all_copy import make_copy

        check_room(target.parent, parent.size)
        yield progress("Copying", None)
        make_copy(parent.path, target)
        return
    from desktop_rag.models.convert_chat import to_ctranslate2, to_hf

    if to == "ct2":
        yield from to_ctranslate2(parent.path, target, compute_type)
    elif parent.format == "hf":
        raise ModelError("incompatible", f"{parent.name} is a Hugging Face folder already.", "Use it as it is.")
    else:
        yield from to_hf(parent.path, target, compute_type)


def _child(parent: Installed, source: str, name: str) -> dict[str, Any]:
    """What a copy takes over from its original: the format cannot say it, the weights are the same."""
    kept = {
        "licence": parent.licence,
        "context": parent.context,
        "layers": parent.layers,
        "parameters": parent.parameters,
        "architecture": parent.architecture,
    }
    known = {key: value for key, value in kept.items() if value}
    return {"name": name, "source": source, "parent": parent.id, "parent_sha256": parent.sha256, **known}


def _random(target: Path, shape: str, kind: str, *, is_ct2: bool) -> Iterator[Event]:
    from desktop_rag.models import synthetic as writer

    tokenizer = _tokenizer()
    write = writer.write_ct2 if is_ct2 else writer.write_gguf
    try:
        yield from write(target, shape, kind, tokenizer)
    except OSError as error:
        # The disk may fill up after it was looked at.
        raise unwritable(error, target.parent) from error


def _tokenizer() -> Path:
    """The starter's file: random weights need real tokens."""
    from desktop_rag import paths

    for entry in load_catalogue():
        path = entry.installed_path(paths.models_dir()) if entry.kind == "chat" else None
        if path is not None:
            return path
    raise ModelError("not_installed", "The starter model is not installed.", "Run the set-up again.")
