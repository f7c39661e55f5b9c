"""`desktop-rag models …`: the models of this computer and the catalogue. A thin face over the `models` role."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from desktop_rag.cli import download_lines
from desktop_rag.cli import model_lines as lines
from desktop_rag.cli.output import Output
from desktop_rag.engines.registry import ENGINES
from desktop_rag.errors import NetworkError, UsageError
from desktop_rag.meter import machine
from desktop_rag.models.catalogue import find
from desktop_rag.workers.crew import Workers

Add = Callable[[Any, str, Any, str], ArgumentParser]
_CONVERT_TO = ("ct2", "hf", "gpt4all")


def add_commands(subparsers: Any, add: Add) -> None:
    """Put `models` with its own commands beside the others."""
    models = subparsers.add_parser("models", help="List, get, import, examine and convert models.")
    inner = models.add_subparsers(dest="models_command", metavar="COMMAND", required=True)
    _looking(inner, add)
    _bringing(inner, add)
    _changing(inner, add)


def _looking(inner: Any, add: Add) -> None:
    add(inner, "list", list_models, "List the models of this computer, and what can be downloaded.")
    inspect = add(inner, "inspect", inspect_model, "Show what a model says of itself.")
    inspect.add_argument("model", metavar="MODEL", help="an id, or the path of a GGUF file or a model folder")
    inspect.add_argument("--template", action="store_true", help="print the chat template")
    inspect.add_argument("--tensors", action="store_true", help="print every tensor")
    fit = add(inner, "fit", fit_model, "Tell whether a model fits this computer and how fast it will be.")
    fit.add_argument("model", metavar="MODEL", help="an id, also of the catalogue, or a path")
    fit.add_argument("--context", type=int, metavar="N", help="tokens the model sees at once")
    fit.add_argument("--kv-type", choices=("f16", "q8_0", "q4_0"), help="precision of the context's memory")
    fit.add_argument("--gpu-layers", type=int, metavar="N", help="0 uses no graphics card, -1 as many as fit")
    fit.add_argument("--engine", metavar="E", help=f"the engine that opens it: {', '.join(ENGINES)}")
    search = add(inner, "search", search_models, "Search Hugging Face for GGUF files; the words typed are sent there.")
    search.add_argument("query", nargs="+", metavar="WORD", help="what the model is called")
    search.add_argument("--limit", type=int, default=8, metavar="N", help="repositories to show (8)")
    _online(search)


def _bringing(inner: Any, add: Add) -> None:
    get = add(inner, "get", get_model, "Download a model; an interrupted download goes on where it stopped.")
    get.add_argument("model", metavar="MODEL", help="an id of the catalogue, or OWNER/REPOSITORY:FILE of Hugging Face")
    _online(get)
    bring = add(inner, "import", import_model, "Copy a GGUF file, or a CTranslate2 or Hugging Face folder, in here.")
    bring.add_argument("path", metavar="PATH", help="the file or folder; it stays where it is")
    adopt = add(inner, "adopt", adopt_models, "Use models of GPT4All, Ollama, LM Studio or Jan without copying them.")
    adopt.add_argument("path", nargs="*", metavar="PATH", help="without one, list what there is")
    adopt.add_argument("--all", action="store_true", help="adopt everything that was found")


def _changing(inner: Any, add: Add) -> None:
    convert = add(inner, "convert", convert_model, "Make a copy of a model for another engine.")
    convert.add_argument("model", metavar="MODEL", help="an id of `models list`, or a path")
    convert.add_argument(
        "--to", required=True, choices=_CONVERT_TO, help="ct2 for CTranslate2, hf for Transformers, gpt4all for GPT4All"
    )
    convert.add_argument("--compute-type", metavar="T", help="int8, float16, bfloat16 or float32")
    quantise = add(inner, "quantise", quantise_model, "Store a model in fewer bits.")
    quantise.add_argument("model", metavar="MODEL", help="an id of `models list`, or a path")
    quantise.add_argument("--to", required=True, metavar="TYPE", help="Q4_0 Q4_1 Q4_K_M Q5_K_M Q6_K Q8_0 F16")
    quantise.add_argument("--estimate", action="store_true", help="only tell how large it will be")
    adapters = add(inner, "adapters", set_adapters, "Show or set the LoRA adapters of a model.")
    adapters.add_argument("model", metavar="MODEL", help="an id of `models list`, or a path")
    adapters.add_argument("--set", nargs="*", metavar="FILE[=SCALE]", help="exactly these; none removes all")
    delete = add(inner, "delete", delete_model, "Delete a model, or what has arrived of an unfinished download.")
    delete.add_argument(
        "model", metavar="MODEL", help="an id of `models list`; another program's model only leaves the list"
    )


def _online(parser: ArgumentParser) -> None:
    parser.add_argument("--online", action="store_true", help="open the network for this one command")


def list_models(workers: Workers, options: Namespace, output: Output) -> int:
    """Installed models, the catalogue, and downloads that were not finished."""
    told = _plain(workers.models.call("list"))
    output.result(told, [*lines.listing(told), *download_lines.unfinished(told)])
    return 0


def inspect_model(workers: Workers, options: Namespace, output: Output) -> int:
    """One model's inside."""
    told = _plain(workers.models.call("inspect", model=_named(options.model)))
    if options.template:
        output.result(told, [str(told["template"] or "It has no chat template.")])
        return 0
    output.result(told, lines.inside(told, tensors=options.tensors))
    return 0


