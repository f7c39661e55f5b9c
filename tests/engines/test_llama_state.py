"""llama.cpp with the starter model: drafts, saved memory, and what happens when there is no room."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil  # type: ignore[import-untyped]
import pytest

from desktop_rag import paths
from desktop_rag.engines.llama_cpp import LlamaCppEngine
from desktop_rag.engines.lookup import Costs, Experience, TokenIndex
from desktop_rag.engines.protocol import LoadOptions, Prompt, Sampling
from desktop_rag.errors import ModelError, UsageError
from desktop_rag.models.catalogue import find
from tests.engines.contract import QUESTION, TEXT, answer, prompt_of, said, text_of
from tests.models.conftest import write_gguf

pytestmark = pytest.mark.slow

CONTEXT = 1024
PASSAGES = (
    "The Zenith pump was installed on 14 March 2019 by the maintenance crew of hall 4; its motor draws 11 kilowatts.",
    "Invoices must be paid within thirty days of receipt, unless the contract of the supplier names another period.",
    "First switch off the main valve. Then drain the tank, remove the four screws of the lid, and lift it with care.",
)


@pytest.fixture(scope="module")
def starter() -> Path:
    path = find("smollm2-135m-instruct-q4_1").installed_path(paths.models_dir())
    assert path is not None, "run the set-up"
    return path


@pytest.fixture(scope="module")
def loaded(starter: Path) -> Iterator[LlamaCppEngine]:
    engine = LlamaCppEngine(starter, LoadOptions(context=CONTEXT))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def plain(starter: Path) -> Iterator[LlamaCppEngine]:
    engine = LlamaCppEngine(starter, LoadOptions(context=CONTEXT, lookup=False))
    yield engine
    engine.close()


def repeat(engine: LlamaCppEngine, passage: str) -> Prompt:
    return engine.render([{"role": "user", "content": f"Repeat the following text exactly: {passage}"}])


def every_draft_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether one does depends on a machine's clock."""
    monkeypatch.setattr(Costs, "of", lambda self, size: 1.0)
    monkeypatch.setattr(Experience, "gain", lambda self, match, size, quoting=0.0: float(size))


