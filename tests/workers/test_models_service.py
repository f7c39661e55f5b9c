"""The `models` role's operations, driven in this process; once through the real, sealed process."""

from __future__ import annotations

import dataclasses
import errno
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop_rag import paths
from desktop_rag.engines.devices import Device
from desktop_rag.errors import DesktopRagError
from desktop_rag.meter import bandwidth, machine
from desktop_rag.models import synthetic
from desktop_rag.models.catalogue import offered
from desktop_rag.models.installed import resolve
from desktop_rag.workers.client import WorkerClient
from desktop_rag.workers.loop import Request, Service
from desktop_rag.workers.models_service import open_service
from tests.models.conftest import write_gguf
from tests.models.kit import gguf_bytes, put
from tests.workers.driving import run

STARTER = "smollm2-135m-instruct-q4_1"
MACHINE = machine.Machine(
    read_gbs=20.0,
    kernel="made up",
    flops=1e11,
    cores=2,
    cpu="made up",
    rates={"Q4_1": 10.0, "Q8_0": 15.0, "Q4_K": 12.0},
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def service(data: Path) -> Service:
    return open_service(data, {})


def ask(service: Service, op: str, **args: Any) -> dict[str, Any]:
    done = run(service.handlers[op](Request(1, op, args)))[1]
    return dict(json.loads(json.dumps(done)))


def refused(service: Service, op: str, **args: Any) -> DesktopRagError:
    with pytest.raises(DesktopRagError) as caught:
        ask(service, op, **args)
    return caught.value


def test_the_list_has_what_is_here_and_what_is_offered(service: Service, data: Path) -> None:
    put(data, "mine")
    told = ask(service, "list")
    rows = {row["id"]: row for row in told["models"]}
    assert rows[STARTER]["active"]
    assert rows["mine"].keys() >= {
        *("id", "name", "kind", "format", "engines", "path", "size", "quantisation", "architecture", "context"),
        *("layers", "parameters", "licence", "source", "missing", "adapters", "parent"),
    }
    offers = {row["id"]: row for row in told["catalogue"]}
    assert offers.keys() == {entry.id for entry in offered()}
    for row in offers.values():
        assert row["downloadable"]
        assert not row["installed"]
        if row["kind"] == "chat":
            assert row["fit"]["sentence"].startswith(("fits: ", "does not fit: "))


def test_without_a_measurement_no_speed_is_told(service: Service, data: Path) -> None:
    told = ask(service, "fit", model=STARTER)
    assert (told["tok_s"], told["roofline"]) == (None, None)
    assert "tok/s" not in told["sentence"]
    machine.remember(data, MACHINE)
    told = ask(service, "fit", model=STARTER)
    low, high = told["tok_s"]
    assert 0 < low < high <= told["roofline"]["tok_s"]
    assert "tok/s on this machine" in told["sentence"]


def test_the_bound_is_what_the_kernels_of_this_machine_say(service: Service, data: Path) -> None:
    machine.remember(data, MACHINE)
    limit = ask(service, "fit", model=STARTER)["roofline"]
    assert limit["bound"] == "cores"
    assert limit["kernel_tok_s"] < 0.95 * limit["tok_s"]
    assert limit["why"].startswith("Unpacking Q4_1 weights on 2 cores runs at ")
    quick = dataclasses.replace(MACHINE, rates={"Q4_1": 25.0, "Q8_0": 25.0, "F32": 25.0})
    machine.remember(data, quick)
    limit = ask(service, "fit", model=STARTER)["roofline"]
    assert (limit["bound"], limit["kernel_tok_s"]) == ("memory", limit["tok_s"])
    assert "more cores do not" in limit["why"]


def test_the_kernels_of_one_engine_are_not_another_s(service: Service, data: Path) -> None:
    machine.remember(data, MACHINE)
    limit = ask(service, "fit", model=STARTER, engine="GPT4All")["roofline"]
    assert (limit["bound"], limit["kernel_tok_s"], limit["why"]) == ("memory", None, None)
    converted = ask(service, "fit", model=STARTER, engine="Transformers")
    assert (converted["tok_s"], converted["roofline"]) == (None, None), "its weights are other ones"


@pytest.mark.parametrize(("engine", "to"), [("CTranslate2", "ct2"), ("Transformers", "hf")])
def test_what_has_to_be_converted_first_is_said(service: Service, data: Path, engine: str, to: str) -> None:
    told = ask(service, "fit", model=STARTER, engine=engine)["convert"]
    command = f"desktop-rag models convert {STARTER} --to {to}"
    assert told == {"to": to, "copy": None, "text": f"It has to be converted for {engine} first: {command}"}
    put(data, "the-copy", source="converted", parent=STARTER, format=to)
    told = ask(service, "fit", model=STARTER, engine=engine)["convert"]
    assert (told["copy"], told["text"]) == ("the-copy", f"{engine} opens its converted copy, the-copy.")
    offer = next(entry.id for entry in offered() if entry.kind == "chat" and entry.shape)
    text = ask(service, "fit", model=offer, engine=engine)["convert"]["text"]
    assert text == f"It has to be downloaded first, then converted for {engine}."


def test_the_command_to_convert_a_file_names_the_file(service: Service) -> None:
    path = str(resolve(STARTER, Path())[0].path)
    assert f"convert {path} --to ct2" in ask(service, "fit", path=path, engine="CTranslate2")["convert"]["text"]


def test_gpt4all_needs_a_copy_of_what_is_newer_than_it(service: Service) -> None:
    assert ask(service, "fit", model=STARTER, engine="GPT4All")["convert"]["to"] == "gpt4all"
    # Before a download nobody knows.
    offer = next(entry.id for entry in offered() if entry.kind == "chat" and entry.shape)
    assert ask(service, "fit", model=offer, engine="GPT4All")["convert"] is None


@pytest.mark.parametrize("engine", ["llama.cpp", "OpenAI-compatible"])
def test_what_opens_as_it_is_needs_nothing(service: Service, engine: str) -> None:
    assert ask(service, "fit", model=STARTER, engine=engine)["convert"] is None


def test_fit_follows_context_and_precision(service: Service) -> None:
    small, large = (ask(service, "fit", model=STARTER, context=context) for context in (1024, 8192))
    assert large["estimate_mb"]["kv"] == 8 * small["estimate_mb"]["kv"]
    assert small["estimate_mb"]["kv"] == 22.5, "30 layers of 3 heads of 64, keys and values, 2 bytes each"
    halved = ask(service, "fit", model=STARTER, context=1024, kv_type="q8_0")
    assert halved["estimate_mb"]["kv"] == pytest.approx(22.5 * 8.5 / 16, abs=0.1)
    assert ask(service, "fit", model=STARTER, context=10**9)["context"] == 8192, "at most what it was trained for"
    assert small["estimate_mb"]["total"] == pytest.approx(
        sum(small["estimate_mb"][part] for part in ("weights", "kv", "compute", "process")), abs=0.3
    )


@pytest.mark.parametrize("name", [offered()[0].id, offered()[0].id[:12], "{starter}"])
def test_fit_takes_ids_beginnings_and_paths(service: Service, name: str) -> None:
    path = resolve(STARTER, Path())[0].path
    assert ask(service, "fit", model=name.replace("{starter}", str(path)))["fits"]
    assert ask(service, "fit", path=str(path))["layers"] == 30


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({}, "bad_request"),
        ({"model": "unheard"}, "not_installed"),
        ({"model": "en_core_web_sm-3.8.0"}, "bad_request"),
        ({"model": STARTER, "kv_type": "q1"}, "bad_request"),
        ({"model": STARTER, "engine": "steam"}, "bad_request"),
        ({"path": "/nowhere/at/all.gguf"}, "not_installed"),
    ],
)
def test_fit_refuses_in_words(service: Service, args: dict[str, Any], code: str) -> None:
    assert refused(service, "fit", **args).code == code


