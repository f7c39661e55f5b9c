"""What a model was shown in each conversation, and its KV memory across restarts.

The KV memory holds document content: it is written only encrypted, only into the folder the library
names (with a key for it alone), and the library empties that folder whenever a document goes. It
names a generation too, kept or not: with another one everything that was shown before is forgotten here.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from desktop_rag.answering.prompt import Built, Shown
from desktop_rag.engines.calibration import machine_key, model_key
from desktop_rag.engines.kv_store import KvStore
from desktop_rag.engines.protocol import Engine, Prompt
from desktop_rag.models.installed import Installed
from desktop_rag.workers.generating import shared_tokens

LEAST_TOKENS = 256
LEAST_GAIN = 64
MOST_CONVERSATIONS = 32
LIMIT_BYTES = 1 << 30


class _Keeps(Protocol):
    """An engine whose KV memory can be taken out and put back."""

    cached_tokens: tuple[int, ...]

    def snapshot(self, tokens: int) -> tuple[tuple[int, ...], bytes]: ...

    def restore(self, tokens: tuple[int, ...], state: bytes) -> bool: ...


class Keeper:
    """One chat process's memory of its conversations."""

    def __init__(self) -> None:
        self._shown: dict[str, Shown] = {}
        self._store: KvStore | None = None
        self._place: tuple[Any, Any] = (None, None)
        self._model = ""
        # A state is the library's own format: of another version it may read as something else.
        self._machine = machine_key()
        self._last: tuple[str | None, Shown] | None = None
        self._kept: tuple[int, ...] = ()

    def forget(self) -> None:
        """Another model comes: what this one was shown is of no use to it."""
        self._shown.clear()
        self._last = None
        self._kept = ()

    def begin(
        self, engine: Engine, model: Installed, args: Mapping[str, Any], adapters: tuple[tuple[str, float], ...] = ()
    ) -> Shown | None:
        """What was shown in this request's conversation, from memory or from disk."""
        self._open(args.get("kv"), args.get("generation"))
        # What was computed with other adapters, or kept with another precision, is another memory.
        info = engine.info
        parts = (
            self._machine,
            model.sha256 or model_key(model.path),
            model.size,
            info.options,
            info.context,
            info.kv_token_bytes,
            adapters,
        )
        self._model = ":".join(map(str, parts))
        conversation = args.get("conversation")
        if not conversation:
            return None
        if conversation not in self._shown and self._store is not None:
            saved = self._store.find(self._model, conversation)
            if saved is not None and "shown" in saved.note:
                self._shown[conversation] = Shown.from_payload(saved.note["shown"])
        return self._shown.get(conversation)

    def restore(self, engine: Engine, prompt: Prompt) -> None:
        """Put the saved memory in place that shares most with this prompt, if it beats what is in memory."""
        if self._store is None or not isinstance(getattr(engine, "cached_tokens", None), tuple):
            return
        keeps: _Keeps = engine  # type: ignore[assignment]
        saved = self._store.best(self._model, prompt.tokens)
        if saved is None or saved.shared < shared_tokens(keeps.cached_tokens, prompt.tokens) + LEAST_GAIN:
            return
        state = saved.load()
        if state and keeps.restore(saved.tokens, state):
            self._kept = saved.tokens

    def answered(self, args: Mapping[str, Any], built: Built) -> None:
        """A question was answered: the next one of its conversation can go on from here."""
        conversation = args.get("conversation")
        if conversation:
            self._shown.pop(str(conversation), None)
            self._shown[str(conversation)] = built.shown
            while len(self._shown) > MOST_CONVERSATIONS:
                del self._shown[next(iter(self._shown))]
        self._last = (conversation, built.shown)

    def keep(self, engine: Engine) -> bool:
        """Write the KV memory of the last answer; False when there is nothing worth it or no place for it."""
        if self._store is None or self._last is None or not isinstance(getattr(engine, "cached_tokens", None), tuple):
            return False
        keeps: _Keeps = engine  # type: ignore[assignment]
        tokens = keeps.cached_tokens
        if len(tokens) < LEAST_TOKENS or tokens == self._kept:
            return False
        if len(tokens) * (engine.info.kv_token_bytes or 0) > LIMIT_BYTES:
            # It would be put together in memory a second time for nothing.
            return False
        conversation, shown = self._last
        tokens, state = keeps.snapshot(len(tokens))
        note = {"shown": shown.to_payload()}
        self._kept = tokens
        return self._store.save(self._model, tokens, state, conversation=conversation, note=note)

    def _open(self, kv: Mapping[str, Any] | None, generation: str | None) -> None:
        folder = str(kv["folder"]) if kv else None
        if (folder, generation) != self._place:
            self.forget()
            self._place = (folder, generation)
            self._store = KvStore(Path(folder), b64decode(str(kv["key"])), LIMIT_BYTES) if kv and folder else None
