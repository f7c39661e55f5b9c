"""How fast a loaded model could decode if memory were all that bounds it: bytes read a token against the bandwidth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from desktop_rag.errors import ModelError
from desktop_rag.meter.roofline import fraction
from desktop_rag.models.footprint import kv_token_bytes
from desktop_rag.models.inspect import inspect
from desktop_rag.models.installed import Installed
from desktop_rag.models.shape import Shape, shape_of_ct2, shape_of_gguf, shape_of_hf

_WIDTHS = {"float32": 4, "bfloat16": 2, "float16": 2}
_SHORT = 2


@dataclass(frozen=True, slots=True)
class Limit:
    """Bytes of weights one token reads, all and by type, and of KV memory a token adds and every later one reads."""

    read_bytes: int
    kv_token_bytes: int
    read_types: Mapping[str, int] = field(default_factory=dict)

    def fraction(self, decode_tps: float, usage: Mapping[str, Any], read_gbs: float) -> float:
        """The share of the limit that was reached, for the bandwidth measured at this working set (GB/s)."""
        context = int(usage.get("prompt_tokens") or 0) + int(usage.get("generated_tokens") or 0) / 2
        return fraction(decode_tps, self.read_bytes, self.kv_token_bytes, context, read_gbs)


def shape_of(model: Installed) -> Shape | None:
    """The measures of a model of any format; None where its files do not tell them."""
    try:
        if model.format == "gguf":
            return shape_of_gguf(inspect(model.path))
        return shape_of_ct2(model.path) if model.format == "ct2" else shape_of_hf(model.path)
    except ModelError:
        return None


def limit_of(model: Installed, status: Mapping[str, Any]) -> Limit | None:
    """The limit of a model as it was loaded; `status` tells the type that Transformers converted it to."""
    shape = shape_of(model)
    if shape is None:
        return None
    width = _WIDTHS.get(str(status.get("options") or "")) if model.format == "hf" else None
    read = shape.parameters * width if width and shape.parameters else shape.read_bytes
    # The KV memory is kept in 16 bits by llama.cpp, and in the computing type, often 32 bits, by the others.
    wide = model.format != "gguf" and width != _SHORT
    return Limit(read, kv_token_bytes(shape) * (2 if wide else 1), dict(shape.read_types))


def served_limit(model: Installed) -> Limit | None:
    """The limit of a GGUF file behind a server of ours."""
    return limit_of(model, {})
