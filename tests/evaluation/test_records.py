from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path

from desktop_rag.evaluation import records


def test_a_record_names_what_it_was_measured_with(tmp_path: Path) -> None:
    model = tmp_path / "model.gguf"
    model.write_bytes(b"weights")
    path = records.save(tmp_path, "bench", {"rows": [1]}, [model, model])
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["result"] == {"rows": [1]}
    assert record["models_sha256"] == {"model.gguf": hashlib.sha256(b"weights").hexdigest()}
    assert record["versions"]["llama-cpp-python"]
    assert len(record["prompts_sha256"]) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_newest_record_comes_first_and_damage_is_passed_over(tmp_path: Path) -> None:
    for number in range(3):
        records.save(tmp_path, "bench", {"number": number})
    records.save(tmp_path, "targets", {"number": 99})
    newest = max((tmp_path / "bench").glob("*-bench.json"))
    newest.write_text("{", encoding="utf-8")
    (tmp_path / "bench" / "0-bench.json").write_text('{"version": 99}', encoding="utf-8")
    assert [record["result"]["number"] for record in records.recent(tmp_path, "bench")] == [1, 0]
    assert len(records.recent(tmp_path, "bench", limit=1)) == 1


def test_no_records_are_no_failure(tmp_path: Path) -> None:
    assert records.recent(tmp_path / "nowhere", "bench") == []


def test_a_folder_is_known_by_its_weights(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"one")
    before = records.fingerprint(tmp_path)
    (tmp_path / "notes.txt").write_text("nothing to do with it", encoding="utf-8")
    assert records.fingerprint(tmp_path) == before
    (tmp_path / "model.bin").write_bytes(b"two")
    assert records.fingerprint(tmp_path) != before
    assert records.fingerprint(tmp_path / "gone") is None
