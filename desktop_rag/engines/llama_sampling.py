"""Choosing the next token from the logits: greedy, or drawn by llama.cpp's samplers, within a grammar if there is one.

A grammar is asked about the token that would be chosen anyway first: looking at the whole vocabulary
costs milliseconds, and it mostly agrees.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from desktop_rag.engines.llama_library import LlamaModel
from desktop_rag.engines.protocol import Sampling
from desktop_rag.errors import UsageError

_PENALISED_TOKENS = 64
_SEEDS = 1 << 32
_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])

Logits = NDArray[np.float32]


class Chooser(Protocol):
    """Chooses tokens of one answer and is told what was said."""

    def choose(self, logits: Logits) -> int:
        """The next token; -1 when nothing may be said any more."""
        ...

    def close(self) -> None:
        """Free the samplers."""
        ...


class Greedy:
    """The likeliest token."""

    def choose(self, logits: Logits) -> int:
        """See Chooser."""
        return int(logits.argmax())

    def close(self) -> None:
        """Nothing to free."""


class Sampled:
    """Penalties, top-k, top-p, min-p, temperature and a seeded draw, in this order; then the grammar."""

    def __init__(self, model: LlamaModel, sampling: Sampling) -> None:
        self._c = model.c
        self._grammar = _grammar_sampler(model, sampling)
        self._chain = _chain(model, sampling)
        self._candidates = np.zeros(model.words, dtype=_CANDIDATE)
        self._ids = np.arange(model.words, dtype=np.int32)
        self._one = np.zeros(1, dtype=_CANDIDATE)

    def choose(self, logits: Logits) -> int:
        """See Chooser."""
        token = self._draw(logits, within_grammar=False)
        if self._grammar and not self._agrees(token):
            token = self._draw(logits, within_grammar=True)
        if token >= 0:
            self._c.llama_sampler_accept(self._chain, token)
            if self._grammar:
                self._c.llama_sampler_accept(self._grammar, token)
        return token

    def close(self) -> None:
        """See Chooser."""
        self._c.llama_sampler_free(self._chain)
        if self._grammar:
            self._c.llama_sampler_free(self._grammar)

    def _draw(self, logits: Logits, *, within_grammar: bool) -> int:
        candidates = self._candidates
        candidates["id"] = self._ids
        candidates["logit"] = logits
        array = self._array(candidates)
        if within_grammar:
            self._c.llama_sampler_apply(self._grammar, ctypes.byref(array))
            if not np.isfinite(candidates["logit"]).any():
                return -1
        self._c.llama_sampler_apply(self._chain, ctypes.byref(array))
        return int(array.data[array.selected].id)

    def _agrees(self, token: int) -> bool:
        self._one["id"] = token
        self._one["logit"] = 1.0
        array = self._array(self._one)
        self._c.llama_sampler_apply(self._grammar, ctypes.byref(array))
        return bool(np.isfinite(self._one["logit"][0]))

    def _array(self, candidates: NDArray[Any]) -> Any:
        data = candidates.ctypes.data_as(self._c.llama_token_data_p)
        return self._c.llama_token_data_array(data=data, size=len(candidates), selected=-1, sorted=False)


def chooser(model: LlamaModel, sampling: Sampling) -> Chooser:
    """What chooses the tokens of one answer. Raises UsageError("bad_request") for a grammar that is none."""
    if is_greedy(sampling):
        return Greedy()
    return Sampled(model, sampling)


def is_greedy(sampling: Sampling) -> bool:
    """Whether the likeliest token is always taken as it is."""
    return (
        sampling.temperature <= 0
        and sampling.repeat_penalty == 1.0
        and sampling.grammar is None
        and sampling.json_schema is None
    )


def _chain(model: LlamaModel, sampling: Sampling) -> Any:
    c = model.c
    chain = c.llama_sampler_chain_init(c.llama_sampler_chain_default_params())
    if sampling.repeat_penalty != 1.0:
        penalty = c.llama_sampler_init_penalties(model.words, _PENALISED_TOKENS, sampling.repeat_penalty, 0.0, 0.0)
        c.llama_sampler_chain_add(chain, penalty)
    if sampling.temperature <= 0:
        c.llama_sampler_chain_add(chain, c.llama_sampler_init_greedy())
        return chain
    if sampling.top_k > 0:
        c.llama_sampler_chain_add(chain, c.llama_sampler_init_top_k(sampling.top_k))
    if sampling.top_p < 1:
        c.llama_sampler_chain_add(chain, c.llama_sampler_init_top_p(sampling.top_p, 1))
    if sampling.min_p > 0:
        c.llama_sampler_chain_add(chain, c.llama_sampler_init_min_p(sampling.min_p, 1))
    c.llama_sampler_chain_add(chain, c.llama_sampler_init_temp(sampling.temperature))
    c.llama_sampler_chain_add(chain, c.llama_sampler_init_dist(sampling.seed % _SEEDS))
    return chain


def _grammar_sampler(model: LlamaModel, sampling: Sampling) -> Any:
    """The grammar's sampler, None without one."""
    if sampling.grammar is not None and sampling.json_schema is not None:
        raise UsageError("bad_request", "A grammar and a JSON schema cannot be set together.", "Choose one of them.")
    if sampling.json_schema is not None:
        text = _gbnf(sampling.json_schema)
    elif sampling.grammar is not None:
        text = sampling.grammar
    else:
        return None
    made = model.c.llama_sampler_init_grammar(model.vocab, text.encode(), b"root") if text.strip() else None
    if not made:
        raise UsageError("bad_request", "The grammar cannot be read.", "It must be GBNF with a rule named root.")
    return made


def _gbnf(schema: Mapping[str, Any]) -> str:
    from llama_cpp.llama_grammar import json_schema_to_gbnf

    try:
        return str(json_schema_to_gbnf(json.dumps(schema)))
    # The converter knows no error of its own: what it does not understand fails like any expression.
    except (ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError) as error:
        raise UsageError("bad_request", "The JSON schema cannot be followed.", "Use a simpler schema.") from error
