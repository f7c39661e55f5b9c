"""The commands, one function each: (workers, options, output) -> exit code."""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from desktop_rag.answering.answer import WHOLE, answer, check_choice
from desktop_rag.cli.output import Output, counted
from desktop_rag.cli.passages import hit_lines, invented_lines, place_of, revealed, warning_of
from desktop_rag.cli.receipts import receipt_file, receipt_lines
from desktop_rag.cli.trace_lines import trace_lines
from desktop_rag.errors import DesktopRagError, StoreError, UsageError
from desktop_rag.meter import machine
from desktop_rag.meter.memory import resident_mb
from desktop_rag.privacy.receipt import without_names
from desktop_rag.privacy.receipt_page import content
from desktop_rag.retrieval.modes import check_mode
from desktop_rag.store.files import write_private
from desktop_rag.workers.choice import choose
from desktop_rag.workers.crew import Workers
from desktop_rag.workers.team import nearest

_DOCUMENT_KEYS = (
    *(
        "id",
        "name",
        "path",
        "collection",
        "state",
        "known",
        "pages",
        "pages_read",
        "pages_ocr",
        "language",
        "chunks",
        "pii",
    ),
    *("children", "error", "format", "size", "policy"),
)


def add(workers: Workers, options: Namespace, output: Output) -> int:
    """Index files and folders, with a review in between unless --yes."""
    events = workers.library.stream(
        "add",
        paths=[str(Path(p).expanduser().absolute()) for p in options.paths],
        collection=options.collection,
        policy=options.policy,
        review=not options.yes,
        passwords=_passwords(options.password_file),
    )
    done = _follow(events, output)
    documents, cleaned_again = done["documents"], done["cleaned_again"]
    waiting = [d for d in documents if d["state"] == "reviewing"]
    if waiting and not output.as_json and sys.stdin.isatty():
        accepted = [d["id"] for d in waiting if _agreed(d)]
        if accepted:
            cleaned_again = _follow(workers.library.stream("accept", documents=accepted), output)["cleaned_again"]
        documents = [
            d for d in workers.library.call("documents")["documents"] if d["id"] in {x["id"] for x in documents}
        ]
    lines = [_document_line(d) for d in documents]
    if any(d["state"] == "reviewing" for d in documents):
        lines.append("Documents that wait for review are indexed from the window, or with --yes.")
    lines = [*(lines or ["There was nothing to add."]), *again_lines(cleaned_again)]
    output.result({"documents": [_shown(d) for d in documents], "cleaned_again": cleaned_again}, lines)
    return 0


def collections(workers: Workers, options: Namespace, output: Output) -> int:
    """List the collections, or change the encoder of one or how it joins words and meaning."""
    if (options.encoder or options.fusion) and not options.collection:
        raise UsageError("bad_request", "Which collection?", "Name it with --collection.")
    if options.fusion:
        workers.library.call("collection_fusion", collection=options.collection, fusion=options.fusion)
    if options.encoder:
        _follow(
            workers.library.stream("collection_encoder", collection=options.collection, name=options.encoder), output
        )
    rows = workers.library.call("collections")["collections"]
    if options.collection:
        rows = [row for row in rows if row["name"] == options.collection]
        if not rows:
            raise UsageError("bad_request", f"There is no collection “{options.collection}”.", "See: collections")
    output.result({"collections": rows}, [_collection_line(row) for row in rows])
    return 0


def _collection_line(row: dict[str, Any]) -> str:
    encoder, following = row["encoder"], row["next_encoder"]
    parts = [counted(row["documents"], "document"), counted(row["chunks"], "passage"), row["policy"]]
    if encoder:
        parts.append(f"encoder {encoder['name']}{'' if encoder['installed'] else ' (not installed)'}")
    if row["fusion"]:
        parts.append(f"fusion {row['fusion']}")
    if row["server"]:
        parts.append(f"server {row['server']}")
    if following:
        done = f"{following['passages_done']} of {counted(following['passages'], 'passage')}"
        parts.append(f"changing to {following['name']}: {done}")
    return f"{row['name']}  {', '.join(parts)}"


def documents(workers: Workers, options: Namespace, output: Output) -> int:
    """List documents, or the pages of one."""
    if options.text:
        shown = workers.library.call("document_text", document=options.text)
        pages = revealed(workers, options, [page["text"] for page in shown["pages"]])
        result = {
            "document": shown["document"],
            "name": shown["name"],
            "pages": [{**page, "text": text} for page, text in zip(shown["pages"], pages, strict=True)],
        }
        lines = [f"— {p['page'] or p['locator'] or ''} —\n{p['text']}" for p in result["pages"]]
        output.result(result, [*lines, *invented_lines(workers, options, pages)])
        return 0
    rows = workers.library.call("documents", collection=options.collection)["documents"]
    output.result(
        {"documents": [_shown(row) for row in rows]}, [_document_line(row) for row in rows] or ["No documents yet."]
    )
    return 0


