"""A small cross-encoder with random weights, in the layout of the Hugging Face hub: everything but knowledge."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

from desktop_rag import paths
from desktop_rag.models.convert_reranker import convert_reranker
from desktop_rag.models.importing import import_model
from desktop_rag.models.starter import write_json

Kind = Literal["bert", "xlm-roberta"]


def make(folder: Path, kind: Kind = "bert", labels: int = 1) -> Path:
    """Write it with the starter encoder's words; the weights are large enough for scores that differ."""
    import torch
    import transformers
    from tokenizers import Tokenizer
    from tokenizers.processors import TemplateProcessing

    torch.manual_seed(7)
    tokenizer = Tokenizer.from_file(str(paths.models_dir() / "all-minilm-l6-v2" / "tokenizer.json"))
    around = {"bert": "[CLS] $A [SEP] $B:1 [SEP]:1", "xlm-roberta": "[CLS] $A [SEP] [SEP] $B [SEP]"}[kind]
    numbers = [(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", pair=around, special_tokens=numbers)
    sizes: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    sizes |= {"intermediate_size": 64, "vocab_size": tokenizer.get_vocab_size(), "num_labels": labels}
    if kind == "bert":
        model = transformers.BertForSequenceClassification(transformers.BertConfig(**sizes, initializer_range=0.3))
    else:
        config = transformers.XLMRobertaConfig(
            **sizes, initializer_range=0.3, max_position_embeddings=514, type_vocab_size=1, pad_token_id=1
        )
        model = transformers.XLMRobertaForSequenceClassification(config)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(str(folder))
    tokenizer.save(str(folder / "tokenizer.json"))
    # As the hub's own files have it: newer versions of Transformers leave the labels out where there are two.
    config_file = folder / "config.json"
    labelled = {"id2label": {str(number): f"LABEL_{number}" for number in range(labels)}}
    write_json(config_file, json.loads(config_file.read_text(encoding="utf-8")) | labelled)
    return folder


def converted(source: Path, target: Path) -> Path:
    """What the application makes of it."""
    for event in convert_reranker(source, target, name="tiny"):
        assert event["event"] == "progress"
    return target


def install(data_dir: Path, scratch: Path) -> None:
    """Have one among the user's models, made in a process of its own: where a library is open there is no torch."""
    subprocess.run([sys.executable, "-m", __name__, str(data_dir), str(scratch / "tiny")], check=True, timeout=120)


if __name__ == "__main__":
    for _event in import_model(make(Path(sys.argv[2])), Path(sys.argv[1])):
        pass
