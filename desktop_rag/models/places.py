"""Where other programs keep their models: GPT4All, Ollama, LM Studio, Jan, llama.cpp and the Hugging Face cache.

Folders as these programs document them for Linux, macOS and Windows; their own environment variables
come first. Nothing is opened here but Ollama's manifests, which say what its nameless blobs are.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OLLAMA_MODEL = "application/vnd.ollama.image.model"
OLLAMA_LICENCE = "application/vnd.ollama.image.license"
MOST_FILES = 500


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The system as the search sees it; tests make their own."""

    home: Path = field(default_factory=Path.home)
    environment: Mapping[str, str] = field(default_factory=dict)
    platform: str = sys.platform
    shared: Path = Path("/usr/share")

    def data(self, linux: str, mac: str, windows: str) -> Path:
        """A program's folder by system: under the home on Linux and macOS, under %LOCALAPPDATA% or so on Windows."""
        if self.platform == "darwin":
            return self.home / "Library" / mac
        if self.platform.startswith("win"):
            variable, _, rest = windows.partition("/")
            defaults = {"LOCALAPPDATA": "AppData/Local", "APPDATA": "AppData/Roaming"}
            return Path(self.environment.get(variable) or self.home / defaults[variable]) / rest
        return self.home / linux


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file or folder that may be a model, by the program it belongs to. `sha256` where the program names it so."""

    application: str
    path: Path
    name: str = ""
    licence: str = ""
    sha256: str | None = None


def candidates(around: Surroundings) -> Iterator[Candidate]:
    """Everything that may be a model, program by program; what cannot be read is passed over."""
    for search in (_gpt4all, _ollama, _lm_studio, _jan, _llama_cpp, _hugging_face):
        yield from search(around)


def _gpt4all(around: Surroundings) -> Iterator[Candidate]:
    chosen = around.environment.get("GPT4ALL_MODELS")
    folders = [
        *([Path(chosen)] if chosen else []),
        around.data(
            ".local/share/nomic.ai/GPT4All", "Application Support/nomic.ai/GPT4All", "LOCALAPPDATA/nomic.ai/GPT4All"
        ),
        around.home / ".cache" / "gpt4all",
    ]
    for path in _ggufs(folders, depth=1):
        # A download of its own that has not finished yet.
        if not path.name.startswith("incomplete-"):
            yield Candidate("GPT4All", path)


def _ollama(around: Surroundings) -> Iterator[Candidate]:
    chosen = around.environment.get("OLLAMA_MODELS")
    folders = [Path(chosen)] if chosen else [around.home / ".ollama" / "models"]
    if around.platform.startswith("linux") and not chosen:
        folders.append(around.shared / "ollama" / ".ollama" / "models")
    for folder in folders:
        manifests = folder / "manifests"
        for manifest in _files(manifests, depth=6):
            yield from _ollama_model(folder, manifests, manifest)


def _ollama_model(folder: Path, manifests: Path, manifest: Path) -> Iterator[Candidate]:
    """Registry/namespace/model/tag names the manifest, whose layers name the blobs by their SHA-256."""
    parts = manifest.relative_to(manifests).parts
    layers = _json(manifest).get("layers")
    if len(parts) < 3 or not isinstance(layers, list):
        return
    namespace = "" if parts[-3] == "library" else f"{parts[-3]}/"
    digests = {str(layer.get("mediaType")): str(layer.get("digest", "")) for layer in layers if isinstance(layer, dict)}
    blob = _ollama_blob(folder, digests.get(OLLAMA_MODEL, ""))
    if blob is not None and blob.is_file():
        terms = _ollama_blob(folder, digests.get(OLLAMA_LICENCE, ""))
        licence = _first_line(terms) if terms else ""
        name = f"{namespace}{parts[-2]}:{parts[-1]}"
        yield Candidate("Ollama", blob, name, licence, blob.name.removeprefix("sha256-"))


def _ollama_blob(folder: Path, digest: str) -> Path | None:
    """The file of a digest. A manifest comes from a registry: what is no digest could name any file of the user's."""
    found = re.fullmatch(r"sha256:([0-9a-f]{64})", digest)
    return folder / "blobs" / f"sha256-{found[1]}" if found else None


