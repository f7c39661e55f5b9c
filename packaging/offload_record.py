"""The record of the last run, for people: packaging/OFFLOAD.md, one section for each kind of device."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

RECORD = Path(__file__).resolve().parent / "OFFLOAD.md"
MB = 2**20
_INTRODUCTION = """# Offload: what was really run

Written by `packaging/offload.py`, section by section; do not edit by hand.
"""


def write(title: str, lines: list[str], path: Path = RECORD) -> None:
    """Replace the section with this title, or add it; the others stay."""
    sections = _sections(path.read_text(encoding="utf-8")) if path.exists() else {}
    sections[title] = "\n".join(lines).strip()
    text = "\n\n".join(f"## {name}\n\n{body}" for name, body in sections.items())
    path.write_text(f"{_INTRODUCTION}\n{text}\n", encoding="utf-8")


def _sections(text: str) -> dict[str, str]:
    parts = text.split("\n## ")[1:]
    return {part.split("\n", 1)[0].strip(): part.split("\n", 1)[1].strip() for part in parts if "\n" in part}


def lines_of(found: Mapping[str, Any], facts: Mapping[str, str], tests: str, bench: list[str]) -> list[str]:
    """A section: the circumstances, devices, plan, runs, the tests' closing line, the benchmark where there is one."""
    lines = [f"- {name}: {value}" for name, value in facts.items() if value]
    lines += [f"- model: {found['model']}", f"- backends of this build: {', '.join(found['backends'])}", ""]
    lines += ["| device | description | kind | free MB | total MB |", "| --- | --- | --- | --: | --: |"]
    lines += [
        f"| {d['name']} | {d['description']} | {d['kind']} | {d['free_bytes'] / MB:.0f} | {d['total_bytes'] / MB:.0f} |"
        for d in found["devices"]
    ]
    lines += ["", *_runs(found["runs"]), "", *_helped(found["runs"]), *_answers(found["runs"]), "", *_plan(found)]
    lines += ["", f"Tests marked `offload`: {tests}"] if tests else []
    return lines + (["", "Benchmark:", "", "```", *bench, "```"] if bench else [])


def _runs(runs: list[dict[str, Any]]) -> list[str]:
    lines = [
        "One greedy answer, and the logits of its first token (largest difference), beside those of the processor with"
        " every device hidden, which is the first row; memory on the devices as planned from the file, as the library"
        " reports its buffers, and as the device and NVML tell it.",
        "",
        "| layers asked | moved | same text | same first token | logits differ by | planned MB | reported MB"
        " | plan off by | device says MB | NVML MB | process MB | seconds |",
        "| --: | --: | --- | --- | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for run in runs:
        if "error" in run:
            lines.append(f"| {run['asked']} | failed: {run['error']} |" + " |" * 10)
            continue
        reported = sum(run["reported"].values())
        off = f"{(run['planned'] - reported) / reported:+.1%}" if reported else "–"
        nvml = "–" if run["nvml_mb"] is None else f"{run['nvml_mb']:.0f}"
        lines.append(
            f"| {run['asked']} | {run['offloaded']} of {run['of']} | {_yes(run['same_text'])}"
            f" | {_yes(run['same_first_token'])} | {run['largest_logit_difference']:.3f}"
            f" | {run['planned'] / MB:.1f} | {reported / MB:.1f} | {off} | {run['device_delta'] / MB:.1f}"
            f" | {nvml} | {run['resident_mb']:.0f} | {run['seconds']:.1f} |"
        )
    return lines


def _helped(runs: list[dict[str, Any]]) -> list[str]:
    """With no layer moved nothing but the processor may compute, devices hidden or not."""
    differs = any(run["asked"] == 0 and run.get("largest_logit_difference") for run in runs)
    return (
        ["**With 0 layers the device still computed: the logits differ from the first row's.**", ""] if differs else []
    )


def _answers(runs: list[dict[str, Any]]) -> list[str]:
    return [f"- {run['asked']} layers: {run['answer']!r}" for run in runs if "error" not in run]


def _plan(found: Mapping[str, Any]) -> list[str]:
    lines = [f"The plan from the file alone: {found['plan']['sentence']}."]
    verified = found["verified"]
    if "error" in verified:
        return [*lines, f"Tried in a child process: {verified['error']['message']}"]
    for name, words in (("plan", "as planned"), ("half_the_room", "with room for half of it")):
        row = verified[name]
        tried = ", ".join(f"{t['gpu_layers']} layers {'refused' if t['error'] else 'held'}" for t in row["tried"])
        lines.append(f"Tried in a child process, {words}: {tried}; {row['sentence']}.")
    lines.append(f"A device that is gone: “{verified['missing_device']['message']}”")
    return [line for part in lines for line in (part, "")][:-1]


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"
