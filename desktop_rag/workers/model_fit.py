"""Will it fit, and how fast will it be: the arithmetic for one model on this machine as it is now.

Works before a download (from the catalogue's numbers) as after one (from the file's tensor table).
What was never measured is null, never a guess: without a measured bandwidth there is no speed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from desktop_rag.engines import calibration
from desktop_rag.engines.registry import GPT4ALL, LLAMA_CPP, REMOTE, TRANSFORMERS, check_engine
from desktop_rag.errors import ModelError, UsageError
from desktop_rag.meter import machine
from desktop_rag.meter.bound import bound_of
from desktop_rag.models import fit, footprint, offload
from desktop_rag.models.catalogue import Entry, offered
from desktop_rag.models.facts import facts_of
from desktop_rag.models.inspect import inspect
from desktop_rag.models.installed import Installed, conversion_for, copy_for, find_installed, from_facts
from desktop_rag.models.shape import Shape, shape_of_ct2, shape_of_entry, shape_of_gguf, shape_of_hf
from desktop_rag.settings import Settings

MIB = 2**20
DEFAULT_CONTEXT = 4096
SAME_WEIGHTS = "gpt4all"


@dataclass(frozen=True, slots=True)
class Subject:
    """A model, here or offered, as the arithmetic needs it.

    `weights` is a quantisation, or the bytes a token reads by tensor type. `model` is None for one that is not here.
    """

    id: str
    name: str
    shape: Shape
    engines: tuple[str, ...]
    weights: str | Mapping[str, int]
    micro_batch: int | None = None
    model: Installed | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the model would be loaded; `context` in tokens."""

    engine: str
    context: int
    kv_type: str
    compute_type: str | None


def subject(args: Mapping[str, Any], data_dir: Path) -> Subject:
    """The model that a request means by {model} (an id, also of the catalogue) or {path}.

    Raises UsageError("bad_request") for a model that has no such arithmetic, ModelError as `find_installed`.
    """
    if args.get("path"):
        path = Path(str(args["path"])).expanduser().absolute()
        return _of_installed(from_facts(path.name, facts_of(path), source="file"), data_dir)
    if not args.get("model"):
        raise UsageError("bad_request", "Which model?", "Name an id of the list, or a path.")
    name = str(args["model"])
    if "/" in name or name.lower().endswith(".gguf"):
        return subject({"path": name}, data_dir)
    try:
        return _of_installed(find_installed(name, data_dir), data_dir)
    except ModelError:
        entries = [entry for entry in offered() if entry.id == name] or [
            entry for entry in offered() if entry.id.startswith(name.lower())
        ]
        if len(entries) != 1:
            raise
        return _of_entry(entries[0])


def tell(args: Mapping[str, Any], data_dir: Path) -> dict[str, Any]:
    """The answer to a `fit` request {model | path, context?, kv_type?, engine?, compute_type?, gpu?, gpu_layers?}."""
    about = subject(args, data_dir)
    wanted = _wanted(about, args, Settings(data_dir))
    memory = psutil.virtual_memory()
    plan = _plan(about.shape, wanted, args)
    needed = fit.estimate(
        about.shape,
        context=wanted.context,
        kv_type=wanted.kv_type,
        engine=wanted.engine,
        compute_type=wanted.compute_type,
        micro_batch=about.micro_batch,
        gpu_layers=plan.gpu_layers if plan else 0,
        free_bytes=int(memory.available),
    )
    convert = _conversion(about, wanted.engine, data_dir)
    # On a device the card's memory decides, not this machine's bandwidth; a conversion has weights of other types.
    told = (plan is None or plan.on_device == 0) and (convert is None or convert["to"] == SAME_WEIGHTS)
    known = machine.remembered(data_dir) if told else None
    speed, limit = _speed(about, known, wanted)
    on_device = plan.sentence if plan else None
    return {
        "model": about.id,
        "name": about.name,
        "engine": wanted.engine,
        "estimate_mb": needed.megabytes,
        "device_mb": round(needed.device / MIB, 1) if plan else None,
        "memory_mb": {"total": round(memory.total / MIB), "free": round(memory.available / MIB)},
        "fits": bool(needed.fits),
        "tok_s": [round(value, 1) for value in speed] if speed else None,
        "roofline": limit,
        "plan": on_device,
        "gpu_layers": plan.gpu_layers if plan else 0,
        "sentence": fit.fit_sentence(needed, int(memory.total), speed, gpu=on_device),
        "convert": convert,
        **_measures(about.shape, wanted, int(memory.available)),
    }


def _wanted(about: Subject, args: Mapping[str, Any], settings: Settings) -> Wanted:
    engine = check_engine(str(args["engine"])) if args.get("engine") else about.engines[0]
    context = int(args.get("context") or settings["context"] or DEFAULT_CONTEXT)
    kv_type = str(args.get("kv_type") or settings["kv_type"])
    if kv_type not in footprint.KV_BITS:
        raise UsageError("bad_request", f"“{kv_type}” is no type of KV memory.", "Use f16, q8_0 or q4_0.")
    # Only Transformers changes the weights' type while loading.
    given = str(args["compute_type"]) if args.get("compute_type") and engine == TRANSFORMERS else None
    return Wanted(engine, max(1, min(context, about.shape.context or context)), kv_type, given)