def _lm_studio(around: Surroundings) -> Iterator[Candidate]:
    homes = [around.home / ".lmstudio", around.home / ".cache" / "lm-studio"]
    pointer = _first_line(around.home / ".lmstudio-home-pointer")
    folders = [(Path(pointer) if pointer else homes[0]) / "models", *(home / "models" for home in homes)]
    for home in homes:
        moved = _json(home / "settings.json").get("downloadsFolder")
        folders += [Path(moved)] if isinstance(moved, str) and moved else []
    yield from (Candidate("LM Studio", path) for path in _ggufs(folders, depth=4))


def _jan(around: Surroundings) -> Iterator[Candidate]:
    chosen = around.environment.get("JAN_DATA_FOLDER")
    data = around.data(".config/Jan/data", "Application Support/Jan/data", "APPDATA/Jan/data")
    roots = [
        *([Path(chosen)] if chosen else []),
        data,
        around.data(".local/share/Jan/data", "Jan", "LOCALAPPDATA/Jan/data"),
    ]
    roots.append(around.home / "jan")
    folders = [root / inside for root in roots for inside in ("models", "llamacpp/models", "cortexcpp/models")]
    for path in _ggufs(folders, depth=5):
        # Jan calls every file model.gguf: the folder has the name.
        yield Candidate("Jan", path, path.parent.name if path.name == "model.gguf" else "")


def _llama_cpp(around: Surroundings) -> Iterator[Candidate]:
    chosen = around.environment.get("LLAMA_CACHE")
    folder = Path(chosen) if chosen else around.data(".cache/llama.cpp", "Caches/llama.cpp", "LOCALAPPDATA/llama.cpp")
    yield from (Candidate("llama.cpp", path) for path in _ggufs([folder], depth=1))


def _hugging_face(around: Surroundings) -> Iterator[Candidate]:
    env = around.environment
    home = env.get("HF_HOME") or str(Path(env.get("XDG_CACHE_HOME") or around.home / ".cache") / "huggingface")
    cache = Path(env.get("HF_HUB_CACHE") or env.get("HUGGINGFACE_HUB_CACHE") or Path(home) / "hub")
    for repository in _folders(cache):
        kind, _, name = repository.name.partition("--")
        if kind == "models":
            for snapshot in _snapshots(repository):
                yield from _snapshot(snapshot, name.replace("--", "/"))


def _snapshots(repository: Path) -> list[Path]:
    """The revision that `main` points to; all of them where nothing does."""
    revision = _first_line(repository / "refs" / "main")
    current = repository / "snapshots" / revision
    return [current] if revision and current.is_dir() else _folders(repository / "snapshots")


def _snapshot(snapshot: Path, repo: str) -> Iterator[Candidate]:
    for path in _ggufs([snapshot], depth=2):
        # Its files are links to blobs, whose names are the hashes of large files.
        blob = path.resolve().name
        yield Candidate("Hugging Face", path, sha256=blob if len(blob) == 64 else None)
    if (snapshot / "config.json").is_file() and any(snapshot.glob("*.safetensors")):
        yield Candidate("Hugging Face", snapshot, repo.rsplit("/", 1)[-1])


def _ggufs(folders: list[Path], depth: int) -> Iterator[Path]:
    """GGUF files, each once, the first part only of a split one."""
    seen: set[Path] = set()
    for folder in folders:
        for path in _files(folder, depth):
            later_part = "-of-" in path.name and "-00001-of-" not in path.name
            if path.suffix.lower() == ".gguf" and not later_part and path.resolve() not in seen:
                seen.add(path.resolve())
                yield path


def _files(folder: Path, depth: int) -> list[Path]:
    """Files at most `depth` levels down, in order; a folder that may not be read has none."""
    found: list[Path] = []
    try:
        inside = sorted(folder.iterdir())
    except OSError:
        return []
    for path in inside:
        if len(found) >= MOST_FILES:
            break
        if path.is_dir() and not path.is_symlink() and depth > 1:
            found += _files(path, depth - 1)
        elif path.is_file():
            found.append(path)
    return found


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError:
        return []


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.readline(4096).strip()
    except (OSError, ValueError):
        return ""
