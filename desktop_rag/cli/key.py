"""`desktop-rag key`: who keeps the library's key, another passphrase or keeper, backup and restoring."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from desktop_rag.cli.output import Output
from desktop_rag.errors import StoreError, UsageError
from desktop_rag.store import key_words
from desktop_rag.workers.client import WorkerClient
from desktop_rag.workers.crew import Workers
from desktop_rag.workers.protocol import UPGRADING

_STEPS = {
    "copying": "copying the library",
    "checking": "checking the copy",
    "packing": "writing the file",
    "unpacking": "reading the file",
}


def add_commands(subparsers: Any, add: Callable[[Any, str, Any, str], ArgumentParser]) -> None:
    """Put `key` with its kinds beside the other commands."""
    about = "Who keeps the library's key: change it, back it up, restore it."
    parser = subparsers.add_parser("key", help=about, description=f"{about} {key_words.NO_WAY_BACK}")
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True, parser_class=type(parser))
    add(kinds, "status", status, "Who keeps the key.")
    phrase = add(kinds, "passphrase", passphrase, "Put the key behind a passphrase, or behind another one.")
    ring = add(kinds, "keyring", keyring, "Give the key to the operating system's keyring.")
    file = add(kinds, "file", to_file, "Keep the key in a file: protected by file permissions only.")
    copy = add(kinds, "backup", backup, "Write the whole library into one encrypted file with a passphrase of its own.")
    back = add(kinds, "restore", restore, "Restore a backup into a data directory that is still empty.")
    for command in (phrase, ring, file, copy):
        command.add_argument(
            "--passphrase-file", metavar="F", help="holds the library's passphrase; else it is asked for"
        )
    for command in (phrase, copy):
        command.add_argument("--new-passphrase-file", metavar="F", help="has the new passphrase, or the backup's")
    back.add_argument("--passphrase-file", metavar="F", help="has the backup's passphrase; else it is asked for")
    file.add_argument("--yes", action="store_true", help="yes, by file permissions only")
    for command in (copy, back):
        command.add_argument("file", metavar="FILE", help="the backup")


def tell_opening(workers: Workers, output: Output) -> None:
    """Have it said when an older library is brought up to date, which can take minutes.

    And once when a command makes a library whose key lies in a file: nobody was asked.
    """
    new = not (workers.data_dir / "library.db").exists()

    def told(state: str) -> None:
        # Not before it is needed: what reads the record brings a library for encryption along.
        from desktop_rag.store import key_record

        path = workers.data_dir / key_record.NAME
        if state == "upgrading":
            output.progress({"event": "upgrading", "message": UPGRADING}, UPGRADING)
        if new and state == "ready" and path.exists() and key_record.read(path).place.protection == "file":
            workers.library.on_state = None
            output.progress({"event": "key", "key": "file", "message": key_words.FILE_MADE}, key_words.FILE_MADE)

    workers.library.on_state = told


def status(workers: Workers, options: Namespace, output: Output) -> int:
    """Print who keeps the key; nothing is opened for it."""
    with _library(workers) as library:
        told = library.call("key")
    words = key_words.KEPT[told["key"]] if told["key"] else key_words.NOT_YET
    other = ["This system has no keyring."] if not told["keyring"] else []
    output.result({"key": told["key"], "keyring": told["keyring"]}, [words, *other])
    return 0


def passphrase(workers: Workers, options: Namespace, output: Output) -> int:
    """Set or change the passphrase."""
    with _library(workers) as library:
        before = library.call("key")["key"]
        present = _unlocked(library, options.passphrase_file) if before else None
        # Where no passphrase holds yet, either option names the new one.
        file = options.new_passphrase_file or (None if before == "passphrase" else options.passphrase_file)
        new = new_passphrase(file, "New passphrase: ")
        if before:
            library.call("key_change", keeper="passphrase", passphrase=new, present=present)
        else:
            library.call("unlock", keeper="passphrase", passphrase=new)
    return _changed(before, "passphrase", output, [key_words.NO_WAY_BACK])


def keyring(workers: Workers, options: Namespace, output: Output) -> int:
    """Give the key to the keyring."""
    return _give_to("keyring", workers, options, output)


def to_file(workers: Workers, options: Namespace, output: Output) -> int:
    """Keep the key in a file, if that is what is wanted."""
    if not options.yes:
        raise UsageError(
            "bad_request",
            "In a file the key is protected by file permissions only: whoever reads your files reads the library.",
            "If that is what you want, add --yes.",
        )
    return _give_to("file", workers, options, output)


def backup(workers: Workers, options: Namespace, output: Output) -> int:
    """Write a backup."""
    with _library(workers) as library:
        _unlocked(library, options.passphrase_file)
        new = new_passphrase(options.new_passphrase_file, "Passphrase for the backup: ")
        events = library.stream("key_backup", file=str(Path(options.file).expanduser().absolute()), passphrase=new)
        done = _followed(events, output)
    lines = [f"{done['file']}: {done['bytes'] / 1e6:,.1f} MB, written and verified.", key_words.NO_WAY_BACK]
    output.result({"file": done["file"], "bytes": done["bytes"]}, lines)
    return 0


def restore(workers: Workers, options: Namespace, output: Output) -> int:
    """Restore a backup."""
    file = str(Path(options.file).expanduser().absolute())
    written = options.passphrase_file
    given = from_file(written) if written else one_passphrase("Passphrase of the backup: ")
    with _library(workers) as library:
        done = _followed(library.stream("key_restore", file=file, passphrase=given), output)
    lines = [f"Restored into {done['data']}. It opens with the backup's passphrase."]
    output.result({"data": done["data"], "key": "passphrase"}, lines)
    return 0


def _give_to(keeper: str, workers: Workers, options: Namespace, output: Output) -> int:
    with _library(workers) as library:
        before = library.call("key")["key"]
        if before:
            present = _unlocked(library, options.passphrase_file)
            library.call("key_change", keeper=keeper, present=present)
        else:
            library.call("unlock", keeper=keeper)
    return _changed(before, keeper, output, [])


def _changed(before: str | None, after: str, output: Output, more: list[str]) -> int:
    left = [key_words.LEFT_BEHIND] if before == "file" and after != "file" else []
    output.result({"key": after, "before": before}, [key_words.KEPT[after], *more, *left])
    return 0


@contextmanager
def _library(workers: Workers) -> Iterator[WorkerClient]:
    """A library process that opens nothing before it is told to."""
    crew = Workers(workers.data_dir, opening="later")
    try:
        yield crew.library
    finally:
        crew.close()


def _unlocked(library: WorkerClient, file: str | None) -> str | None:
    """Open the library; the passphrase it took, None where its keeper, or the environment's file, gave the key."""
    given = None if file is None else from_file(file)
    try:
        library.call("unlock", passphrase=given)
    except StoreError as error:
        if given is not None or error.details.get("unlock") != "passphrase" or not sys.stdin.isatty():
            raise
        given = one_passphrase("Passphrase: ")
        library.call("unlock", passphrase=given)
    return given


