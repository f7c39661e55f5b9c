"""`desktop-rag`: one executable for the window, the terminal face and the workers."""

from __future__ import annotations

import sys

from desktop_rag.offline import set_environment

_ROLE = sys.argv[2] if sys.argv[1:2] == ["worker"] and len(sys.argv) > 2 else None
set_environment(_ROLE)


def main() -> int:
    """Dispatch on the first word; a worker gets nothing imported that it does not need."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["worker"]:
        from desktop_rag.workers.arguments import run_worker

        return run_worker(arguments[1:])
    from desktop_rag.cli.main import run
    from desktop_rag.privacy.seal import watch

    # The window and the terminal have no reason to connect: what may, runs in a process of its own.
    watch()
    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
