"""Which engines open a model, by its format.

GPT4All 2.8.2 stands on llama.cpp of July 2024 and refuses what came later, so architecture and
pre-tokenizer are looked at before anything is loaded.
"""

from __future__ import annotations

# gpt4all-backend/llamamodel.cpp, KNOWN_ARCHES.
GPT4ALL_ARCHITECTURES = frozenset(
    "baichuan bloom chatglm codeshell command-r deepseek2 falcon gemma gemma2 gpt2 gptneox internlm2 jais llama mpt"
    " olmo openelm orion phi2 phi3 qwen qwen2 qwen2moe refact stablelm starcoder starcoder2 xverse".split()
)
# llama.cpp's llm_load_vocab at that time; a model without the key takes the default.
GPT4ALL_PRE_TOKENIZERS = frozenset(
    "chatglm-bpe command-r dbrx deepseek-coder deepseek-llm default falcon gpt-2 jais jina-de jina-es jina-v2-code"
    " jina-v2-de jina-v2-es llama-bpe llama-v3 llama3 mpt olmo phi-2 poro-chat qwen2 refact smaug-bpe stablelm2"
    " starcoder viking".split()
)
BY_FORMAT = {"gguf": "llama.cpp", "ct2": "CTranslate2", "hf": "Transformers"}


def engines_for(
    model_format: str, kind: str, architecture: str, pre_tokenizer: str, file: str = "x.gguf"
) -> tuple[str, ...]:
    """The engines that open such a chat model, the best one first; none for other kinds.

    GPT4All adds ".gguf" to a `file` that does not end so, and then finds nothing.
    """
    engine = BY_FORMAT.get(model_format)
    if kind != "chat" or engine is None:
        return ()
    if model_format == "gguf" and file.lower().endswith(".gguf") and gpt4all_opens(architecture, pre_tokenizer):
        return engine, "GPT4All"
    return (engine,)


def gpt4all_opens(architecture: str, pre_tokenizer: str) -> bool:
    """Whether GPT4All knows this architecture and, where the file names one, this pre-tokenizer."""
    return architecture in GPT4ALL_ARCHITECTURES and (not pre_tokenizer or pre_tokenizer in GPT4ALL_PRE_TOKENIZERS)
