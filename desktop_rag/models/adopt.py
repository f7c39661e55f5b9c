"""Use models that other programs keep on this computer, without copying them.

An adopted model is a card that points to the other program's file. The file is never written, moved
or deleted; when the other program removes it, the model is shown as gone.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop_rag.errors import DesktopRagError, ModelError
from desktop_rag.models.cards import card_of, user_models, write_card
from desktop_rag.models.engines import engines_for
from desktop_rag.models.facts import Facts, facts_of
from desktop_rag.models.importing import check_chat
from desktop_rag.models.installed import Installed, find_installed, installed
from desktop_rag.models.making import sizes_of, unused_id, workplace
from desktop_rag.models.places import Candidate, Surroundings, candidates


@dataclass(frozen=True, slots=True)
class Found:
    """A model of another program. `adopted` is the id it has here already, `problem` why it cannot be used."""

    application: str
    path: Path
    name: str
    facts: Facts | None
    licence: str = ""
    sha256: str | None = None
    adopted: str | None = None
    problem: DesktopRagError | None = None

    def row(self) -> dict[str, Any]:
        """The JSON shape."""
        facts = self.facts
        names = ("format", "kind", "size", "quantisation", "architecture", "context", "layers", "parameters")
        known = {name: getattr(facts, name) for name in names} if facts else {}
        told_by = (facts.format, facts.kind, facts.architecture, facts.pre_tokenizer, self.path.name) if facts else None
        engines = engines_for(*told_by) if told_by else ()
        told = self.problem
        return {
            "application": self.application,
            "path": str(self.path),
            "name": self.name,
            **known,
            "engines": list(engines),
            "licence": self.licence or (facts.licence if facts else ""),
            "adopted": self.adopted,
            "error": told.cause() if told else None,
        }


def surroundings() -> Surroundings:
    """This system, with the environment of this process."""
    return Surroundings(environment=dict(os.environ))


def discover(data_dir: Path, around: Surroundings | None = None) -> Iterator[Found]:
    """Every model of the known programs, one after the other, as each is read."""
    here = {model.path: model.id for model in installed(data_dir)}
    for candidate in candidates(around or surroundings()):
        yield _look(candidate, here)


def adopt(path: Path, data_dir: Path, around: Surroundings | None = None) -> Installed:
    """Take the model at `path` into the list without copying it; returns it as it is now installed.

    Raises ModelError as `facts_of` and `check_chat` do, StoreError where the card cannot be written.
    """
    path = path.expanduser().absolute()
    here = next((model for model in installed(data_dir) if model.path == path), None)
    if here is not None and not here.problem:
        return here
    known = next((item for item in candidates(around or surroundings()) if item.path == path), None)
    found = _look(known or Candidate("", path), {})
    if found.facts is None:
        raise found.problem or ModelError("not_installed", f"There is no model at {path}.")
    if here is not None:
        # Its file has changed since: the card is written anew.
        return _write(user_models(data_dir) / here.id, found, data_dir)
    wanted = f"{found.name} {'' if ':' in found.name else found.facts.quantisation}"
    with workplace(data_dir, unused_id(wanted, data_dir)) as folder:
        return _write(folder, found, data_dir)


def _write(folder: Path, found: Found, data_dir: Path) -> Installed:
    assert found.facts is not None
    facts = dataclasses.replace(found.facts, name=found.name)
    source = f"adopted:{found.application}" if found.application else "adopted"
    more = {"files": sizes_of(facts), "sha256": found.sha256, "source": source}
    write_card(folder, {**card_of(facts, folder), **more, **({"licence": found.licence} if found.licence else {})})
    return find_installed(folder.name, data_dir)


def _look(candidate: Candidate, here: dict[Path, str]) -> Found:
    common = {"licence": candidate.licence, "sha256": candidate.sha256, "adopted": here.get(candidate.path)}
    try:
        facts = facts_of(candidate.path)
        check_chat(facts)
    except DesktopRagError as error:
        name = candidate.name or candidate.path.name
        return Found(candidate.application, candidate.path, name, None, problem=error, **common)  # type: ignore[arg-type]
    return Found(candidate.application, candidate.path, candidate.name or facts.name, facts, **common)  # type: ignore[arg-type]