def test_inspect_shows_the_inside(service: Service) -> None:
    told = ask(service, "inspect", model=STARTER)
    assert told["metadata"]["llama.block_count"] == 30
    assert "<|im_start|>" in told["template"]
    assert "tokenizer.chat_template" not in told["metadata"]
    assert sum(row["count"] for row in told["tensors_by_type"]) == told["tensors"] == len(told["table"])
    assert told["shape"]["kv_heads"] == 3
    encoder = ask(service, "inspect", path=str(paths.models_dir() / "all-minilm-l6-v2"))
    assert (encoder["format"], encoder["kind"]) == ("hf", "encoder")
    converted = ask(service, "inspect", model="all-minilm-l6-v2-ct2-int8")
    assert (converted["format"], converted["shape"]) == ("ct2", None)


def test_bad_files_are_sentences_and_the_service_lives(service: Service, tmp_path: Path) -> None:
    whole = gguf_bytes()
    files = {
        "cut.gguf": whole[:-8],
        "page.gguf": b"<!DOCTYPE html>",
        "future.gguf": write_gguf({"general.architecture": "llama"}, version=7),
        "empty.gguf": b"",
    }
    messages = set()
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        for op in ("inspect", "fit", "import", "adopt"):
            error = refused(service, op, path=str(tmp_path / name))
            assert error.code in ("truncated", "incompatible"), (name, op)
            messages.add(error.message.removeprefix(name))
    assert len(messages) == len(files)
    assert ask(service, "list")["models"]