def _measures(shape: Shape, wanted: Wanted, free: int) -> dict[str, Any]:
    """What does not depend on the moment, and the context that the free memory allows."""
    limit = fit.context_limit(
        shape, free, kv_type=wanted.kv_type, engine=wanted.engine, compute_type=wanted.compute_type
    )
    return {
        "context": wanted.context,
        "context_limit": limit,
        "kv_type": wanted.kv_type,
        "kv_token_bytes": footprint.kv_token_bytes(shape, wanted.kv_type),
        "layers": shape.layers,
        "parameters": shape.parameters,
    }


def _of_installed(model: Installed, data_dir: Path) -> Subject:
    if model.kind != "chat" or not model.engines:
        raise UsageError("bad_request", f"“{model.id}” is not a chat model.", "See: desktop-rag models list")
    if model.format == "gguf":
        info = inspect(model.path)
        shape = shape_of_gguf(info)
        found = calibration.remembered(data_dir, calibration.model_key(model.path))
        micro_batch = found.micro_batch if found else None
        return Subject(model.id, model.name, shape, model.engines, dict(shape.read_types), micro_batch, model)
    shape = (shape_of_ct2 if model.format == "ct2" else shape_of_hf)(model.path)
    if shape.context is None:
        # A CTranslate2 folder has no place for it; the card beside it knows.
        shape = dataclasses.replace(shape, context=model.context)
    return Subject(model.id, model.name, shape, model.engines, model.quantisation, None, model)


def _of_entry(entry: Entry) -> Subject:
    shape = shape_of_entry(entry)
    if shape is None:
        raise UsageError("not_available", f"The catalogue has no numbers of {entry.name}.", "Get it, then look again.")
    return Subject(entry.id, entry.name, shape, ("llama.cpp",), entry.quantisation)


def _speed(
    about: Subject, known: machine.Machine | None, wanted: Wanted
) -> tuple[tuple[float, float] | None, dict[str, Any] | None]:
    if known is None:
        return None, None
    shape = about.shape
    rate = known.rate_for(about.weights, shape.read_bytes) * 1e9
    speed = fit.expected_tps(shape, rate, context_used=min(1024, wanted.context), kv_type=wanted.kv_type)
    limit = fit.roofline(shape, known.gbs_for(shape.read_bytes) * 1e9, known.flops, kv_type=wanted.kv_type)
    batch = limit.break_even_batch
    return speed, {
        "tok_s": round(limit.tok_s, 2),
        "bound": limit.bound,
        "break_even_batch": None if batch is None else round(batch, 1),
        **_by_kernels(shape, known, wanted.engine, limit.bound),
    }


def _by_kernels(shape: Shape, known: machine.Machine, engine: str, roofline: str) -> dict[str, Any]:
    """What the engine's own kernels say of the bound; null where they were not measured: they are llama.cpp's."""
    found = bound_of(known, dict(shape.read_types), shape.read_bytes) if engine == LLAMA_CPP else None
    if found is None or roofline != "memory":
        return {"kernel_tok_s": None, "why": None}
    kernel = round(found.kernel_gbs * 1e9 / shape.read_bytes, 2)
    return {"bound": found.kind, "kernel_tok_s": kernel, "why": found.sentence}


def _conversion(about: Subject, engine: str, data_dir: Path) -> dict[str, Any] | None:
    """{to, copy, text} where the engine does not open the model as it is: what it needs first. None where it does."""
    if engine in about.engines or engine == REMOTE:
        return None
    model = about.model
    if model is None:
        # Whether GPT4All opens a file is told by the file.
        to = conversion_for("gguf", engine) if engine != GPT4ALL else None
        text = f"It has to be downloaded first, then converted for {engine}."
        return {"to": to, "copy": None, "text": text} if to else None
    copy, to = copy_for(model, engine, data_dir), conversion_for(model.format, engine)
    name = str(model.path) if model.source == "file" else model.id
    if copy is not None:
        text = f"{engine} opens its converted copy, {copy.id}."
    elif to is not None:
        text = f"It has to be converted for {engine} first: desktop-rag models convert {name} --to {to}"
    else:
        text = f"{engine} cannot open it, and it cannot be converted for {engine}."
    return {"to": to, "copy": copy.id if copy else None, "text": text}


def _plan(shape: Shape, wanted: Wanted, args: Mapping[str, Any]) -> offload.Plan | None:
    """The split over accelerators; None where the build or the machine has none, or none is wanted."""
    layers = args.get("gpu_layers")
    usable = [] if args.get("gpu") is False or layers == 0 else accelerators()
    if not usable:
        return None
    at_most = None if layers in (None, -1) else int(str(layers))
    return offload.plan_offload(shape, usable, wanted.context, wanted.kv_type, at_most=at_most)


def accelerators() -> Sequence[offload.DeviceMemory]:
    """Devices that are not the processor; loads llama.cpp's library."""
    from desktop_rag.engines import devices

    return devices.accelerators()
