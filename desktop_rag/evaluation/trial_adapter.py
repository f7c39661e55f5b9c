"""A LoRA file of random numbers, to try an engine's adapters with a model that has none.

Only the `bench` role uses it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from desktop_rag.errors import ModelError
from desktop_rag.models.inspect import inspect

RANK = 4
_MATRIX = "attn_output.weight"
_SIZE = 0.2
_SEED = 0


def write_trial_adapter(model: Path, target: Path) -> Path:
    """Write `target` for one attention matrix of the GGUF file `model`. Raises ModelError."""
    import gguf

    info = inspect(model)
    matrix = next((tensor for tensor in info.table if tensor.name.endswith(_MATRIX)), None)
    if matrix is None:
        raise ModelError("incompatible", f"{model.name} has no matrix to adapt.", "Try another model.")
    width, height = matrix.dims[0], matrix.dims[1]
    draw = np.random.default_rng(_SEED)
    writer = gguf.GGUFWriter(target, info.architecture)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(RANK))
    writer.add_tensor(f"{matrix.name}.lora_a", draw.normal(0, _SIZE, (RANK, width)).astype(np.float32))
    writer.add_tensor(f"{matrix.name}.lora_b", draw.normal(0, _SIZE, (height, RANK)).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target
