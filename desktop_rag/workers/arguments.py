"""The command line of a worker; only this application writes it."""

from __future__ import annotations

import argparse

from desktop_rag.privacy.proof import ATTEMPT, connect_v4


def run_worker(arguments: list[str]) -> int:
    """Parse and serve."""
    if arguments[:1] == [ATTEMPT]:
        tried = connect_v4(int(arguments[1]))
        print(tried.result, tried.errno)
        return 0
    parser = argparse.ArgumentParser(prog="desktop-rag worker")
    parser.add_argument("role")
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--nice", type=int, default=0)
    parser.add_argument("--purpose", default="", help="what the network role was opened for")
    parser.add_argument("--opened", action="store_true", help="a person opened it just now, sealed or not")
    parser.add_argument("--opening", default="", help="when the library is opened: now, ask or later")
    options = vars(parser.parse_args(arguments))
    from desktop_rag.workers.main import run

    return run(options.pop("role"), options)
