"""Reading GGUF headers: what is there is read, what is not a model is refused in one sentence."""

from __future__ import annotations

import struct
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from desktop_rag import paths
from desktop_rag.errors import ModelError
from desktop_rag.models.catalogue import find
from desktop_rag.models.inspect import inspect

if TYPE_CHECKING:
    from collections.abc import Callable

METADATA = {
    "general.architecture": "llama",
    "general.name": "Small",
    "llama.context_length": 2048,
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.tokens": ["a", "b", "é"],
    "tokenizer.chat_template": "{{ messages }}",
    "tokenizer.ggml.add_bos_token": False,
}


def code_for(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        inspect(path)
    message = caught.value.message
    assert message.startswith(path.name) or "cannot be read" in message
    assert message.endswith(".")
    assert "\n" not in message
    return caught.value.code


def verdict(path: Path) -> str:
    try:
        inspect(path)
    except ModelError as error:
        return error.code
    return "model"


def test_header_is_read(tmp_path: Path, gguf: Callable[..., bytes]) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf(METADATA))
    info = inspect(path)
    assert (info.architecture, info.name, info.context, info.tokenizer) == ("llama", "Small", 2048, "gpt2")
    assert info.chat_template
    assert info.tensors == 1
    assert info.size == path.stat().st_size
    assert info.metadata["tokenizer.ggml.add_bos_token"] is False


def test_what_a_file_does_not_say_is_empty(tmp_path: Path, gguf: Callable[..., bytes]) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf())
    info = inspect(path)
    assert (info.name, info.context, info.tokenizer, info.chat_template) == ("", None, "", False)


def test_starter_model_is_a_whole_gguf() -> None:
    entry = find("smollm2-135m-instruct-q4_1")
    path = entry.installed_path(paths.models_dir())
    assert path is not None, "the starter models are not in place: python3 packaging/dev.py setup"
    info = inspect(path)
    assert (info.architecture, info.context, info.tokenizer) == ("llama", entry.context, "gpt2")
    assert info.chat_template
    assert info.metadata["tokenizer.ggml.pre"] == "smollm"


def test_last_kilobyte_of_the_starter_model_missing(tmp_path: Path) -> None:
    whole = find("smollm2-135m-instruct-q4_1").installed_path(paths.models_dir())
    assert whole is not None
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(whole.read_bytes()[:-1024])
    assert code_for(cut) == "truncated"


def test_every_cut_of_a_whole_file_is_truncated(tmp_path: Path, gguf: Callable[..., bytes]) -> None:
    data = gguf(METADATA)
    path = tmp_path / "cut.gguf"
    for length in range(len(data)):
        path.write_bytes(data[:length])
        assert code_for(path) == "truncated", length


def test_renamed_zip(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "text")
    assert code_for(path) == "incompatible"
    with pytest.raises(ModelError, match="a ZIP archive"):
        inspect(path)


@pytest.mark.parametrize("start", [b"<!DOCTYPE html>", b"%PDF-1.7", b"version https://git-lfs", b"\x00" * 40])
def test_other_files_are_refused_as_what_they_are(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(start)
    assert code_for(path) == "incompatible"


@pytest.mark.parametrize("version", [0, 1, 4, 0x03000000])
def test_unknown_version(tmp_path: Path, gguf: Callable[..., bytes], version: int) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf(version=version))
    assert code_for(path) == "incompatible"


def test_without_architecture(tmp_path: Path, gguf: Callable[..., bytes]) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf({"general.name": "nameless"}))
    assert code_for(path) == "incompatible"


def test_missing_file(tmp_path: Path) -> None:
    assert code_for(tmp_path / "none.gguf") == "not_installed"


