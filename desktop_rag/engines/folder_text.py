"""Text and tokens of a model that is a folder: its tokenizer, its chat template, and an answer as it grows.

`FolderEngine` is what the engines that run folders share.

CTranslate2 and Transformers run the same folders' tokenizers. The `tokenizers` library is used alone:
it is a tenth of the memory and of the start of the one in Transformers, and asks no hub for anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from desktop_rag.engines.pieces import runs_in_circles
from desktop_rag.engines.protocol import ChatMessage, EngineInfo, LoadOptions, Prompt, Sampling
from desktop_rag.engines.template import ChatTemplate, control_words, disarmed
from desktop_rag.errors import ModelError, UsageError
from desktop_rag.models.facts import Facts
from desktop_rag.models.folders import folder_facts, read_object

# Tokens that end a turn in one family or another; a folder may fail to name all of its own.
_ENDS = (
    "<|im_end|>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|end_of_text|>", "</s>",
)  # fmt: skip
_BROKEN = "\N{REPLACEMENT CHARACTER}"


def open_folder(folder: Path, made_for: str, engine: str) -> Facts:
    """What the folder holds; `made_for` is "ct2" or "hf".

    Raises ModelError: "not_installed", "truncated", or "incompatible" for no model, another format, an
    encoder, or a folder without a tokenizer, each with its own sentence.
    """
    if not folder.exists():
        raise ModelError("not_installed", f"There is no model at {folder}.", "Choose another one.")
    if not folder.is_dir():
        raise ModelError("incompatible", f"{engine} runs folders; {folder.name} is a file.", "Convert the model first.")
    facts = folder_facts(folder)
    if facts.format != made_for:
        raise ModelError("incompatible", f"{folder.name} is no folder for {engine}.", "Convert the model first.")
    if facts.kind != "chat":
        raise ModelError("incompatible", f"{folder.name} is an encoder and writes no text.", "Choose a chat model.")
    if not (folder / "tokenizer.json").is_file():
        raise ModelError(
            "incompatible",
            f"{folder.name} has no tokenizer.json, so its tokens cannot be told.",
            "Add the model's tokenizer.json to the folder.",
        )
    return facts


def refuse_too_large(name: str, needed: int) -> None:
    """Raise ModelError("out_of_memory") when `needed` bytes are not free."""
    free = int(psutil.virtual_memory().available)
    if needed > free:
        message = f"{name} needs {needed / 1e9:.1f} GB of memory, {free / 1e9:.1f} GB are free."
        raise ModelError("out_of_memory", message, "Close other programs, or choose a smaller model.")


def out_of_memory(name: str) -> ModelError:
    """The error for a library that ran out of memory with this model."""
    return ModelError("out_of_memory", f"There is not enough memory for {name}.", "Choose a smaller model.")


def refuse_adapters(options: LoadOptions, engine: str) -> None:
    """Raise UsageError("not_available") where LoRA files are asked for."""
    if options.adapters:
        raise UsageError("not_available", f"{engine} takes no adapters here.", "Use llama.cpp for adapters.")


def refuse_grammars(sampling: Sampling, engine: str) -> None:
    """Raise UsageError("not_available") where a grammar or schema is asked for."""
    if sampling.grammar is not None or sampling.json_schema is not None:
        raise UsageError("not_available", f"{engine} follows no grammars here.", "Use llama.cpp for this.")


class FolderTokenizer:
    """The tokenizer and chat template of a folder. Raises ModelError("incompatible") when they cannot be read."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        try:
            self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        # The library raises nothing narrower.
        except Exception as error:
            raise ModelError(
                "incompatible", f"The tokenizer.json of {folder.name} cannot be read.", "Get the model again."
            ) from error
        # What an author writes is text, even where it looks like a control token.
        self._plain: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._plain.encode_special_tokens = True
        for tokenizer in (self._tokenizer, self._plain):
            tokenizer.no_padding()
            tokenizer.no_truncation()
        config = read_object(folder / "tokenizer_config.json")
        added: dict[int, Any] = self._tokenizer.get_added_tokens_decoder()
        self._control = {token: its.content for token, its in added.items() if its.special}
        self.ends = self._ends(folder, config)
        source = _template_source(folder, config)
        plain = (its.content for its in added.values() if not its.special)
        self._control_words = control_words(self._control.values(), plain, source)
        self._template = ChatTemplate(source, bos=_text(config.get("bos_token")), eos=_text(config.get("eos_token")))

    def render(self, messages: Sequence[ChatMessage]) -> Prompt:
        """See Engine."""
        text = self._text_of_messages(messages)
        tokens = self._encode(text)
        return Prompt(tuple(messages), text, tuple(tokens), self._keep(messages, tokens))

    def count(self, text: str) -> int:
        """Tokens of a plain text."""
        return len(self._plain.encode(text, add_special_tokens=False).ids)

    def decode(self, tokens: Sequence[int]) -> str:
        """The tokens' text without control tokens."""
        text: str = self._tokenizer.decode(list(tokens), skip_special_tokens=True)
        return text

    def names(self, tokens: Sequence[int]) -> list[str]:
        """What the vocabulary calls them; an id outside of it raises ModelError("incompatible")."""
        named = [self._tokenizer.id_to_token(token) for token in tokens]
        if None in named:
            raise ModelError("incompatible", "The prompt has tokens that the model does not know.")
        return named

    def _text_of_messages(self, messages: Sequence[ChatMessage]) -> str:
        return self._template.render(disarmed(messages, self._control_words))

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def _keep(self, messages: Sequence[ChatMessage], tokens: Sequence[int]) -> int:
        """Tokens up to the first turn that is not the system's.

        They end before a control token: nothing merges across one, so the same system message gives
        the same tokens whatever is asked.
        """
        system = [message for message in messages if message["role"] == "system"]
        try:
            other = self._encode(self._text_of_messages([*system, {"role": "user", "content": ""}]))
        except ModelError:
            return 0
        pairs = zip(tokens, other, strict=False)
        shared = next((at for at, (one, two) in enumerate(pairs) if one != two), min(len(tokens), len(other)))
        turns = [at for at in range(1, shared) if tokens[at] in self._control]
        return turns[-1] if turns else min(shared, len(tokens) - 1)

    def _ends(self, folder: Path, config: dict[str, Any]) -> frozenset[int]:
        named = read_object(folder / "generation_config.json").get("eos_token_id", [])
        ids = {token for token in (named if isinstance(named, list) else [named]) if isinstance(token, int)}
        ids |= {token for token, text in self._control.items() if text in _ENDS}
        eos = self._tokenizer.token_to_id(_text(config.get("eos_token")))
        return frozenset(ids if eos is None else ids | {eos})