class TestLookup:
    def test_quotes_are_drafted_and_the_text_is_that_of_plain_greedy(
        self, loaded: LlamaCppEngine, plain: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        every_draft_pays(monkeypatch)
        accepted = 0
        for passage in PASSAGES:
            pieces, finish = answer(loaded, repeat(loaded, passage), max_tokens=60)
            assert text_of(pieces) == said(plain, repeat(plain, passage), max_tokens=60)
            accepted += finish.accepted
            assert finish.drafted >= finish.accepted
        assert accepted > 15

    def test_free_answers_are_the_same_with_wrong_drafts(
        self, loaded: LlamaCppEngine, plain: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        every_draft_pays(monkeypatch)
        monkeypatch.setattr(TokenIndex, "continuation", lambda self, limit: (self.tokens[-limit:], 16))
        for question in ("Why is the sky blue?", "Write a list of ten animals and where they live."):
            prompt = loaded.render([{"role": "user", "content": question}])
            pieces, finish = answer(loaded, prompt, max_tokens=60)
            assert text_of(pieces) == said(plain, prompt, max_tokens=60)
            assert finish.drafted > finish.accepted

    def test_a_computation_that_rounds_differently_is_never_trusted(
        self, loaded: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        every_draft_pays(monkeypatch)
        monkeypatch.setattr("desktop_rag.engines.llama_loop.same_bits", lambda one, other: False)
        monkeypatch.setattr(loaded._there.exact, "_found", {})
        prompt = repeat(loaded, PASSAGES[0])
        _, finish = answer(loaded, prompt, max_tokens=30)
        assert finish.accepted == 0

    def test_drawn_answers_are_not_drafted(self, loaded: LlamaCppEngine) -> None:
        sampling = Sampling(temperature=0.2, seed=1)
        assert answer(loaded, repeat(loaded, PASSAGES[0]), sampling=sampling)[1].drafted == 0


class TestSnapshots:
    def test_a_restored_memory_is_reused_and_answers_alike(self, loaded: LlamaCppEngine, starter: Path) -> None:
        prompt = loaded.render([QUESTION[0], {"role": "user", "content": TEXT * 5}])
        first = said(loaded, prompt)
        tokens, state = loaded.snapshot(len(prompt))
        assert tokens == prompt.tokens
        other = LlamaCppEngine(starter, LoadOptions(context=CONTEXT))
        try:
            assert other.restore(tokens, state)
            pieces, finish = answer(other, prompt)
            assert finish.reused_tokens == len(prompt) - 1
            assert text_of(pieces) == first
        finally:
            other.close()

    def test_taking_a_beginning_leaves_the_rest_in_place(self, loaded: LlamaCppEngine) -> None:
        prompt = loaded.render([QUESTION[0], {"role": "user", "content": TEXT * 5}])
        answer(loaded, prompt)
        cached = loaded.cached_tokens
        tokens, state = loaded.snapshot(50)
        assert (tokens, loaded.cached_tokens) == (cached[:50], cached)
        assert answer(loaded, prompt, max_tokens=2)[1].reused_tokens == len(prompt) - 1
        assert loaded.restore(tokens, state)
        assert answer(loaded, prompt, max_tokens=2)[1].reused_tokens == 50

    @pytest.mark.parametrize("damage", ["empty", "cut", "noise", "tokens", "too long"])
    def test_what_does_not_fit_is_refused_and_the_memory_is_empty(self, loaded: LlamaCppEngine, damage: str) -> None:
        prompt = loaded.render(QUESTION)
        fresh = said(loaded, prompt)
        tokens, state = loaded.snapshot(len(prompt))
        given = {
            "empty": (tokens, b""),
            "cut": (tokens, state[: len(state) // 2]),
            "noise": (tokens, bytes(range(256)) * 40),
            "tokens": (tokens[:-1], state),
            "too long": (tokens * CONTEXT, state),
        }[damage]
        assert not loaded.restore(*given)
        assert loaded.cached_tokens == ()
        assert said(loaded, prompt) == fresh


class TestMemory:
    def test_a_compressed_memory_is_smaller_and_says_so(self, starter: Path) -> None:
        engine = LlamaCppEngine(starter, LoadOptions(context=512, kv_type="q8_0"))
        try:
            # 30 layers, 3 heads of 64 for keys and values each; 34 bytes for 32 values
            assert engine.info.kv_token_bytes == 2 * 30 * 3 * 64 * 34 // 32
            assert said(engine, engine.render(QUESTION)).strip()
        finally:
            engine.close()

    def test_a_compressed_memory_without_flash_attention_is_refused(self, starter: Path) -> None:
        with pytest.raises(ModelError) as caught:
            LlamaCppEngine(starter, LoadOptions(kv_type="q8_0", flash_attention=False))
        assert caught.value.code == "incompatible"

    def test_an_unknown_type_of_memory_is_refused(self, starter: Path) -> None:
        with pytest.raises(UsageError):
            LlamaCppEngine(starter, LoadOptions(kv_type="q1"))

    def test_a_context_that_does_not_fit_is_told_in_numbers(
        self, starter: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Full:
            available = free = 1000

        monkeypatch.setattr(psutil, "virtual_memory", Full)
        monkeypatch.setattr(psutil, "swap_memory", Full)
        with pytest.raises(ModelError) as caught:
            LlamaCppEngine(starter, LoadOptions(context=8192))
        assert caught.value.code == "out_of_memory"
        assert "GB" in caught.value.message

    @pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are Linux's")
    def test_real_want_of_memory_is_an_error_not_a_crash(self, starter: Path) -> None:
        script = (
            "import resource, sys\n"
            "from pathlib import Path\n"
            "from desktop_rag.engines.llama_cpp import LlamaCppEngine\n"
            "from desktop_rag.engines.protocol import LoadOptions\n"
            "from desktop_rag.errors import ModelError\n"
            "import llama_cpp, psutil\n"
            "room = psutil.Process().memory_info().vms + int(sys.argv[2]) * 2**20\n"
            "resource.setrlimit(resource.RLIMIT_AS, (room, room))\n"
            "try:\n"
            "    LlamaCppEngine(Path(sys.argv[1]), LoadOptions(context=8192, threads=1))\n"
            "except ModelError as error:\n"
            "    print(error.code)\n"
        )
        for megabytes in (20, 240):
            run = subprocess.run(
                [sys.executable, "-c", script, str(starter), str(megabytes)],
                capture_output=True,
                text=True,
                check=False,
            )
            assert run.stdout.strip() == "out_of_memory", (megabytes, run.returncode, run.stderr[-500:])


class TestBadModels:
    @pytest.mark.parametrize(("kv_type", "code"), [("q8_0", "incompatible"), ("f16", "out_of_memory")])
    def test_a_memory_that_cannot_be_compressed_is_no_lack_of_memory(
        self, starter: Path, monkeypatch: pytest.MonkeyPatch, kv_type: str, code: str
    ) -> None:
        import llama_cpp

        monkeypatch.setattr(llama_cpp, "llama_init_from_model", lambda *_: None)
        with pytest.raises(ModelError) as caught:
            LlamaCppEngine(starter, LoadOptions(kv_type=kv_type))
        assert caught.value.code == code

    def test_on_the_processor_no_layer_is_said_to_be_elsewhere(self, starter: Path) -> None:
        engine = LlamaCppEngine(starter, LoadOptions(context=CONTEXT, device="cpu", gpu_layers=4))
        try:
            assert (engine.info.device, engine.info.gpu_layers) == ("cpu", 0)
        finally:
            engine.close()

    def refused(self, path: Path) -> ModelError:
        with pytest.raises(ModelError) as caught:
            LlamaCppEngine(path, LoadOptions(context=512))
        return caught.value

    def test_an_unknown_kind_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "new.gguf"
        path.write_bytes(write_gguf({"general.architecture": "llama99"}))
        error = self.refused(path)
        assert error.code == "incompatible"
        assert "llama99" in error.message

    def test_a_model_without_its_numbers_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "empty.gguf"
        path.write_bytes(write_gguf({"general.architecture": "llama"}))
        assert self.refused(path).code == "incompatible"

    def test_a_version_of_the_future_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "future.gguf"
        path.write_bytes(write_gguf(version=9))
        assert "version 9" in self.refused(path).message

    def test_a_missing_file_is_not_installed(self, tmp_path: Path) -> None:
        assert self.refused(tmp_path / "none.gguf").code == "not_installed"

    def test_a_device_that_is_not_there_is_told(self, starter: Path) -> None:
        with pytest.raises(ModelError) as caught:
            LlamaCppEngine(starter, LoadOptions(gpu_layers=3, device="Nowhere7"))
        assert caught.value.code == "backend_missing"


class TestSampling:
    def test_filters_that_leave_one_token_are_greedy(self, loaded: LlamaCppEngine) -> None:
        prompt = loaded.render(QUESTION)
        greedy = said(loaded, prompt)
        for sampling in (Sampling(temperature=2, top_p=1e-6), Sampling(temperature=2, min_p=1.0)):
            assert said(loaded, prompt, sampling=sampling) == greedy

    def test_a_penalty_keeps_it_from_saying_the_same_again(self, loaded: LlamaCppEngine) -> None:
        prompt = loaded.render([{"role": "user", "content": "Say only the word yes, again and again: yes yes yes"}])
        free = said(loaded, prompt, max_tokens=40)
        held = said(loaded, prompt, max_tokens=40, sampling=Sampling(repeat_penalty=1.8))
        assert len(set(held.split())) > len(set(free.split()))

    def test_a_grammar_holds_for_drawn_answers_too(self, loaded: LlamaCppEngine) -> None:
        sampling = Sampling(temperature=1.5, seed=4, grammar="root ::= [0-9]{4}")
        assert said(loaded, loaded.render(QUESTION), sampling=sampling).isdecimal()

    @pytest.mark.parametrize(
        "sampling",
        [
            Sampling(grammar="leaf ::= 'x'"),
            Sampling(grammar='stem ::= "x"'),
            Sampling(grammar="root ::= root"),
            Sampling(grammar=""),
            Sampling(grammar="root ::= missing"),
            Sampling(json_schema={"type": "no such type"}),
            Sampling(json_schema={"$ref": "https://example.org/schema.json"}),
            Sampling(json_schema={}, grammar='root ::= "x"'),
        ],
    )
    def test_what_is_no_grammar_is_refused(self, loaded: LlamaCppEngine, sampling: Sampling) -> None:
        with pytest.raises(UsageError) as caught:
            answer(loaded, loaded.render(QUESTION), sampling=sampling)
        assert caught.value.code == "bad_request"


def test_logits_belong_to_the_whole_vocabulary_and_to_the_tokens(loaded: LlamaCppEngine) -> None:
    tokens = loaded.render(QUESTION).tokens
    one, same, other = loaded.logits_of(tokens), loaded.logits_of(tokens), loaded.logits_of(tokens[:-2])
    assert one.shape == (49_152,)
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_an_empty_prompt_is_refused(loaded: LlamaCppEngine) -> None:
    with pytest.raises(ModelError):
        answer(loaded, prompt_of([]))
