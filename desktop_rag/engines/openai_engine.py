"""A model behind an address: what is asked, in which form, and what becomes of the answer.

How bytes travel is given as an `Exchange` (`desktop_rag.engines.openai_http`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass

from desktop_rag.engines import openai_errors
from desktop_rag.engines.cancel import Cancellation
from desktop_rag.engines.openai_answer import Answer
from desktop_rag.engines.openai_dialect import (
    Body,
    Delta,
    base_of,
    bodies,
    estimate,
    estimate_messages,
    failed,
    garbage,
    host_of,
    models_in,
)
from desktop_rag.engines.protocol import ChatMessage, EngineInfo, Finish, LoadOptions, Piece, Prompt, Sampling
from desktop_rag.engines.template import disarmed
from desktop_rag.errors import Cancelled, DesktopRagError, ModelError, UsageError
from desktop_rag.logs import log

# A server that does not know a field of a request says so with one of these.
_FORM_REFUSED = (400, 422)
# llama_cpp.server breaks over a response format it does not know.
_FORMAT_REFUSED = (*_FORM_REFUSED, 500, 501)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server may take, in seconds: to accept a connection, and between two signs of life."""

    connect: float = 5.0
    silence: float = 180.0


@dataclass(frozen=True, slots=True)
class Refused:
    """A status of 400 or more, which another form of the same request may avoid."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """What to ask for: without `json` and `method` it is a GET, with `json` a POST.

    `stream` reads events, else the whole body is one `bytes`.
    """

    url: str
    key: str | None
    json: Body | None = None
    stream: bool = False
    method: str = ""


Said = Delta | bytes | Refused
# Runs one call: yields what the server says as it comes; ends early, without an error, when it is cancelled.
Exchange = Callable[[Call, Patience, Cancellation], Generator[Said, None, None]]


class ServedEngine:
    """A model behind an address. Raises NetworkError, EngineError or ModelError in words when it cannot be used.

    `model` "" takes the first one the server lists. `key` goes into the header of requests and nowhere else.
    """

    def __init__(
        self,
        exchange: Exchange,
        url: str,
        model: str,
        key: str | None,
        options: LoadOptions,
        patience: Patience,
        cancelled: Cancellation,
    ) -> None:
        self._exchange = exchange
        self._base = base_of(url)
        self._host = host_of(self._base)
        self._key = _checked(key)
        self._patience = patience
        self._model = model
        known = self.probe(cancelled)
        self._model = model or next(iter(known), "")
        if not self._model:
            raise ModelError("not_installed", f"{self._host} lists no model.", "Load one there, or enter its name.")
        self._forms_refused = 0
        self._tokens_of_nothing: int | None = None
        self._counts_text = True
        context = options.context
        self._info = EngineInfo(
            engine="OpenAI-compatible",
            model=self._model,
            context=min(context, known.get(self._model) or context),
            weights_bytes=0,
            kv_bytes=0,
            threads=0,
            options=self._base,
            device="remote",
        )

    @property
    def info(self) -> EngineInfo:
        """See Engine; the server's memory and threads are not known: 0."""
        return self._info

    def probe(self, cancelled: Cancellation | None = None) -> dict[str, int | None]:
        """The models the server lists, with their context in tokens where it tells; none where it has no list."""
        said = self._ask(Call(f"{self._base}/models", self._key), cancelled)
        if isinstance(said, bytes):
            return models_in(said)
        if said.status in (404, 405, 501) and self._model:
            return {}
        raise self._error(said)

    def render(self, messages: Sequence[ChatMessage]) -> Prompt:
        """The messages without control words: the server keeps template and tokenizer to itself."""
        return Prompt(messages=tuple(disarmed(messages, ())))

    def count(self, text: str) -> int:
        """An estimate on the safe side."""
        return estimate(text)

    def generate(
        self, prompt: Prompt, *, max_tokens: int, sampling: Sampling, cancelled: Cancellation
    ) -> Iterator[Piece | Finish]:
        """See Engine. Raises NetworkError or EngineError too; the text that came before has been yielded."""
        start = time.perf_counter()
        if not prompt.messages:
            raise UsageError("bad_request", "A server at an address takes messages, not bare text.")
        expected = estimate_messages(prompt.messages)
        if expected >= self._info.context:
            raise openai_errors.context_too_long()
        wanted = min(max_tokens, self._info.context - expected)
        forms = bodies(self._model, prompt.messages, wanted, sampling)
        answer = Answer(sampling.stop, wanted)
        yield from self._answer(forms, answer, start, cancelled)
        finished = time.perf_counter() - start
        reason = "cancelled" if cancelled.is_set() and not answer.whole else answer.reason
        usage = answer.usage
        yield Finish(
            reason,
            usage.prompt if usage and usage.prompt is not None else expected,
            usage.reused if usage else 0,
            answer.deltas if reason == "cancelled" else self._generated(answer),
            answer.first,
            finished,
        )

    def close(self) -> None:
        """Nothing is left open: every request closes its own connection."""

    def _answer(self, forms: list[Body], answer: Answer, start: float, cancelled: Cancellation) -> Iterator[Piece]:
        """Ask in the first form this server takes."""
        at = min(self._forms_refused, len(forms) - 1)
        while True:
            refusal = yield from self._stream(forms[at], answer, start, cancelled)
            if refusal is None:
                break
            format_asked = "response_format" in forms[at]
            about_form = refusal.status in (_FORMAT_REFUSED if format_asked else _FORM_REFUSED)
            if not about_form or at + 1 == len(forms) or b"context" in refusal.body.lower():
                raise self._error(refusal)
            at += 1
            if not format_asked:
                self._forms_refused = at

    def _stream(
        self, body: Body, answer: Answer, start: float, cancelled: Cancellation
    ) -> Generator[Piece, None, Refused | None]:
        """The pieces of one answer; returns the refusal of a server that does not take this form of request."""
        call = Call(f"{self._base}/chat/completions", self._key, body, stream=True)
        said = self._exchange(call, self._patience, cancelled)
        try:
            for item in said:
                if isinstance(item, Refused):
                    return item
                if isinstance(item, Delta):
                    yield from answer.add(item, time.perf_counter() - start)
                if answer.complete:
                    break
        except DesktopRagError:
            yield from answer.rest()
            raise
        finally:
            said.close()
        yield from answer.rest()
        if not answer.whole and not cancelled.is_set():
            raise openai_errors.interrupted(self._host) if answer.deltas else failed()
        return None

    def _generated(self, answer: Answer) -> int:
        """Tokens of an answer: by the server's word, else by its tokenizer where it offers one, else deltas."""
        if answer.generated is not None:
            return answer.generated
        if self._tokens_of_nothing is None:
            self._tokens_of_nothing = self._tokens_by_server("")
        counted = self._tokens_by_server(answer.text) if answer.text else None
        if counted is None:
            return answer.deltas
        # A text may split into more tokens than it was made of.
        return min(max(answer.deltas, counted - (self._tokens_of_nothing or 0)), answer.max_tokens)

    def _tokens_by_server(self, text: str) -> int | None:
        """llama_cpp.server tells no usage in a stream, but counts a text when asked."""
        if not self._counts_text:
            return None
        try:
            url = f"{self._base.removesuffix('/v1')}/extras/tokenize/count"
            said = self._ask(Call(url, self._key, {"model": self._model, "input": text}))
            if isinstance(said, bytes):
                return int(json.loads(said)["count"])
        except (DesktopRagError, ValueError, TypeError, KeyError):
            log.debug("the server counts no text")
        self._counts_text = False
        return None

    def _ask(self, call: Call, cancelled: Cancellation | None = None) -> bytes | Refused:
        for said in self._exchange(call, self._patience, cancelled or Cancellation()):
            if isinstance(said, bytes | Refused):
                return said
        if cancelled is not None and cancelled.is_set():
            raise Cancelled
        raise garbage()

    def _error(self, refusal: Refused) -> DesktopRagError:
        return openai_errors.of_status(
            refusal.status, self._host, refusal.body, model=self._model, keyed=self._key is not None
        )


def _checked(key: str | None) -> str | None:
    """A key that can stand in a header. Raises UsageError("bad_request") without quoting it."""
    stripped = (key or "").strip()
    if not all("!" <= character <= "~" for character in stripped):
        raise UsageError("bad_request", "The key holds characters no key has.", "Put the key alone into the file.")
    return stripped or None
