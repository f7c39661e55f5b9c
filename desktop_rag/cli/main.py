"""The terminal face: the same services as the window, as commands.

Exit codes: 0 fine · 1 not proved (something was found, or not all could be verified) · 2 wrong use or not
available yet · 3 document · 4 model · 5 library (locked, full, wrong key) · 6 index · 7 a worker failed ·
8 network · 130 stopped · 70 a bug.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import desktop_rag
from desktop_rag import paths
from desktop_rag.cli import bench, commands, evaluation, exchange, folders, health, key, models, privacy, rules
from desktop_rag.cli.output import Output
from desktop_rag.engines.registry import ENGINES
from desktop_rag.errors import DesktopRagError, UsageError
from desktop_rag.privacy.dumps import forbid_dumps
from desktop_rag.privacy.scrub import POLICIES
from desktop_rag.retrieval.modes import MODES
from desktop_rag.workers.crew import Workers

_PLANNED = ("serve", "eval answers", "eval text")


class _Parser(argparse.ArgumentParser):
    """Argparse's own complaint, as one of our errors."""

    def error(self, message: str) -> Any:
        raise UsageError("bad_request", f"{message[0].upper()}{message[1:]}.", f"See: {self.prog} --help")


def run(arguments: list[str]) -> int:
    """Carry out one command line; without a command, open the window."""
    forbid_dumps()
    wants_json = "--json" in arguments
    try:
        if (command := _command_of(arguments)) in _PLANNED:
            raise UsageError("not_available", f"“{command}” is not available yet.")
        options = _parser().parse_args(arguments)
        if options.command in (None, "window"):
            return _window(options)
        data_dir = paths.data_dir(options.data_dir)
        output = Output(wants_json)
        workers = Workers(data_dir)
        key.tell_opening(workers, output)
        try:
            return int(options.handler(workers, options, output))
        finally:
            output.settle()
            workers.close()
    except DesktopRagError as error:
        return _report(error, wants_json)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def _window(options: argparse.Namespace) -> int:
    from desktop_rag.gui.app import refuse
    from desktop_rag.gui.app import run as open_window

    try:
        return open_window(paths.data_dir(options.data_dir), getattr(options, "files", ()))
    except DesktopRagError as error:
        if not sys.stderr.isatty():
            refuse(error)
        raise


def _command_of(arguments: list[str]) -> str:
    """The command in these arguments, of `eval` with its kind; nothing if there is none."""
    found: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--data-dir":
            next(words, None)
        elif not word.startswith("-"):
            found.append(word)
    return " ".join(found[: 2 if found[:1] == ["eval"] else 1])


def _report(error: DesktopRagError, wants_json: bool) -> int:
    if wants_json:
        payload = error.cause()
        print(json.dumps({"error": payload | ({"details": error.details} if error.details else {})}))
    else:
        print(f"{error.message} {error.hint}".strip(), file=sys.stderr)
    return error.exit_code


def _parser() -> argparse.ArgumentParser:
    epilog = (__doc__ or "").split("\n\n", 1)[1]
    parser = _Parser(
        prog="desktop-rag",
        description="Ask your own private documents. Without a command the window opens.",
        epilog=epilog,
    )
    parser.add_argument("--data-dir", metavar="DIR", help="where everything of yours lies (also DESKTOP_RAG_DATA_DIR)")
    parser.add_argument("--version", action="version", version=f"desktop-rag {desktop_rag.__version__}")
    commands_ = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    window = commands_.add_parser("window", help="Open the window.", description="Open the window, with files to add.")
    window.add_argument("files", nargs="*", metavar="PATH", help="files and folders, added as if they were dropped")
    _document_commands(commands_)
    _question_commands(commands_)
    folders.add_commands(commands_, _add)
    models.add_commands(commands_, _add)
    bench.add_commands(commands_, _add)
    evaluation.add_commands(commands_, _add)
    privacy.add_commands(commands_, _add)
    rules.add_commands(commands_, _add)
    key.add_commands(commands_, _add)
    return parser


