"""The cards “why is it this fast?” and “make it faster”: every number in them comes from a record."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.meter.advice import Fact, Lever, advise, faster, why
from desktop_rag.meter.machine import Machine
from desktop_rag.meter.record import BENCHMARK, MeterRecord, from_json, record_of
from desktop_rag.meter.roofline import fraction

MACHINE = Machine(
    40.0, "kernel", 5e11, 2, "test", by_size=((1 << 26, 50.0), (1 << 29, 40.0)), rates={"Q4_1": 25.0, "F16": 60.0}
)
RECORD = MeterRecord(
    engine="llama.cpp",
    model="smollm2-135m-instruct-q4_1",
    family="SmolLM2 135M",
    options="Q4_1",
    threads=2,
    layers=30,
    gpu_layers=0,
    kv_type="f16",
    lookup=True,
    passages=4,
    prompt_tokens=2000,
    reused_tokens=500,
    generated_tokens=200,
    prefill_tps=600.0,
    decode_tps=120.0,
    ttft_s=2.6,
    read_bytes=96_576_768,
    kv_token_bytes=23_040,
    drafted=40,
    accepted=30,
    stages={"search": 90.0, "prefill": 2500.0, "decode": 1650.0},
)
TYPES = {"Q4_1": 66_000_000, "Q8_0": 30_000_000}


def changed(**values: object) -> MeterRecord:
    return dataclasses.replace(RECORD, **values)  # type: ignore[arg-type]


def by_name(levers: list[Lever]) -> dict[str, Lever]:
    return {lever.name: lever for lever in levers}


def test_reasons_are_the_numbers_of_the_record() -> None:
    facts = {fact.name: fact for fact in why(RECORD, MACHINE, TYPES)}
    assert 3 <= len(facts) <= 6
    assert facts["Read for every token"].value == "145 MB"
    assert "97 MB of weights and 48 MB" in facts["Read for every token"].text
    share = fraction(120.0, 96_576_768, 23_040, 2100, MACHINE.gbs_for(96_576_768))
    assert facts["Of this machine's limit"].value == f"{100 * share:.0f} %"
    assert "120 tok/s" in facts["Of this machine's limit"].text
    assert facts["Kept from before"].value == "25 %"
    assert "1,500 tokens" in facts["Until the first word"].text
    assert facts["Copied from the passages"].value == "75 %"


def test_the_bound_is_memory_or_the_cores() -> None:
    slow = {fact.name: fact for fact in why(RECORD, MACHINE, {"Q4_1": 1})}["The bound"]
    assert (slow.value, "25.0 GB/s" in slow.text) == ("2 cores", True)
    quick = {fact.name: fact for fact in why(RECORD, MACHINE, {"F16": 1})}["The bound"]
    assert quick.value == "memory"


def test_an_answer_faster_than_the_measured_kernel_is_believed() -> None:
    quick = changed(decode_tps=330.0, drafted=0, accepted=0)
    assert {fact.name: fact for fact in why(quick, MACHINE, {"Q4_1": 1})}["The bound"].value == "memory"
    # The same speed by lookup proves nothing of the kernel.
    copied = changed(decode_tps=330.0, drafted=200, accepted=150)
    assert {fact.name: fact for fact in why(copied, MACHINE, {"Q4_1": 1})}["The bound"].value == "2 cores"


def test_kernels_of_another_engine_say_nothing_of_this_one() -> None:
    assert "The bound" not in {fact.name for fact in why(changed(engine="Transformers"), MACHINE, {"F16": 1})}


def test_what_was_recorded_goes_before_what_can_be_computed() -> None:
    facts = {fact.name: fact for fact in why(changed(roofline_fraction=0.5), MACHINE, TYPES)}
    assert facts["Of this machine's limit"].value == "50 %"


def test_an_engine_that_tells_nothing_still_gets_a_sentence() -> None:
    assert why(MeterRecord(engine="OpenAI-compatible", device="remote"), MACHINE) == [
        Fact("Run by", "OpenAI-compatible", "OpenAI-compatible on remote.")
    ]
    assert why(MeterRecord()) == []


def test_a_gain_is_the_ratio_of_two_medians() -> None:
    eight = [changed(kv_type="q8_0", decode_tps=speed) for speed in (130.0, 132.0, 500.0)]
    own = [changed(decode_tps=speed) for speed in (90.0, 120.0, 121.0)]
    lever = by_name(faster(RECORD, [*own, *eight], MACHINE))["KV memory in 8 bits"]
    assert lever.gain == pytest.approx(132 / 120, abs=1e-3)
    assert lever.value == "1.10×"


def test_what_was_never_measured_promises_nothing() -> None:
    lever = by_name(faster(RECORD, [RECORD], MACHINE))["KV memory in 8 bits"]
    assert lever.gain is None
    assert lever.value == "not measured yet"


def test_a_lever_that_slowed_things_down_is_none() -> None:
    slower = changed(kv_type="q8_0", decode_tps=60.0)
    assert "KV memory in 8 bits" not in by_name(faster(RECORD, [RECORD, slower], MACHINE))


def test_only_runs_that_differ_in_nothing_else_are_compared() -> None:
    other = [
        changed(kv_type="q8_0", decode_tps=400.0, threads=1),
        changed(kv_type="q8_0", decode_tps=400.0, family="another model"),
        changed(kv_type="q8_0", decode_tps=400.0, lookup=False),
    ]
    assert by_name(faster(RECORD, [RECORD, *other], MACHINE))["KV memory in 8 bits"].gain is None


def benched(**values: object) -> MeterRecord:
    """A row of the benchmark: no lookup, threads of its own choice, and prompts so short that it is quick."""
    told = {"lookup": False, "threads": 1, "prompt_tokens": None, "source": BENCHMARK, "decode_tps": 300.0, **values}
    return changed(**told)


def test_where_answers_say_nothing_the_benchmark_does() -> None:
    other = benched(engine="CTranslate2", options="int8", decode_tps=390.0)
    lever = by_name(faster(RECORD, [RECORD, other, benched()], MACHINE))["Another engine"]
    assert lever.gain == pytest.approx(390 / 300)
    assert lever.text == "The same model ran faster in CTranslate2. Measured in the benchmark."
    assert lever.to_json()["source"] == "benchmark"


def test_a_benchmark_is_not_compared_with_an_answer() -> None:
    other = benched(engine="CTranslate2", options="int8", decode_tps=290.0)
    # Faster than the answer, slower than the same engine in the benchmark.
    assert "Another engine" not in by_name(faster(RECORD, [RECORD, other, benched()], MACHINE))
    # Nor is anything told while the benchmark has no row of the own engine.
    assert "Another engine" not in by_name(faster(RECORD, [RECORD, other], MACHINE))


def test_a_smaller_quantisation_is_found_in_the_benchmark() -> None:
    large = changed(options="Q8_0", read_bytes=140_000_000)
    rows = [benched(options="Q8_0", read_bytes=140_000_000, decode_tps=200.0), benched(decode_tps=280.0)]
    assert by_name(faster(large, [large], MACHINE))["A smaller quantisation"].gain is None
    lever = by_name(faster(large, [large, *rows], MACHINE))["A smaller quantisation"]
    assert (lever.value, lever.text[-27:]) == ("1.40×", " Measured in the benchmark.")
    with_other_threads = [rows[0], benched(decode_tps=280.0, threads=2)]
    assert by_name(faster(large, [large, *with_other_threads], MACHINE))["A smaller quantisation"].gain is None


def test_answers_go_before_the_benchmark() -> None:
    eight, row = changed(kv_type="q8_0", decode_tps=132.0), benched(kv_type="q8_0", decode_tps=900.0)
    lever = by_name(faster(RECORD, [RECORD, eight, benched(), row], MACHINE))["KV memory in 8 bits"]
    assert lever.gain == pytest.approx(1.1)
    assert lever.text.endswith("Measured in answers.")


def test_every_lever_is_found_when_it_was_measured() -> None:
    base = changed(options="Q8_0", threads=1, lookup=False, read_bytes=200_000_000)
    records = [
        base,
        dataclasses.replace(base, options="Q4_0", read_bytes=90_000_000, decode_tps=200.0),
        dataclasses.replace(base, kv_type="q8_0", decode_tps=150.0),
        dataclasses.replace(base, threads=2, decode_tps=220.0),
        dataclasses.replace(base, gpu_layers=30, decode_tps=900.0),
        dataclasses.replace(base, lookup=True, decode_tps=160.0),
        dataclasses.replace(base, engine="CTranslate2", options="int8", decode_tps=130.0),
        dataclasses.replace(base, passages=2, reused_tokens=0, ttft_s=1.3),
    ]
    levers = faster(base, records, MACHINE)
    assert [lever.name for lever in levers] == [
        "More layers on the GPU",
        "Fewer passages",
        "More threads",
        "A smaller quantisation",
        "Copy from the passages",
        "KV memory in 8 bits",
        "Another engine",
    ]
    assert [lever.gain for lever in levers] == sorted((lever.gain or 0 for lever in levers), reverse=True)


def test_levers_that_are_pulled_already_are_not_offered() -> None:
    done = changed(kv_type="q8_0", lookup=True, threads=2, passages=1)
    assert faster(done, [done], MACHINE) == []


@given(
    st.lists(st.builds(changed, decode_tps=st.floats(1, 1000), kv_type=st.sampled_from(["f16", "q8_0"])), max_size=9)
)
def test_gains_are_above_one_or_unknown(records: list[MeterRecord]) -> None:
    for lever in faster(RECORD, records, MACHINE):
        assert lever.gain is None or lever.gain > 1


def test_both_cards_as_json() -> None:
    cards = json.loads(json.dumps(advise(RECORD, [RECORD], MACHINE, TYPES)))
    assert {"name", "value", "text"} <= set(cards["why"][0])
    assert {"name", "value", "gain", "text"} <= set(cards["faster"][0])
    for row in cards["why"] + cards["faster"]:
        assert re.fullmatch(r"[^\n]{10,160}\.", row["text"])


def test_a_record_of_an_answer() -> None:
    done = {
        "engine": "llama.cpp",
        "model": "m",
        "device": "cpu",
        "usage": {"prompt_tokens": 10, "generated_tokens": 4, "decode_tps": 9.5, "stages": {"prefill": 80.0}},
        "timings_ms": {"dense": 3.0, "lexical": 2.0, "prefill": 79.0, "align": 1.0, "total": 100.0},
        "coverage": {"passages_read": 3, "passages_total": 9},
        "memory_mb": {"weights": 92.1, "kv": 90.0, "window": None},
        "answer": "not kept",
    }
    record = record_of(done, {"threads": 2, "options": "Q4_1", "model": "an older one"})
    assert (record.model, record.threads, record.passages, record.mean_context) == ("m", 2, 3, 12.0)
    assert record.stages == {"search": 5.0, "prefill": 80.0}
    assert record.memory_mb == {"weights": 92.1, "kv": 90.0}
    assert "not kept" not in json.dumps(record.to_json())
    assert from_json(json.loads(json.dumps(record.to_json()))) == record
    assert record_of({}) == MeterRecord()
