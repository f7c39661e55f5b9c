"""Which models are on this computer, and which of them a name means.

Starters come from the catalogue and lie in the read-only models folder. The user's models have a
card each in the data directory (`desktop_rag.models.cards`). A model that was made from another is
a model of its own with `parent`, so that “the starter, in CTranslate2” finds the starter's copy.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop_rag import paths, torch_part
from desktop_rag.errors import DesktopRagError, ModelError, UsageError
from desktop_rag.models.cards import read_card, slug, user_models
from desktop_rag.models.catalogue import Entry, load_catalogue, offered
from desktop_rag.models.engines import engines_for
from desktop_rag.models.facts import Facts, facts_of
from desktop_rag.settings import Settings

REMOTE = "OpenAI-compatible"
_MADE_WITH_TORCH = ("ct2", "hf")
PROBLEMS = {
    "gone": ("not_installed", "{name} is not where it was: {path}.", "Put it back, or delete it from the models."),
    "changed": ("truncated", "{name} is not whole: its size has changed.", "Delete it and get it again."),
}


@dataclass(frozen=True, slots=True)
class Installed:
    """One model. `path` is what an engine opens; `size` in bytes, `context` in tokens, None or "" where unknown.

    `source` is "starter", "download", "import", "adopted:Ollama" and the like, "converted",
    "quantised", "synthetic" or "file" (opened by its path, kept nowhere). `adapters` are LoRA files
    with their scale. `problem` is "" or why it cannot be opened now: "gone" or "changed".
    """

    id: str
    name: str
    kind: str
    format: str
    engines: tuple[str, ...]
    path: Path
    size: int
    quantisation: str = ""
    architecture: str = ""
    context: int | None = None
    layers: int | None = None
    parameters: int | None = None
    licence: str = ""
    source: str = "import"
    sha256: str | None = None
    chat_template: bool = False
    adapters: tuple[tuple[str, float], ...] = ()
    parent: str | None = None
    problem: str = ""

    @property
    def missing(self) -> bool:
        """Whether it cannot be opened now."""
        return bool(self.problem)

    def row(self) -> dict[str, Any]:
        """The JSON shape."""
        row = dataclasses.asdict(self)
        adapters = [{"path": path, "name": Path(path).stem, "scale": scale} for path, scale in self.adapters]
        return {**row, "path": str(self.path), "missing": self.missing, "adapters": adapters}


def installed(data_dir: Path) -> list[Installed]:
    """Every model on this computer: starters first, then the user's by name."""
    found = [model for entry in load_catalogue() if (model := _starter(entry)) is not None]
    mine = [model for folder in _folders(data_dir) if (model := _mine(folder)) is not None]
    models = found + sorted(mine, key=lambda model: (model.name.lower(), model.id))
    adapters = _adapters(data_dir)
    return [dataclasses.replace(m, adapters=adapters[m.id]) if m.id in adapters else m for m in models]


def rerankers(data_dir: Path) -> list[Installed]:
    """The user's cross-encoders that can be opened, by name; the cards alone are read."""
    mine = [model for folder in _folders(data_dir) if (model := _mine(folder)) is not None]
    return sorted((m for m in mine if m.kind == "reranker" and not m.problem), key=lambda m: (m.name.lower(), m.id))


def resolve(name: str | None, data_dir: Path, engine: str | None = None) -> tuple[Installed, str]:
    """The chat model that `name` means, and the engine that runs it.

    `name` is an id, the beginning of only one id, or the path of a GGUF file or a model folder;
    None means the model of the settings, and without one the first starter. Where the model's
    format is not the engine's, its copy in that format is taken.

    Raises ModelError: "not_installed", "truncated", "incompatible"; UsageError("bad_request") for a
    name that fits several models, or one that is no chat model.
    """
    settings = Settings(data_dir)
    chosen = name or str(settings["model"]) or None
    model = _named(chosen, data_dir) if chosen else _default(data_dir)
    if model.problem:
        code, message, hint = PROBLEMS[model.problem]
        raise ModelError(code, message.format(name=model.name, path=model.path), hint)
    if model.kind != "chat":
        raise UsageError("bad_request", f"“{model.id}” is not a chat model.", "See: desktop-rag models list")
    preferred = str(settings["engine"])
    if engine in (None, "", REMOTE):
        found = copy_for(model, preferred, data_dir)
        return (found, preferred) if found else (model, _first_engine(model))
    found = copy_for(model, str(engine), data_dir)
    if found is None:
        raise _wrong_engine(model, str(engine))
    return found, str(engine)


def copy_for(model: Installed, engine: str, data_dir: Path) -> Installed | None:
    """The model itself if that engine opens it, else its copy that does; None where there is none."""
    if not engine:
        return None
    if engine in model.engines:
        return model
    copies = [
        copy
        for copy in installed(data_dir)
        if copy.parent == model.id and copy.source == "converted" and engine in copy.engines and not copy.problem
    ]
    return min(copies, key=lambda copy: copy.size, default=None)


def conversion_for(model_format: str, engine: str) -> str | None:
    """What a model of this format is converted to for an engine that does not open it; None where nothing does."""
    target = {"CTranslate2": "ct2", "Transformers": "hf", "GPT4All": "gpt4all"}.get(engine)
    return target if model_format in ("gguf", "hf") else None


