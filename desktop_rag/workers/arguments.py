"""The command line of a worker; only this application writes it."""

from __future__ import annotations

import argparse


def run_worker(arguments: list[str]) -> int:
    """Parse and serve."""
    parser = argparse.ArgumentParser(prog="desktop-rag worker")
    parser.add_argument("role")
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--nice", type=int, default=0)
    options = vars(parser.parse_args(arguments))
    from desktop_rag.workers.main import run

    return run(options.pop("role"), options)
