"""What the `library` role is asked about the quality of the search: traces, judged questions, measuring by them."""

from __future__ import annotations

from desktop_rag.workers import judged_measuring, judging, tracing
from desktop_rag.workers.library import Library
from desktop_rag.workers.loop import Handler, Operation, Request
from desktop_rag.workers.unlocking import Gate

BACKGROUND = frozenset({"measure"})


class QualityOperations:
    """One method per operation; the method's name is the operation's."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    @property
    def _library(self) -> Library:
        return self._gate.library

    @property
    def handlers(self) -> dict[str, Handler]:
        """The operations by name."""
        return {"passages": self.passages, "judged": self.judged, "judge": self.judge, "measure": self.measure,
                "judge_not": self.judge_not}  # fmt: skip

    def passages(self, request: Request) -> Operation:
        """The passages of {chunks} that are still there."""
        yield None
        return {"passages": tracing.passages(self._library, list(map(int, request.args["chunks"])))}

    def judged(self, request: Request) -> Operation:
        """The user's own questions to measure the search by."""
        yield None
        return {"questions": judging.listed(self._library)}

    def judge(self, request: Request) -> Operation:
        """Keep the {question} of which {passages} are the right ones, or that of a good answer, the {message}."""
        args = request.args
        yield None
        if args.get("message") is not None:
            judging.mark(self._library, str(args["message"]))
        else:
            judging.judge(self._library, str(args["question"]), list(args["passages"]))
        return {"questions": judging.listed(self._library)}

    def judge_not(self, request: Request) -> Operation:
        """Forget the question {judged}, or that of the answer {message}."""
        args = request.args
        yield None
        if args.get("message") is not None:
            judging.unmark(self._library, str(args["message"]))
        else:
            judging.remove(self._library, int(args["judged"]))
        return {"questions": judging.listed(self._library)}

    def measure(self, request: Request) -> Operation:
        """Measure the search by them, in {collection} or in all, by {modes} or by all, with {encoders} beside."""
        args = request.args
        modes, encoders = list(args.get("modes") or ()), list(args.get("encoders") or ())
        return judged_measuring.measure(self._library, args.get("collection"), modes, encoders)
