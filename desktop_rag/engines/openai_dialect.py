"""What OpenAI-compatible servers are asked and how their answers read, without any network.

vLLM, TGI, llama-server, llama_cpp.server, Ollama, LM Studio and the rest agree on the messages and
differ in the edges: names of sampling filters, JSON schemas, usage, thoughts, errors inside a stream.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from desktop_rag.engines.protocol import ChatMessage, Sampling
from desktop_rag.errors import EngineError, UsageError

# Latin prose has about four characters a token; a budget that errs must err on the full side.
_LETTERS_PER_TOKEN = 3.5
_LONGEST_LINE = 1 << 20
_DONE = "[DONE]"
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the server counted them; None where it does not say."""

    prompt: int | None
    generated: int | None
    reused: int


@dataclass(frozen=True, slots=True)
class Delta:
    """One step of an answer: text for the reader, or a `thought` a reasoning model has before it answers."""

    text: str = ""
    thought: bool = False
    finish: str | None = None
    usage: Usage | None = None
    done: bool = False


def base_of(url: str) -> str:
    """The address under which `/chat/completions` and `/models` lie: `…/v1` where the user named none.

    Raises UsageError("bad_request") for what is no address of a server, or holds a name, key or query.
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError(
            "bad_request", "This is not the address of a server.", "Write it like http://192.168.1.5:8000/v1"
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(
            "bad_request",
            "The address of a server must hold no name, key or question mark.",
            "Keep the key in a file or in the system's keyring.",
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions").removesuffix("/completions") or "/v1"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def host_of(url: str) -> str:
    """The part of an address that may be shown and logged: host and port."""
    return urlsplit(url).netloc.rpartition("@")[2]


def estimate(text: str) -> int:
    """Roughly how many tokens a text has, for servers that keep their tokenizer to themselves."""
    latin = sum(1 for character in text if character.isascii())
    return math.ceil(latin / _LETTERS_PER_TOKEN + (len(text) - latin))


def estimate_messages(messages: Sequence[ChatMessage]) -> int:
    """Roughly how many tokens a conversation has; a template adds a few around each message."""
    return sum(estimate(message["content"]) + 4 for message in messages)


def bodies(model: str, messages: Sequence[ChatMessage], max_tokens: int, sampling: Sampling) -> list[Body]:
    """The requests for one answer, best first: a server that refuses one for its extras may take the next.

    A filter that is on is in every one of them; one that is off may be left to the server's default.
    Raises UsageError("not_available") for a grammar: servers that do not know the field ignore it silently.
    """
    if sampling.grammar is not None:
        raise UsageError(
            "not_available", "A server at an address takes no grammar.", "Use a JSON schema, or llama.cpp."
        )
    plain: Body = {
        "model": model,
        "messages": [dict(message) for message in messages],
        "max_tokens": max_tokens,
        "stream": True,
        "temperature": sampling.temperature,
    }
    if sampling.temperature > 0:
        plain |= {"seed": sampling.seed, "top_p": sampling.top_p}
    formats = [{}] if sampling.json_schema is None else _schema_formats(sampling.json_schema)
    usage: Body = {"stream_options": {"include_usage": True}}
    full = [{**plain, **usage, **_extras(sampling), **wanted} for wanted in formats]
    if _needs_extras(sampling):
        return full
    return [*full, *({**plain, **usage, **wanted} for wanted in formats), {**plain, **formats[-1]}]


def _extras(sampling: Sampling) -> Body:
    """Filters beyond OpenAI's; sent even when off, because servers have defaults of their own."""
    penalty = sampling.repeat_penalty if sampling.temperature > 0 else 1.0
    # llama.cpp's family has the first name, vLLM's the second.
    extras: Body = {"repeat_penalty": penalty, "repetition_penalty": penalty}
    if sampling.temperature > 0:
        extras |= {"top_k": sampling.top_k, "min_p": sampling.min_p}
    return extras


def _needs_extras(sampling: Sampling) -> bool:
    filters = sampling.top_k > 0 or sampling.min_p > 0 or sampling.repeat_penalty != 1
    return sampling.temperature > 0 and filters


