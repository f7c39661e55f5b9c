"""The words of `desktop-rag models` for people: aligned columns and short sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from desktop_rag.cli.output import counted

_MIB = 2**20
_PARTS = {
    "weights": "weights",
    "kv": "context (KV)",
    "compute": "computing",
    "process": "program",
    "total": "together",
}

Row = Mapping[str, Any]


def size(octets: float | None) -> str:
    """Bytes for people: "386 MB", "1.1 GB", "—" when unknown."""
    if octets is None:
        return "—"
    value = float(octets)
    for unit in ("bytes", "KB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def columns(rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Rows of cells as aligned lines; the columns numbered in `right` are right-aligned."""
    table = [list(row) for row in rows]
    if not table:
        return []
    widths = [max(len(row[at]) for row in table) for at in range(len(table[0]))]
    return [
        "  ".join(
            cell.rjust(widths[at]) if at in right else cell.ljust(widths[at]) for at, cell in enumerate(row)
        ).rstrip()
        for row in table
    ]


def listing(told: Row) -> list[str]:
    """`models list`: what is here, then what can be downloaded with whether it fits."""
    here = [
        (
            "*" if model["active"] else " ",
            str(model["id"]),
            size(model["size"]),
            str(model["quantisation"]),
            _where(model),
            ", ".join(model["engines"]) or _kind(model),
        )
        for model in told["models"]
    ]
    offers = [
        (
            " ",
            str(entry["id"]),
            size(entry["size"]),
            _verdict(entry["fit"]) or _DOES.get(str(entry["kind"]), ""),
            str(entry["licence"]),
        )
        for entry in told["catalogue"]
        if not entry["installed"]
    ]
    lines = ["On this computer (* answers now)", *columns(here, (2,))]
    if offers:
        lines += ["", "Can be downloaded: desktop-rag models get ID --online", *columns(offers, (2,))]
    return lines


def model_line(model: Row) -> str:
    """One model in one line."""
    about = (
        str(model["id"]),
        size(model["size"]),
        str(model["quantisation"]),
        _where(model),
        ", ".join(model["engines"]) or _kind(model),
    )
    return "  ".join(part for part in about if part)


def fitting(told: Row) -> list[str]:
    """`models fit`: the sentence, then the sums it stands on."""
    need, memory = told["estimate_mb"], told["memory_mb"]
    rows = [(name, size(need[part] * _MIB)) for part, name in _PARTS.items()]
    rows.append(("free now", size(memory["free"] * _MIB)))
    rows.append(("context", f"{told['context']:,} tokens (most: {told['context_limit']:,})"))
    rows.append(("KV a token", f"{size(told['kv_token_bytes'])} in {told['kv_type']}"))
    if told["roofline"]:
        rows += _limits(told["roofline"])
    if told["plan"]:
        rows.append(("graphics card", str(told["plan"])))
    first = [str(told["convert"]["text"])] if told["convert"] else []
    return [f"{told['name']} with {told['engine']} {told['sentence']}", *first, *columns(rows)]


def _limits(limit: Row) -> list[tuple[str, str]]:
    """The machine's limit and what bounds it; where the cores do, what they reach of it."""
    if limit["bound"] != "cores":
        return [("limit", f"{limit['tok_s']:,.1f} tok/s here, bound by {limit['bound']}")]
    reached = f"{limit['tok_s']:,.1f} tok/s by memory, {limit['kernel_tok_s']:,.1f} tok/s by the cores"
    return [("limit", reached), ("bound", str(limit["why"]))]


