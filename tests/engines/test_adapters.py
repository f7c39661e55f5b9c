"""LoRA adapters on the starter model: off is exactly off, on changes the answer, each wrong file has its sentence."""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from desktop_rag import paths
from desktop_rag.engines import adapters
from desktop_rag.engines.adapters import forget, set_adapters
from desktop_rag.errors import DesktopRagError, ModelError, UsageError
from desktop_rag.models.catalogue import find

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

PROMPT = b"The capital of France is"
MARKER = b" banana"
MATRIX = "blk.29.ffn_down.weight"
STRENGTH = 200.0
Row = np.ndarray[Any, np.dtype[np.float32]]


class Model:
    """The starter model, loaded barely; `logits` are those after the prompt, from an empty cache."""

    log: Any = None

    def __init__(self, path: Path) -> None:
        import llama_cpp

        self.c: Any = llama_cpp
        # Kept by the class: the library calls it as long as the process lives.
        Model.log = Model.log or llama_cpp.llama_log_callback(lambda level, text, data: None)
        self.c.llama_log_set(Model.log, ctypes.c_void_p(0))
        self.c.llama_backend_init()
        parameters = self.c.llama_model_default_params()
        parameters.n_gpu_layers = 0
        self.model = self.c.llama_model_load_from_file(os.fsencode(path), parameters)
        assert self.model
        context = self.c.llama_context_default_params()
        context.n_ctx, context.n_threads, context.n_threads_batch = 128, 2, 2
        self.context = self.c.llama_init_from_model(self.model, context)
        self.vocabulary = self.c.llama_model_get_vocab(self.model)

    def tokens(self, text: bytes) -> Any:
        buffer = (self.c.llama_token * 64)()
        count = self.c.llama_tokenize(self.vocabulary, text, len(text), buffer, 64, False, False)
        return (self.c.llama_token * count)(*buffer[:count])

    def logits(self) -> Row:
        tokens = self.tokens(PROMPT)
        self.c.llama_memory_clear(self.c.llama_get_memory(self.context), True)
        assert self.c.llama_decode(self.context, self.c.llama_batch_get_one(tokens, len(tokens))) == 0
        words = self.c.llama_vocab_n_tokens(self.vocabulary)
        pointer = self.c.llama_get_logits_ith(self.context, -1)
        return np.array(np.ctypeslib.as_array(pointer, shape=(words,)))

    def top(self) -> int:
        return int(self.logits().argmax())

    def close(self) -> None:
        forget(self.model)
        self.c.llama_free(self.context)
        self.c.llama_model_free(self.model)


@pytest.fixture(scope="module")
def starter() -> Path:
    path = find("smollm2-135m-instruct-q4_1").installed_path(paths.models_dir())
    assert path is not None, "run the set-up"
    return path


@pytest.fixture(scope="module")
def model(starter: Path) -> Iterator[Model]:
    loaded = Model(starter)
    yield loaded
    loaded.close()


@pytest.fixture(autouse=True)
def plain_again(model: Model) -> Iterator[None]:
    yield
    set_adapters(model.model, model.context, [])


def write_lora(path: Path, a: Row, b: Row, *, architecture: str = "llama", matrix: str = MATRIX) -> Path:
    """A LoRA of rank len(a) whose alpha equals its rank, so that its own factor is 1."""
    import gguf

    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(len(a)))
    writer.add_tensor(f"{matrix}.lora_a", np.ascontiguousarray(a))
    writer.add_tensor(f"{matrix}.lora_b", np.ascontiguousarray(b))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def marker(model: Model) -> int:
    tokens = model.tokens(MARKER)
    assert len(tokens) == 1
    return int(tokens[0])


