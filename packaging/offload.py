"""Exercise offload for real: build llama.cpp with an accelerator, run the offload tests, write packaging/OFFLOAD.md.

    python3 packaging/offload.py                 software Vulkan device (any Debian 12 machine, as root; no GPU needed)
    python3 packaging/offload.py --cuda          CUDA device, where nvidia-smi finds one

The build goes into a folder of its own (.venv-offload), over the application's environment
(`packaging/dev.py setup` first), and takes 7 to 15 minutes on two cores; it is kept, so that a second
run only checks. Speed on the software device means nothing: right answers and the layer plan do.

With --cuda: llama.cpp is built with CMAKE_ARGS="-DGGML_CUDA=on" (needs the CUDA toolkit's nvcc; --arguments
adds more, such as -DCMAKE_CUDA_ARCHITECTURES=90), every check of the software device runs on the card, the memory
that NVML counts for the process is put beside the plan, and `desktop-rag bench` prints its table with the
layers on the card.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import llama_build
import offload_record
import offload_vulkan
from llama_build import ROOT, BuildError

FOLDER = ROOT / ".venv-offload"
MODELS = ROOT / ".venv/share/desktop-rag/models"
STARTER = "smollm2-135m-instruct-q4_1"
# What the software device may use is the machine's own memory: a gigabyte of margin would be a waste.
SOFTWARE_MARGIN_MB = 256
CARD_MARGIN_MB = 1024


@dataclass(frozen=True)
class Target:
    """What differs between the two kinds of devices."""

    title: str
    folder: Path
    arguments: list[str]
    margin_mb: int
    facts: dict[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)
    bench: bool = False


def main(arguments: list[str]) -> int:
    """Build, check, record. 0 when every test passed, 1 when one failed, 2 when it could not be done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cuda", action="store_true", help="a CUDA device instead of the software Vulkan device")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the build is kept")
    parser.add_argument("--model", type=Path, help="a GGUF file to check with (the starter model)")
    parser.add_argument("--arguments", default="", help="more arguments for CMake")
    parser.add_argument(
        "--synthetic", metavar="SHAPE", help="with --cuda: benchmark this shape too, such as llama-2-7b"
    )
    options = parser.parse_args(arguments)
    try:
        target = (cuda if options.cuda else vulkan)(options.folder.absolute(), options.arguments.split())
        begin = time.monotonic()
        llama_build.make_environment(target.folder)
        llama_build.build(target.folder, target.arguments)
        say(f"The build is there after {time.monotonic() - begin:.0f} s.")
        return examine(target, options.model or starter(), options.synthetic)
    except BuildError as error:
        say(str(error))
        return 2


def vulkan(folder: Path, more: list[str]) -> Target:
    """Mesa's software device; installs Debian's packages where they are missing."""
    if not shutil.which("apt-get"):
        raise BuildError("The software device is set up with Debian's packages, and there is no apt-get here.")
    place = folder / "vulkan"
    place.mkdir(parents=True, exist_ok=True)
    arguments = offload_vulkan.build_arguments(place, lambda command: llama_build.run(command, place))
    facts = {"driver": f"Mesa {offload_vulkan.driver_version()} (llvmpipe, in software: its speed means nothing)"}
    environment = offload_vulkan.software_driver()
    return Target("Software Vulkan device", place, [*arguments, *more], SOFTWARE_MARGIN_MB, facts, environment)


def cuda(folder: Path, more: list[str]) -> Target:
    """The CUDA devices that nvidia-smi lists."""
    if not shutil.which("nvidia-smi"):
        raise BuildError("There is no nvidia-smi here, so there is no CUDA device to check.")
    compiler = shutil.which("nvcc") or next(iter(map(str, Path("/usr/local").glob("cuda*/bin/nvcc"))), None)
    if compiler is None:
        raise BuildError("The CUDA toolkit's compiler nvcc is missing. Install the toolkit that fits the driver.")
    place = folder / "cuda"
    place.mkdir(parents=True, exist_ok=True)
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    result = subprocess.run(query, capture_output=True, text=True, check=False)
    if result.returncode != 0 or not result.stdout.strip():
        raise BuildError(f"nvidia-smi finds no device: {(result.stdout + result.stderr).strip()[:200]}")
    facts = {"cards": "; ".join(result.stdout.split("\n")).strip("; "), "compiler": compiler}
    arguments = ["-DGGML_CUDA=on", f"-DCMAKE_CUDA_COMPILER={compiler}", *more]
    return Target("CUDA device", place, arguments, CARD_MARGIN_MB, facts, bench=True)


