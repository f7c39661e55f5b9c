"""What bounds decoding: memory where the kernels keep up with it, the cores where unpacking is clearly slower."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.meter.bound import CLEARLY, bound_of
from desktop_rag.meter.machine import Machine

MACHINE = Machine(20.0, "kernel", 1e11, 2, "test", rates={"Q4_1": 10.0, "Q4_K": 19.9, "Q8_0": 22.0})
SIZE = 100_000_000


def test_a_kernel_that_keeps_up_leaves_memory_as_the_bound() -> None:
    found = bound_of(MACHINE, {"Q8_0": SIZE}, SIZE)
    assert found is not None
    assert (found.kind, found.kernel_gbs, found.faster) == ("memory", 20.0, "")
    assert found.sentence.endswith("Fewer bits a weight help, more cores do not.")


def test_a_slower_kernel_makes_the_cores_the_bound_and_names_what_helps() -> None:
    found = bound_of(MACHINE, {"Q4_1": SIZE}, SIZE)
    assert found is not None
    assert (found.kind, found.main, found.faster) == ("cores", "Q4_1", "Q4_K")
    assert found.sentence == (
        "Unpacking Q4_1 weights on 2 cores runs at 10.0 GB/s, slower than reading them (20.0 GB/s)."
        " Q4_K weights are faster here; more cores help as well."
    )


def test_a_type_is_faster_weight_by_weight_and_not_byte_by_byte() -> None:
    # 17.0 GB/s of 8.5 bits are as many weights a second as 10.0 GB/s of 5 bits.
    machine = dataclasses.replace(MACHINE, rates={"Q4_1": 10.0, "Q8_0": 17.0})
    found = bound_of(machine, {"Q4_1": SIZE}, SIZE)
    assert found is not None
    assert found.faster == ""
    assert found.sentence.endswith("More cores help.")


def test_the_type_that_takes_most_of_the_time_is_the_main_one() -> None:
    found = bound_of(MACHINE, {"Q8_0": 55_000_000, "Q4_1": 45_000_000}, SIZE)
    assert found is not None
    assert (found.kind, found.main) == ("cores", "Q4_1")


def test_what_nobody_measured_is_not_told() -> None:
    assert bound_of(MACHINE, {"IQ4_XS": SIZE}, SIZE) is None
    assert bound_of(MACHINE, {}, SIZE) is None
    proven = bound_of(MACHINE, {"IQ4_XS": SIZE}, SIZE, proven_gbs=19.8)
    assert proven is not None
    assert proven.kind == "memory"


def test_one_core_is_one() -> None:
    alone = dataclasses.replace(MACHINE, cores=1)
    texts = [bound.sentence for kind in ("Q4_1", "Q8_0") if (bound := bound_of(alone, {kind: SIZE}, SIZE))]
    assert "on 1 core runs" in texts[0]
    assert texts[1].startswith("The 1 core works through")


@given(rate=st.floats(0.1, 40.0), proven=st.floats(0.0, 40.0))
def test_only_a_clear_difference_blames_the_cores(rate: float, proven: float) -> None:
    machine = dataclasses.replace(MACHINE, rates={"Q4_1": rate})
    found = bound_of(machine, {"Q4_1": SIZE}, SIZE, proven)
    assert found is not None
    assert (found.kind == "cores") == (max(rate, proven) < CLEARLY * 20.0 * (1 - 1e-12)) or max(
        rate, proven
    ) == pytest.approx(CLEARLY * 20.0)
    assert found.kernel_gbs <= found.read_gbs