class AnswerText:
    """An answer's text as its tokens come: whole characters only, and nothing from a stop string on."""

    def __init__(self, tokenizer: FolderTokenizer, stop: Sequence[str]) -> None:
        self._tokenizer = tokenizer
        self._stop = [text for text in stop if text]
        self._tokens: list[int] = []
        self._from = self._shown = 0
        self._held = ""
        self.stopped = False

    def add(self, token: int) -> str:
        """The text that is certain with this token; sets `stopped` when a stop string is complete."""
        self._tokens.append(token)
        new = self._new_text()
        if new.endswith(_BROKEN):
            return ""
        self._from, self._shown = self._shown, len(self._tokens)
        return self._until_stop(new)

    def end(self) -> str:
        """What was held back, once no more tokens come; broken characters show as U+FFFD."""
        if self.stopped:
            return ""
        rest = self._until_stop(self._new_text() if self._shown < len(self._tokens) else "")
        return rest if self.stopped else rest + self._held

    def _new_text(self) -> str:
        """Decoded together with the tokens before: a tokenizer may write a word otherwise at the start of a text."""
        before = self._tokenizer.decode(self._tokens[self._from : self._shown])
        return self._tokenizer.decode(self._tokens[self._from :])[len(before) :]

    def _until_stop(self, new: str) -> str:
        text = self._held + new
        found = [at for at in (text.find(stop) for stop in self._stop) if at >= 0]
        if found:
            self.stopped = True
            return text[: min(found)]
        held = max((_overlap(text, stop) for stop in self._stop), default=0)
        self._held = text[len(text) - held :]
        return text[: len(text) - held]


class FolderEngine:
    """What every engine that runs a folder answers from the folder alone; it adds the computing.

    An adapter sets `_info` once it has loaded the model. `kv_bytes` in it is what a full context takes:
    the memory grows with the answer.
    """

    _info: EngineInfo

    def __init__(self, folder: Path) -> None:
        self._text = FolderTokenizer(folder)

    @property
    def info(self) -> EngineInfo:
        """See Engine."""
        return self._info

    def render(self, messages: Sequence[ChatMessage]) -> Prompt:
        """See Engine."""
        return self._text.render(messages)

    def count(self, text: str) -> int:
        """See Engine."""
        return self._text.count(text)

    def _room(self, prompt: Prompt) -> int:
        """Tokens an answer to `prompt` may have. Raises ModelError("context_too_long") where there is none."""
        room = self._info.context - len(prompt)
        if room < 1:
            raise ModelError(
                "context_too_long",
                "The question and its passages do not fit the model's memory.",
                "Use fewer passages.",
            )
        return room


def why_ended(text: AnswerText, answer: Sequence[int], limit: int, *, circles: bool) -> str:
    """Why an answer ends with its last token: "stop", "length", "loop"; "" if it goes on."""
    if text.stopped:
        return "stop"
    if len(answer) >= limit:
        return "length"
    return "loop" if circles and runs_in_circles(answer) else ""


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of `text` begin `stop`."""
    return next((n for n in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:n])), 0)


def _template_source(folder: Path, config: dict[str, Any]) -> str:
    """The default chat template, from any of the places where folders keep it; "" if there is none."""
    try:
        return (folder / "chat_template.jinja").read_text(encoding="utf-8")
    except (OSError, ValueError):
        pass
    source = config.get("chat_template") or read_object(folder / "chat_template.json").get("chat_template")
    if isinstance(source, list):
        named = {str(entry.get("name")): entry.get("template") for entry in source if isinstance(entry, dict)}
        source = named.get("default")
    return source if isinstance(source, str) else ""


def _text(value: Any) -> str:
    """A special token's text, in either of the two notations of tokenizer_config.json."""
    text = value.get("content") if isinstance(value, dict) else value
    return text if isinstance(text, str) else ""