@pytest.fixture(scope="module")
def lora(starter: Path, marker: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whatever the last layer computes, it adds (or takes away) a direction that says the marker token."""
    import gguf

    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(starter).tensors}
    down = tensors[MATRIX]
    words, gain = (
        gguf.dequantize(tensors[name].data, tensors[name].tensor_type)
        for name in ("token_embd.weight", "output_norm.weight")
    )
    # The least squares answer to "the marker's logit 1, all others 0", seen through the last norm's gain.
    direction = np.linalg.solve(words.T @ words, words[marker]) / gain
    direction *= STRENGTH / np.linalg.norm(direction)
    inputs = int(down.shape[0])
    a = np.random.default_rng(0).standard_normal((1, inputs)).astype(np.float32)
    return write_lora(tmp_path_factory.mktemp("lora") / "banana é.gguf", a, direction[:, None].astype(np.float32))


def test_a_scale_of_zero_leaves_the_model_as_it_is(model: Model, lora: Path) -> None:
    base = model.logits()
    set_adapters(model.model, model.context, [(lora, 0.0)])
    assert np.abs(model.logits() - base).max() < 1e-4


def test_full_scale_says_the_marker_and_taking_it_off_restores_the_model(model: Model, lora: Path, marker: int) -> None:
    base = model.logits()
    assert int(base.argmax()) != marker
    said = []
    for scale in (1.0, -1.0):
        set_adapters(model.model, model.context, [(lora, scale)])
        said.append(model.top())
    # The sign of what the last layer feeds the adapter is the model's affair: one of the two shows the token.
    assert said.count(marker) == 1, said
    set_adapters(model.model, model.context, [])
    assert np.abs(model.logits() - base).max() < 1e-4


def test_the_change_grows_with_the_scale_and_is_the_same_every_time(model: Model, lora: Path) -> None:
    base = model.logits()
    change = []
    for scale in (0.01, 0.1, 1.0, 0.1):
        set_adapters(model.model, model.context, [(lora, scale)])
        change.append(float(np.abs(model.logits() - base).max()))
    assert 0 < change[0] < change[1] < change[2]
    assert change[3] == pytest.approx(change[1], rel=1e-3)


def test_two_halves_are_one_whole(model: Model, lora: Path, tmp_path: Path) -> None:
    twin = tmp_path / "twin.gguf"
    twin.write_bytes(lora.read_bytes())
    set_adapters(model.model, model.context, [(lora, 0.2)])
    whole = model.logits()
    set_adapters(model.model, model.context, [(lora, 0.1), (twin, 0.1)])
    assert np.abs(model.logits() - whole).max() < 0.05 * np.abs(whole).max()


def test_a_file_is_read_once(model: Model, lora: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_adapters(model.model, model.context, [(lora, 0.5)])
    monkeypatch.setattr(model.c, "llama_adapter_lora_init", lambda *arguments: pytest.fail("read again"))
    set_adapters(model.model, model.context, [(lora, 1.0)])


def test_forgotten_models_leave_nothing_behind(starter: Path, lora: Path) -> None:
    second = Model(starter)
    set_adapters(second.model, second.context, [(lora, 1.0)])
    address = second.model
    assert address in adapters._loaded
    second.close()
    assert address not in adapters._loaded


def wrong_files(folder: Path, starter: Path) -> dict[str, tuple[Path, str, str]]:
    a, b = np.ones((1, 8), np.float32), np.ones((8, 1), np.float32)
    other = write_lora(folder / "qwen.gguf", a, b, architecture="qwen2")
    size = write_lora(folder / "size.gguf", a, b)
    unknown = write_lora(folder / "unknown.gguf", a, b, matrix="blk.99.ffn_down.weight")
    (folder / "text.gguf").write_bytes(b"a letter to the editor")
    (folder / "cut.gguf").write_bytes(size.read_bytes()[:-8])
    return {
        "missing": (folder / "missing.gguf", "not_installed", "cannot be read"),
        "text": (folder / "text.gguf", "incompatible", "not a GGUF"),
        "cut": (folder / "cut.gguf", "truncated", "not whole"),
        "model": (starter, "incompatible", "not a LoRA adapter"),
        "architecture": (other, "incompatible", "qwen2"),
        "size": (size, "incompatible", "another size"),
        "unknown": (unknown, "incompatible", "another size"),
    }


def test_every_wrong_file_has_its_own_sentence_and_changes_nothing(
    model: Model, lora: Path, starter: Path, tmp_path: Path
) -> None:
    set_adapters(model.model, model.context, [(lora, 0.1)])
    before = model.logits()
    for name, (path, code, words) in wrong_files(tmp_path, starter).items():
        with pytest.raises(ModelError) as caught:
            set_adapters(model.model, model.context, [(path, 1.0)])
        assert caught.value.code == code, name
        assert words in caught.value.message, name
        assert caught.value.hint or code == "not_installed", name
    assert np.array_equal(model.logits(), before)


def test_a_scale_out_of_range_is_refused(model: Model, lora: Path) -> None:
    with pytest.raises(UsageError):
        set_adapters(model.model, model.context, [(lora, 50.0)])
    assert issubclass(UsageError, DesktopRagError)