def fit_model(workers: Workers, options: Namespace, output: Output) -> int:
    """The arithmetic, with the machine measured first where it never was."""
    if options.context is not None and options.context < 1:
        raise UsageError(
            "bad_request", "A context has at least one token.", "Give a larger --context, or leave it out."
        )
    chosen = {
        "context": options.context,
        "kv_type": options.kv_type,
        "engine": options.engine,
        "gpu_layers": options.gpu_layers,
    }
    given = {name: value for name, value in chosen.items() if value is not None}
    model = _named(options.model)
    if machine.remembered(workers.data_dir) is None:
        # A wrong name is said before anyone waits for the measurement.
        workers.models.call("fit", model=model, **given)
    _follow(workers.models.stream("machine"), output)
    told = _plain(workers.models.call("fit", model=model, **given))
    output.result(told, lines.fitting(told))
    return 0


def search_models(workers: Workers, options: Namespace, output: Output) -> int:
    """Search the hub."""
    _check_online(options, f"search {shlex.join(options.query)}")
    try:
        found = workers.network("download", opened=True)
        told = _follow(found.stream("search", query=" ".join(options.query), limit=options.limit), output)
    finally:
        workers.leave_network("download")
    output.result(told, lines.results(told))
    return 0


def get_model(workers: Workers, options: Namespace, output: Output) -> int:
    """Download a model and register it."""
    wanted = _wanted(options.model)
    _check_online(options, f"get {options.model}")
    try:
        network = workers.network("download", opened=True)
        got = _follow(network.stream("download", **wanted), output)
    finally:
        workers.leave_network("download")
    told = _follow(workers.models.stream("place", path=got["path"], sha256=got["sha256"], **wanted), output)
    return _done(told, output, "is ready")


def import_model(workers: Workers, options: Namespace, output: Output) -> int:
    """Copy a model in here."""
    told = _follow(workers.models.stream("import", path=_path(options.path)), output)
    return _done(told, output, "is ready")


def adopt_models(workers: Workers, options: Namespace, output: Output) -> int:
    """List or adopt models of other programs."""
    paths = [_path(path) for path in options.path]
    if options.all or not paths:
        told = _plain(workers.models.call("discover", all=True))
        if not options.all:
            output.result(told, lines.found(told))
            return 0
        paths = [row["path"] for row in told["found"]]
    models = [workers.models.call("adopt", path=path)["model"] for path in paths]
    output.result({"models": models}, [lines.model_line(model) for model in models] or ["There was nothing to adopt."])
    return 0


