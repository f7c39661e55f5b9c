"""Downloads against a server that misbehaves: resumed where it stopped, verified before the file gets its name."""

from __future__ import annotations

import errno
import hashlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop_rag.errors import Cancelled, DesktopRagError, ModelError, NetworkError, StoreError, UsageError
from desktop_rag.models import part
from desktop_rag.models.cards import incoming
from desktop_rag.models.download import Patience, Wanted, download, download_op
from desktop_rag.models.part import Part
from desktop_rag.models.web import content_range, number
from desktop_rag.workers.loop import Request
from tests.models.misbehaving import Answer, Server, serving
from tests.workers.driving import run

pytestmark = pytest.mark.loopback
BODY = random.Random(7).randbytes(200_000)
OTHER = random.Random(8).randbytes(200_000)
HASH = hashlib.sha256(BODY).hexdigest()
QUICK = Patience(connect=2.0, silence=0.3, pauses=(0.0, 0.0, 0.0))
FILE = "/m/resolve/main/model.gguf"


@pytest.fixture
def server() -> Iterator[Server]:
    yield from serving()


def fetch(url: str, folder: Path, sha256: str | None = HASH, size: int | None = len(BODY)) -> dict[str, Any]:
    return run(download(Wanted(url, folder / "model.gguf", sha256, size), lambda: False, QUICK))[1]


def failure(url: str, folder: Path, **known: Any) -> DesktopRagError:
    with pytest.raises(DesktopRagError) as caught:
        fetch(url, folder, **known)
    assert not (folder / "model.gguf").exists(), "what failed must not carry the final name"
    return caught.value


def test_a_whole_file(server: Server, tmp_path: Path) -> None:
    url = server.put(FILE, Answer(BODY))
    events, done = run(download(Wanted(url, tmp_path / "model.gguf", HASH, len(BODY)), lambda: False, QUICK))
    assert (tmp_path / "model.gguf").read_bytes() == BODY
    assert done == {
        "path": str(tmp_path / "model.gguf"),
        "size": len(BODY),
        "sha256": HASH,
        "verified": True,
        "resumed": 0,
    }
    assert (events[-1]["received"], events[-1]["fraction"]) == (len(BODY), 1.0)
    assert {path.name for path in tmp_path.iterdir()} == {"model.gguf", "model.gguf.part.json", "lock"}


@pytest.mark.parametrize("size", [len(BODY), None])
def test_a_finished_file_that_nobody_registered_is_not_fetched_again(
    server: Server, tmp_path: Path, size: int | None
) -> None:
    url = server.put(FILE, Answer(BODY))
    fetch(url, tmp_path, size=size)
    assert fetch(url, tmp_path, size=size)["resumed"] == len(BODY)
    assert server.sent[1:] in ([], [0])
    (tmp_path / "model.gguf").write_bytes(OTHER[: len(BODY)])
    assert failure(url, tmp_path, size=size).code == "checksum"