def find_installed(name: str, data_dir: Path) -> Installed:
    """The model of any kind whose id is `name` or begins with it; errors as in `resolve`."""
    models = installed(data_dir)
    exact = [model for model in models if model.id == name]
    fitting = exact or _roots([model for model in models if model.id.startswith(name.lower())])
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(model.id for model in fitting)
        raise UsageError("bad_request", f"“{name}” fits several models: {names}.", "Write one of them out.")
    entry = next((entry for entry in offered() if entry.id == name), None)
    if entry is not None:
        hint = f"Get it: desktop-rag models get {entry.id} --online"
        raise ModelError("not_installed", f"{entry.name} is in the catalogue, but not on this computer.", hint)
    known = ", ".join(model.id for model in models if model.kind == "chat") or "none"
    raise ModelError("not_installed", f"There is no model called “{name}”.", f"Known models: {known}.")


def _roots(models: list[Installed]) -> list[Installed]:
    """Without those that were made from one of the others: the beginning of an id shall go on meaning the original."""
    ids = {model.id for model in models}
    return [model for model in models if model.parent not in ids]


def from_facts(model_id: str, facts: Facts, **more: Any) -> Installed:
    """An `Installed` of what was read from disk."""
    return Installed(
        id=model_id,
        name=facts.name,
        kind=facts.kind,
        format=facts.format,
        engines=engines_for(facts.format, facts.kind, facts.architecture, facts.pre_tokenizer, facts.path.name),
        path=facts.path,
        size=facts.size,
        quantisation=facts.quantisation,
        architecture=facts.architecture,
        context=facts.context,
        layers=facts.layers,
        parameters=facts.parameters,
        licence=facts.licence,
        chat_template=facts.chat_template,
        **more,
    )


def _named(name: str, data_dir: Path) -> Installed:
    path = Path(name).expanduser()
    looks_like_path = name.lower().endswith(".gguf") or "/" in name or "\\" in name
    if not looks_like_path:
        return find_installed(name, data_dir)
    known = next((model for model in installed(data_dir) if model.path == path.absolute()), None)
    return known or from_facts(slug(path.stem or path.name), facts_of(path.absolute()), source="file")


def _default(data_dir: Path) -> Installed:
    """The first starter that is there; without any, the user's own first model."""
    chat = [model for model in installed(data_dir) if model.kind == "chat" and not model.problem]
    if not chat:
        raise ModelError(
            "not_installed",
            "There is no model on this computer.",
            "Run the set-up again, or import one: desktop-rag models import FILE",
        )
    return chat[0]


def _first_engine(model: Installed) -> str:
    if not model.engines:
        raise ModelError("incompatible", f"No engine here opens {model.name}.", "Choose another model.")
    return model.engines[0]


def _wrong_engine(model: Installed, engine: str) -> ModelError:
    target = conversion_for(model.format, engine)
    able = " or ".join(model.engines)
    hint = f"Use {able}." if able else "Choose another model."
    if target:
        hint = f"Use {able}, or make a copy for it: desktop-rag models convert {model.id} --to {target}"
        if target in _MADE_WITH_TORCH and torch_part.version() is None:
            hint += f". That needs PyTorch. {torch_part.how_to_add()}"
    return ModelError("incompatible", f"{engine} cannot open {model.name} as it is.", hint)


def _starter(entry: Entry) -> Installed | None:
    path = entry.installed_path(paths.models_dir())
    if path is None:
        return None
    common = {"source": "starter", "sha256": entry.files[0].sha256 if entry.kind == "chat" else None}
    if entry.kind == "pii" or not (path.is_file() or (path / "config.json").is_file()):
        return _as_listed(entry, path, common)
    try:
        model = from_facts(entry.id, facts_of(path), **common)
    except ModelError:
        # Its pinned size was right a moment ago; what is wrong with it is told when it is opened.
        return _as_listed(entry, path, {**common, "problem": "changed"})
    licence, name = entry.licence, entry.name
    return dataclasses.replace(
        model, name=name, licence=licence, kind=entry.kind, quantisation=entry.quantisation, context=entry.context
    )


def _as_listed(entry: Entry, path: Path, more: Mapping[str, Any]) -> Installed:
    return Installed(
        id=entry.id,
        name=entry.name,
        kind=entry.kind,
        format={"pii": "spacy", "chat": "gguf"}.get(entry.kind, "packed"),
        engines=(),
        path=path,
        size=entry.size,
        quantisation=entry.quantisation,
        licence=entry.licence,
        **more,
    )


def _folders(data_dir: Path) -> list[Path]:
    try:
        return sorted(path for path in user_models(data_dir).iterdir() if path.is_dir() and path.name[0] != ".")
    except OSError:
        return []


def _mine(folder: Path) -> Installed | None:
    card = read_card(folder)
    if card is None:
        return None
    path = folder / card["path"]
    known = {name: str(card.get(name) or "") for name in ("kind", "architecture", "pre_tokenizer")}
    engines = engines_for(str(card.get("format") or ""), **known, file=path.name)
    plain = {field.name for field in dataclasses.fields(Installed)} - {"id", "path", "engines", "problem", "adapters"}
    values = {key: value for key, value in card.items() if key in plain}
    try:
        return Installed(id=folder.name, path=path, engines=engines, problem=_problem(path, card), **values)
    except TypeError:
        return None


def _problem(path: Path, card: Mapping[str, Any]) -> str:
    """Size only: a stat a file, so that a list stays instant. Hashes are checked when files come in."""
    sizes = card.get("files")
    try:
        if isinstance(sizes, dict):
            root = path if path.is_dir() else path.parent
            whole = all((root / name).stat().st_size == size for name, size in sizes.items())
        else:
            whole = path.stat().st_size == card["size"] or path.is_dir()
    except OSError:
        return "gone"
    return "" if whole else "changed"


def _adapters(data_dir: Path) -> dict[str, tuple[tuple[str, float], ...]]:
    from desktop_rag.models.lora import chosen_adapters

    try:
        return chosen_adapters(data_dir)
    except DesktopRagError:
        return {}