def remove(workers: Workers, options: Namespace, output: Output) -> int:
    """Remove documents and print the receipt; what could not be removed has its error in there."""
    file = None if options.receipt is None else receipt_file(options.receipt)
    issued: dict[str, Any] = {}
    for event in workers.library.stream("remove", documents=options.documents):
        if event["event"] == "proving":
            output.progress(event, f"looking for what is left {event['share']} %")
        elif event["event"] == "done":
            issued = event["receipt"]
    if options.without_names:
        issued = without_names(issued)
    saved = []
    if file is not None:
        write_private(file, content(issued, file.suffix))
        saved = [f"Receipt: {file}"]
    output.result({"receipt": issued}, [*receipt_lines(issued), *saved])
    if any("error" in row for row in issued["documents"]):
        return StoreError.exit_code
    return 0 if issued["verified"] else 1


def search(workers: Workers, options: Namespace, output: Output) -> int:
    """Print the best passages."""
    check_mode(options.mode)
    near = nearest(
        workers,
        options.query,
        collection=options.collection,
        mode=options.mode,
        limit=options.k,
        online=options.online,
    )
    found = workers.library.call(
        "search",
        query=options.query,
        collection=options.collection,
        mode=options.mode,
        k=options.k,
        trace=options.trace,
        explain=options.explain,
        near=near,
    )
    texts = revealed(workers, options, [hit["text"] for hit in found["hits"]])
    hits = [{**hit, "text": text} for hit, text in zip(found["hits"], texts, strict=True)]
    lines = list(chain.from_iterable(map(hit_lines, hits)))
    lines += trace_lines(found["trace"]) if hits and options.trace else []
    lines = [*(lines or ["Nothing found."]), *(f"Note: {note}" for note in found["notes"])]
    output.result({**_result(found), "hits": hits}, [*lines, *invented_lines(workers, options, texts)])
    return 0


def _result(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key not in ("event", "id")}


def ask(workers: Workers, options: Namespace, output: Output) -> int:
    """Answer a question with citations."""
    check_choice(options.strategy)
    done: dict[str, Any] = {}
    streamed = False
    choice = choose(workers, options.model, options.engine, online=options.online)
    _measure_once(workers, output)
    choice.worker.start()
    events = answer(
        workers,
        options.question,
        collection=options.collection,
        conversation=options.conversation,
        mode=options.mode,
        choice=choice,
        strategy=options.strategy,
        near=partial(nearest, workers, online=options.online),
    )
    for event in events:
        if event["event"] == "token" and not options.reveal:
            output.write(event["text"])
            streamed = True
        elif event["event"] == "partial":
            output.progress(event, event["message"])
        elif event["event"] == "reading_all":
            output.progress(event, f"Reading passage {event['passages_read']} of {event['passages_total']} …")
        elif event["event"] == "reducing":
            output.progress(event, f"The model reads what was found: {event['read']} of {event['total']} …")
        elif event["event"] == "done":
            done = event
    done["memory_mb"]["window"] = resident_mb()
    texts = revealed(workers, options, [done["answer"], *[c["text"] for c in done["citations"]]])
    done["answer"] = texts[0]
    done["citations"] = [{**c, "text": text} for c, text in zip(done["citations"], texts[1:], strict=True)]
    lines = _after_streaming(done) if streamed else [done["answer"]]
    if done["strategy"] == WHOLE and done["citations"]:
        # Each line stands below with its source.
        lines = []
    lines += _doubts(done["sentences"])
    lines += [
        f"[{c['marker']}] {c['name']}{place_of(c)}{warning_of(c)}: {' '.join(c['text'].split())}"
        for c in done["citations"]
    ]
    coverage = done["coverage"]
    lines.append(_coverage(done))
    lines += [f"Note: {note}" for note in (done["trace"] or {}).get("notes", ())]
    lines += invented_lines(workers, options, texts)
    if not coverage["passages_total"]:
        lines.append("There is nothing to read here yet. Add documents: desktop-rag add PATH")
    output.result({key: value for key, value in done.items() if key not in ("event", "id")}, lines)
    return 0


def _coverage(done: dict[str, Any]) -> str:
    """How much was read, and what to do where a question asked for more."""
    read = done["coverage"]
    told = f"{read['passages_read']} of {counted(read['passages_total'], 'passage')} read"
    if done["strategy"] == WHOLE:
        pages = f"{read['pages_read']} of {counted(read['pages_total'], 'page')}, " if read["pages_total"] else ""
        return f"({counted(len(done['sentences']), 'place')} found; {pages}{told})"
    if done["whole"] and read["passages_read"] < read["passages_total"]:
        return f"({told}. To have all of them read: desktop-rag ask --strategy {WHOLE} …)"
    return f"({told})"


