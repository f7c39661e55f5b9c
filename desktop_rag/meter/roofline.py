"""How much of a machine's limit a decode reached: pure.

One token reads the weights once and the KV memory of the context so far; the machine's read bandwidth
over those bytes is the most tokens a second there can be.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

GIGA = 1e9


def limit_tps(read_bytes: float, kv_token_bytes: float, mean_context: float, read_gbs: float) -> float:
    """The most tokens a second: `read_gbs` (10⁹ bytes a second) over the bytes of a token at `mean_context` tokens."""
    return read_gbs * GIGA / (read_bytes + kv_token_bytes * mean_context)


def fraction(
    decode_tps: float, read_bytes: float, kv_token_bytes: float, mean_context: float, read_gbs: float
) -> float:
    """The share of the limit that `decode_tps` reached: 1 is the limit, above 1 the bandwidth was measured too low."""
    return decode_tps / limit_tps(read_bytes, kv_token_bytes, mean_context, read_gbs)


def reached_gbs(decode_tps: float, read_bytes: float, kv_token_bytes: float, mean_context: float) -> float:
    """The bandwidth a decode proves that the machine has, in 10⁹ bytes a second."""
    return decode_tps * (read_bytes + kv_token_bytes * mean_context) / GIGA


def at_size(points: Sequence[tuple[int, float]], size: float) -> float:
    """The bandwidth for a working set of `size` bytes, between measured `points` (bytes, GB/s) by the size's logarithm.

    What fits in a cache is read faster again: the limit of a small model is higher than memory's.
    Outside the measured sizes the nearest one holds.
    """
    ordered = sorted(points)
    if size <= ordered[0][0]:
        return ordered[0][1]
    for (low, slow), (high, fast) in itertools.pairwise(ordered):
        if size <= high:
            share = math.log(size / low) / math.log(high / low)
            return slow + share * (fast - slow)
    return ordered[-1][1]
