"""What one computation of llama.cpp takes in: tokens, their positions, and which rows need logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.ctypeslib import as_array


class TokenBatch:
    """A llama_batch of one sequence whose arrays are written through numpy views, not element by element."""

    def __init__(self, llama_cpp: Any, capacity: int) -> None:
        self._c = llama_cpp
        self.capacity = capacity
        self.native = llama_cpp.llama_batch_init(capacity, 0, 1)
        self._tokens = as_array(self.native.token, shape=(capacity,))
        self._places = as_array(self.native.pos, shape=(capacity,))
        self._logits = as_array(self.native.logits, shape=(capacity,))
        as_array(self.native.n_seq_id, shape=(capacity,))[:] = 1
        for row in range(capacity):
            self.native.seq_id[row][0] = 0
        self._offsets = np.arange(capacity, dtype=self._places.dtype)

    def fill(self, tokens: Sequence[int], at: int, *, every_row: bool, last_row: bool) -> None:
        """`tokens` at the positions from `at` on; logits of every row, of the last one, or of none."""
        count = len(tokens)
        self.native.n_tokens = count
        self._tokens[:count] = tokens
        self._places[:count] = self._offsets[:count] + at
        self._logits[:count] = every_row
        if last_row:
            self._logits[count - 1] = 1

    def close(self) -> None:
        """Free the arrays."""
        self._c.llama_batch_free(self.native)