def test_nothing_is_sent_but_the_address(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    hop = Answer(status=302, headers={"Location": "/elsewhere", "Set-Cookie": "id=1"})
    url = server.put(FILE, hop)
    server.put("/elsewhere", Answer(BODY, headers={"Set-Cookie": "id=2"}, drop_after=10_000), Answer(BODY))
    fetch(url, tmp_path / "m")
    allowed = {"host", "user-agent", "accept", "accept-encoding", "connection", "range", "if-range"}
    assert all(asked.headers.keys() <= allowed for asked in server.asked)
    assert {asked.headers["user-agent"] for asked in server.asked} == {"desktop-rag"}


@pytest.mark.parametrize("first", [Answer(BODY, drop_after=50_000), Answer(BODY, stall_after=50_000)])
def test_a_dropped_or_stalled_line_is_resumed_where_it_stopped(server: Server, tmp_path: Path, first: Answer) -> None:
    done = fetch(server.put(FILE, first, Answer(BODY)), tmp_path)
    assert done["sha256"] == HASH
    assert len(server.sent) == 2
    assert sum(server.sent) == len(BODY), "no byte is asked for twice"
    assert server.asked[1].headers["range"] == f"bytes={server.sent[0]}-"
    assert server.asked[1].headers["if-range"] == '"one"'


def test_a_line_that_drops_again_and_again_still_gets_there(server: Server, tmp_path: Path) -> None:
    drops = [Answer(BODY, drop_after=10_000) for _ in range(12)]
    fetch(server.put(FILE, *drops, Answer(BODY)), tmp_path)
    assert sum(server.sent) == len(BODY)


def test_a_server_that_goes_away_leaves_the_part(server: Server, tmp_path: Path) -> None:
    gone = Answer(status=503)
    url = server.put(FILE, Answer(BODY, drop_after=60_000), gone)
    error = failure(url, tmp_path)
    assert (type(error), error.code, error.retryable) == (NetworkError, "refused", True)
    server.put(FILE, Answer(BODY))
    assert fetch(url, tmp_path)["resumed"] == server.sent[0] == 60_000
    assert server.sent[-1] == len(BODY) - 60_000


def test_cancel_keeps_the_part_and_the_next_time_goes_on(server: Server, tmp_path: Path) -> None:
    url = server.put(FILE, Answer(BODY, stall_after=80_000), Answer(BODY))
    with pytest.raises(Cancelled):
        run(download(Wanted(url, tmp_path / "model.gguf", HASH, len(BODY)), lambda: bool(server.sent[1:]), QUICK))
    kept = (tmp_path / "model.gguf.part").stat().st_size
    assert 0 < kept < len(BODY)
    server.put(FILE, Answer(BODY))
    assert fetch(url, tmp_path)["resumed"] == kept
    assert (tmp_path / "model.gguf").read_bytes() == BODY


def test_closing_the_events_keeps_the_part(server: Server, tmp_path: Path) -> None:
    steps = download(Wanted(server.put(FILE, Answer(BODY)), tmp_path / "model.gguf", HASH), lambda: False, QUICK)
    next(event for event in steps if event["received"])
    steps.close()
    assert (tmp_path / "model.gguf.part").stat().st_size > 0
    assert fetch(f"{server.address}{FILE}", tmp_path)["sha256"] == HASH


@pytest.mark.parametrize("second", [Answer(BODY, ranges=False), Answer(BODY, etag=None, ranges=False)])
def test_a_server_without_ranges_starts_over(server: Server, tmp_path: Path, second: Answer) -> None:
    done = fetch(server.put(FILE, Answer(BODY, drop_after=50_000), second), tmp_path)
    assert done["resumed"] == 0
    assert (tmp_path / "model.gguf").read_bytes() == BODY


@pytest.mark.parametrize("obeys", [True, False])
def test_a_file_that_changed_meanwhile_is_not_mixed(server: Server, tmp_path: Path, obeys: bool) -> None:
    changed = Answer(OTHER, etag='"two"', if_range=obeys)
    sha256 = hashlib.sha256(OTHER).hexdigest()
    done = fetch(server.put(FILE, Answer(BODY, drop_after=50_000), changed), tmp_path, sha256)
    assert (tmp_path / "model.gguf").read_bytes() == OTHER
    assert done["sha256"] == sha256


@pytest.mark.parametrize("etags", [['"one"'] * 40, [f'"{n}"' for n in range(40)]])
def test_a_server_that_never_gets_through_is_given_up(server: Server, tmp_path: Path, etags: list[str]) -> None:
    """Without ranges; and with a file that is another one at each request: no part of it is ever of use."""
    changing = len(set(etags)) > 1
    answers = [Answer(BODY, etag=tag, drop_after=50_000, ranges=changing, if_range=False) for tag in etags]
    assert failure(server.put(FILE, *answers), tmp_path).code == "interrupted"
    assert len(server.asked) < 12


def test_a_wrong_hash_is_deleted(server: Server, tmp_path: Path) -> None:
    error = failure(server.put(FILE, Answer(OTHER)), tmp_path)
    assert (type(error), error.code) == (ModelError, "checksum")
    assert not (tmp_path / "model.gguf.part").exists(), "or every later attempt would fail too"


@pytest.mark.parametrize(
    ("answer", "known", "code"),
    [
        (Answer(BODY, length=len(BODY) + 500), {}, "checksum"),
        (Answer(BODY, length=len(BODY) + 500, ranges=False), {"size": None}, "interrupted"),
        (Answer(BODY, length=1000), {}, "checksum"),
        (Answer(BODY, length=1000), {"size": None}, "checksum"),
        (Answer(BODY + b"more", chunked=True), {}, "checksum"),
        (Answer(BODY[:-9], chunked=True), {"size": None}, "checksum"),
    ],
)
def test_a_server_that_lies_about_the_length(
    server: Server, tmp_path: Path, answer: Answer, known: dict[str, Any], code: str
) -> None:
    assert failure(server.put(FILE, answer), tmp_path, **known).code == code


def test_a_body_that_ends_early_without_a_length_is_asked_for_again(server: Server, tmp_path: Path) -> None:
    url = server.put(FILE, Answer(BODY[:50_000], chunked=True), Answer(BODY))
    assert fetch(url, tmp_path)["sha256"] == HASH


def test_an_endless_body_is_cut_at_the_expected_size(server: Server, tmp_path: Path) -> None:
    error = failure(server.put(FILE, Answer(BODY * 4, chunked=True)), tmp_path)
    assert "longer than" in error.message


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "everybody"), (403, "everybody"), (404, "does not have"), (418, "unexpected"), (416, "changed")],
)
def test_a_refusal_has_its_own_sentence(server: Server, tmp_path: Path, status: int, words: str) -> None:
    error = failure(server.put(FILE, Answer(status=status)), tmp_path)
    assert isinstance(error, NetworkError)
    assert words in error.message or "cannot go on" in error.message