def _measure_once(workers: Workers, output: Output) -> None:
    """Speeds are told as shares of what this machine can do: that is measured with the first question."""
    found = machine.remembered(workers.data_dir)
    if found is None or found.disturbed:
        output.progress({"event": "measuring"}, "Measuring this machine, once …")
        with suppress(DesktopRagError):
            workers.models.call("machine")


def _doubts(sentences: list[dict[str, Any]]) -> list[str]:
    """A word of warning where sentences of the answer are not borne out."""
    doubtful = sum(s["support"] != "supported" for s in sentences)
    if not doubtful:
        return []
    return [f"◐ {doubtful} of {len(sentences)} sentences are not fully supported: compare the passages."]


def _after_streaming(done: dict[str, Any]) -> list[str]:
    """What still has to be said once the model's words are on the screen."""
    if done["left_out"]:
        return [f"\n(What follows “…{done['answer'][-40:]}” is not in the passages.)"]
    if done["draft"] is not None:
        return ["\n(None of the passages says that.)", done["answer"]]
    return [""] if done["found"] else ["", done["answer"]]


def again_lines(cleaned: int | None) -> list[str]:
    """What is told of documents that were indexed before: how many were cleaned again, None if that failed."""
    if cleaned is None:
        return ["Not all documents could be looked through for values found since: run this again."]
    was = "was" if cleaned == 1 else "were"
    return [f"{counted(cleaned, 'document')} {was} cleaned again for values found since."] if cleaned else []


def _follow(events: Any, output: Output) -> dict[str, Any]:
    """Show progress; the result at the end, with the rows of the documents."""
    done: dict[str, Any] = {}
    names: dict[str, str] = {}
    for event in events:
        if event["event"] == "document":
            names[event["document"]] = str(event.get("name") or event["document"])
            output.progress(_progress(event), _state_line(event) if event["state"] in _SHOWN_STATES else None)
        elif event["event"] in ("reading", "checking") and not output.as_json:
            # For scripts a line is a change of state.
            output.progress(event, _share_line(names.get(event["document"], event["document"]), event))
        elif event["event"] == "encoding" and not output.as_json:
            output.progress(event, _encoding_line(event))
        elif event["event"] == "done":
            done = event
    return done


_SHOWN_STATES = ("ready", "partly_read", "failed", "reviewing")


def _state_line(event: dict[str, Any]) -> str:
    """Short: the result says all of it again, on the same terminal."""
    return f"{event.get('name') or event.get('document')}: {event['state'].replace('_', ' ')}"


def _encoding_line(event: dict[str, Any]) -> str:
    share = 100 * event["passages_done"] // max(event["passages"], 1)
    return f"{event['collection']}: encoding for {event['encoder']} {share} %"


def _share_line(name: str, event: dict[str, Any]) -> str | None:
    """How far a long document is; None where nobody knows how long it is."""
    if event["event"] == "reading":
        step, total, done = "reading", event["pages"], event["pages_read"]
    else:
        step, total, done = "looking for personal data in", event["pages_to_check"], event["pages_checked"]
    if not total:
        return None
    return f"{name}: {step} {counted(total, 'page')} {100 * done // total} %"


def _progress(event: dict[str, Any]) -> dict[str, Any]:
    return {key: event.get(key) for key in ("event", "document", "path", "state", "known", "error")}


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {key: row.get(key) for key in _DOCUMENT_KEYS}


def _document_line(row: dict[str, Any]) -> str:
    cause = f": {row['error']['message']} {row['error']['hint']}" if row.get("error") else ""
    found = sum((row.get("pii") or {}).values())
    scanned = f", {row['pages_ocr']} of {counted(row['pages'], 'page')} by OCR" if row.get("pages_ocr") else ""
    extra = (
        f"{scanned}, {counted(row['chunks'], 'passage')}, {counted(found, 'private value')} replaced"
        if row["state"] in ("ready", "partly_read")
        else ""
    )
    name = row.get("name") or row.get("document")
    return f"{row['state']:<11} {row.get('id') or row.get('document')}  {name}{extra}{cause}"


def _agreed(row: dict[str, Any]) -> bool:
    found = ", ".join(f"{count} {label}" for label, count in row["pii"].items()) or "nothing"
    return input(f"{row['name']}: {found} will be replaced. Index it? [y/N] ").strip().lower() in ("y", "yes")


def _passwords(file: str | None) -> list[str]:
    if file is None:
        return []
    try:
        return [line for line in Path(file).read_text(encoding="utf-8").splitlines() if line]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("bad_request", "The password file cannot be read.", "Check its path.") from error
