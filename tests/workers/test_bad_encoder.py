"""An encoder that gives no numbers, or nothing: no document is indexed with them, and no question fails by them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from desktop_rag.errors import ModelError
from desktop_rag.retrieval import encode
from desktop_rag.retrieval.modes import MODES
from desktop_rag.workers import health, indexing, questions
from tests.workers.driving import add, run

if TYPE_CHECKING:
    from desktop_rag.workers.library import Library

pytestmark = pytest.mark.slow
PUMP = "The warranty of the pump P-7 lasts 24 months. Seals are excluded.\n"
RENT = "The rent is 1450 euros a month, due on the third working day.\n"
VALUES = {"NaN": np.nan, "infinity": np.inf, "minus infinity": -np.inf, "nothing": 0.0, "too much": 3e38}
NO_NUMBERS = ("NaN", "infinity", "minus infinity")
Break = Callable[[float], None]


@pytest.fixture
def broken(models: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Break]:
    """Lets the model itself give one value instead of its own."""
    encoder = models["encoder"]
    forward = encoder._forward

    def breaking(value: float) -> None:
        def given(batch: Any, ids: Any) -> Any:
            indexes, hidden, lengths = forward(batch, ids)
            return indexes, np.full_like(hidden, value), lengths

        monkeypatch.setattr(encoder, "_forward", given)

    yield breaking
    monkeypatch.undo()


def write(folder: Path) -> list[Path]:
    for name, text in (("pump.txt", PUMP), ("rent.txt", RENT)):
        (folder / name).write_text(text)
    return [folder / "pump.txt", folder / "rent.txt"]


def look_at(found: dict[str, Any]) -> None:
    json.dumps(found, allow_nan=False)
    scores = [value for hit in found["hits"] for value in (hit["score"], *hit["scores"].values())]
    assert all(map(math.isfinite, scores)), scores


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_question_is_answered_by_its_words(library: Library, tmp_path: Path, broken: Break, value: float) -> None:
    add(library, *write(tmp_path))
    broken(value)
    told: dict[str, ModelError] = {}
    for mode in MODES:
        try:
            found = questions.find(library, "warranty of the pump", None, mode, 5)
        except ModelError as error:
            told[mode] = error
            continue
        look_at(found)
        assert mode == "dense" or found["hits"][0]["name"] == "pump.txt", mode
    # By meaning alone there is nothing to fall back on: it is told in words.
    assert told.keys() <= {"dense"}
    assert all((error.code, bool(error.hint)) == ("incompatible", True) for error in told.values())
    prepared = questions.prepare(library, {"question": "How long is the warranty?", "mode": "deep"})
    json.dumps(prepared, allow_nan=False)


@pytest.mark.parametrize("name", NO_NUMBERS)
def test_a_document_is_not_indexed_with_them_and_is_mended(
    library: Library, tmp_path: Path, models: dict[str, Any], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    encoder = models["encoder"]
    forward = encoder._forward

    def given(batch: Any, ids: Any) -> Any:
        indexes, hidden, lengths = forward(batch, ids)
        hidden[0, 0, 0] = VALUES[name]
        return indexes, hidden, lengths

    with monkeypatch.context() as patch:
        patch.setattr(encoder, "_forward", given)
        rows = add(library, *write(tmp_path))
    assert {row["state"] for row in rows} == {"failed"}
    assert {row["error"]["code"] for row in rows} == {"incompatible"}
    assert "not numbers" in rows[0]["error"]["message"]
    assert library.vectors.count() == 0
    for mode in MODES:
        look_at(questions.find(library, "warranty of the pump", None, mode, 5))
    # With an encoder that works again another try is all it takes.
    run(indexing.read_again(library, [row["id"] for row in rows]))
    assert {row["state"] for row in add(library, *write(tmp_path))} == {"ready"}
    assert health.examine(library, "none")["index"]["parity"] is True
    assert questions.find(library, "warranty", None, "dense", 1)["hits"][0]["name"] == "pump.txt"


def test_passages_without_a_direction_are_found_by_their_words(library: Library, tmp_path: Path, broken: Break) -> None:
    """Vectors of nothing are numbers: nothing is near them."""
    broken(0.0)
    assert {row["state"] for row in add(library, *write(tmp_path))} == {"ready"}
    for mode in MODES:
        found = questions.find(library, "warranty of the pump", None, mode, 5)
        look_at(found)
        assert mode == "dense" or found["hits"][0]["name"] == "pump.txt", mode


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_none_in_the_database_spoil_no_search(library: Library, tmp_path: Path, value: float) -> None:
    add(library, *write(tmp_path))
    held = np.full(384, value, np.float16).tobytes()
    library.db.execute("UPDATE vectors SET vector = ? WHERE chunk_id = (SELECT max(chunk_id) FROM vectors)", (held,))
    library.vectors.forget(library.default_collection()["id"])
    library.drop_cache()
    for mode in MODES:
        found = questions.find(library, "warranty of the pump", None, mode, 5)
        look_at(found)
        assert "pump.txt" in [hit["name"] for hit in found["hits"]], mode


def test_rows_are_of_length_one_or_nothing() -> None:
    rows = encode.unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]], np.float32))
    assert rows.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0.0, 0.0]]
