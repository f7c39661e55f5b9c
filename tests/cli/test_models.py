"""`desktop-rag models …`: the handlers on the role's operations in this process, and one download for real."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from desktop_rag.cli import download_lines, main, model_lines, models
from desktop_rag.cli.output import Output
from desktop_rag.errors import DesktopRagError, ModelError, NetworkError, UsageError
from desktop_rag.meter import machine
from desktop_rag.models import catalogue
from desktop_rag.models.cards import user_models
from desktop_rag.models.catalogue import Entry, ModelFile, Source
from desktop_rag.models.download import download_op
from desktop_rag.models.hub import search_op
from desktop_rag.models.installed import installed, resolve
from desktop_rag.workers.crew import Workers
from desktop_rag.workers.loop import Handler, Request
from desktop_rag.workers.models_service import open_service
from tests.models.kit import gguf_bytes, put
from tests.models.misbehaving import Answer, Server, serving

STARTER = "smollm2-135m-instruct-q4_1"
REPO, FILE = "owner/tiny-GGUF", "tiny-Q8_0.gguf"
WEIGHTS = gguf_bytes()
SHA = hashlib.sha256(WEIGHTS).hexdigest()
MACHINE = machine.Machine(read_gbs=20.0, kernel="made up", flops=1e11, cores=2, cpu="made up")


class Twin:
    """A worker's operations without a process: the same messages, as the client passes them on."""

    def __init__(self, handlers: dict[str, Handler]) -> None:
        self._handlers = handlers

    def stream(self, op: str, **args: Any) -> Iterator[dict[str, Any]]:
        steps = self._handlers[op](Request(7, op, json.loads(json.dumps(args))))
        while True:
            try:
                event = next(steps)
            except StopIteration as stop:
                yield json.loads(json.dumps({"event": "done", **(stop.value or {}), "id": 7}))
                return
            if event is not None:
                yield {**event, "id": 7}

    def call(self, op: str, **args: Any) -> dict[str, Any]:
        return list(self.stream(op, **args))[-1]


