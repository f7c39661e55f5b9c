"""What `bench --retrieval` promises, at the sizes the promises are about, and the result as lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from desktop_rag.evaluation.growth_plot import bars

# By size: (name, figure of the size's row, bound)
_AT_SIZE: dict[int, tuple[tuple[str, str, float], ...]] = {
    100_000: (
        ("hybrid_p50_ms", "p50_ms", 15),
        ("hybrid_p95_ms", "p95_ms", 40),
        ("add_share", "add_share", 0.01),
        ("memory_mb", "memory_mb", 450),
    ),
    1_000_000: (("hybrid_p95_ms", "p95_ms", 150),),
}
_BASE_MB, _ENCODING_TIMES, _BM25_TIMES = 260, 3, 100
_SIGNS = {True: "✓", False: "✗", None: "–"}


def targets(done: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every promise with what was measured; one about a size that was not measured has no value."""
    return [_target(*found) for found in _values(done)]


def _values(done: Mapping[str, Any]) -> Iterator[tuple[str, float | None, float, bool]]:
    rows = {row["chunks"]: row for row in done["sizes"]}
    for size, promised in _AT_SIZE.items():
        for name, figure, bound in promised:
            yield f"{name}_{size}", rows[size][figure] if size in rows else None, bound, False
    yield "memory_base_mb", done["base_mb"], _BASE_MB, False
    yield "encoding_vs_default", done["encoder"]["times"], _ENCODING_TIMES, True
    naive, times = done["rank_bm25"], None
    if naive is not None and rows[naive["chunks"]]["bm25_p50_ms"]:
        times = round(naive["p50_ms"] / rows[naive["chunks"]]["bm25_p50_ms"], 1)
    # What is promised is about a hundred thousand passages; fewer are told, and promise nothing.
    yield "bm25_vs_rank_bm25", times if naive and naive["chunks"] == 100_000 else None, _BM25_TIMES, True


def _target(name: str, value: float | None, bound: float, at_least: bool) -> dict[str, Any]:
    met = None if value is None else value >= bound if at_least else value <= bound
    return {"name": name, "value": value, "target": bound, "at_least": at_least, "met": met}


def lines(done: Mapping[str, Any]) -> list[str]:
    """The table of sizes, its growth as bars, the comparisons and the promises."""
    heads = ("p50", "p95", "BM25", "dense", "encoding", "add", "remove", "built in", "memory")
    said = ["passages " + "".join(f"{head:>11}" for head in heads)]
    for row in done["sizes"]:
        ms = [f"{row[name]:.1f} ms" for name in ("p50_ms", "p95_ms", "bm25_p50_ms", "dense_p50_ms", "encode_p50_ms")]
        seconds = [f"{row[name]:.2f} s" for name in ("add_s", "remove_s")]
        cells = [*ms, *seconds, f"{row['build_s']:.0f} s", f"{row['memory_mb']:.0f} MB"]
        said.append(f"{row['chunks']:>9,}" + "".join(f"{cell:>11}" for cell in cells))
    said += bars([(f"{row['chunks']:,}", row["p50_ms"], row["p95_ms"]) for row in done["sizes"]])
    encoder, naive = done["encoder"], done["rank_bm25"]
    said.append(f"encoding: {encoder['passages_s']:g} passages a second, {_default(encoder)}")
    if naive is not None:
        said.append(f"rank_bm25 over {naive['chunks']:,} passages: {naive['p50_ms']:.1f} ms a question")
    return [*said, *map(_line, done["targets"]), f"The growth as a picture: {done['plot']}"]


def _default(encoder: Mapping[str, Any]) -> str:
    if encoder["error"] is not None:
        return f"not compared: {encoder['error']['message']} {encoder['error']['hint']}"
    return f"sentence-transformers as it comes {encoder['default_passages_s']:g}"


def _line(target: Mapping[str, Any]) -> str:
    bound = f"{'≥' if target['at_least'] else '≤'} {target['target']:g}"
    value = "not measured" if target["value"] is None else f"{target['value']:.4g}"
    return f"{_SIGNS[target['met']]} {target['name']:<24} {value} ({bound})"
