"""What `bench --ingest` promises: the rows, their bounds and units, and how rounds become one value. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from desktop_rag.evaluation.rounds import Round, counted


@dataclass(frozen=True, slots=True)
class Promise:
    """One row: its name and unit, its bound (None for a figure that is only told), and which side of it is good.

    The value is the median of the rounds, or their `worst`. `steady` figures are not changed by a busy machine.
    """

    name: str
    unit: str
    bound: float | None
    at_least: bool
    what: str
    rounds: int = 1
    worst: bool = False
    steady: bool = False

    def met(self, value: float) -> bool | None:
        """Whether a value keeps the promise; None where nothing is promised."""
        if self.bound is None:
            return None
        return value >= self.bound if self.at_least else value <= self.bound


PROMISES = {
    promise.name: promise
    for promise in (
        Promise(
            "pdf_vs_pdfium", "times", 1.3, False,
            "processor time of reading a 500-page PDF / of pypdfium2's own text call on every page", rounds=5,
        ),
        Promise(
            "folder_check_s", "s", 5.0, False,
            "checking a watched folder of 10,000 files, unchanged since yesterday, by a library process just started",
            rounds=3,
        ),
        Promise(
            "ocr_pages_per_minute", "pages/min", None, True,
            "text recognition of pages scanned with 200 dots per inch", rounds=3,
        ),
        Promise(
            "ocr_cores", "of all cores", 0.8, True,
            "cores that its runnable threads would fill meanwhile / all cores", rounds=3,
        ),
        Promise(
            "memory_growth", "share", 0.03, False,
            "resident memory of the library process after 2,000 documents, without their vectors / after 200, less 1",
            steady=True,
        ),
        Promise(
            "reader_memory_growth", "share", 0.03, False,
            "resident memory of the process that reads files after 2,000 documents / after 200, less 1",
            steady=True,
        ),
        Promise(
            "pii_vs_stock", "times", 4.0, True,
            "processor time of Presidio as it comes / of finding personal data here, over the same new texts",
            rounds=5,
        ),
        Promise(
            "pii_two_processes", "times", 3.0, True,
            "time of Presidio as it comes / of two processes here with half of the texts each", rounds=3,
        ),
        Promise(
            "pii_linear", "times", 11.0, False,
            "processor time of a page of 1,000,000 characters / of one of 100,000", rounds=3,
        ),
        Promise(
            "ingest_vs_naive", "times", 3.0, True,
            "time of Presidio as it comes, sentence-transformers, Chroma and rank_bm25 for a folder / of our own way",
            rounds=3,
        ),
        Promise(
            "decode_while_ingesting", "share", 0.6, True,
            "tokens a second of the starter model while a folder is taken in / on an idle machine", rounds=3,
        ),
        Promise("cancel_s", "s", 0.5, False, "from Cancel until the work has stopped, in every phase", worst=True),
    )
}  # fmt: skip


def verdict(promise: Promise, found: list[Round]) -> dict[str, Any]:
    """The row's JSON: `n` is how many pages, files or documents; `details` has every round, also those not counted."""
    counting = found if promise.steady or promise.worst else counted(found, promise.rounds)
    values = [one.value for one in counting]
    value = max(values) if promise.worst else median(values)
    details = [{**asdict(one), "counted": any(one is other for other in counting)} for one in found]
    figures = {"value": value, "met": promise.met(value), "n": found[0].parts.get("n")}
    return {**_head(promise), **figures, "rounds": values, "details": details}


def unmeasured(promise: Promise, error: dict[str, str]) -> dict[str, Any]:
    """The JSON of a row that could not be measured: no value, and the reason."""
    return {**_head(promise), "error": error}


def _head(promise: Promise) -> dict[str, Any]:
    named = {"name": promise.name, "unit": promise.unit, "target": promise.bound, "at_least": promise.at_least}
    nothing: dict[str, Any] = {"value": None, "met": None, "n": None, "rounds": [], "details": [], "error": None}
    return {**named, "what": promise.what, "worst": promise.worst, "steady": promise.steady, **nothing}


def told(row: dict[str, Any]) -> str:
    """A row for people; where its rounds come from several phases, a line for each."""
    sign = {True: "✓", False: "✗", None: "–"}[row["met"]]
    if row["value"] is None:
        return f"{sign} {row['name']:<24} not measured: {row['error']['message']}"
    bound = "" if row["target"] is None else f"{'≥' if row['at_least'] else '≤'} {row['target']:g}; "
    by_phase = _by_phase(row["details"])
    rounds = "the worst of all" if by_phase else f"rounds {_figures(row['rounds'])}"
    lines = [f"{sign} {row['name']:<24} {row['value']:.3g} {row['unit']} ({bound}{rounds})"]
    lines[0] += f"; n = {row['n']:,}" if row["n"] else ""
    lines[0] += "; the machine was busy with other things" if _busy(row) else ""
    return "\n".join([*lines, *(f"    {phase:<22} {_figures(values)}" for phase, values in by_phase.items())])


def _busy(row: dict[str, Any]) -> bool:
    """Whether most of the rounds that count were disturbed."""
    counting = [one for one in row["details"] if one["counted"]]
    return not row["steady"] and 2 * sum(one["disturbed"] for one in counting) > len(counting)


def _by_phase(details: list[dict[str, Any]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for one in details:
        if phase := one["parts"].get("phase"):
            found.setdefault(phase, []).append(one["value"])
    return found


def _figures(values: list[float]) -> str:
    return " ".join(f"{value:.3g}" for value in values)
