"""Any OpenAI-compatible server at an address: vLLM, TGI, llama-server, Ollama, LM Studio and their kind.

Only the `network` role runs this; it gets scrubbed text. Each request has a thread of its own, so
that a Cancel never waits for the network: the thread runs an event loop with a single task, and
cancelling the task closes the connection whatever it was waiting for, a name, a handshake, the
first byte or the next one.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Generator
from functools import cache
from typing import Any

import httpx

from desktop_rag.engines import openai_errors
from desktop_rag.engines.cancel import Cancellation
from desktop_rag.engines.openai_dialect import Delta, Lines, delta_of, garbage, host_of, read_chunk
from desktop_rag.engines.openai_engine import Call, Patience, Refused, Said, ServedEngine
from desktop_rag.engines.protocol import LoadOptions

_LOOK_SECONDS = 0.05
_LEAVE_SECONDS = 2.0
_MOST_BYTES = 1 << 20


class OpenAiEngine(ServedEngine):
    """A model behind an address, over HTTP."""

    def __init__(
        self,
        url: str,
        model: str = "",
        key: str | None = None,
        options: LoadOptions | None = None,
        *,
        patience: Patience | None = None,
        cancelled: Cancellation | None = None,
    ) -> None:
        super().__init__(
            exchange,
            url,
            model,
            key,
            options or LoadOptions(),
            patience or Patience(),
            cancelled or Cancellation(),
        )


def exchange(call: Call, patience: Patience, cancelled: Cancellation) -> Generator[Said, None, None]:
    """What the server says, as it comes; ends early, without an error, when `cancelled` is set.

    Raises NetworkError or EngineError in words; what was said before the error has been yielded.
    """
    if cancelled.is_set():
        return
    speaking = _Exchange(call, patience)
    speaking.start()
    try:
        while not cancelled.is_set():
            try:
                said = speaking.inbox.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                continue
            if said is None:
                return
            if isinstance(said, BaseException):
                raise said
            yield said
    finally:
        speaking.leave()


class _Exchange:
    """One request. `inbox` gets what the server says, then None, or an error instead."""

    def __init__(self, call: Call, patience: Patience) -> None:
        # A name server that never answers must not keep the process alive.
        self._thread = threading.Thread(target=self._run, name="exchange", daemon=True)
        self.inbox: queue.SimpleQueue[Said | BaseException | None] = queue.SimpleQueue()
        self._call = call
        self._patience = patience
        self._host = host_of(call.url)
        self._left = threading.Event()
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]] | None = None

    def start(self) -> None:
        """Begin to speak with the server."""
        self._thread.start()

    def _run(self) -> None:
        end: BaseException | None = None
        try:
            asyncio.run(self._main())
        except asyncio.CancelledError:
            end = None
        except Exception as error:  # noqa: BLE001 - the thread's edge: it is raised where the answer is read
            end = error
        self.inbox.put(end)

    def leave(self) -> None:
        """Drop the connection, wherever it stands."""
        self._left.set()
        if self._running is not None:
            loop, task = self._running
            try:
                loop.call_soon_threadsafe(task.cancel)
            except RuntimeError:
                # The loop is closed: the exchange has ended by itself.
                return
        self._thread.join(_LEAVE_SECONDS)

    async def _main(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running = asyncio.get_running_loop(), task
        if self._left.is_set():
            return
        try:
            await self._speak()
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise openai_errors.unreachable(self._host, _causes(error)) from None
        except httpx.TimeoutException:
            raise openai_errors.hung(self._host, self._patience.silence) from None
        except (httpx.ReadError, httpx.WriteError, httpx.CloseError):
            raise openai_errors.interrupted(self._host) from None
        except httpx.RemoteProtocolError as error:
            # h11's words for a connection that ended too early; anything else it says means: this is no HTTP.
            early = "disconnected" in str(error) or "closed connection" in str(error)
            raise (openai_errors.interrupted(self._host) if early else garbage()) from None
        except httpx.HTTPError:
            raise garbage() from None

    async def _speak(self) -> None:
        call = self._call
        headers = {"Authorization": f"Bearer {call.key}"} if call.key else {}
        timeout = httpx.Timeout(self._patience.silence, connect=self._patience.connect)
        # Loading the certificates takes longer than a short answer; without TLS there is nothing to check.
        verify = _certificates() if call.url.startswith("https:") else False
        method = call.method or ("POST" if call.json else "GET")
        # No proxy and no .netrc from the environment: the address that was entered is the one that is asked.
        async with (
            httpx.AsyncClient(verify=verify, timeout=timeout, follow_redirects=False, trust_env=False) as client,
            client.stream(method, call.url, json=call.json, headers=headers) as response,
        ):
            await self._read(response)

    async def _read(self, response: httpx.Response) -> None:
        if 300 <= response.status_code < 400:
            raise openai_errors.of_redirect(self._call.url, response.headers.get("location", ""), self._host)
        if response.status_code >= 400:
            self.inbox.put(Refused(response.status_code, await self._whole(response)))
        elif not self._call.stream:
            self.inbox.put(await self._whole(response))
        elif "json" in response.headers.get("content-type", ""):
            # It did not stream: one chunk that is the whole answer, or an error with a status of success.
            self.inbox.put(read_chunk(await self._whole(response)))
            self.inbox.put(Delta(done=True))
        else:
            await self._events(response)

    async def _events(self, response: httpx.Response) -> None:
        lines = Lines()
        chunks = response.aiter_bytes()
        ended = False
        while not ended:
            try:
                # Comments that only keep a connection warm are no sign of life.
                async with asyncio.timeout(self._patience.silence):
                    ended = await self._until_news(chunks, lines)
            except TimeoutError:
                raise openai_errors.hung(self._host, self._patience.silence) from None

    async def _until_news(self, chunks: AsyncIterator[bytes], lines: Lines) -> bool:
        """Pass on the next deltas; True when there will be no more."""
        async for data in chunks:
            heard = [self._pass_on(line) for line in lines.add(data)]
            if any(delta is not None for delta in heard):
                return any(delta is not None and delta.done for delta in heard)
        for line in lines.end():
            self._pass_on(line)
        return True

    def _pass_on(self, line: str) -> Delta | None:
        delta = delta_of(line)
        if delta is not None:
            self.inbox.put(delta)
        return delta

    async def _whole(self, response: httpx.Response) -> bytes:
        body = b""
        async for data in response.aiter_bytes():
            body += data
            if len(body) > _MOST_BYTES:
                raise garbage()
        return body


@cache
def _certificates() -> Any:
    return httpx.create_ssl_context(trust_env=False)


def _causes(error: BaseException) -> frozenset[str]:
    """The names of an exception's whole chain, from which a missing server and a bad certificate are told apart."""
    names: set[str] = set()
    step: BaseException | None = error
    while step is not None:
        names.add(type(step).__name__)
        step = step.__cause__ or step.__context__
    return frozenset(names)
