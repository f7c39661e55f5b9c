"""The offload script: what it builds with, what it refuses in words, and the record it writes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PACKAGING = Path(__file__).parents[2] / "packaging"
MB = 2**20


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(PACKAGING))
    for name in [name for name in sys.modules if name.startswith(("offload", "llama_build"))]:
        monkeypatch.delitem(sys.modules, name)
    import offload

    return offload


def run(asked: int, **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "asked": asked,
        "offloaded": asked,
        "of": 31,
        "answer": "In 2019.",
        "same_text": asked < 31,
        "same_first_token": True,
        "largest_logit_difference": 0.0123,
        "planned": 108 * MB if asked else 0,
        "reported": {"Vulkan0": 100 * MB} if asked else {"Vulkan0": 0},
        "device_delta": 90 * MB,
        "nvml_mb": None,
        "resident_mb": 150.0,
        "seconds": 1.5,
    }
    return {**row, **more}


def found() -> dict[str, Any]:
    tried = [{"gpu_layers": 31, "context": 1024, "error": "full"}, {"gpu_layers": 15, "context": 1024, "error": None}]
    return {
        "model": "small.gguf",
        "backends": ["Vulkan", "CPU"],
        "devices": [
            {"name": "Vulkan0", "description": "llvmpipe", "kind": "gpu", "free_bytes": 2**33, "total_bytes": 2**34}
        ],
        "plan": {"sentence": "30 of 30 layers on GPU, 8.5 GB free"},
        "verified": {
            "plan": {"tried": tried[1:], "sentence": "30 of 30 layers on GPU, 8.4 GB free"},
            "half_the_room": {"tried": tried, "sentence": "15 of 30 layers on GPU, 8.5 GB free"},
            "missing_device": {"message": "The device Gone0 is not there."},
        },
        "runs": [run(0), run(31), {"asked": 15, "error": "exit code -6: out of memory"}],
    }


def test_the_record_says_what_happened_failures_too(script: ModuleType) -> None:
    record = script.offload_record
    text = "\n".join(record.lines_of(found(), {"when": "2026-01-01", "driver": ""}, "9 passed", ["a table"]))
    assert "- when: 2026-01-01" in text
    assert "driver" not in text
    row = next(line for line in text.splitlines() if line.startswith("| 31 |"))
    assert "31 of 31" in row
    assert "| no | yes |" in row
    assert "+8.0%" in row
    assert "failed: exit code -6" in text
    assert "31 layers refused, 15 layers held" in text
    assert "Gone0" in text
    assert "9 passed" in text
    assert "a table" in text
    tables = [line for line in text.splitlines() if line.startswith("|") and "layers asked" not in line]
    assert {line.count("|") for line in tables if line.startswith(("| 0 |", "| 15 |", "| 31 |"))} == {13}


def test_a_device_that_helps_without_being_asked_is_recorded(script: ModuleType) -> None:
    record, quiet = script.offload_record, found()
    quiet["runs"] = [run(0, largest_logit_difference=0.0), run(31)]
    assert "still computed" not in "\n".join(record.lines_of(quiet, {}, "", []))
    assert "still computed" in "\n".join(record.lines_of(found(), {}, "", []))


def test_a_section_replaces_its_own_and_leaves_the_others(script: ModuleType, tmp_path: Path) -> None:
    path, write = tmp_path / "OFFLOAD.md", script.offload_record.write
    write("Software Vulkan device", ["one"], path)
    write("CUDA device", ["two"], path)
    write("Software Vulkan device", ["three", "", "| a | b |"], path)
    text = path.read_text()
    assert "one" not in text
    assert text.index("three") < text.index("two")
    assert text.count("## ") == 2
    write("CUDA device", ["two"], path)
    assert path.read_text() == text


def test_without_the_devices_it_says_what_is_missing(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert script.main(["--folder", str(tmp_path)]) == 2
    assert "apt-get" in capsys.readouterr().out
    assert script.main(["--cuda", "--folder", str(tmp_path)]) == 2
    assert "nvidia-smi" in capsys.readouterr().out
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}" if name == "nvidia-smi" else None)
    monkeypatch.setattr(Path, "glob", lambda self, pattern: iter(()))
    assert script.main(["--cuda", "--folder", str(tmp_path)]) == 2
    assert "nvcc" in capsys.readouterr().out


def test_cuda_is_built_with_the_card_s_compiler(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")

    def smi(command: list[str], **options: Any) -> Any:
        return subprocess.CompletedProcess(command, 0, "NVIDIA H200, 580.1, 143771 MiB\n", "")

    monkeypatch.setattr(subprocess, "run", smi)
    target = script.cuda(tmp_path, ["-DCMAKE_CUDA_ARCHITECTURES=90"])
    assert target.arguments == [
        "-DGGML_CUDA=on",
        "-DCMAKE_CUDA_COMPILER=/usr/bin/nvcc",
        "-DCMAKE_CUDA_ARCHITECTURES=90",
    ]
    assert target.facts["cards"] == "NVIDIA H200, 580.1, 143771 MiB"
    assert target.bench


def test_a_wheel_is_built_once_never_from_the_cache(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    build, commands = script.llama_build, []

    def record(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> None:
        commands.append((command, environment))
        if "wheel" in command:
            wheels = Path(command[command.index("--wheel-dir") + 1])
            wheels.mkdir(parents=True)
            (wheels / "llama_cpp_python-9-py3-none-linux_x86_64.whl").touch()

    monkeypatch.setattr(build, "run", record)
    build.build(tmp_path, ["-DGGML_VULKAN=on", "-DVulkan_INCLUDE_DIR=/a folder/include"])
    wheel, environment = commands[0]
    assert {"--no-cache-dir", "--no-deps", build.pinned()} <= set(wheel)
    assert environment is not None
    assert environment["CMAKE_ARGS"].startswith("-DGGML_VULKAN=on '-DVulkan_INCLUDE_DIR=/a folder/include'")
    build.build(tmp_path, ["-DGGML_VULKAN=on", "-DVulkan_INCLUDE_DIR=/a folder/include"])
    assert [command[3] for command, _ in commands] == ["wheel", "install", "install"]
    build.build(tmp_path, [])
    assert [command[3] for command, _ in commands[3:]] == ["wheel", "install"], "other arguments are another wheel"


def test_the_version_is_the_application_s(script: ModuleType) -> None:
    import importlib.metadata

    assert script.llama_build.pinned() == f"llama-cpp-python=={importlib.metadata.version('llama-cpp-python')}"


def test_apt_is_given_a_root_of_its_own(script: ModuleType, tmp_path: Path) -> None:
    command = script.offload_vulkan._private_apt(tmp_path)
    for option in ("Dir::Etc::SourceList", "Dir::State::Lists", "Dir::State::Status", "Dir::Cache"):
        assert any(word.startswith(f"{option}={tmp_path}") for word in command), option
    assert "trixie main" in (tmp_path / "sources.list").read_text()


def test_the_benchmark_s_table_has_a_row_for_each_and_survives_an_error(script: ModuleType) -> None:
    row = {
        "platform": "llama.cpp",
        "options": "Q4_1",
        "device": "CUDA0",
        "avg_tok_s": 812.34,
        "std_tok_s": 3.2,
        "avg_time_s": 0.16,
        "avg_output_tokens": 128.0,
        "ttft_s": 0.012,
        "roofline_fraction": None,
    }
    lines = script.table("starter", json.dumps({"rows": [row, {**row, "roofline_fraction": 0.71}]}))
    assert len(lines) == 4
    assert "812.3" in lines[2]
    assert lines[3].endswith("71%")
    assert script.table("starter", '{"error": {"code": "crashed"}}') == ['starter: {"error": {"code": "crashed"}}']