class Team:
    """The workers a command sees; `left` are the purposes whose network was closed again."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.models = Twin(open_service(data_dir, {}).handlers)
        self.opened: list[tuple[str, bool]] = []
        self.left: list[str] = []

    def network(self, purpose: str, *, opened: bool = False) -> Twin:
        self.opened.append((purpose, opened))
        return Twin({"search": search_op, "download": partial(download_op, data_dir=self.data_dir)})

    def leave_network(self, purpose: str) -> None:
        self.left.append(purpose)


@pytest.fixture
def team(tmp_path: Path) -> Team:
    machine.remember(tmp_path, MACHINE)
    return Team(tmp_path)


Command = Callable[..., str]


@pytest.fixture
def command(team: Team, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs one command line and returns what it printed; progress is in `command.err` of the last run."""
    parser = main._Parser(prog="desktop-rag")
    models.add_commands(parser.add_subparsers(dest="command", parser_class=main._Parser), main._add)

    def run(*words: str | Path) -> str:
        capsys.readouterr()
        options: argparse.Namespace = parser.parse_args(["models", *map(str, words)])
        assert options.handler(team, options, Output(options.json)) == 0
        told = capsys.readouterr()
        run.err = told.err  # type: ignore[attr-defined]
        return told.out

    return run


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A hub with one repository, and a catalogue with one entry from it."""
    for server in serving():
        monkeypatch.setenv("DESKTOP_RAG_HUB", server.address)
        facts = {"sha256": SHA, "size": len(WEIGHTS)}
        rows = [{"rfilename": FILE, "size": len(WEIGHTS), "lfs": facts}]
        about = {"id": REPO, "tags": ["license:mit"], "siblings": rows, "gated": False}
        server.put(f"/api/models/{REPO}", Answer(json.dumps(about).encode()))
        server.put("/api/models", Answer(json.dumps([{"id": REPO}]).encode()))
        server.put(f"/{REPO}/resolve/main/{FILE}", Answer(WEIGHTS))
        yield server


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Entry]:
    """Adds an entry to the catalogue."""
    real = catalogue._read

    def make(sha256: str | None = SHA, size: int = len(WEIGHTS)) -> Entry:
        source, file = Source(repo=REPO, file=FILE), ModelFile(FILE, sha256, size)
        about = ("MIT", 512, None, "Q8_0", ("en",), False)
        entry = Entry("tiny-q8_0", "chat", "Tiny", source, (file,), size, *about, {"architecture": "qwen2"})
        monkeypatch.setattr(catalogue, "_read", lambda path: (*real(path), entry))
        return entry

    return make


def test_the_list_for_people_is_aligned(command: Command, team: Team) -> None:
    put(team.data_dir, "mine")
    lines = command("list").splitlines()
    here = lines[1 : lines.index("")]
    assert here[0].startswith(f"*  {STARTER}")
    assert len({line.index(" MB") for line in here if " MB" in line}) == 1
    offers = lines[lines.index("") + 2 :]
    assert all("fits: " in line or "does not fit: " in line or "reads candidates again" in line for line in offers)


def test_json_is_one_object(command: Command) -> None:
    told = json.loads(command("list", "--json"))
    assert {"models", "catalogue", "unfinished"} == told.keys()
    assert json.loads(command("fit", STARTER, "--json"))["fits"] is True
    assert json.loads(command("inspect", STARTER, "--json"))["architecture"] == "llama"


def test_fit_and_inspect_for_people(command: Command) -> None:
    assert "SmolLM2 135M Instruct with llama.cpp fits: " in command("fit", "smollm2", "--context", "2048")
    assert "2,048 tokens" in command("fit", "smollm2", "--context", "2048")
    inside = command("inspect", "smollm2")
    assert "134,515,008" in inside
    assert "Q4_1" in inside
    assert "<|im_start|>" in command("inspect", "smollm2", "--template")
    assert "blk.0.attn_q.weight" in command("inspect", "smollm2", "--tensors")


def test_fit_says_what_bounds_and_what_has_to_be_converted(command: Command, team: Team) -> None:
    slow = machine.Machine(20.0, "made up", 1e11, 2, "made up", rates={"Q4_1": 10.0, "Q8_0": 15.0})
    machine.remember(team.data_dir, slow)
    said = command("fit", STARTER)
    assert "tok/s by memory, " in said
    assert "Unpacking Q4_1 weights on 2 cores runs at " in said
    assert "convert" not in said
    second = command("fit", STARTER, "--engine", "ctranslate2").splitlines()[1]
    assert second == f"It has to be converted for CTranslate2 first: desktop-rag models convert {STARTER} --to ct2"


def test_a_wrong_name_is_said_before_the_machine_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = argparse.Namespace(model="nonsense", context=None, kv_type=None, engine=None, gpu_layers=None, json=False)
    with pytest.raises(ModelError, match="nonsense"):
        models.fit_model(Team(tmp_path), options, Output(False))  # type: ignore[arg-type]
    assert capsys.readouterr().err == ""
    assert machine.remembered(tmp_path) is None


def test_without_online_nothing_is_opened(command: Command, team: Team) -> None:
    for words in (["get", "qwen2.5-0.5b-instruct-q4_k_m"], ["get", f"{REPO}:{FILE}"], ["search", "qwen"]):
        with pytest.raises(NetworkError) as caught:
            command(*words)
        assert (caught.value.code, "--online" in caught.value.hint) == ("sealed", True)
    assert team.opened == []


def test_get_needs_a_known_id_or_a_file(command: Command, team: Team) -> None:
    with pytest.raises(ModelError):
        command("get", "unheard", "--online")
    with pytest.raises(UsageError):
        command("get", "owner/repo", "--online")
    assert team.opened == []


@pytest.mark.loopback
@pytest.mark.parametrize("name", ["tiny-q8_0", f"{REPO}:{FILE}"])
def test_get_downloads_verifies_and_registers(
    command: Command, team: Team, hub: Server, offer: Callable[..., Entry], name: str
) -> None:
    offer()
    said = command("get", name, "--online")
    model, engine = resolve("tiny-q8_0", team.data_dir)
    assert (model.source, model.sha256, engine) == ("download", SHA, "llama.cpp")
    assert "is ready" in said
    assert team.opened == [("download", True)]
    assert team.left == ["download"]
    assert list((user_models(team.data_dir) / ".incoming").iterdir()) == []
    if name == "tiny-q8_0":
        assert (model.name, model.licence) == ("Tiny", "MIT")
        assert all("/api/" not in asked.path for asked in hub.asked), "a pinned file needs no look-up"


@pytest.mark.loopback
@pytest.mark.parametrize(
    ("changes", "code"),
    [({"sha256": "0" * 64}, "checksum"), ({"size": len(WEIGHTS) + 1}, "checksum")],
)
def test_a_catalogue_that_lies_installs_nothing(
    command: Command, team: Team, hub: Server, offer: Callable[..., Entry], changes: dict[str, Any], code: str
) -> None:
    offer(**changes)
    before = installed(team.data_dir)
    with pytest.raises(ModelError) as caught:
        command("get", "tiny-q8_0", "--online")
    assert caught.value.code == code
    assert installed(team.data_dir) == before
    assert team.left == ["download"], "the network is closed after a failure, too"


@pytest.mark.loopback
def test_an_interrupted_get_goes_on(command: Command, team: Team, hub: Server, offer: Callable[..., Entry]) -> None:
    offer()
    path = f"/{REPO}/resolve/main/{FILE}"
    half = len(WEIGHTS) // 2
    hub.put(path, Answer(WEIGHTS, drop_after=half), Answer(status=404))
    with pytest.raises(DesktopRagError):
        command("get", "tiny-q8_0", "--online")
    hub.put(path, Answer(WEIGHTS))
    command("get", "tiny-q8_0", "--online")
    assert hub.sent[-1] == len(WEIGHTS) - half


@pytest.mark.loopback
def test_what_a_broken_get_left_is_listed_and_can_be_removed(
    command: Command, team: Team, hub: Server, offer: Callable[..., Entry]
) -> None:
    offer()
    assert "Unfinished" not in command("list")
    half = len(WEIGHTS) // 2
    hub.put(f"/{REPO}/resolve/main/{FILE}", Answer(WEIGHTS, drop_after=half), Answer(status=404))
    with pytest.raises(DesktopRagError):
        command("get", "tiny-q8_0", "--online")
    (row,) = json.loads(command("list", "--json"))["unfinished"]
    assert (row["id"], row["name"], row["received"], row["total"]) == (FILE.lower(), "Tiny", half, len(WEIGHTS))
    said = command("list")
    assert "to remove one: desktop-rag models delete ID" in said
    assert f"{model_lines.size(half)} of {model_lines.size(len(WEIGHTS))}" in said
    assert "go on: desktop-rag models get tiny-q8_0 --online" in said
    assert "What had arrived of Tiny is deleted" in command("delete", FILE.lower())
    assert json.loads(command("list", "--json"))["unfinished"] == []
    with pytest.raises(ModelError):
        command("delete", FILE.lower())


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"running": True}, "a.gguf  5 bytes of 9 bytes  is being downloaded now"),
        ({"total": None}, "a.gguf  5 bytes"),
        ({"get": {"url": "https://x.example/a.gguf"}}, "a.gguf  5 bytes of 9 bytes"),
        ({"get": {"repo": "o/r", "file": "a.gguf"}},
         "a.gguf  5 bytes of 9 bytes  go on: desktop-rag models get o/r:a.gguf --online"),
    ],
)  # fmt: skip
def test_an_unfinished_download_in_words(row: dict[str, Any], said: str) -> None:
    plain = {"id": "a.gguf", "name": "a", "received": 5, "total": 9, "running": False, "get": None}
    assert download_lines.unfinished({"unfinished": [{**plain, **row}]})[2].strip() == said


@pytest.mark.loopback
def test_search_for_people(command: Command, team: Team, hub: Server) -> None:
    said = command("search", "tiny", "model", "--online")
    assert f"{REPO}:{FILE}" in said
    assert "mit" in said


def test_import_adopt_adapters_and_delete(command: Command, team: Team, tmp_path: Path) -> None:
    path = tmp_path / "Own Q8_0.gguf"
    path.write_bytes(WEIGHTS)
    assert "is ready: own-q8_0" in command("import", path)
    assert "was here already" in command("import", path)
    lora = tmp_path / "tone.gguf"
    lora.write_bytes(gguf_bytes(general__type="adapter", adapter__type="lora"))
    assert "0.50" in command("adapters", "own-q8_0", "--set", f"{lora}=0.5")
    assert str(lora) in command("adapters", "own-q8_0")
    assert "no adapters" in command("adapters", "own-q8_0", "--set")
    assert "is deleted" in command("delete", "own-q8_0")
    assert "own-q8_0" in command("adopt", path)
    assert "stays where it is" in command("delete", "own-q8_0")
    with pytest.raises(UsageError):
        command("adapters", STARTER, "--set", "x=loud")


@pytest.mark.slow
def test_quantise_and_convert(command: Command) -> None:
    assert "bits a weight" in command("quantise", STARTER, "--to", "Q8_0", "--estimate")
    assert "smollm2-135m-instruct-q8_0" in command("quantise", STARTER, "--to", "Q8_0")
    assert "loses more" in command.err  # type: ignore[attr-defined]
    assert "GPT4All" in command("convert", STARTER, "--to", "gpt4all")


@pytest.mark.parametrize(
    "words",
    [[], ["nonsense"], ["get"], ["convert", "x"], ["convert", "x", "--to", "exe"], ["fit", "x", "--kv-type", "q"]],
)
def test_wrong_use_is_one_of_our_errors(command: Command, words: list[str]) -> None:
    with pytest.raises(UsageError):
        command(*words)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        ({"received": 5_000_000, "total": 10_000_000, "fraction": 0.5}, "Downloading of 10 MB 50 %"),
        ({"received": 0, "total": None}, None),
        ({"received": 5, "waiting": 1.0}, "The line broke; trying again from 5 bytes"),
        ({"received": 5, "part": 1, "parts": 2}, "Downloading (part 1 of 2)"),
        ({"text": "Copying", "fraction": 0.87}, "Copying 80 %"),
        ({"event": "warning", "text": "Careful."}, "Careful."),
        ({"event": "repository"}, None),
    ],
)
def test_progress_in_words(event: dict[str, Any], line: str | None) -> None:
    assert model_lines.progress({"event": "progress", **event}) == line


@pytest.mark.slow
@pytest.mark.loopback
def test_the_real_processes_download(hub: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workers = Workers(tmp_path)
    try:
        options = argparse.Namespace(model=f"{REPO}:{FILE}", online=True, json=True)
        assert models.get_model(workers, options, Output(True)) == 0
    finally:
        workers.close()
    told = json.loads(capsys.readouterr().out)
    assert told["model"]["sha256"] == SHA
    assert resolve(told["model"]["id"], tmp_path)[0].path.read_bytes() == WEIGHTS
