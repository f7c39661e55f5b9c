"""The loop that makes one answer: compute, choose, show, until the answer ends.

Nothing happens per token but what must: one native computation, one look over the logits, one
lookup of the token's bytes. With prompt lookup several tokens are checked in one computation.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from desktop_rag.engines.cancel import Cancellation
from desktop_rag.engines.llama_context import LlamaContext
from desktop_rag.engines.llama_exact import same_bits
from desktop_rag.engines.llama_library import LlamaModel
from desktop_rag.engines.llama_sampling import Chooser
from desktop_rag.engines.lookup import PromptLookup
from desktop_rag.engines.pieces import LoopWatch, TextStream
from desktop_rag.engines.protocol import Finish, Piece, Prompt
from desktop_rag.engines.stop_strings import StopStrings


@dataclass(slots=True)
class Job:
    """One answer to make. `lookup` is None where guessing is not possible or not wanted.

    With `to_the_limit` neither the model's end nor circles end it.
    """

    prompt: Prompt
    max_tokens: int
    chooser: Chooser
    stops: StopStrings
    cancelled: Cancellation
    lookup: PromptLookup | None = None
    to_the_limit: bool = False
    start: float = field(default_factory=time.perf_counter)


class Answer:
    """The state of one answer while it is made."""

    def __init__(self, model: LlamaModel, context: LlamaContext, job: Job) -> None:
        self._model = model
        self._context = context
        self._job = job
        self._text = TextStream()
        self._circles = LoopWatch()
        self._generated = 0
        self._last = -1
        self._first: float | None = None
        self._shifted = 0
        self._reused = 0
        self._reason = ""

    def run(self) -> Iterator[Piece | Finish]:
        """Pieces, then the finish."""
        context, job = self._context, self._job
        context.watch(job.cancelled)
        try:
            self._reused = context.keep_prefix(job.prompt.tokens)
            context.one_kernel.use(False)
            computed = context.compute(job.prompt.tokens[self._reused :])
            context.one_kernel.use(True)
            if computed:
                yield from self._said(job.chooser.choose(context.logits(-1)))
            else:
                self._reason = "cancelled"
            while not self._reason:
                yield from self._step()
            yield from self._rest()
            yield self._finish()
        finally:
            context.watch(None)
            job.chooser.close()

    def _step(self) -> Iterator[Piece]:
        """Compute the last token and what may follow it, and say what the model makes of it."""
        context, lookup = self._context, self._job.lookup
        if len(context.tokens) >= context.size and not self._make_room():
            self._reason = "length"
            return
        room = min(context.size - len(context.tokens), self._job.max_tokens - self._generated) - 1
        draft = lookup.draft(room, self._may_draft) if lookup else []
        if lookup and draft and context.exact.known(1 + len(draft), len(context.tokens)) is None:
            yield from self._try_out(draft)
            return
        begin = time.perf_counter()
        if not context.compute([self._last, *draft], every_row=bool(draft)):
            self._reason = "cancelled"
            return
        chosen = self._confirmed(draft) if draft else [self._job.chooser.choose(context.logits(-1))]
        if lookup:
            lookup.checked(len(draft), len(chosen) - 1, time.perf_counter() - begin)
        for token in chosen:
            yield from self._said(token)
            if self._reason:
                return

    def _confirmed(self, draft: list[int]) -> list[int]:
        """The draft's tokens that the model would have said itself, and the one it says after them."""
        chosen: list[int] = []
        for row, guess in enumerate([*draft, None]):
            chosen.append(self._job.chooser.choose(self._context.logits(row)))
            if chosen[-1] != guess:
                break
        self._context.take_back(len(draft) + 1 - len(chosen))
        return chosen

    def _may_draft(self, size: int) -> bool:
        context = self._context
        return context.exact.known(1 + size, len(context.tokens)) is not False

    def _try_out(self, draft: list[int]) -> Iterator[Piece]:
        """Compute a draft's tokens together, then one at a time, and see whether that makes a difference."""
        context, size, before = self._context, 1 + len(draft), len(self._context.tokens)
        if not context.compute([self._last, *draft], every_row=True):
            self._reason = "cancelled"
            return
        rows = [context.logits(row).copy() for row in range(size)]
        context.take_back(size)
        for row, guess in zip(rows, [*draft, None], strict=True):
            if not context.compute([self._last]):
                self._reason = "cancelled"
                return
            logits = context.logits(-1)
            agrees = same_bits(row, logits)
            context.exact.learn(size, before, agrees=agrees)
            yield from self._said(self._job.chooser.choose(logits))
            if self._reason or self._last != guess or not agrees:
                return

    def _make_room(self) -> bool:
        dropped = self._context.drop_oldest(self._job.prompt.keep)
        self._shifted += dropped
        return dropped > 0

    def _said(self, token: int) -> Iterator[Piece]:
        """Show a token, and see whether the answer ends with it."""
        now = time.perf_counter() - self._job.start
        if self._first is None:
            self._first = now
        if token < 0 or (self._model.is_end(token) and not self._job.to_the_limit):
            self._reason = "end"
            return
        self._generated += 1
        self._last = token
        if self._job.lookup:
            self._job.lookup.add(token)
        if text := self._job.stops.add(self._text.add(self._model.piece(token))):
            yield Piece(text, self._generated, now)
        circles = self._circles.add(token)
        if self._job.stops.hit:
            self._reason = "stop"
        elif self._generated >= self._job.max_tokens:
            self._reason = "length"
        elif circles and not self._job.to_the_limit:
            self._reason = "loop"

    def _rest(self) -> Iterator[Piece]:
        """What was held back: half a character, or what might have become a stop string."""
        stops = self._job.stops
        rest = stops.add(self._text.end()) + stops.end()
        if rest:
            yield Piece(rest, self._generated, time.perf_counter() - self._job.start)

    def _finish(self) -> Finish:
        lookup = self._job.lookup
        return Finish(
            self._reason,
            prompt_tokens=len(self._job.prompt),
            reused_tokens=self._reused,
            generated_tokens=self._generated,
            first_token=self._first,
            finished=time.perf_counter() - self._job.start,
            drafted=lookup.drafted if lookup else 0,
            accepted=lookup.accepted if lookup else 0,
            shifted=self._shifted,
        )
