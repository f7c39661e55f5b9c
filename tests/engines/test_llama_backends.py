"""llama.cpp is opened at one place, and a build that carries variants for processors uses the one it was told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from desktop_rag.engines import llama_backends
from desktop_rag.errors import ModelError

SOURCE = Path(llama_backends.__file__).parents[1]


def test_only_one_module_imports_llama_cpp() -> None:
    imports = re.compile(r"^\s*(?:import|from) llama_cpp(?!\.(?:llama_grammar|server)\b)", re.MULTILINE)
    found = {str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.py") if imports.search(path.read_text())}
    # The second replaces a function of the library's high-level class for a measurement.
    assert found == {"engines/llama_backends.py", "evaluation/high_level.py"}


@pytest.mark.slow
def test_a_build_for_one_machine_carries_no_variants() -> None:
    assert llama_backends.variants() == ()
    assert llama_backends.chosen_variant() is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stem", "function"),
    [
        ("llama", "llama_backend_init"),
        ("ggml", "ggml_backend_dev_count"),
        ("ggml-base", "ggml_backend_dev_name"),
        ("ggml-cpu", "ggml_backend_cpu_set_use_ref"),
    ],
)
def test_each_library_has_its_functions(stem: str, function: str) -> None:
    assert getattr(llama_backends.library(stem), function)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="Linux tells which libraries are loaded")
def test_no_library_is_there_twice() -> None:
    for stem in ("llama", "ggml", "ggml-base", "ggml-cpu"):
        llama_backends.library(stem)
    loaded = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "/libggml" in line}
    kinds = [re.sub(r"\.so.*", "", Path(path).name) for path in loaded if "llama_cpp" in path]
    assert sorted(kinds) == sorted(set(kinds))


@pytest.mark.slow
def test_a_variant_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    there = [tmp_path / "libggml-cpu-haswell.so", tmp_path / "libggml-cpu-x64.so"]
    monkeypatch.setattr(llama_backends, "_variant_files", lambda: there)
    monkeypatch.setenv(llama_backends.VARIANT, "zen9")
    with pytest.raises(ModelError, match="“zen9”") as raised:
        llama_backends._load_backends.__wrapped__()
    assert raised.value.code == "backend_missing"
    assert "haswell, x64" in raised.value.hint


@pytest.mark.slow
def test_a_variant_that_cannot_be_loaded_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "libggml-cpu-x64.so"
    broken.write_bytes(b"no library")
    monkeypatch.setattr(llama_backends, "_variant_files", lambda: [broken])
    monkeypatch.setenv(llama_backends.VARIANT, "x64")
    with pytest.raises(ModelError, match="does not run on this processor"):
        llama_backends._load_backends.__wrapped__()