@given(st.binary(max_size=300))
@example(struct.pack("<QQ", 1, 1) + struct.pack("<Q", 2**63))
@example(struct.pack("<QQ", 2**64 - 1, 2**64 - 1))
@example(struct.pack("<QQ", 0, 1) + struct.pack("<Q", 1) + b"k" + struct.pack("<IIQ", 9, 9, 2**62))
def test_garbage_after_the_magic_never_escapes(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "garbage.gguf"
        path.write_bytes(b"GGUF\x03\x00\x00\x00" + data)
        assert verdict(path) in ("model", "incompatible", "truncated")


@given(position=st.integers(8, 250), replacement=st.binary(min_size=1, max_size=8))
def test_a_damaged_header_never_escapes(position: int, replacement: bytes) -> None:
    from_writer = _WHOLE[:position] + replacement + _WHOLE[position + len(replacement) :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "damaged.gguf"
        path.write_bytes(from_writer)
        assert verdict(path) in ("model", "incompatible", "truncated")


def _whole() -> bytes:
    pairs = b"".join(
        struct.pack("<Q", len(key)) + key + struct.pack("<IQ", 8, 5) + b"llama"
        for key in (b"general.architecture", b"general.name", b"tokenizer.ggml.model")
    )
    array = struct.pack("<Q", 1) + b"t" + struct.pack("<IIQ", 9, 4, 3) + bytes(12)
    tensor = struct.pack("<Q", 1) + b"w" + struct.pack("<IQIQ", 1, 8, 0, 0)
    return b"GGUF" + struct.pack("<IQQ", 3, 1, 4) + pairs + array + tensor + bytes(96)


_WHOLE = _whole()


def test_the_tensor_table_is_kept(tmp_path: Path, gguf: Callable[..., bytes]) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf(METADATA))
    (tensor,) = inspect(path).table
    assert tensor.type == "F32"
    assert tensor.bytes == 4 * tensor.values > 0
    assert tensor.offset == 0


@pytest.mark.parametrize(("file_type", "name"), [(15, "Q4_K_M"), (2, "Q4_0"), (999, "F32")])
def test_the_quantisation_is_the_files_word_or_its_main_type(
    tmp_path: Path, gguf: Callable[..., bytes], file_type: int, name: str
) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf({**METADATA, "general.file_type": file_type}))
    assert inspect(path).quantisation == name


def test_of_a_split_model_all_parts_count(tmp_path: Path, gguf: Callable[..., bytes]) -> None:
    first, second = (tmp_path / f"big-0000{number}-of-00002.gguf" for number in (1, 2))
    first.write_bytes(gguf(METADATA, [("token_embd.weight", 64)]))
    # Later parts name no architecture.
    second.write_bytes(gguf({"split.no": 1}, [("blk.0.ffn_up.weight", 32), ("output.weight", 64)]))
    found = inspect(first)
    assert [tensor.name for tensor in found.table] == ["token_embd.weight", "blk.0.ffn_up.weight", "output.weight"]
    assert (found.tensors, found.size) == (3, first.stat().st_size + second.stat().st_size)
    assert found.architecture == "llama"
    second.unlink()
    with pytest.raises(ModelError) as caught:
        inspect(first)
    assert (caught.value.code, "part 2 of 2 is missing" in caught.value.message) == ("truncated", True)


@pytest.mark.parametrize("place", ["text", "tensors", "items"])
def test_a_header_made_to_fill_the_memory_is_refused_at_once(tmp_path: Path, place: str) -> None:
    """The file is large enough for what it promises: sparse, it costs nobody any disk."""
    many = 1 << 30
    head = {
        "text": b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, many),
        "tensors": b"GGUF" + struct.pack("<IQQ", 3, many, 1) + _pair("general.architecture", "llama"),
        "items": b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"x" + struct.pack("<IIQ", 9, 8, many),
    }[place]
    path = tmp_path / "bomb.gguf"
    with path.open("wb") as file:
        file.write(head)
        file.truncate(64 << 30)
    with pytest.raises(ModelError) as caught:
        inspect(path)
    assert (caught.value.code, "damaged header" in caught.value.message) == ("incompatible", True)


def _pair(key: str, value: str) -> bytes:
    texts = [struct.pack("<Q", len(text)) + text.encode() for text in (key, value)]
    return texts[0] + struct.pack("<I", 8) + texts[1]
