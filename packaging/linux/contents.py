"""What goes into which package: distributions, models, and what of them is left out.

`desktop-rag` is the application with everything the starter needs. `desktop-rag-torch` adds PyTorch with what
stands on it (sentence-transformers, Transformers): conversion of other models, other encoders, that engine.
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WORK = ROOT / "build/linux"
OUT = WORK / "out"
MODELS_FOLDER = ROOT / ".venv/share/desktop-rag/models"
APP = Path("opt/desktop-rag")
"""Where the application lies on the user's system, from its root."""

TORCH_ROOTS = ("sentence-transformers", "torch", "accelerate")
# A container of two networks, whose code is never imported.
NOT_BUNDLED = ("rapidocr",)
# Chroma names them, for clusters, for its own server and for its own command line.
UNUSED = (
    *("kubernetes", "durationpy", "oauthlib", "requests-oauthlib", "websocket-client"),
    *("uvicorn", "uvloop", "httptools", "watchfiles", "websockets"),
    *("build", "pyproject-hooks", "setuptools", "hf-xet"),
)

MODELS = (
    "smollm2-135m-instruct-q4_1",
    "all-minilm-l6-v2-ct2-int8",
    "multilingual-e5-small-ct2-int8",
    "en_core_web_sm-3.8.0",
)
TORCH_MODELS = ("all-minilm-l6-v2", "multilingual-e5-small-q4")
"""The originals of the encoders: what they were converted from, and are compared with."""

NOT_IMPORTED = (
    *("torch", "transformers", "sentence_transformers", "accelerate", "scipy", "sklearn", "sympy", "networkx"),
    *("kubernetes", "uvicorn", "uvloop", "httptools", "watchfiles", "websockets", "fastapi", "starlette"),
    *("rapidocr", "shapely", "pyclipper", "pandas", "matplotlib", "IPython", "cupy", "cupyx", "numba"),
    *("pytest", "_pytest", "hypothesis", "mypy", "pip", "wheel", "tkinter", "_tkinter", "turtle", "idlelib"),
    *("setuptools", "pkg_resources", "_distutils_hack", "hf_xet"),
    # Where a number is registered: of all of phonenumbers only the patterns are used.
    *("phonenumbers.geodata", "phonenumbers.carrierdata", "phonenumbers.tzdata"),
    # The standard library's doors to libraries under the GPL, and to what nobody has any more.
    *("readline", "rlcompleter", "curses", "_curses", "_curses_panel", "_gdbm", "_dbm", "nis", "crypt", "_crypt"),
    *("llama_cpp.server", "spacy.tests", "thinc.tests", "numpy.tests", "faker", "wordfreq"),
)
LEFT_OUT = re.compile(
    "|".join(
        (
            # GPT4All's CUDA builds, carried twice, need libraries of CUDA 11 that nothing here brings.
            r"libllamamodel-mainline-cuda",
            r"/llama_cpp/lib/(cmake|pkgconfig)/|libmtmd|libllama-common|\.a$",
            # Of Qt's plugins: bare consoles, GTK's theme (the desktop's portal is there), and what connects.
            r"plugins/(egldeviceintegrations|generic|networkinformation|tls|sqldrivers|printsupport)/",
            r"platforms/lib(qeglfs|qlinuxfb|qvnc|qvkkhrdisplay|qminimal|qminimalegl)\.so|libqgtk3|libQt6EglF[sS]",
        )
    )
)

_STANDARD_NOT_NEEDED = re.compile(
    r"^(test|idlelib|lib2to3|tkinter|turtle|turtledemo|ensurepip|antigravity|this|readline|rlcompleter|curses|nis|crypt)$"
)


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


def of_the_system(source: str) -> bool:
    """Whether a library stays the system's: the package depends on it, and Debian keeps it safe.

    Python itself is carried, also where the system's one made the package.
    """
    return source.startswith(("/lib/", "/usr/lib/")) and not re.search(r"/(lib)?python3", source)


def declared() -> list[Requirement]:
    """The dependencies of pyproject.toml, without the server that only benchmarks from source start."""
    rows = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return [Requirement(row.replace("[server]", "")) for row in rows]


def bundled() -> set[str]:
    """The distributions of `desktop-rag`."""
    apart = {*TORCH_ROOTS, *NOT_BUNDLED}
    return closure(row for row in declared() if canonicalize_name(row.name) not in apart) - set(UNUSED)


def added() -> set[str]:
    """The distributions of `desktop-rag-torch`: those that the application's package does not have."""
    return closure(row for row in declared() if canonicalize_name(row.name) in TORCH_ROOTS) - bundled()


def shared() -> set[str]:
    """Distributions of `desktop-rag` that `desktop-rag-torch` uses too, and may use wholly."""
    return closure(row for row in declared() if canonicalize_name(row.name) in TORCH_ROOTS) & bundled()


def closure(roots: Iterable[Requirement]) -> set[str]:
    """The canonical names of these distributions and of all they need that is installed."""
    found: set[tuple[str, frozenset[str]]] = set()
    waiting = list(roots)
    while waiting:
        wanted = waiting.pop()
        key = canonicalize_name(wanted.name), frozenset(wanted.extras)
        if key in found:
            continue
        try:
            needed = importlib.metadata.distribution(key[0]).requires or []
        except importlib.metadata.PackageNotFoundError:
            continue
        found.add(key)
        for row in map(Requirement, needed):
            if row.marker is None or any(row.marker.evaluate({"extra": extra}) for extra in wanted.extras or {""}):
                waiting.append(row)  # noqa: PERF401 - it grows what is walked through
    return {name for name, _extras in found}


def top_level(names: Iterable[str]) -> list[str]:
    """The packages and modules that can be imported from these distributions."""
    modules = set()
    for name in names:
        for file in importlib.metadata.files(name) or []:
            first, *rest = file.parts
            if rest and (file.suffix == ".py" or rest[0] == "__init__.py") and first.isidentifier():
                modules.add(first)
            elif not rest and file.suffix == ".py":
                modules.add(file.stem)
    return sorted(modules)


def standard_library() -> list[str]:
    """Its public modules: what is added later may import any of them."""
    return sorted(
        name for name in sys.stdlib_module_names if not name.startswith("_") and not _STANDARD_NOT_NEEDED.match(name)
    )