def new_passphrase(file: str | None, prompt: str) -> str:
    """A passphrase to be: from a file, or typed twice."""
    if file is not None:
        return from_file(file)
    new = one_passphrase(prompt)
    if one_passphrase("The same again: ") != new:
        raise UsageError("bad_request", "The two passphrases differ.", "Try again; nothing was changed.")
    return new


def one_passphrase(prompt: str) -> str:
    """A passphrase that somebody types."""
    if not sys.stdin.isatty():
        raise UsageError(
            "bad_request", "A passphrase is needed, and nobody can be asked here.", "Name a file: see --help"
        )
    return getpass.getpass(prompt)


def from_file(name: str) -> str:
    """What a file holds, without the end of its line; bytes that are no text survive the way to the worker."""
    try:
        return Path(name).expanduser().read_bytes().rstrip(b"\r\n").decode("utf-8", "surrogateescape")
    except OSError as error:
        raise UsageError(
            "bad_request", f"The passphrase file cannot be read: {error.strerror}.", "Check its path."
        ) from error


def _followed(events: Iterator[dict[str, Any]], output: Output) -> dict[str, Any]:
    done: dict[str, Any] = {}
    for event in events:
        if event["event"] == "progress":
            output.progress(event, f"{_STEPS[event['step']]} {event['share']} %")
        done = event
    return done