@pytest.mark.parametrize(("status", "words"), [(500, "cannot answer"), (503, "cannot answer"), (429, "too often")])
def test_a_busy_server_is_asked_again(server: Server, tmp_path: Path, status: int, words: str) -> None:
    busy = Answer(status=status, headers={"Retry-After": "0"})
    assert fetch(server.put(FILE, busy, busy, Answer(BODY)), tmp_path)["sha256"] == HASH
    assert words in failure(server.put("/busy", busy), tmp_path / "other").message


def test_416_with_everything_here_is_the_end(server: Server, tmp_path: Path) -> None:
    url = server.put(FILE, Answer(BODY))
    held = Part(tmp_path / "model.gguf")
    held.write(BODY)
    held.remember({"url": url, "etag": '"one"', "size": None, "sha256": HASH})
    held.close()
    assert fetch(url, tmp_path, size=None)["resumed"] == len(BODY)
    assert sum(server.sent) == 0


def test_a_part_of_another_file_is_not_continued(server: Server, tmp_path: Path) -> None:
    held = Part(tmp_path / "model.gguf")
    held.write(OTHER[:1000])
    held.remember({"url": "https://elsewhere.example/x", "etag": '"one"', "size": None, "sha256": HASH})
    held.close()
    assert fetch(server.put(FILE, Answer(BODY)), tmp_path)["resumed"] == 0


@pytest.mark.parametrize(
    "location",
    ["http://192.0.2.1/x", "ftp://127.0.0.1/x", "https://models.example/x", "http://user@evil.example/x", "//"],
)
def test_redirects_to_anywhere_unprotected_are_not_followed(server: Server, tmp_path: Path, location: str) -> None:
    error = failure(server.put(FILE, Answer(status=302, headers={"Location": location})), tmp_path)
    assert (error.code, "redirects" in error.message) == ("refused", True)


def test_an_address_that_is_none_and_numbers_that_are_none(server: Server, tmp_path: Path) -> None:
    garbage = Answer(status=302, headers={"Location": "https://[::1/x"})
    assert failure(server.put(FILE, garbage), tmp_path).code == "interrupted"
    assert failure("https://[::1/x", tmp_path).code == "refused"
    assert content_range(f"bytes 0-1/{'9' * 5000}") == (-1, None)
    assert (number("9" * 5000), number("12")) == (None, 12)


