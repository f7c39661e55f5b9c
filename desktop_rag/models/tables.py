"""The tensor tables of Hugging Face and CTranslate2 folders, read from their headers without loading a weight.

A safetensors file opens with its table as JSON (https://github.com/huggingface/safetensors, "Format");
CTranslate2's `model.bin` has a row before every tensor (ctranslate2/specs/model_spec.py, `_serialize`).
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from desktop_rag.errors import ModelError
from desktop_rag.models.inspect import Tensor

LONGEST_HEADER = 100_000_000
LONGEST_NAME = 4096
# CTranslate2's DataType, in its order: name, bytes of one value.
CT2_TYPES = (("float32", 4), ("int8", 1), ("int16", 2), ("int32", 4), ("float16", 2), ("bfloat16", 2))
CT2_SCALARS = {"float32": "<f", "int8": "<b", "int16": "<h", "int32": "<i"}


@dataclass(frozen=True, slots=True)
class Ct2Table:
    """What a `model.bin` holds: tensors (`dims` slowest first), single numbers by name, and names that share a tensor.

    `spec` is the kind of model, such as "TransformerDecoderSpec".
    """

    spec: str
    tensors: tuple[Tensor, ...]
    numbers: dict[str, float]
    aliases: dict[str, str]


def safetensors_table(folder: Path) -> tuple[Tensor, ...]:
    """The tensors of every `*.safetensors` file in `folder`; `dims` slowest first, empty where there is none.

    Raises ModelError("truncated") when a file ends before its tensors do.
    """
    found: list[Tensor] = []
    for path in sorted(folder.glob("*.safetensors")):
        found.extend(_safetensors(path))
    return tuple(found)


def _safetensors(path: Path) -> list[Tensor]:
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length)) if length <= LONGEST_HEADER else None
        size = path.stat().st_size
    except (OSError, ValueError, struct.error, RecursionError) as error:
        raise _unreadable(path) from error
    if not isinstance(header, dict):
        raise _unreadable(path)
    header.pop("__metadata__", None)
    try:
        rows = [_safetensors_row(name, row) for name, row in header.items()]
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(path) from error
    if any(8 + length + tensor.offset + tensor.bytes > size for tensor in rows):
        raise ModelError("truncated", f"{path.name} is not whole.", "Copy or download the model again.")
    return rows


def _safetensors_row(name: str, row: dict[str, Any]) -> Tensor:
    start, end = (int(offset) for offset in row["data_offsets"])
    return Tensor(name, tuple(int(dim) for dim in row["shape"]), str(row["dtype"]), end - start, start)


def ct2_table(path: Path) -> Ct2Table:
    """The table of a CTranslate2 `model.bin`.

    Raises ModelError: "not_installed" (cannot be opened), "incompatible" (something else, or a format
    older than 3), "truncated".
    """
    try:
        with path.open("rb") as file:
            return _Ct2Reader(file, path, path.stat().st_size).read()
    except OSError as error:
        raise ModelError("not_installed", f"The model file {path.name} cannot be read: {error.strerror}.") from error


class _Ct2Reader:
    """One pass over a `model.bin`, jumping over the weights."""

    def __init__(self, file: BinaryIO, path: Path, size: int) -> None:
        self.file = file
        self.path = path
        self.size = size

    def read(self) -> Ct2Table:
        """The whole table, checked."""
        version = self._number("<I")
        if not 3 <= version <= 100:
            raise _unreadable(self.path)
        spec = self._name()
        self._number("<I")
        tensors: list[Tensor] = []
        numbers: dict[str, float] = {}
        for _ in range(self._count(8)):
            self._variable(tensors, numbers)
        aliases = {self._name(): self._name() for _ in range(self._count(4))}
        return Ct2Table(spec, tuple(tensors), numbers, aliases)

    def _variable(self, tensors: list[Tensor], numbers: dict[str, float]) -> None:
        name = self._name()
        dims = tuple(self._number("<I") for _ in range(self._number("<B")))
        kind = self._number("<B")
        if kind >= len(CT2_TYPES):
            raise _unreadable(self.path)
        type_name, width = CT2_TYPES[kind]
        size = self._number("<I")
        if not dims and type_name in CT2_SCALARS and size == width:
            numbers[name] = float(struct.unpack(CT2_SCALARS[type_name], self._bytes(size))[0])
            return
        # The size is a 32-bit field that wraps for a tensor over 4 GiB; the dimensions say the truth.
        size = max(size, math.prod(dims) * width)
        tensors.append(Tensor(name, dims, type_name, size, self.file.tell()))
        if self.file.tell() + size > self.size:
            raise self._truncated()
        self.file.seek(size, 1)

    def _name(self) -> str:
        length = self._number("<H")
        if length > LONGEST_NAME:
            raise _unreadable(self.path)
        return self._bytes(length).rstrip(b"\0").decode("utf-8", errors="replace")

    def _count(self, least_bytes: int) -> int:
        count = self._number("<I")
        if count * least_bytes > self.size:
            raise _unreadable(self.path)
        return count

    def _number(self, layout: str) -> int:
        return int(struct.unpack(layout, self._bytes(struct.calcsize(layout)))[0])

    def _bytes(self, count: int) -> bytes:
        data = self.file.read(count)
        if len(data) != count:
            raise self._truncated()
        return data

    def _truncated(self) -> ModelError:
        return ModelError("truncated", f"{self.path.name} is not whole.", "Convert or copy the model again.")


def _unreadable(path: Path) -> ModelError:
    return ModelError(
        "incompatible", f"{path.name} has a header that cannot be read.", "Choose another copy of the model."
    )