def starter() -> Path:
    """The starter model of the application's own environment."""
    model = next((MODELS / STARTER).glob("*.gguf"), None)
    if model is None:
        raise BuildError("The starter model is missing: python3 packaging/dev.py setup")
    return model


def examine(target: Target, model: Path, synthetic: str | None) -> int:
    """The checks, the tests, with CUDA the benchmark; written into the record."""
    python = str(llama_build.python_of(target.folder))
    environment = {
        **os.environ,
        **target.environment,
        "DESKTOP_RAG_OFFLOAD": "1",
        "DESKTOP_RAG_MODELS_DIR": str(MODELS),
        "PYTHONPATH": str(ROOT),
        "GOMP_SPINCOUNT": "10000",
    }
    environment.pop("OMP_WAIT_POLICY", None)
    command = [python, str(Path(__file__).with_name("offload_check.py")), str(model)]
    say("Checking devices, plan, answers and memory …")
    result = subprocess.run(
        [*command, "--margin-mb", str(target.margin_mb)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise BuildError(f"The check itself failed (exit code {result.returncode}); its message is above.")
    found = json.loads(result.stdout.splitlines()[-1])
    (target.folder / "check.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    say("Running the tests marked “offload” …")
    code, closing = run_tests(python, environment)
    bench = benchmark(python, environment, ["--model", str(model)]) if target.bench else []
    if target.bench and synthetic:
        bench += benchmark(python, environment, ["--synthetic", synthetic])
    facts = {
        "when": time.strftime("%Y-%m-%d"),
        "machine": f"{processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "llama-cpp-python": llama_build.pinned().split("==")[1],
        **target.facts,
    }
    offload_record.write(target.title, offload_record.lines_of(found, facts, closing, bench))
    say(offload_record.RECORD.read_text(encoding="utf-8"))
    return 0 if code == 0 else 1


def run_tests(python: str, environment: Mapping[str, str]) -> tuple[int, str]:
    """The tests in tests/offload with this build; exit code and pytest's last line."""
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/offload"]
    result = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    print(result.stdout, end="", flush=True)
    return result.returncode, (result.stdout.strip().splitlines() or ["nothing ran"])[-1].strip("= ")


def benchmark(python: str, environment: Mapping[str, str], choice: list[str]) -> list[str]:
    """`desktop-rag bench` with every layer that fits on the card, and with none, as the table's lines."""
    lines: list[str] = []
    for layers in (-1, 0):
        with tempfile.TemporaryDirectory() as data:
            Path(data, "settings.json").write_text(json.dumps({"gpu_layers": layers}), encoding="utf-8")
            command = [python, "-m", "desktop_rag", "--data-dir", data, "bench", "--engine", "llama.cpp"]
            result = subprocess.run(
                [*command, *choice, "--json"],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
                check=False,
            )
        lines += table(f"{' '.join(choice)}, gpu_layers = {layers}", result.stdout)
    return lines


def table(title: str, printed: str) -> list[str]:
    """The rows of a benchmark's JSON, or what it said instead."""
    try:
        found = json.loads(printed)
        rows = found["rows"]
    except (ValueError, KeyError):
        return [f"{title}: {printed.strip()[:300] or 'nothing was printed'}"]
    words = f"{'platform':<12}{'options':<24}{'device':<24}"
    lines = [title, f"{words}{'tok/s':>9}{'±':>7}{'s':>8}{'tokens':>8}{'TTFT s':>8}{'roof':>7}"]
    for row in rows:
        roof = row.get("roofline_fraction")
        lines.append(
            f"{row['platform']:<12}{row['options'][:23]:<24}{row['device'][:23]:<24}{row['avg_tok_s']:>9.1f}"
            f"{row['std_tok_s']:>7.1f}{row['avg_time_s']:>8.2f}{row['avg_output_tokens']:>8.1f}{row['ttft_s']:>8.3f}"
            f"{'–' if roof is None else f'{roof:.0%}':>7}"
        )
    return lines


def processor() -> str:
    """The processor's name."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        return next(line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def say(text: str) -> None:
    """Print at once."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