def test_redirects_in_circles(server: Server, tmp_path: Path) -> None:
    url = server.put(FILE, Answer(status=307, headers={"Location": FILE}))
    assert "circles" in failure(url, tmp_path).message


@pytest.mark.parametrize("url", ["http://models.example/x", "file:///etc/passwd", "models.example/x", ""])
def test_addresses_that_are_not_protected(tmp_path: Path, url: str) -> None:
    assert failure(url, tmp_path).code == "refused"


def test_nobody_there(server: Server, tmp_path: Path) -> None:
    error = failure("http://127.0.0.1:9/x", tmp_path)
    assert (error.code, error.retryable) == ("offline", True)


def test_a_disk_without_room_is_told_before_anything_is_asked(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "RESERVE_BYTES", 1 << 60)
    error = failure(server.put(FILE, Answer(BODY)), tmp_path)
    assert (type(error), error.code) == (NetworkError, "no_space")
    assert not server.asked


def test_a_disk_that_fills_up_keeps_what_arrived(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        """A file on a disk with room for a while."""

        def __init__(self, file: Any) -> None:
            self.file = file

        def write(self, block: bytes) -> int:
            if self.file.tell() > 50_000:
                raise OSError(errno.ENOSPC, "No space left on device")
            return int(self.file.write(block[:8192]))

        def close(self) -> None:
            self.file.close()

    original = Part.write

    def write(self: Part, block: bytes) -> None:
        if self._file is None:
            self._file = Full(self.path.open("ab", buffering=0))  # type: ignore[assignment]
        original(self, block)

    monkeypatch.setattr(Part, "write", write)
    error = failure(server.put(FILE, Answer(BODY)), tmp_path)
    assert (error.code, "became full" in error.message) == ("no_space", True)
    monkeypatch.setattr(Part, "write", original)
    assert fetch(f"{server.address}{FILE}", tmp_path)["resumed"] > 50_000


def test_two_downloads_of_the_same_model_do_not_meet(server: Server, tmp_path: Path) -> None:
    held = Part(tmp_path / "model.gguf")
    try:
        with pytest.raises(StoreError) as caught:
            fetch(server.put(FILE, Answer(BODY)), tmp_path)
        assert "being downloaded already" in caught.value.message
    finally:
        held.close()


def request(**args: Any) -> Request:
    return Request(1, "download", args)


def test_the_operation_puts_the_file_where_it_was_told(server: Server, tmp_path: Path) -> None:
    url = server.put("/x/model.gguf", Answer(BODY))
    asked = request(folder=str(tmp_path / "m"), url=url, name="../../outside.gguf", sha256=HASH)
    events, done = run(download_op(asked))
    assert done["path"] == str(tmp_path / "m" / "outside.gguf")
    assert done["files"] == {"outside.gguf": len(BODY)}
    assert all(event["event"] == "progress" for event in events)


def test_without_a_folder_it_lies_with_the_unfinished_ones(server: Server, tmp_path: Path) -> None:
    url = server.put("/x/model.gguf", Answer(BODY))
    done = run(download_op(request(url=url), tmp_path))[1]
    assert Path(done["path"]) == incoming(tmp_path, "model.gguf") / "model.gguf"
    assert not done["verified"], "nobody said what its hash must be"


@pytest.mark.parametrize(
    "args",
    [{}, {"folder": "x"}, {"repo": "a/b"}, {"url": "https://models.example/"}, {"id": "smollm2-135m-instruct-q4_1"}],
)
def test_the_operation_needs_to_know_what(args: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        run(download_op(request(**args)))


def test_an_id_must_be_of_the_catalogue() -> None:
    with pytest.raises(ModelError) as caught:
        run(download_op(request(id="unheard")))
    assert "unheard" in caught.value.message