def _add(commands_: Any, name: str, handler: Any, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands_.add_parser(name, help=text, description=text)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout, progress on stderr")
    parser.set_defaults(handler=handler)
    return parser


def _document_commands(commands_: Any) -> None:
    add = _add(commands_, "add", commands.add, "Add files and folders: read, cleaned of personal data, indexed.")
    add.add_argument("paths", nargs="+", metavar="PATH", help="files, or folders with everything in them")
    add.add_argument("--collection", metavar="NAME", help="made if it does not exist")
    add.add_argument("--policy", choices=POLICIES, help="what happens to personal data")
    add.add_argument("--password-file", metavar="FILE", help="a password for encrypted documents, one a line")
    add.add_argument("--yes", action="store_true", help="index without reviewing what was found")
    listed = _add(commands_, "collections", exchange.collections, "List, change, export or import collections.")
    listed.add_argument("--collection", metavar="NAME", help="only this collection")
    listed.add_argument(
        "--encoder", metavar="NAME", help="encode its passages anew with this encoder, and keep it whatever is added"
    )
    listed.add_argument(
        "--fusion",
        metavar="F",
        help="how its search joins words and meaning: votes, minmax, theoretical or rrf, with the weight of the meaning"
        " (votes:0.5); usual is the application's own",
    )
    exchange.add_options(listed)
    documents = _add(commands_, "documents", commands.documents, "List the documents, or show the cleaned text of one.")
    documents.add_argument("--collection", metavar="NAME", help="only this collection")
    documents.add_argument("--text", metavar="DOC", help="the pages of one document, named by its id or file name")
    documents.add_argument("--reveal", action="store_true", help="show real values instead of what stands for them")
    remove = _add(commands_, "remove", commands.remove, "Remove documents and everything made from them.")
    remove.add_argument("documents", nargs="+", metavar="DOC", help="an id, or a file name that only one document has")
    remove.add_argument("--receipt", metavar="FILE", help="save the receipt: a page (.html), or JSON (.json)")
    remove.add_argument("--without-names", action="store_true", help="put hashes in place of names in the receipt")


def _question_commands(commands_: Any) -> None:
    search = _add(commands_, "search", commands.search, "Find passages.")
    search.add_argument("query", metavar="QUERY", help="words or a question")
    search.add_argument("--collection", metavar="NAME", help="only this collection")
    search.add_argument(
        "--mode",
        choices=MODES,
        default="hybrid",
        help="bm25: by words; tfidf: by words, as before BM25; dense: by meaning; hybrid: by both (the usual one);"
        " rerank: the best are read again;"
        " deep: several searches at once, more are read again",
    )
    search.add_argument("--trace", action="store_true", help="show why: every candidate's place in each stage")
    search.add_argument("--explain", action="store_true", help="show what each word of the question gives each hit")
    search.add_argument("--online", action="store_true", help="open the network for the collection's server, this once")
    search.add_argument("-k", type=int, default=10, metavar="N", help="how many hits (10)")
    search.add_argument("--reveal", action="store_true", help="show real values instead of what stands for them")
    ask = _add(commands_, "ask", commands.ask, "Ask a question; the answer cites its passages.")
    ask.add_argument("question", metavar="QUESTION", help="in your own words, in quotation marks")
    ask.add_argument("--collection", metavar="NAME", help="only this collection")
    ask.add_argument("--conversation", metavar="ID", help="go on with an earlier conversation")
    ask.add_argument(
        "--strategy",
        metavar="S",
        help="concat: the model reads the best passages; whole: all are read, and"
        " quoted; map_reduce: all are read, and the model writes from what was found, in turns",
    )
    ask.add_argument("--mode", choices=MODES, help="how passages are searched; else as in the settings (hybrid)")
    ask.add_argument("--engine", metavar="E", help=", ".join(ENGINES))
    ask.add_argument("--model", metavar="M", help="a model of `models list`, or the path of a file or folder")
    ask.add_argument(
        "--online",
        action="store_true",
        help="open the network for a remote model or a team's server, for this question",
    )
    ask.add_argument("--reveal", action="store_true", help="show real values instead of what stands for them")
    doctor = _add(commands_, "doctor", health.doctor, "Examine the installation and the index.")
    doctor.add_argument("--compact", action="store_true", help="give back the room that removed documents left first")
    doctor.add_argument("--online", action="store_true", help="open the network for collections on teams' servers")
