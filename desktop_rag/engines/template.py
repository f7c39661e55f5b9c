"""A model's own chat template (Jinja, from its file or folder), rendered in a sandbox.

Only a model that brings no template is given ChatML. One that brings a broken template is refused:
a prompt in the wrong form would make it answer badly without anybody knowing why.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import takewhile

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from desktop_rag.engines.protocol import ChatMessage
from desktop_rag.errors import ModelError

# ChatML: what most small instruction models without a template of their own understand.
_CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# What parts the turns in the templates of widespread models.
_WELL_KNOWN = (
    r"<[|｜][^<>|｜\n]{1,40}[|｜]>|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]|<</?SYS>>"
    r"|<(?:start|end)_of_turn>|</?(?:s|bos|eos|unk|pad|think|tool_call|tool_response)>"
    r"|###(?= ?(?:Instruction|Response|Input|System|User|Human|Assistant)\b)"
)

# A template is a stranger's program: apart from Jinja's own errors it can fail like any expression.
# (Blocks nested too deep are a SyntaxError of the Python it is compiled to; a text of a gigabyte is a MemoryError.)
_FAILURES = (
    TemplateError, TypeError, ValueError, AttributeError, LookupError, ArithmeticError, AssertionError,
    RuntimeError, SyntaxError, MemoryError,
)  # fmt: skip


class _Generation(Extension):
    """`{% generation %}` marks the assistant's words for training; for a prompt it means nothing."""

    tags = {"generation"}  # noqa: RUF012  (declared so by Jinja)

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """The marked part itself."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class ChatTemplate:
    """Turns messages into the prompt text the model was trained on.

    Raises ModelError("incompatible") when `source` is no template; "" stands for ChatML.
    """

    def __init__(self, source: str, *, bos: str, eos: str) -> None:
        # The options and extension the templates of model files are written for.
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", _Generation]
        )
        environment.globals |= {"raise_exception": _refuse, "strftime_now": _today}
        self._names = {"bos_token": bos, "eos_token": eos, "add_generation_prompt": True}
        try:
            self._template = environment.from_string(source or _CHATML)
        except _FAILURES as error:
            raise ModelError(
                "incompatible", "The model's chat template is damaged and cannot be read.", "Choose another model."
            ) from error

    def render(self, messages: Sequence[ChatMessage]) -> str:
        """The whole prompt. Raises ModelError("incompatible") when the template refuses the messages."""
        try:
            return self._template.render(messages=[dict(m) for m in messages], **self._names)
        except _FAILURES:
            merged = _without_system(messages)
            try:
                return self._template.render(messages=merged, **self._names)
            except _FAILURES as error:
                raise ModelError(
                    "incompatible", "The model's chat template cannot be used.", "Choose another model."
                ) from error

    def head(self, messages: Sequence[ChatMessage]) -> str:
        """What stands before the first message that is not the system's: the part of a prompt never to be lost."""
        first = next((i for i, message in enumerate(messages) if message["role"] != "system"), len(messages))
        if first == len(messages):
            return self.render(messages)
        one, other = (
            self.render([*messages[:first], {**messages[first], "content": mark}, *messages[first + 1 :]])
            for mark in "ab"
        )
        return "".join(a for a, b in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def disarmed(messages: Sequence[ChatMessage], control: Sequence[str]) -> list[dict[str, str]]:
    """Messages in which no content reads as a control token: a document must not be able to end its turn.

    `control`: the model's own control words. Those of other models' templates are disarmed too: some of them
    are ordinary text to the tokenizer, and a server at an address does not tell its own. A control word in a
    text gets a space after its first character.
    """
    pattern = _pattern(tuple(control))
    return [
        {**message, "content": pattern.sub(lambda m: f"{m.group()[0]} {m.group()[1:]}", message["content"])}
        for message in messages
    ]


def control_words(special: Iterable[str], added: Iterable[str], source: str) -> list[str]:
    """What steers a model: its special tokens, and the `added` ones its chat template (`source`) is made of."""
    return [*special, *(word for word in added if word.startswith(("<", "[")) and word in source)]


@lru_cache(maxsize=4)
def _pattern(control: tuple[str, ...]) -> re.Pattern[str]:
    words = [re.escape(word) for word in sorted(control, key=len, reverse=True) if len(word) > 1]
    return re.compile("|".join([*words, _WELL_KNOWN]))


def _today(form: str) -> str:
    """The date, which the system message of some models names."""
    return time.strftime(form)


def _refuse(message: str) -> None:
    raise TemplateError(message)


def _without_system(messages: Sequence[ChatMessage]) -> list[dict[str, str]]:
    """Some templates know no system role: its text goes before the first question."""
    system = "\n\n".join(m["content"] for m in messages if m["role"] == "system")
    rest = [dict(m) for m in messages if m["role"] != "system"]
    if rest and system:
        rest[0]["content"] = f"{system}\n\n{rest[0]['content']}"
    return rest
