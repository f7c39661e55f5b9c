"""A KV memory for Transformers that neither copies itself at every token nor forgets what it held.

The library's dynamic cache makes a new tensor of all keys and values for every token; its static one
attends over the whole context each time. Here keys and values are written into one allocation, and
attention sees the part that is filled. Cropping to a shared prefix is a number set back.
"""

from __future__ import annotations

from typing import Any

# Layers whose keys and values may be kept in full: a sliding window is then a matter of the mask.
KEEPABLE = frozenset({"full_attention", "sliding_attention", "chunked_attention"})


def growing_cache(layers: int, capacity: int) -> Any:
    """A `transformers.Cache` of so many layers, with room for `capacity` tokens; pages are taken as they fill."""
    from transformers.cache_utils import Cache

    return Cache(layers=[_layer_class()(capacity) for _ in range(layers)])


def crop(cache: Any, length: int) -> None:
    """Forget all tokens from `length` on."""
    for layer in cache.layers:
        layer.length = min(layer.length, length)


def _layer_class() -> Any:
    import torch
    from transformers.cache_utils import DynamicLayer

    class GrowingLayer(DynamicLayer):  # type: ignore[no-untyped-call]
        """One layer's keys and values, (1, heads, capacity, size) each."""

        def __init__(self, capacity: int) -> None:
            super().__init__()  # type: ignore[no-untyped-call]
            self.capacity = capacity
            self.length = 0

        def lazy_initialization(self, key_states: Any, value_states: Any) -> None:
            self.dtype, self.device = key_states.dtype, key_states.device
            self.keys, self.values = (self._room(states) for states in (key_states, value_states))
            self.is_initialized = True

        def update(self, key_states: Any, value_states: Any, *_args: Any, **_options: Any) -> tuple[Any, Any]:
            if not self.is_initialized:
                self.lazy_initialization(key_states, value_states)
            keys: Any = self.keys
            values: Any = self.values
            end = self.length + key_states.shape[-2]
            keys[:, :, self.length : end] = key_states
            values[:, :, self.length : end] = value_states
            self.length = end
            return keys[:, :, :end], values[:, :, :end]

        def get_seq_length(self) -> int:
            return self.length

        def _room(self, states: Any) -> Any:
            batch, heads, _, size = states.shape
            return torch.empty((batch, heads, self.capacity, size), dtype=states.dtype, device=states.device)

    return GrowingLayer