def test_a_model_goes_its_way(service: Service, tmp_path: Path) -> None:
    """Imported, looked at, given an adapter's refusal, deleted."""
    path = tmp_path / "Own Q8_0.gguf"
    path.write_bytes(gguf_bytes())
    model = ask(service, "import", path=str(path))["model"]
    assert ask(service, "import", path=str(path))["known"]
    assert ask(service, "adapters", model=model["id"])["model"]["adapters"] == []
    wrong = refused(service, "adapters", model=model["id"], adapters=[{"path": str(path), "scale": 1.0}])
    assert "not a LoRA adapter" in wrong.message
    assert ask(service, "delete", model=model["id"])["deleted"] == model["id"]


def test_adapters_are_remembered_with_their_scale(service: Service, tmp_path: Path, data: Path) -> None:
    put(data, "mine")
    lora = tmp_path / "tone.gguf"
    lora.write_bytes(gguf_bytes(general__type="adapter", adapter__type="lora"))
    told = ask(service, "adapters", model="mine", adapters=[{"path": str(lora), "scale": 0.5}])
    assert told["model"]["adapters"] == [{"path": str(lora), "name": "tone", "scale": 0.5}]
    assert resolve("mine", data)[0].adapters == ((str(lora), 0.5),)
    assert refused(service, "adapters", model="mine", adapters=[{"path": str(lora), "scale": 99}]).code == "bad_request"
    other = tmp_path / "other.gguf"
    other.write_bytes(gguf_bytes(general__architecture="llama", general__type="adapter", adapter__type="lora"))
    assert "for llama models" in refused(service, "adapters", model="mine", adapters=[{"path": str(other)}]).message


@pytest.mark.slow
def test_copies_and_quantisations_of_the_starter(service: Service, data: Path) -> None:
    copy = ask(service, "convert", model="smollm2", to="gpt4all")["model"]
    assert (copy["parent"], copy["source"], copy["licence"]) == (STARTER, "converted", "Apache-2.0")
    assert resolve(None, data, "GPT4All")[0].id == copy["id"]
    assert ask(service, "convert", model="smollm2", to="gpt4all") == {"model": copy, "known": True}
    estimate = ask(service, "quantise", model="smollm2", to="q4_0", estimate=True)
    small = ask(service, "quantise", model="smollm2", to="Q4_0")["model"]
    assert (small["id"], small["quantisation"], small["parent"]) == ("smollm2-135m-instruct-q4_0", "Q4_0", STARTER)
    assert abs(small["size"] - estimate["size"]) < 20_000
    assert ask(service, "quantise", model="smollm2", to="Q4_0")["known"]
    assert set(ask(service, "delete", model=small["id"])) >= {"freed", "made_from_it"}


