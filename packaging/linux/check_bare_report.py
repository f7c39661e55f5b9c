"""What check_bare.sh saw, as one JSON object; exits 1 where something promised did not hold."""

from __future__ import annotations

import json
import os
import re
import statistics
import sys
from pathlib import Path
from typing import Any

WORK = Path(os.environ["WORK"])
REMOVED = "The application was removed while it was running."
EXPECTED = os.environ["EXPECTED"]
MOST_MB, MOST_RATIO = 450, 1.2
# A text recogniser may read a screen's narrow spaces as none.
_LOOSE = re.compile(r"\s+")


def main() -> int:
    """Gather, judge, print."""
    asked, baseline, upgraded = _json("ask.json"), _json("ask-x64.json"), _json("upgraded.json")
    screen, gone = _screen("screen.json"), _screen("gone.json")
    doctor, doctor_baseline = _json("doctor.json"), _json("doctor-x64.json")
    starts = [row.split() for row in _text("starts.txt").splitlines()]
    seconds = {
        kind: statistics.median(float(row[1]) for row in starts if row[0] == kind and len(row) == 2)
        for kind in ("installed", "source")
    }
    told: dict[str, Any] = {
        "deb_mb": round(Path(os.environ["DEB"]).stat().st_size / 1e6, 1),
        "installed": _flag("INSTALLED"),
        "answer": asked["answer"],
        "citation_page": _page(asked),
        "window_answer": EXPECTED if _same(EXPECTED, _answer_part(screen)) else None,
        "start_ratio": round(seconds["installed"] / seconds["source"], 3),
        "network": _flag("NETWORK"),
        "start_seconds": {kind: round(value, 2) for kind, value in seconds.items()},
        "python_or_compiler": _flag("PYTHON"),
        "sealed": doctor["seal"],
        "variant": _variant(doctor),
        "variants": doctor["devices"][0]["variants"],
        "baseline": {"variant": _variant(doctor_baseline), "answer": baseline["answer"]},
        "installed_twice": _flag("TWICE"),
        "over_an_older_package": _flag("UPGRADED"),
        "older_data": {"answer": upgraded["answer"], "citation_page": _page(upgraded)},
        "as_root": next((row for row in _json("root.json").get("problems", []) if "root" in row), None),
        "without_display": {"exit": int(os.environ["NODISPLAY"]), "said": _text("no-display.txt").strip()},
        "read_only_home": {"exit": int(os.environ["READONLY"]), "said": _text("read-only.txt").strip()},
        "removed_while_running": {
            "removed": _flag("REMOVED"),
            "nothing_left": _flag("GONE"),
            "documents_kept": _flag("KEPT"),
            "said": next((row for row in _text("removed.txt").splitlines() if row.startswith("Desktop RAG is")), None),
            "window_said": REMOVED if _same(REMOVED, gone) else None,
        },
        "processes_left_after_closing": int(os.environ["LEFT"]),
    }
    failures = _failures(told)
    if os.environ.get("JSON") == "false":
        print("\n".join(f"{name:<30} {value}" for name, value in told.items() if not isinstance(value, dict | list)))
        print("\n".join(f"FAILED: {failure}." for failure in failures) or "Everything held.")
    else:
        print(json.dumps(told | {"failures": failures}, indent=1, ensure_ascii=False))
    return 1 if failures else 0


def _failures(told: dict[str, Any]) -> list[str]:
    removed = told["removed_while_running"]
    checks = {
        f"the package is larger than {MOST_MB} MB": told["deb_mb"] <= MOST_MB,
        "it was not installed": told["installed"] and told["installed_twice"],
        "an older package was not replaced, or something of it stayed": told["over_an_older_package"],
        "the answer does not say what the document says": _same(EXPECTED, told["answer"]),
        "no page is cited": told["citation_page"] is not None,
        "the window does not show the answer": told["window_answer"] is not None,
        f"it starts more than {MOST_RATIO} times as slowly as the source": told["start_ratio"] <= MOST_RATIO,
        "there was a network": not told["network"],
        "the system was not bare": not told["python_or_compiler"],
        "a process is not sealed": set(told["sealed"].values()) == {"seccomp"},
        "the baseline was not used, or does not answer": told["baseline"]["variant"] == "x64"
        and bool(told["baseline"]["answer"]),
        "the library of an older version does not answer": told["older_data"]["citation_page"] is not None,
        "nothing is said about root": bool(told["as_root"]),
        "nothing is said about the missing screen": told["without_display"]["exit"] == 2
        and "screen" in told["without_display"]["said"],
        "nothing is said about the folder that cannot be written": told["read_only_home"]["exit"] == 5
        and "cannot" in told["read_only_home"]["said"],
        "removing failed, or took the documents along": removed["removed"]
        and removed["nothing_left"]
        and removed["documents_kept"]
        and bool(removed["said"]),
        "the window does not say that it was removed": removed["window_said"] is not None,
        "processes were left": told["processes_left_after_closing"] == 0,
    }
    return [what for what, held in checks.items() if not held]


def _screen(name: str) -> str:
    """What our own text recognition has read on a picture of the screen."""
    return " ".join(page["text"] for page in _json(name).get("pages", []))


def _answer_part(screen: str) -> str:
    """What stands on the screen after the question."""
    return screen.partition("?")[2]


def _same(wanted: str, text: str) -> bool:
    return _LOOSE.sub("", wanted).casefold() in _LOOSE.sub("", text).casefold()


def _variant(doctor: dict[str, Any]) -> str | None:
    return next((device.get("variant") for device in doctor["devices"] if device["kind"] == "cpu"), None)


def _page(asked: dict[str, Any]) -> int | None:
    """The page of the first citation."""
    return next((citation["page"] for citation in asked.get("citations", [])), None)


def _flag(name: str) -> bool:
    return os.environ[name] == "true"


def _text(name: str) -> str:
    path = WORK / name
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _json(name: str) -> dict[str, Any]:
    try:
        found = dict(json.loads(_text(name)))
    except ValueError:
        found = {}
    return {"answer": "", "citations": [], "devices": [{"kind": "cpu", "variants": []}], "seal": {}} | found


if __name__ == "__main__":
    sys.exit(main())
