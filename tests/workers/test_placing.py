"""Layers on devices: planned, tried in a child, remembered while as much is free; never silently none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from desktop_rag import paths
from desktop_rag.engines.devices import Device
from desktop_rag.engines.offload_trial import Held, Trial
from desktop_rag.errors import ModelError, StoreError
from desktop_rag.models.catalogue import find
from desktop_rag.workers import placing
from desktop_rag.workers.placing import FILE, place

if TYPE_CHECKING:
    from pathlib import Path

GB = 2**30
CARD = Device("Vulkan0", "Card", "gpu", 6 * GB, 8 * GB)
LAYERS = 30


class Card:
    """A card that holds up to `room` layers, and counts how often it was asked."""

    def __init__(self, room: int = 99, device: Device = CARD) -> None:
        self.room, self.device = room, device
        self.steps: list[Trial] = []

    def listed(self) -> list[Device]:
        return [self.device]

    def attempt(self, trial: Trial) -> Held:
        self.steps.append(trial)
        if trial.gpu_layers > self.room:
            raise ModelError("out_of_memory", "full")
        return Held(trial.gpu_layers, LAYERS + 1, trial.context, {}, {"Vulkan0": 6 * GB}, {"Vulkan0": 5 * GB})


@pytest.fixture(scope="module")
def starter() -> Path:
    path = find("smollm2-135m-instruct-q4_1").installed_path(paths.models_dir())
    assert path is not None, "run the set-up"
    return path


def test_what_fits_goes_onto_the_card_and_is_remembered(tmp_path: Path, starter: Path) -> None:
    card = Card()
    first = place(tmp_path, starter, context=1024, attempt=card.attempt, listed=card.listed)
    assert (first.gpu_layers, first.context) == (LAYERS + 1, 1024)
    assert first.sentence == "30 of 30 layers on GPU, 5.4 GB free"
    again = place(tmp_path, starter, context=1024, attempt=card.attempt, listed=card.listed)
    assert (again.gpu_layers, again.sentence) == (first.gpu_layers, first.sentence)
    assert len(card.steps) == 1


def test_it_is_tried_again_when_less_is_free_or_something_changed(tmp_path: Path, starter: Path) -> None:
    card = Card()
    place(tmp_path, starter, context=1024, attempt=card.attempt, listed=card.listed)
    busy = Card(device=replace(CARD, free_bytes=4 * GB))
    place(tmp_path, starter, context=1024, attempt=busy.attempt, listed=busy.listed)
    place(tmp_path, starter, context=2048, attempt=busy.attempt, listed=busy.listed)
    place(tmp_path, starter, context=2048, kv_type="q8_0", attempt=busy.attempt, listed=busy.listed)
    assert len(busy.steps) == 3
    (tmp_path / FILE).write_text("nonsense")
    place(tmp_path, starter, context=2048, attempt=busy.attempt, listed=busy.listed)
    assert len(busy.steps) == 4


def test_a_step_back_is_told(tmp_path: Path, starter: Path) -> None:
    card = Card(room=20)
    found = place(tmp_path, starter, context=1024, attempt=card.attempt, listed=card.listed)
    assert found.gpu_layers <= 20
    assert found.tried[0]["error"] == "full"
    assert found.tried[-1]["error"] is None


def test_a_wish_is_carried_out_or_refused(tmp_path: Path, starter: Path) -> None:
    card = Card()
    assert place(tmp_path, starter, context=512, wanted=7, attempt=card.attempt, listed=card.listed).gpu_layers == 7
    assert place(tmp_path, starter, context=512, wanted=0, attempt=card.attempt, listed=card.listed).gpu_layers == 0
    assert len(card.steps) == 1
    with pytest.raises(ModelError) as caught:
        place(tmp_path, starter, context=512, wanted=7, listed=list)
    assert caught.value.code == "backend_missing"
    full = Card(room=0)
    with pytest.raises(ModelError) as caught:
        place(tmp_path, starter, context=512, attempt=full.attempt, listed=full.listed)
    assert caught.value.code == "out_of_memory"


def test_without_a_card_or_room_the_processor_is_named_at_once(tmp_path: Path, starter: Path) -> None:
    assert place(tmp_path, starter, context=512, listed=list).sentence == "0 of 30 layers on GPU"
    small = Card(device=replace(CARD, free_bytes=GB // 2))
    found = place(tmp_path, starter, context=512, attempt=small.attempt, listed=small.listed)
    assert (found.gpu_layers, small.steps) == (0, [])
    assert "too little memory" in found.sentence


def test_what_holds_is_used_even_if_it_cannot_be_remembered(
    tmp_path: Path, starter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreError("disk_full", "The disk is full.")

    monkeypatch.setattr(placing, "write_private", full)
    card = Card()
    assert place(tmp_path, starter, context=2048, attempt=card.attempt, listed=card.listed).gpu_layers > 0
    assert not (tmp_path / FILE).exists()
