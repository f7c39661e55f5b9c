"""Inference arithmetic: published figures to the digit, and the laws behind them."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag import paths
from desktop_rag.models.catalogue import find
from desktop_rag.models.fit import (
    Estimate,
    context_limit,
    estimate,
    expected_tps,
    fit_sentence,
    kv_bytes,
    kv_token_bytes,
    plan_offload,
    roofline,
    roofline_of,
)
from desktop_rag.models.footprint import reserved_bytes
from desktop_rag.models.inspect import inspect
from desktop_rag.models.parameters import decoder_parameters, encoder_parameters, size_bytes, t5_parameters
from desktop_rag.models.shape import Shape, shape_of_entry, shape_of_gguf

A100 = 1.5e12
GIB = 2**30


def shape(**numbers: object) -> Shape:
    made = shape_of_entry(
        {"layers": 32, "n_embd": 4096, "vocab": 32000, "heads": 32, "feed_forward": 11008, "size": 13_476_831_232}
        | numbers
    )
    assert made is not None
    return made


LLAMA_2_7B = shape()
LLAMA_3_8B = shape(kv_heads=8, vocab=128_256, feed_forward=14336, size=16_060_522_496)
KIPPLY_52B = shape(
    layers=64, n_embd=8192, heads=64, vocab=1, parameters=52_000_000_000, size=104_000_000_000, tied=True
)

sizes = st.integers(1, 96)
shapes = st.builds(
    lambda layers, kv, dim, ff: shape(
        layers=layers,
        kv_heads=kv,
        heads=kv * 4,
        head_dim=dim,
        n_embd=kv * 4 * dim,
        feed_forward=ff * 64,
        context=1 << 17,
        size=layers * (kv * dim * 8) ** 2,
    ),
    layers=sizes,
    kv=st.integers(1, 16),
    dim=st.sampled_from([64, 80, 128, 256]),
    ff=st.integers(8, 256),
)
contexts = st.integers(1, 1 << 17)
kv_types = st.sampled_from(["f16", "q8_0", "q4_0"])


def test_parameters_of_published_models() -> None:
    assert encoder_parameters(30522, 512, 768, 12, 3072, pooler=True) == 109_482_240
    assert t5_parameters(32128, 768, 12, 3072, 12) == 222_903_552
    assert decoder_parameters(32000, 4096, 32, 32, 32, 128, 11008, tied=False) == 6_738_415_616
    assert decoder_parameters(128_256, 4096, 32, 32, 8, 128, 14336, tied=False) == 8_030_261_248
    assert LLAMA_2_7B.parameters == 6_738_415_616


def test_sizes_of_published_models() -> None:
    assert round(size_bytes(109_482_240, "F32") / 1e6, 1) == 437.9
    assert round(size_bytes(222_903_552, "F32") / 1e6, 1) == 891.6
    assert round(size_bytes(6_738_415_616, "F16") / 1e9, 2) == 13.48


def test_kv_of_published_models() -> None:
    assert kv_token_bytes(KIPPLY_52B) == 2_097_152
    assert kv_token_bytes(LLAMA_2_7B) == 524_288
    assert kv_bytes(LLAMA_2_7B, 4096) == 2 * GIB
    assert kv_token_bytes(LLAMA_3_8B) == 131_072
    assert kv_token_bytes(LLAMA_3_8B, "q8_0") == 131_072 * 17 // 32


def test_gopher_on_sixteen_a100() -> None:
    gopher = {"read_bytes": 520e9, "parameters": 260e9, "bandwidth": A100, "flops": 312e12, "devices": 16}
    assert round(roofline_of(**gopher).mem_time * 1e3, 1) == 21.7
    assert roofline_of(**gopher).bound == "memory"
    large = roofline_of(**gopher, batch=512)
    assert int(large.compute_time * 1e3) == 53
    assert large.bound == "compute"


@pytest.mark.parametrize(("bandwidth", "batch"), [(A100, 208), (1.935e12, 161)])
def test_break_even_batch_of_an_a100(bandwidth: float, batch: int) -> None:
    assert int(roofline_of(14e9, 7e9, bandwidth, 312e12).break_even_batch or 0) == batch


def test_limits_of_finbarr_without_his_double_count() -> None:
    # Published: 277 and about 30 and 10 tokens a second, from 2 · P · bytes, which counts the bytes twice.
    assert round(roofline_of(3.5e9, 7e9, 1.935e12).tok_s) == 553
    assert round(roofline_of(2 * 3.5e9, 7e9, 1.935e12).tok_s) == 276
    assert round(roofline_of(2 * 32.5e9, 65e9, 1.935e12).tok_s) == 30
    assert round(roofline_of(2 * 3.5e9, 7e9, 68.25e9).tok_s) == 10


def test_a_quantised_model_breaks_even_earlier() -> None:
    quantised = roofline_of(3.5e9, 7e9, A100, 312e12).break_even_batch
    assert quantised == pytest.approx(52)


def test_an_untied_embedding_is_not_read_for_a_token() -> None:
    table = 32000 * 4096 * 2
    assert LLAMA_2_7B.read_bytes == pytest.approx(LLAMA_2_7B.weights_bytes - table, rel=1e-6)
    assert shape(tied=True).read_bytes == LLAMA_2_7B.weights_bytes


@given(shapes, contexts, kv_types)
def test_kv_formula(model: Shape, context: int, kv_type: str) -> None:
    bits = {"f16": 16, "q8_0": 8.5, "q4_0": 4.5}[kv_type]
    token = 2 * model.layers * model.kv_heads * model.head_dim_k * bits / 8
    assert kv_token_bytes(model, kv_type) == pytest.approx(token, abs=1)
    assert kv_bytes(model, context, kv_type) == pytest.approx(token * -(-context // 256) * 256, rel=1e-6)


@given(shapes, contexts, contexts)
def test_more_context_never_takes_less(model: Shape, one: int, other: int) -> None:
    small, large = sorted((one, other))
    assert estimate(model, context=small).total <= estimate(model, context=large).total


@given(shapes, contexts)
def test_more_layers_take_more(model: Shape, context: int) -> None:
    more = shape(
        layers=model.layers + 1,
        kv_heads=model.kv_heads,
        heads=model.heads,
        head_dim=model.head_dim_k,
        n_embd=model.embedding,
        feed_forward=model.feed_forward,
        size=model.weights_bytes + 1000,
    )
    assert estimate(more, context=context).total > estimate(model, context=context).total


@given(shapes, contexts, kv_types)
def test_an_estimate_is_the_sum_of_its_parts(model: Shape, context: int, kv_type: str) -> None:
    made = estimate(model, context=context, kv_type=kv_type, free_bytes=8 * GIB)
    assert made.total == made.weights + made.kv + made.compute + made.process
    assert made.device == 0
    assert made.fits is (made.total <= 8 * GIB)
    assert made.free_after == 8 * GIB - made.total


@given(shapes, st.integers(0, 64 * GIB), kv_types)
def test_the_context_limit_is_the_last_that_fits(model: Shape, budget: int, kv_type: str) -> None:
    limit = context_limit(model, budget, kv_type=kv_type)
    assert limit % 256 == 0
    assert limit == 0 or estimate(model, context=limit, kv_type=kv_type).total <= budget
    if limit < (model.context or 0):
        assert estimate(model, context=limit + 256, kv_type=kv_type).total > budget


@given(shapes, st.integers(0, 8192), st.integers(1, 64))
def test_context_and_batch_never_speed_a_token_up(model: Shape, used: int, batch: int) -> None:
    alone = roofline(model, 30e9, 1e12)
    assert roofline(model, 30e9, 1e12, context_used=used).tok_s <= alone.tok_s
    many = roofline(model, 30e9, 1e12, context_used=used, batch=batch)
    assert many.tok_s <= alone.tok_s * batch * (1 + 1e-9)
    assert many.bound == ("memory" if many.mem_time >= many.compute_time else "compute")


@given(shapes, st.integers(0, 8192))
def test_expected_speed_is_an_interval_below_the_limit(model: Shape, used: int) -> None:
    low, high = expected_tps(model, 30e9, context_used=used)
    assert 0 < low <= high < roofline(model, 30e9).tok_s


@dataclass(frozen=True)
class Card:
    name: str
    free_bytes: int


devices = st.lists(st.builds(Card, st.just("GPU"), st.integers(0, 48 * GIB)), min_size=0, max_size=3)


@given(shapes, devices, contexts, kv_types)
def test_a_plan_never_exceeds_a_device(model: Shape, cards: list[Card], context: int, kv_type: str) -> None:
    plan = plan_offload(model, cards, context, kv_type)
    assert plan.gpu_layers == sum(plan.split)
    for card, share in zip(cards, plan.shares, strict=True):
        assert share.used + share.free == card.free_bytes
        assert share.parts == 0 or share.free >= GIB
    assert 0 <= plan.on_device <= model.layers
    assert (
        plan.sentence.startswith(f"{plan.on_device} of {model.layers} layers on ") or not cards or plan.gpu_layers == 0
    )


@given(shapes, st.integers(0, 48 * GIB), contexts)
def test_a_plan_takes_all_it_can(model: Shape, free: int, context: int) -> None:
    plan = plan_offload(model, [Card("GPU", free)], context)
    if plan.gpu_layers <= model.layers:
        step = plan_offload(model, [Card("GPU", 1 << 60)], context, at_most=plan.gpu_layers + 1)
        assert step.gpu_layers == plan.gpu_layers + 1
        assert step.shares[0].used > free - GIB


def test_backing_off_moves_one_layer_less() -> None:
    card = Card("GPU", 80 * GIB)
    whole = plan_offload(LLAMA_2_7B, [card], 4096)
    assert (whole.gpu_layers, whole.on_device) == (33, 32)
    less = plan_offload(LLAMA_2_7B, [card], 4096, at_most=whole.gpu_layers - 1)
    assert (less.gpu_layers, less.on_device) == (32, 31)
    assert less.sentence == f"31 of 32 layers on GPU, {less.shares[0].free / 1e9:.1f} GB free"


def test_no_device_and_no_room_are_said() -> None:
    assert plan_offload(LLAMA_2_7B, [], 4096).sentence == "0 of 32 layers on GPU: no device"
    full = plan_offload(LLAMA_2_7B, [Card("GPU", GIB)], 4096)
    assert (full.gpu_layers, full.sentence) == (0, "0 of 32 layers on GPU, 1.1 GB free")


def test_layers_on_a_device_leave_main_memory() -> None:
    host = estimate(LLAMA_2_7B, context=4096)
    half = estimate(LLAMA_2_7B, context=4096, gpu_layers=16)
    whole = estimate(LLAMA_2_7B, context=4096, gpu_layers=-1)
    assert host.total > half.total > whole.total == whole.process
    assert whole.device == whole.weights + whole.kv + whole.compute


def test_the_sentence_of_the_catalogue() -> None:
    fitting = Estimate(0, 0, 0, 0, 3_100_000_000, 0, True, 1)
    assert fit_sentence(fitting, 8_000_000_000, (9.2, 11.8)) == "fits: 3.1 of 8 GB, about 9–12 tok/s on this machine"
    assert fit_sentence(fitting, 8_000_000_000, None) == "fits: 3.1 of 8 GB"
    assert "about 1.6–2.4 tok/s" in fit_sentence(fitting, 8_000_000_000, (1.6, 2.4))
    assert "about 7.1–9.9 tok/s" in fit_sentence(fitting, 8_000_000_000, (7.1, 9.9))
    assert "about 7–10 tok/s" in fit_sentence(fitting, 8_000_000_000, (7.1, 9.97))
    large = Estimate(0, 0, 0, 0, 9_000_000_000, 0, False, -2_500_000_000)
    assert fit_sentence(large, 8_000_000_000, None) == "does not fit: needs 9.0 of 8 GB, 2.5 GB too much now"


# What chat processes took after an answer, in MiB: anonymous memory, the weights' pages, the engine's own
# libraries (x86-64 Linux, llama-cpp-python 0.3.36, gpt4all 2.8.2).
STARTER = {
    "layers": 30, "n_embd": 576, "vocab": 49152, "heads": 9, "kv_heads": 3, "head_dim": 64, "feed_forward": 1536,
    "parameters": 134_515_008, "size": 96_576_768, "tied": True,
}  # fmt: skip
LLAMA_1B = {
    "layers": 16, "n_embd": 2048, "vocab": 128_256, "heads": 32, "kv_heads": 8, "head_dim": 64, "feed_forward": 8192,
    "parameters": 1_235_814_400, "size": 763_097_088, "tied": True, "quantisation": "Q4_0",
    "layer_bytes": (34_209_792,) * 16,
}  # fmt: skip
MEASURED = [
    (STARTER, "llama.cpp", 128, "f16", 251),
    (STARTER, "llama.cpp", 128, "q8_0", 209),
    (LLAMA_1B, "llama.cpp", 128, "f16", 958),
    (STARTER, "GPT4All", 128, "f16", 280),
]


@pytest.mark.parametrize(("numbers", "engine", "micro_batch", "kv_type", "measured"), MEASURED)
def test_the_estimate_is_within_eight_percent_of_what_was_measured(
    numbers: dict[str, object], engine: str, micro_batch: int, kv_type: str, measured: int
) -> None:
    told = estimate(shape(**numbers), context=4096, kv_type=kv_type, micro_batch=micro_batch, engine=engine)
    assert told.megabytes["total"] == pytest.approx(measured, rel=0.08)


@pytest.mark.parametrize(("kv_type", "reported"), [("f16", 90.0), ("q8_0", 47.81)])
def test_kv_is_what_llama_cpp_reports(kv_type: str, reported: float) -> None:
    assert kv_bytes(shape(**STARTER), 4096, kv_type) / 2**20 == pytest.approx(reported, rel=1e-3)


LOADED = """
import sys, llama_cpp
kind = {"f16": 1, "q8_0": 8}[sys.argv[2]]
llama_cpp.Llama(sys.argv[1], n_ctx=512, type_k=kind, type_v=kind, flash_attn=True, verbose=True).close()
"""


@pytest.mark.slow
@pytest.mark.parametrize("kv_type", ["f16", "q8_0"])
def test_kv_of_the_starter_is_within_one_percent_of_what_llama_cpp_allocates(kv_type: str) -> None:
    path = find("smollm2-135m-instruct-q4_1").installed_path(paths.models_dir())
    assert path is not None, "the starter models are not in place: python3 packaging/dev.py setup"
    told = kv_bytes(shape_of_gguf(inspect(path)), 512, kv_type) / 2**20
    command = [sys.executable, "-c", LOADED, str(path), kv_type]
    log = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stderr
    reported = re.search(r"KV buffer size =\s+([\d.]+) MiB", log)
    assert reported is not None, log[-2000:]
    assert told == pytest.approx(float(reported.group(1)), rel=0.01)


@pytest.mark.parametrize(("numbers", "micro_batch", "reported"), [(STARTER, 512, 98.25), (LLAMA_1B, 128, 64.63)])
def test_reserved_buffers_are_what_llama_cpp_reports(
    numbers: dict[str, object], micro_batch: int, reported: float
) -> None:
    assert reserved_bytes(shape(**numbers), micro_batch, 4096) / 2**20 == pytest.approx(reported, rel=0.01)


def test_other_engines_keep_the_context_in_the_type_they_compute_in() -> None:
    model = shape(**STARTER)
    for engine in ("CTranslate2", "Transformers"):
        assert kv_bytes(model, 4096, "f16", engine) == 2 * kv_bytes(model, 4096, "f16")
        assert kv_bytes(model, 4096, "f16", engine, "bfloat16") == kv_bytes(model, 4096, "f16")
    assert estimate(model, context=4096, engine="Transformers", compute_type="float32").weights == 4 * 134_515_008
