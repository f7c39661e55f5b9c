"""`desktop-rag doctor`: the state of everything, in lines for people."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from desktop_rag import torch_part
from desktop_rag.cli.output import Output, counted
from desktop_rag.errors import DesktopRagError
from desktop_rag.workers.crew import Workers
from desktop_rag.workers.team import compare


def doctor(workers: Workers, options: Namespace, output: Output) -> int:
    """Examine everything and name the problems; perhaps make the library smaller first."""
    workers.chat.start()
    compacted = _compacted(workers, output) if options.compact else None
    report = workers.library.call("doctor") | {"compacted": compacted}
    try:
        workers.chat.call("status")
        chat_seal = (workers.chat.hello or {}).get("seal")
    except DesktopRagError as error:
        chat_seal = None
        report["problems"].append(error.message)
    result = {key: value for key, value in report.items() if key not in ("event", "id")}
    result["devices"] = _devices(workers, result["problems"])
    result["seal"] = {**report["seal"], "chat": chat_seal}
    result["servers"] = compare(workers, online=options.online)
    index = result["index"]
    lines = [
        f"data      {result['paths']['data']}",
        f"models    {', '.join(m['id'] for m in result['models'] if m['installed'])}",
        *[f"device    {_device_line(device)}" for device in result["devices"]],
        f"torch     {result['versions']['torch'] or f'not installed. {torch_part.how_to_add()}'}",
        f"index     {index['documents']} documents, {index['chunks']} passages,"
        f" {'consistent' if index['parity'] else 'NOT consistent'}",
        f"room      {index['free_mb']:,.1f} MB of the library's file hold nothing"
        + ("; doctor --compact gives them back" if index["free_mb"] >= 1 else ""),
        *([f"compacted {compacted['before_mb']:,.1f} MB are {compacted['after_mb']:,.1f} MB now"] if compacted else []),
        *[f"server    {_server_line(told)}" for told in result["servers"]],
        f"sealed    {', '.join(f'{role}: {state}' for role, state in result['seal'].items())}",
        f"key       {result['key']}",
        *[f"! {problem}" for problem in result["problems"]],
    ]
    output.result(result, lines)
    return 0


def _devices(workers: Workers, problems: list[str]) -> list[dict[str, Any]]:
    """What llama.cpp computes on here; none where it cannot be loaded, which is a problem."""
    try:
        return list(workers.models.call("devices")["devices"])
    except DesktopRagError as error:
        problems.append(f"{error.message} {error.hint}".strip())
        return []


def _device_line(device: dict[str, Any]) -> str:
    variant = f", llama.cpp's variant {device['variant']}" if device.get("variant") else ""
    return f"{device['description'] or device['name']} ({device['kind']}{variant})"


def _compacted(workers: Workers, output: Output) -> dict[str, Any]:
    done: dict[str, Any] = {}
    for event in workers.library.stream("compact"):
        if event["event"] == "progress":
            output.progress(event, f"{event['text']} …")
        done = event
    return {key: value for key, value in done.items() if key not in ("event", "id")}


def _server_line(told: dict[str, Any]) -> str:
    """What lies on a team's server."""
    if told["why"] is not None:
        return f"“{told['collection']}” on {told['server']}: not known. {told['why']}"
    state = "as here" if told["parity"] else "NOT as here: publish it again, or import the newer export"
    return f"“{told['collection']}” on {told['server']}: {counted(told['there'], 'passage')}, {state}"
