"""A model's own chat template (Jinja, from the GGUF), rendered in a sandbox."""

from __future__ import annotations

import re
from collections.abc import Sequence

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from desktop_rag.engines.protocol import ChatMessage
from desktop_rag.errors import ModelError

# ChatML: what most small instruction models without a template of their own understand.
_CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


# A template is a stranger's program: apart from Jinja's own errors it can fail like any expression.
_FAILURES = (TemplateError, TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RecursionError)


class ChatTemplate:
    """Turns messages into the prompt text the model was trained on."""

    def __init__(self, source: str, *, bos: str, eos: str) -> None:
        # The options and extension the templates of model files are written for.
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
        )
        environment.globals["raise_exception"] = _refuse
        self._names = {"bos_token": bos, "eos_token": eos, "add_generation_prompt": True}
        try:
            self._template = environment.from_string(source or _CHATML)
        except TemplateError:
            self._template = environment.from_string(_CHATML)

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


def disarmed(messages: Sequence[ChatMessage], control: Sequence[str]) -> list[dict[str, str]]:
    """Messages in which no content reads as a control token: a document must not be able to end its turn.

    A control word in a text gets a space after its first character.
    """
    words = [re.escape(word) for word in sorted(control, key=len, reverse=True) if len(word) > 1]
    if not words:
        return [dict(message) for message in messages]
    pattern = re.compile("|".join(words))
    return [
        {**message, "content": pattern.sub(lambda m: f"{m.group()[0]} {m.group()[1:]}", message["content"])}
        for message in messages
    ]


def _refuse(message: str) -> None:
    raise TemplateError(message)


def _without_system(messages: Sequence[ChatMessage]) -> list[dict[str, str]]:
    """Some templates know no system role: its text goes before the first question."""
    system = "\n\n".join(m["content"] for m in messages if m["role"] == "system")
    rest = [dict(m) for m in messages if m["role"] != "system"]
    if rest and system:
        rest[0]["content"] = f"{system}\n\n{rest[0]['content']}"
    return rest
