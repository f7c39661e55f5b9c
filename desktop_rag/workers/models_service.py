"""The `models` role: everything about model files that needs no network, in a disposable process.

Reading foreign files, native quantising and conversion with torch happen here, so that a crash or a
cancel costs nothing but this process. Long work gives way to questions about the list.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from desktop_rag.errors import ModelError, UsageError
from desktop_rag.models import adopt, importing
from desktop_rag.models.catalogue import offered
from desktop_rag.models.deleting import delete
from desktop_rag.models.installed import find_installed
from desktop_rag.models.making import sweep
from desktop_rag.workers import model_rows, model_work
from desktop_rag.workers.loop import Operation, Request, Service
from desktop_rag.workers.model_fit import tell

BACKGROUND = frozenset({"import", "place", "convert", "quantise", "synthetic", "machine", "discover"})


class _Operations:
    """One method per operation, called by its name; `import_` because the word is taken."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def list(self, request: Request) -> Operation:
        """Installed models, the catalogue, unfinished downloads; {fits: false} leaves the arithmetic out."""
        yield None
        return model_rows.listed(self._data_dir, fits=request.args.get("fits") is not False)

    def inspect(self, request: Request) -> Operation:
        """What {path | model} says of itself."""
        yield None
        return model_rows.inside(request.args, self._data_dir)

    def fit(self, request: Request) -> Operation:
        """Whether {model | path, context?, kv_type?, engine?, gpu?, gpu_layers?} fits, and how fast it will be."""
        yield None
        return tell(request.args, self._data_dir)

    def import_(self, request: Request) -> Operation:
        """Copy the model at {path} among the user's."""
        model, known = yield from importing.import_model(Path(_needed(request, "path")), self._data_dir)
        return {"model": model.row(), "known": known}

    def place(self, request: Request) -> Operation:
        """Register the finished download at {path}: {id} of the catalogue, or {repo, file}, and {sha256}."""
        args = request.args
        entry = next((entry for entry in offered() if entry.id == args.get("id")), None)
        if args.get("id") and entry is None:
            raise ModelError("not_installed", f"There is no model called “{args['id']}” in the catalogue.")
        model, known = yield from importing.place(
            Path(_needed(request, "path")),
            self._data_dir,
            entry=entry,
            repo=str(args.get("repo") or (entry.source.repo if entry else "") or ""),
            file=str(args.get("file") or (entry.source.file if entry else "") or ""),
            sha256=args.get("sha256"),
        )
        return {"model": model.row(), "known": known}

    def discover(self, request: Request) -> Operation:
        """Models of other programs on this computer; {all: true} lists those in use here and unusable ones, too."""
        found = []
        for item in adopt.discover(self._data_dir):
            found.append(item)
            yield None
        rows = [item.row() for item in found if item.problem is None and item.adopted is None]
        skipped = [item.row() for item in found if item.problem is not None or item.adopted is not None]
        return {"found": rows, **({"skipped": skipped} if request.args.get("all") else {})}

    def adopt(self, request: Request) -> Operation:
        """Use the model at {path} where it lies."""
        yield None
        return {"model": adopt.adopt(Path(_needed(request, "path")), self._data_dir).row(), "known": False}

    def delete(self, request: Request) -> Operation:
        """Delete {model}, which may be an unfinished download."""
        yield None
        return delete(_needed(request, "model"), self._data_dir)

    def convert(self, request: Request) -> Operation:
        """Make a copy of {model} for another engine: {to, compute_type?}."""
        return (yield from model_work.convert(request.args, self._data_dir))

    def quantise(self, request: Request) -> Operation:
        """Store {model} in fewer bits: {to}; {estimate: true} only tells the size."""
        return (yield from model_work.quantise(request.args, self._data_dir))

    def synthetic(self, request: Request) -> Operation:
        """Write random weights of a real shape: {shape, quantisation, format}."""
        return (yield from model_work.synthetic(request.args, self._data_dir))

    def adapters(self, request: Request) -> Operation:
        """Set the LoRA adapters of {model}: {adapters: [{path, scale}]}; without that key only tell them."""
        yield None
        if "adapters" not in request.args:
            return {"model": find_installed(_needed(request, "model"), self._data_dir).row()}
        return model_work.adapters(request.args, self._data_dir)

    def machine(self, request: Request) -> Operation:
        """This machine, measured once in a quiet moment; {measure: true} measures anew, false never."""
        wanted = request.args.get("measure")
        if wanted or (wanted is None and model_rows.worth_measuring(self._data_dir)):
            yield from model_rows.measure(self._data_dir)
        yield None
        return model_rows.machine_row(self._data_dir)

    def devices(self, request: Request) -> Operation:
        """What llama.cpp can compute on here."""
        yield None
        return {"devices": model_rows.device_rows()}


def _needed(request: Request, name: str) -> str:
    value = request.args.get(name)
    if not value:
        raise UsageError("bad_request", f"“{request.op}” needs a {name}.")
    return str(value)


def open_service(data_dir: Path, options: dict[str, Any]) -> Service:
    """The role's operations; what killed work left behind is swept first."""
    sweep(data_dir)
    operations = _Operations(data_dir)
    names = [name for name in dir(operations) if not name.startswith("_")]
    handlers = {name.rstrip("_"): getattr(operations, name) for name in names}
    return Service(handlers, background=BACKGROUND)
