"""A build of llama-cpp-python with an accelerator, in an environment of its own over the application's.

The environment holds the one package that differs and finds everything else in the application's
`.venv`, so that the same code runs on both builds and the usual one stays as it is.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BASE = ROOT / ".venv"
PACKAGE = "llama-cpp-python"


class BuildError(Exception):
    """A step failed; the sentence says which and where its output is."""


def log_file(folder: Path) -> Path:
    """Everything the steps printed."""
    return folder / "build.log"


def run(command: list[str], folder: Path, environment: Mapping[str, str] | None = None) -> None:
    """Carry out one step with its output in the log. Raises BuildError."""
    with log_file(folder).open("a", encoding="utf-8") as log:
        log.write(f"\n$ {' '.join(command)}\n")
        log.flush()
        result = subprocess.run(
            command, stdout=log, stderr=subprocess.STDOUT, check=False, env={**os.environ, **(environment or {})}
        )
    if result.returncode != 0:
        raise BuildError(f"“{' '.join(command[:4])} …” failed (exit code {result.returncode}). See {log_file(folder)}.")


def python_of(folder: Path) -> Path:
    """The environment's interpreter."""
    return folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def site_packages(environment: Path) -> Path:
    """Where an environment keeps its packages."""
    if os.name == "nt":
        return environment / "Lib" / "site-packages"
    return environment / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"


def make_environment(folder: Path) -> None:
    """An environment whose own packages come before the application's."""
    if python_of(folder).exists():
        return
    if not site_packages(BASE).is_dir():
        raise BuildError("The application's own environment is missing: python3 packaging/dev.py setup")
    venv.EnvBuilder(symlinks=os.name != "nt", with_pip=True).create(folder / "venv")
    # addsitedir, not a bare path: the application itself is installed by a .pth file in there.
    line = f"import site; site.addsitedir({str(site_packages(BASE))!r})\n"
    (site_packages(folder / "venv") / "desktop_rag_base.pth").write_text(line, encoding="utf-8")


def pinned() -> str:
    """The version the application uses, as `name==version`."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    row = next(str(row) for row in project["dependencies"] if str(row).startswith(PACKAGE))
    return f"{PACKAGE}=={row.split('==')[1]}"


def build(folder: Path, arguments: list[str]) -> None:
    """Compile the wheel with these arguments for CMake, unless it is there, and install it in the environment."""
    # Another version or other arguments are another wheel.
    wheels = folder / "wheels" / hashlib.sha256(repr((pinned(), arguments)).encode()).hexdigest()[:12]
    if not any(wheels.glob("llama_cpp_python-*.whl")):
        # Not from the cache, which holds the usual build under the same name, and not into it either.
        command = [str(python_of(folder)), "-m", "pip", "wheel", "--no-cache-dir", "--no-deps", "--verbose"]
        command += ["--no-binary", PACKAGE, "--wheel-dir", str(wheels), pinned()]
        # The picture reader is not used and takes a minute to compile.
        words = shlex.join([*arguments, "-DLLAVA_BUILD=OFF"])
        run(command, folder, {"CMAKE_ARGS": words, "CMAKE_BUILD_PARALLEL_LEVEL": str(os.cpu_count() or 2)})
    wheel = next(iter(sorted(wheels.glob("llama_cpp_python-*.whl"))))
    command = [str(python_of(folder)), "-m", "pip", "install", "--no-deps", "--ignore-installed", "--no-index"]
    run([*command, "--quiet", str(wheel)], folder)
