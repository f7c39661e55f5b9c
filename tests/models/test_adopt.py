"""Models of other programs: found where they keep them on each system, used without copying, never touched."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from desktop_rag.errors import ModelError
from desktop_rag.models import places
from desktop_rag.models.adopt import adopt, discover
from desktop_rag.models.cards import user_models
from desktop_rag.models.deleting import delete
from desktop_rag.models.installed import find_installed, resolve
from tests.models.kit import gguf_bytes, hf_folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def around(home: Path, environment: dict[str, str], platform: str) -> places.Surroundings:
    return places.Surroundings(home, environment, platform, home / "share")


def lay(path: Path, content: bytes | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gguf_bytes() if content is None else content)
    return path


def ollama(models: Path, name: str = "library/llama3.2", tag: str = "1b") -> Path:
    """A model as Ollama keeps it: a manifest that names blobs by their hash."""
    content = gguf_bytes(general__name=name)
    digest = hashlib.sha256(content).hexdigest()
    licence = models / "blobs" / ("sha256-" + "c" * 64)
    lay(licence, b"LLAMA 3.2 COMMUNITY LICENSE\nmore\n")
    manifest = {
        "layers": [
            {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}", "size": len(content)},
            {"mediaType": "application/vnd.ollama.image.license", "digest": "sha256:" + "c" * 64, "size": 5},
            "nonsense",
        ]
    }
    lay(models / "manifests" / "registry.ollama.ai" / name / tag, json.dumps(manifest).encode())
    return lay(models / "blobs" / f"sha256-{digest}", content)


@pytest.mark.parametrize(
    ("platform", "application", "place"),
    [
        ("linux", "GPT4All", ".local/share/nomic.ai/GPT4All/m.gguf"),
        ("darwin", "GPT4All", "Library/Application Support/nomic.ai/GPT4All/m.gguf"),
        ("win32", "GPT4All", "AppData/Local/nomic.ai/GPT4All/m.gguf"),
        ("linux", "GPT4All", ".cache/gpt4all/m.gguf"),
        ("linux", "LM Studio", ".lmstudio/models/pub/repo-GGUF/m.gguf"),
        ("win32", "LM Studio", ".cache/lm-studio/models/pub/repo/m.gguf"),
        ("linux", "Jan", ".config/Jan/data/llamacpp/models/some/model.gguf"),
        ("darwin", "Jan", "Library/Application Support/Jan/data/models/some/model.gguf"),
        ("win32", "Jan", "AppData/Roaming/Jan/data/models/some/model.gguf"),
        ("linux", "Jan", "jan/models/some/model.gguf"),
        ("linux", "llama.cpp", ".cache/llama.cpp/owner_repo_m.gguf"),
        ("darwin", "llama.cpp", "Library/Caches/llama.cpp/m.gguf"),
    ],
)
def test_each_program_on_each_system(home: Path, data: Path, platform: str, application: str, place: str) -> None:
    path = lay(home / place)
    (found,) = discover(data, around(home, {}, platform))
    assert (found.application, found.path, found.problem) == (application, path, None)
    assert found.row()["engines"] == ["llama.cpp", "GPT4All"]


def test_ollama_models_get_their_name_back(home: Path, data: Path) -> None:
    blob = ollama(home / ".ollama" / "models")
    ollama(home / ".ollama" / "models", "someone/tuned", "latest")
    found = {item.name: item for item in discover(data, around(home, {}, "darwin"))}
    assert found.keys() == {"llama3.2:1b", "someone/tuned:latest"}
    assert found["llama3.2:1b"].path == blob
    assert found["llama3.2:1b"].licence == "LLAMA 3.2 COMMUNITY LICENSE"
    model = adopt(blob, data, around(home, {}, "darwin"))
    assert (model.id, model.name, model.source) == ("llama3.2-1b", "llama3.2:1b", "adopted:Ollama")
    assert model.sha256 == blob.name.removeprefix("sha256-")
    assert resolve("llama3.2", data)[1] == "llama.cpp"
    assert model.engines == ("llama.cpp",), "GPT4All opens no file without its ending"


def test_a_manifest_cannot_point_to_other_files(home: Path, data: Path) -> None:
    models = home / ".ollama" / "models"
    ollama(models)
    lay(home / "diary.txt", b"Dear diary\n")
    manifest = next(path for path in (models / "manifests").rglob("1b"))
    manifest.write_text(manifest.read_text().replace("sha256:" + "c" * 64, "../../../diary.txt"))
    (found,) = discover(data, around(home, {}, "linux"))
    assert (found.application, found.licence) == ("Ollama", "")


def test_folders_named_by_the_environment_come_first(home: Path, data: Path, tmp_path: Path) -> None:
    ollama(tmp_path / "elsewhere")
    lay(tmp_path / "moved" / "models" / "p" / "r" / "m.gguf")
    (home / ".lmstudio-home-pointer").write_text(f"{tmp_path / 'moved'}\n")
    here = around(home, {"OLLAMA_MODELS": str(tmp_path / "elsewhere")}, "linux")
    assert {item.application for item in discover(data, here)} == {"Ollama", "LM Studio"}


def test_the_hugging_face_cache(home: Path, data: Path) -> None:
    repository = home / ".cache/huggingface/hub/models--owner--tiny"
    snapshot = hf_folder(repository / "snapshots" / "abc")
    hf_folder(repository / "snapshots" / "old")
    lay(repository / "refs" / "main", b"abc")
    blob = lay(repository / "blobs" / ("d" * 64))
    (snapshot / "tiny.gguf").symlink_to(blob)
    found = {item.path.name: item for item in discover(data, around(home, {}, "linux"))}
    assert found.keys() == {"abc", "tiny.gguf"}, "only the current revision"
    assert (found["abc"].name, found["tiny.gguf"].sha256) == ("tiny", "d" * 64)


def test_what_cannot_be_used_says_why(home: Path, data: Path) -> None:
    folder = home / ".cache" / "gpt4all"
    lay(folder / "cut.gguf", gguf_bytes()[:-20])
    lay(folder / "nomic-embed.gguf", gguf_bytes(general__architecture="nomic-bert"))
    lay(folder / "incomplete-x.gguf", b"GG")
    lay(folder / "readme.txt", b"hello")
    problems = {item.path.name: item.problem for item in discover(data, around(home, {}, "linux"))}
    assert problems.keys() == {"cut.gguf", "nomic-embed.gguf"}
    assert all(problems.values())


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"layers": 3}', b'{"layers": [{"digest": 5}]}'])
def test_a_damaged_manifest_is_passed_over(home: Path, data: Path, content: bytes) -> None:
    lay(home / ".ollama/models/manifests/registry.ollama.ai/library/x/latest", content)
    assert list(discover(data, around(home, {}, "darwin"))) == []


def test_adopting_copies_nothing_and_deleting_touches_nothing(home: Path, data: Path) -> None:
    path = lay(home / ".cache" / "gpt4all" / "m.gguf")
    model = adopt(path, data, around(home, {}, "linux"))
    assert (model.path, model.source) == (path, "adopted:GPT4All")
    assert [file.name for file in (user_models(data) / model.id).iterdir() if file.name != "lock"] == ["model.json"]
    assert adopt(path, data).id == model.id, "adopted once"
    assert [item.adopted for item in discover(data, around(home, {}, "linux"))] == [model.id]
    told = delete(model.id, data)
    assert (told["freed"], told["kept"]) == (0, str(path))
    assert path.read_bytes() == gguf_bytes()


def test_a_file_the_other_program_removed_or_replaced(home: Path, data: Path) -> None:
    path = lay(home / ".cache" / "gpt4all" / "m.gguf")
    model = adopt(path, data, around(home, {}, "linux"))
    path.write_bytes(gguf_bytes(general__name="a newer one"))
    assert find_installed(model.id, data).problem == "changed"
    assert adopt(path, data).problem == "", "adopting again reads it again"
    path.unlink()
    with pytest.raises(ModelError) as caught:
        resolve(model.id, data)
    assert "not where it was" in caught.value.message
    assert delete(model.id, data)["kept"] is None


def test_the_service_of_ollama_on_linux(home: Path, data: Path) -> None:
    ollama(home / "share" / "ollama" / ".ollama" / "models")
    assert [item.application for item in discover(data, around(home, {}, "linux"))] == ["Ollama"]


def test_any_file_can_be_used_where_it_lies(data: Path, tmp_path: Path) -> None:
    path = lay(tmp_path / "disk" / "Big Model Q8_0.gguf")
    model = adopt(path, data, around(tmp_path / "nobody", {}, "linux"))
    assert (model.id, model.source) == ("big-model-q8_0", "adopted")
    with pytest.raises(ModelError):
        adopt(tmp_path / "none.gguf", data)
    assert len(list(user_models(data).iterdir())) == 1


def test_folders_that_may_not_be_read_are_no_failure(home: Path, data: Path) -> None:
    (home / ".lmstudio").mkdir()
    (home / ".lmstudio" / "models").write_text("not a folder")
    (home / ".lmstudio" / "settings.json").write_bytes(b"\xff\xfe{")
    assert list(discover(data, around(home, {}, "linux"))) == []