@pytest.mark.parametrize(
    ("op", "args", "code"),
    [
        ("convert", {"model": STARTER, "to": "exe"}, "bad_request"),
        ("convert", {"to": "ct2"}, "bad_request"),
        ("convert", {"model": "unheard", "to": "ct2"}, "not_installed"),
        ("quantise", {"model": STARTER, "to": "Q9"}, "bad_request"),
        ("delete", {"model": STARTER}, "bad_request"),
        ("place", {"path": "/x/y.gguf", "id": "unheard"}, "not_installed"),
        ("place", {}, "bad_request"),
        ("import", {}, "bad_request"),
        ("synthetic", {"shape": "llama-9"}, "bad_request"),
    ],
)
def test_wrong_requests_are_told(service: Service, op: str, args: dict[str, Any], code: str) -> None:
    assert refused(service, op, **args).code == code


def test_the_machine_is_measured_once(service: Service, data: Path) -> None:
    machine.remember(data, MACHINE)
    told = ask(service, "machine")
    assert (told["read_gbs"], told["flops_g"]) == (20.0, 100.0)
    assert told["memory_mb"]["total"] >= told["memory_mb"]["free"] > 0
    assert told["devices"][0]["kind"] == "cpu"
    assert ask(service, "devices")["devices"] == told["devices"]


@pytest.mark.parametrize("model_format", ["gguf", "ct2"])
def test_a_disk_that_fills_up_under_random_weights_is_told(
    service: Service, data: Path, monkeypatch: pytest.MonkeyPatch, model_format: str
) -> None:
    def full(*_: object) -> Iterator[bytes]:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(synthetic, "_pieces" if model_format == "gguf" else "write_model", full)
    wanted = {"shape": "smollm2-135m", "quantisation": "Q4_0" if model_format == "gguf" else "int8"}
    assert refused(service, "synthetic", format=model_format, **wanted).code == "disk_full"
    assert [path.name for path in (data / "models").iterdir()] == []


def test_a_quiet_measurement_stays_and_a_disturbed_one_is_repeated(
    service: Service, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet, busy = MACHINE, dataclasses.replace(MACHINE, read_gbs=9.0, others=1.0)
    coming = [busy, quiet, busy]
    monkeypatch.setattr(bandwidth, "steps", lambda: iter([None, coming.pop(0)]))
    monkeypatch.setattr(bandwidth, "quiet", lambda: True)
    assert ask(service, "machine")["read_gbs"] == 9.0, "better than nothing"
    assert ask(service, "machine")["read_gbs"] == 20.0, "repeated"
    assert ask(service, "machine", measure=True)["read_gbs"] == 20.0, "a busy moment says less"
    assert (ask(service, "machine")["read_gbs"], coming) == (20.0, [])
    machine.remember(data, busy)
    monkeypatch.setattr(bandwidth, "quiet", lambda: False)
    assert ask(service, "machine")["read_gbs"] == 9.0, "still busy: another look would be no better"


def test_an_unmeasured_machine_says_null(service: Service) -> None:
    told = ask(service, "machine", measure=False)
    assert (told["read_gbs"], told["flops_g"], told["measured_at"]) == (None, None, None)


@pytest.mark.slow
def test_the_real_process_is_sealed_and_answers(data: Path) -> None:
    client = WorkerClient("models", ["--data-dir", str(data)], disposable=True)
    try:
        assert client.call("list", fits=False)["models"][0]["id"] == STARTER
        assert (client.hello or {})["seal"] in ("seccomp", "audit")
    finally:
        client.close()


def test_with_a_device_the_plan_is_told(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    card = Device("Vulkan0", "a made-up card", "gpu", 3 << 30, 4 << 30)
    monkeypatch.setattr("desktop_rag.workers.model_fit.accelerators", lambda: [card])
    told = ask(service, "fit", model=STARTER)
    assert told["plan"].startswith("30 of 30 layers on GPU, ")
    assert told["estimate_mb"]["total"] < told["estimate_mb"]["weights"] + told["estimate_mb"]["process"]
    assert told["device_mb"] > 0
    for without in ({"gpu": False}, {"gpu_layers": 0}):
        assert ask(service, "fit", model=STARTER, **without)["plan"] is None
    assert ask(service, "fit", model=STARTER, gpu_layers=11)["gpu_layers"] == 11