def convert_model(workers: Workers, options: Namespace, output: Output) -> int:
    """Make a copy for another engine."""
    more = {"compute_type": options.compute_type} if options.compute_type else {}
    events = workers.models.stream("convert", model=_named(options.model), to=options.to, **more)
    return _done(_follow(events, output), output, "is ready")


def quantise_model(workers: Workers, options: Namespace, output: Output) -> int:
    """Store a model in fewer bits, or tell what that would give."""
    args = {"model": _named(options.model), "to": options.to}
    if options.estimate:
        told = _plain(workers.models.call("quantise", estimate=True, **args))
        output.result(told, [lines.estimate(told, options.to)])
        return 0
    return _done(_follow(workers.models.stream("quantise", **args), output), output, "is ready")


def set_adapters(workers: Workers, options: Namespace, output: Output) -> int:
    """Show or set adapters."""
    more = {} if options.set is None else {"adapters": [_adapter(text) for text in options.set]}
    told = _plain(workers.models.call("adapters", model=_named(options.model), **more))
    rows = told["model"]["adapters"]
    output.result(told, [f"{row['scale']:>5.2f}  {row['path']}" for row in rows] or ["It has no adapters."])
    return 0


def delete_model(workers: Workers, options: Namespace, output: Output) -> int:
    """Delete a model, or an unfinished download."""
    told = _plain(workers.models.call("delete", model=options.model))
    output.result(told, download_lines.removed(told) if told["unfinished"] else lines.deleted(told))
    return 0


def _wanted(name: str) -> dict[str, str]:
    """What `get` means: an id, or owner/repository:file."""
    if "/" not in name:
        return {"id": find(name).id}
    repo, colon, file = name.partition(":")
    if not colon or not file:
        hint = "Write OWNER/REPOSITORY:FILE, or search: desktop-rag models search WORDS --online"
        raise UsageError("bad_request", "Which file of the repository?", hint)
    return {"repo": repo, "file": file}


def _check_online(options: Namespace, command: str) -> None:
    """A download is asked for each time, whatever the settings say."""
    if not options.online:
        raise NetworkError(
            "sealed",
            "The application is sealed: nothing is sent or fetched.",
            f"Open the network for this one command: desktop-rag models {command} --online",
        )


def _follow(events: Iterator[dict[str, Any]], output: Output) -> dict[str, Any]:
    """Show progress, a line at most for every tenth; returns the result."""
    last: dict[str, Any] = {}
    shown = ""
    for event in events:
        if event["event"] == "done":
            last = _plain(event)
        else:
            line = lines.progress(event)
            output.progress(event, line if line != shown else None)
            shown = line or shown
    return last


def _done(told: dict[str, Any], output: Output, words: str) -> int:
    model = told["model"]
    state = "was here already" if told.get("known") else words
    output.result(told, [f"{model['name']} {state}: {model['id']}", lines.model_line(model)])
    return 0


def _plain(event: dict[str, Any]) -> dict[str, Any]:
    """Without what belongs to the pipe."""
    return {key: value for key, value in event.items() if key not in ("event", "id")}


def _named(name: str) -> str:
    """An id as it is; a path made absolute, because the worker's folder is another one."""
    is_path = "/" in name or "\\" in name or name.lower().endswith(".gguf") or Path(name).is_dir()
    return _path(name) if is_path else name


def _path(text: str) -> str:
    return str(Path(text).expanduser().absolute())


def _adapter(text: str) -> dict[str, Any]:
    """FILE or FILE=SCALE."""
    path, equals, scale = text.rpartition("=")
    if not equals:
        return {"path": _path(text), "scale": 1.0}
    try:
        return {"path": _path(path), "scale": float(scale)}
    except ValueError as error:
        raise UsageError("bad_request", f"“{scale}” is no scale.", "Write FILE=0.8, or FILE alone.") from error
