"""The figures of `eval retrieval` as lines: one table for each set, and one over all of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from desktop_rag.evaluation.verdict import probability

_COLUMNS = ("ndcg@10", "map", "mrr@10", "recall@10", "recall@100", "success@1")
_SIGNS = {True: "✓", False: "✗"}


def tables(done: Mapping[str, Any]) -> list[str]:
    """The lines for one set's result, or for {sets}."""
    if "sets" not in done:
        return one_set(done)
    lines = [line for each in done["sets"] for line in (*one_set(each), "")]
    return [*lines, *overview(done["sets"])]


def one_set(done: Mapping[str, Any]) -> list[str]:
    """A row for each mode, what they mean, and the aims if the set is a known one."""
    encoder = (done["encoder"] or {}).get("name") or "no encoder"
    lines = [f"{done['set']}: {done['documents']:,} documents, {done['queries']:,} questions, {encoder}"]
    lines.append(
        f"  {'mode':<8}" + "".join(f"{name:>11}" for name in _COLUMNS) + f"{'p50':>9}{'p95':>9}  p against BM25"
    )
    for row in done["modes"]:
        figures = "".join(f"{row[name]:>11.4f}" for name in _COLUMNS)
        times = "".join(f"{_milliseconds(row[name]):>9}" for name in ("p50_ms", "p95_ms"))
        p = row["p_vs_bm25"]
        lines.append(f"  {row['mode']:<8}{figures}{times}  {'–' if p is None else probability(p)}")
    lines += [f"  {sentence}" for sentence in done["verdict"]]
    if (terms := done.get("length_bias")) is not None:
        found = f"raw TF-IDF {terms['raw']:.0f}, TF-IDF {terms['cosine']:.0f}, BM25 {terms['bm25']:.0f}"
        lines.append(f"  Mean length of what is found first, in terms: {found}; of all passages {terms['all']:.0f}.")
    lines += [f"  {_nearest(done['nearest'])}"] if done.get("nearest") else []
    lines += [f"  {line}" for line in encoder_lines(done)]
    return lines + [f"  {_SIGNS[aim['met']]} {_aim(aim)}" for aim in done["aims"]]


def encoder_lines(done: Mapping[str, Any]) -> list[str]:
    """Encoders side by side, if more than one was measured: what each costs and gives, and which is better."""
    held = done.get("encoders") or []
    if not held:
        return []
    modes = [row["mode"] for row in held[0]["modes"]]
    lines = ["", f"{'encoder':<28}{'languages':>10}{'size':>10}{'speed':>16}" + "".join(f"{mode:>9}" for mode in modes)]
    for one in held:
        card = one["encoder"]
        speed = "–" if one["passages_s"] is None else f"{one['passages_s']:.0f} passages/s"
        values = {row["mode"]: float(row["ndcg@10"]) for row in one["modes"]}
        name = f"{card['name']}{' *' if one['in_use'] else ''}"
        lines.append(f"{name:<28}{tongues(card):>10}{one['size_mb']:>7.0f} MB{speed:>16}{_cells(values, modes)}")
        lines += _times(one["modes"])
    return [*lines, "* in use", *done["encoders_verdict"]]


def _times(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """How long questions take by each mode, below their figures: for half of them, and for nineteen of twenty."""
    held = [[row.get(name) for row in rows] for name in ("p50_ms", "p95_ms")]
    return [
        f"{f'  {name}, ms':<64}" + "".join(f"{'–' if value is None else f'{value:.1f}':>9}" for value in values)
        for name, values in zip(("p50", "p95"), held, strict=True)
        if any(value is not None for value in values)
    ]


def tongues(card: Mapping[str, Any]) -> str:
    """For which languages an encoder is, in a word."""
    held = card.get("languages") or []
    return "many" if "mul" in held else ", ".join(held) or "–"


def weight_lines(done: Mapping[str, Any]) -> list[str]:
    """What became of trying other weights on a collection, and how to keep what is surely better."""
    fusion = done["fusion"]
    lines = [f"  Weights: {fusion['sentence']}"]
    if fusion["sure"]:
        lines.append(f"  To keep them: desktop-rag collections --collection “{done['set']}” --fusion {fusion['best']}")
    if name := done.get("better_encoder"):
        lines.append(f"  To change to {name}: desktop-rag collections --collection “{done['set']}” --encoder {name}")
    return lines


def _nearest(found: Mapping[str, Any]) -> str:
    """How the search by meaning does beside Chroma's graph."""
    return (
        f"The nearest of {found['passages']:,}, in {found['questions']} questions: ours {found['ours_p50_ms']:.1f} ms,"
        f" recall@10 {found['recall_ours@10']:.3f}, @100 {found['recall_ours@100']:.3f}; Chroma's graph"
        f" {found['graph_p50_ms']:.1f} ms, {found['recall_graph@10']:.3f}, {found['recall_graph@100']:.3f}, built in"
        f" {found['build_s']:.0f} s, {found['memory_mb']:.0f} MB."
    )


def overview(sets: Sequence[Mapping[str, Any]]) -> list[str]:
    """nDCG@10 of every mode on every set, with the mean over the sets."""
    modes = list(dict.fromkeys(row["mode"] for done in sets for row in done["modes"]))
    lines = [f"  {'nDCG@10':<18}" + "".join(f"{mode:>9}" for mode in modes) + "  aims"]
    columns: dict[str, list[float]] = {mode: [] for mode in modes}
    for done in sets:
        values = {row["mode"]: float(row["ndcg@10"]) for row in done["modes"]}
        for mode, value in values.items():
            columns[mode].append(value)
        met = sum(aim["met"] for aim in done["aims"])
        lines.append(f"  {done['set'][:18]:<18}{_cells(values, modes)}  {met} of {len(done['aims'])}")
    means = {mode: sum(values) / len(values) for mode, values in columns.items()}
    return [*lines, f"  {'mean':<18}{_cells(means, modes)}"]


def _cells(values: Mapping[str, float], modes: Sequence[str]) -> str:
    return "".join(f"{values[mode]:>9.4f}" if mode in values else f"{'–':>9}" for mode in modes)


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} ms"


def _aim(aim: Mapping[str, Any]) -> str:
    if isinstance(aim["target"], str):
        return f"{aim['mode']}, {aim['figure']}: {100 * aim['value']:+.1f} points, meant to be {aim['target']}"
    return f"{aim['mode']}, {aim['figure']}: {aim['value']:.3f}, at least {aim['target']:.3f}"
