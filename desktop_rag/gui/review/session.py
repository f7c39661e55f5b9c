"""One review: the documents that wait, what was decided about all of them, and how to take it back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from desktop_rag.gui.review.decisions import Decisions, Kept, Span
from desktop_rag.privacy.rules import ALWAYS, Kind, Rule

_MOST_STEPS = 100


@dataclass(slots=True)
class Step:
    """Something that can be taken back: how documents and decisions were before, and the rules that were stored."""

    before: dict[str, Kept]
    wanted: dict[tuple[str, str], bool]
    said: list[tuple[str, Rule]]
    rules: list[dict[str, Any]] = field(default_factory=list)


class Session:
    """`rows` are the documents of the library that are reviewed together."""

    def __init__(self, rows: Sequence[dict[str, Any]] = ()) -> None:
        self.rows = list(rows)
        self.collections = {str(row["id"]): str(row.get("collection") or "") for row in self.rows}
        self.decisions: dict[str, Decisions] = {}
        self._rows = {str(row["id"]): row for row in self.rows}
        self._policies: dict[str, str] = {}
        self.unreadable: dict[str, dict[str, Any]] = {}
        self._steps: list[Step] = []
        self._wanted: dict[tuple[str, str], bool] = {}
        self._rules: list[tuple[str, Rule]] = []

    # -- what is known -------------------------------------------------------------------------

    def take(self, told: dict[str, Any]) -> Decisions:
        """What was found in a document, with its texts or without."""
        identity = str(told["document"])
        known = self.decisions.get(identity)
        if known is not None:
            if any("text" in page for page in told.get("pages") or ()):
                known.take(told)
            return known
        decisions = self.decisions[identity] = Decisions(told)
        decisions.policy = self.policy(identity)
        self._catch_up(decisions)
        return decisions

    def _catch_up(self, decisions: Decisions) -> None:
        """Decide about a document that came later as it was decided about the others."""
        for collection, rule in self._rules:
            if self.collections.get(decisions.document) == collection:
                decisions.obey(rule)
        for span in decisions.spans:
            wanted = self._wanted.get((span.label, span.key))
            if wanted is not None:
                decisions.set([span], wanted)

    def cannot_read(self, told: dict[str, Any]) -> None:
        """A document's file cannot be looked into: {document, error}."""
        self.unreadable[str(told["document"])] = told["error"]

    @property
    def missing(self) -> list[str]:
        """The documents that nothing is known of yet."""
        return [name for name in self.collections if name not in self.decisions and name not in self.unreadable]

    @property
    def must_wait(self) -> bool:
        """Whether something was decided about values that may stand in documents which are not known yet."""
        return bool(self._wanted) and bool(self.missing)

    def spans(self) -> Iterator[tuple[Decisions, Span]]:
        """All that was found, document by document."""
        for identity in self.collections:
            decisions = self.decisions.get(identity)
            for span in decisions.spans if decisions else ():
                yield decisions, span  # type: ignore[misc]

    # -- deciding ------------------------------------------------------------------------------

    def decide(self, places: Iterable[tuple[Decisions, Span]], replace: bool) -> None:
        """Decide about some places."""
        by_document: dict[str, list[Span]] = {}
        for decisions, span in places:
            by_document.setdefault(decisions.document, []).append(span)
        self._remember(by_document)
        for identity, spans in by_document.items():
            self.decisions[identity].set(spans, replace)

    def set_everywhere(self, values: Sequence[tuple[str, str]], replace: bool) -> None:
        """Decide about values (label, key) in all documents, those that come later among them."""
        wanted = set(values)
        self.decide([(d, s) for d, s in self.spans() if (s.label, s.key) in wanted], replace)
        self._wanted.update(dict.fromkeys(wanted, replace))

    def obey(self, kind: Kind, span: Span, document: str) -> tuple[Step, dict[str, Any]]:
        """Decide by a rule about a value in all documents of the collection; returns what `rule_add` is told, too."""
        collection = self.collections.get(document, "")
        rule = Rule(kind, span.text, span.label)
        self._remember([name for name in self.decisions if self.collections.get(name) == collection])
        self._rules.append((collection, rule))
        for identity, decisions in self.decisions.items():
            if self.collections.get(identity) == collection:
                decisions.obey(rule)
        told = {"kind": kind, "term": span.text, "collection": collection}
        return self._steps[-1], {**told, "label": span.label} if kind == ALWAYS else told

    def made(self, step: Step, answer: dict[str, Any]) -> bool:
        """The rule of a step is stored: {rule, before}; whether the step has not been taken back meanwhile."""
        step.rules.append(answer)
        return any(step is each for each in self._steps)

    def mark(self, decisions: Decisions, start: int, end: int, label: str, *, everywhere: bool) -> bool:
        """Mark a stretch of a document by hand; whether there was something to mark."""
        self._remember([decisions.document])
        if decisions.mark(start, end, label, everywhere=everywhere):
            return True
        self._steps.pop()
        return False

    def _remember(self, documents: Iterable[str]) -> None:
        before = {name: self.decisions[name].keep() for name in documents}
        self._steps = [*self._steps[1 - _MOST_STEPS :], Step(before, dict(self._wanted), list(self._rules))]

    @property
    def can_undo(self) -> bool:
        """Whether something can be taken back."""
        return bool(self._steps)

    def undo(self) -> list[dict[str, Any]]:
        """Take the last step back; returns the rules that were made with it, as `rule_add` answered."""
        if not self._steps:
            return []
        step = self._steps.pop()
        self._wanted, self._rules = step.wanted, step.said
        for identity, kept in step.before.items():
            self.decisions[identity].restore(kept)
        return step.rules

    # -- policies ------------------------------------------------------------------------------

    def policy(self, document: str) -> str:
        """What happens to the private values of a document."""
        return self._policies.get(document) or str(self._rows[document].get("policy") or "")

    def policies(self) -> frozenset[str]:
        """The policies of all documents."""
        return frozenset(self.policy(document) for document in self.collections)

    def set_policy(self, policy: str, documents: Iterable[str]) -> None:
        """Choose another one for some documents."""
        for document in documents:
            self._policies[document] = policy
            if document in self.decisions:
                self.decisions[document].policy = policy

    # -- sending -------------------------------------------------------------------------------

    def asked(self, document: str) -> dict[str, Any]:
        """What `decide` is told of a document; {} when nothing was decided."""
        decisions = self.decisions.get(document)
        told: dict[str, Any] = {"ticks": decisions.ticks(), "marks": decisions.marks()} if decisions else {}
        if self.policy(document) != self._rows[document].get("policy"):
            told["policy"] = self.policy(document)
        return {name: value for name, value in told.items() if value}

    def stored(self, document: str, asked: dict[str, Any]) -> None:
        """What `decide` was told of a document is stored now."""
        if "policy" in asked:
            self._rows[document] = {**self._rows[document], "policy": asked["policy"]}
        if document in self.decisions:
            self.decisions[document].stored(asked)

    def request(self) -> dict[str, dict[str, Any]]:
        """What `accept` is told of the decisions, by document."""
        told = {document: self.asked(document) for document in self.collections}
        names = {"decisions": "ticks", "marks": "marks", "policies": "policy"}
        return {
            name: {document: each[part] for document, each in told.items() if part in each}
            for name, part in names.items()
        }


def sums(spans: Sequence[Span]) -> tuple[int, int, int]:
    """How many were found, are replaced, and are to be checked."""
    return len(spans), sum(span.replace for span in spans), sum(span.is_open for span in spans)