def _schema_formats(schema: Mapping[str, Any]) -> list[Body]:
    """OpenAI's own form, then the one of llama.cpp's older servers."""
    strict = {"name": "answer", "schema": dict(schema), "strict": True}
    return [
        {"response_format": {"type": "json_schema", "json_schema": strict}},
        {"response_format": {"type": "json_object", "schema": dict(schema)}},
    ]


class Lines:
    """Bytes of a stream in, whole lines out; a line without an end is no conversation."""

    def __init__(self) -> None:
        self._rest = b""

    def add(self, data: bytes) -> Iterator[str]:
        """The lines completed by these bytes. Raises EngineError("protocol_mismatch") for an endless one."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            raise garbage()
        for line in whole:
            yield line.rstrip(b"\r").decode("utf-8", "replace")

    def end(self) -> Iterator[str]:
        """What stood after the last line's end."""
        if self._rest:
            yield self._rest.decode("utf-8", "replace")
        self._rest = b""


def delta_of(line: str) -> Delta | None:
    """What one line of an event stream says; None for comments, names of events and empty lines.

    Raises EngineError: "crashed" for an error the server tells, "protocol_mismatch" for what is no answer.
    """
    field, _, data = line.partition(":")
    if line.startswith("{"):
        # Some servers drop the framing when they fail.
        return read_chunk(line)
    if field == "error":
        raise failed()
    if field in ("", "event", "id", "retry") or (field == "data" and not data.strip()):
        return None
    if field != "data":
        raise garbage()
    return Delta(done=True) if data.strip() == _DONE else read_chunk(data)


def read_chunk(data: str | bytes) -> Delta:
    """One chunk of an answer, or a whole answer from a server that does not stream. Raises like `delta_of`."""
    try:
        chunk = json.loads(data)
    except (ValueError, RecursionError):
        raise garbage() from None
    if not isinstance(chunk, dict):
        raise garbage()
    if chunk.get("error"):
        raise failed()
    choices = chunk.get("choices")
    usage = _usage(chunk)
    if not isinstance(choices, list) and usage is None:
        raise garbage()
    # The last chunk may hold nothing but usage, the first of some servers nothing at all.
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    said = choice.get("delta") or choice.get("message") or {}
    text = _text(said.get("content")) or _text(choice.get("text"))
    thought = "" if text else _text(said.get("reasoning_content")) or _text(said.get("reasoning"))
    finish = choice.get("finish_reason")
    return Delta(text or thought, bool(thought), finish if isinstance(finish, str) else None, usage)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _usage(chunk: Mapping[str, Any]) -> Usage | None:
    usage = chunk.get("usage")
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    return Usage(_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")), _count(cached) or 0)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def models_in(data: str | bytes) -> dict[str, int | None]:
    """The models a server lists, with their context in tokens where it tells. Raises like `delta_of`."""
    try:
        answer = json.loads(data)
        rows = answer["data"] if isinstance(answer, dict) else answer
        named = {str(row["id"]): row for row in rows}
    except (ValueError, TypeError, KeyError, RecursionError):
        raise garbage() from None
    return {name: _context(row) for name, row in named.items()}


def _context(row: Mapping[str, Any]) -> int | None:
    """vLLM says `max_model_len`, llama-server `meta.n_ctx`, LM Studio and others `context_length`."""
    meta = row.get("meta") if isinstance(row.get("meta"), dict) else {}
    told = (row.get("max_model_len"), (meta or {}).get("n_ctx"), row.get("context_length"))
    return next((count for value in told if (count := _count(value))), None)


def garbage() -> EngineError:
    """The address answers, but not in this language."""
    return EngineError(
        "protocol_mismatch",
        "Something answers at this address, but it is no OpenAI-compatible server.",
        "Check the address; it often ends in /v1.",
    )


def failed() -> EngineError:
    """An error the server tells of; its words may quote the question or the key and are not repeated."""
    return EngineError(
        "crashed",
        "The server ended the answer with an error of its own.",
        "Look into the server's log, or try again.",
        retryable=True,
    )