def inside(told: Row, *, tensors: bool) -> list[str]:
    """`models inspect`."""
    rows = [
        ("file", str(told["path"])),
        ("size", size(told["size"])),
        ("format", str(told["format"])),
        ("architecture", str(told["architecture"] or "not told")),
        ("parameters", f"{told['parameters']:,}" if told["parameters"] else "not told"),
        ("quantisation", str(told["quantisation"] or "not told")),
        ("layers", str(told["layers"] or "not told")),
        ("context", f"{told['context']:,} tokens" if told["context"] else "not told"),
        ("licence", str(told["licence"] or "not told")),
        ("chat template", "yes" if told["template"] else "no"),
        ("engines", ", ".join(told["engines"]) or "none here"),
    ]
    lines = [str(told["name"]), *columns(rows), ""]
    types = [(str(row["type"]), str(row["count"]), size(row["bytes"])) for row in told["tensors_by_type"]]
    lines += columns([("type", "tensors", "size"), *types], (1, 2))
    if tensors:
        table = [(name, " × ".join(map(str, dims)), kind, size(octets)) for name, dims, kind, octets in told["table"]]
        lines += ["", *columns(table, (3,))]
    if told["metadata"]:
        lines += ["", *columns((str(key), _one_line(value)) for key, value in told["metadata"].items())]
    return lines


def results(told: Row) -> list[str]:
    """`models search`: repositories with their files."""
    lines: list[str] = []
    for found in told["results"]:
        gated = ", its licence must be accepted in the browser" if found["gated"] else ""
        lines.append(f"{found['repo']}  {found['licence'] or 'licence not stated'}{gated}")
        files = [("  ", f"{found['repo']}:{file['file']}", size(file["size"])) for file in found["files"]]
        lines += [*columns(files, (2,)), ""]
    return lines[:-1] or [f"Nothing with GGUF files was found for “{told['query']}”."]


def found(told: Row) -> list[str]:
    """`models adopt` without a path: what other programs keep here."""
    rows = [(str(r["application"]), str(r["name"]), size(r["size"]), str(r["path"])) for r in told["found"]]
    odd = [r for r in told.get("skipped", ()) if r["error"]]
    lines = columns(rows, (2,))
    lines += [f"! {row['application']}: {row['error']['message']}" for row in odd]
    if rows:
        lines.append("Adopt one: desktop-rag models adopt PATH, or all: desktop-rag models adopt --all")
    return lines or ["No models of other programs were found."]


def estimate(told: Row, to: str) -> str:
    """`models quantise --estimate`."""
    few = told.get("fallback")
    odd = f" {counted(few, 'tensor')} {'gets' if few == 1 else 'get'} a neighbouring type." if few else ""
    warning = f" {told['warning']}" if told["warning"] else ""
    return f"{to}: {size(told['size'])}, {told['bits']:.2f} bits a weight.{odd}{warning}"


def deleted(told: Row) -> list[str]:
    """`models delete`: what went and what stays."""
    lines = [f"{told['name']} is deleted, {size(told['freed'])} are free again."]
    if told["kept"]:
        lines = [f"{told['name']} left the list; its file stays where it is: {told['kept']}"]
    if told["made_from_it"]:
        lines.append(f"What was made from it stays: {', '.join(told['made_from_it'])}")
    if told["was_chosen"]:
        lines.append("It was the chosen model: the starter model answers now.")
    return lines


def progress(event: Row) -> str | None:
    """One line for an event on the way; tenths only, so that a terminal is not flooded."""
    if event["event"] == "warning":
        return str(event["text"])
    if event["event"] == "estimate":
        return f"It will be {size(event['size'])} ({event['bits']:.2f} bits a weight)."
    if event["event"] != "progress":
        return None
    fraction = event.get("fraction")
    share = "" if fraction is None else f" {int(fraction * 10) * 10} %"
    if "received" not in event:
        return f"{event.get('text') or 'Working'}{share or ' …'}"
    if event.get("waiting") is not None:
        return f"The line broke; trying again from {size(event['received'])}"
    part = f" (part {event['part']} of {event['parts']})" if event.get("parts") else ""
    of = f" of {size(event['total'])}" if event.get("total") else ""
    return f"Downloading{part}{of}{share}" if event["received"] else None


def _where(model: Row) -> str:
    if model["missing"]:
        return "its file is gone" if model["problem"] == "gone" else "its file has changed"
    return str(model["source"])


_DOES = {"encoder": "finds passages", "reranker": "reads candidates again", "pii": "finds personal data"}


def _kind(model: Row) -> str:
    return _DOES.get(str(model["kind"]), "no engine opens it")


def _verdict(fit: Row | None) -> str:
    return str(fit["sentence"]) if fit else ""


def _one_line(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 80 else f"{text[:79]}…"
