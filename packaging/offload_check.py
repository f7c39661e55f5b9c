"""Does offload hold, on whatever device this build of llama.cpp finds? Prints one JSON object.

Run by the interpreter of the environment under test (packaging/offload.py does). Every load happens
in a process of its own, as in the application: one of them may die.

- the devices, as the library lists them;
- the plan made from the file alone, and what came of it when it was tried;
- a greedy answer with no layer, the output alone, half and all of them on the device, beside that of the
  processor with every device hidden;
- the memory the devices took (the library's report, NVML where there is one) beside the plan.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

CONTEXT = 512
# Small, because a device in software reads a prompt at a few tokens a second.
MICRO_BATCH = 32
ANSWER_TOKENS = 16
QUESTION = "The Zenith pump was installed on 14 March 2019 in hall B. When was the pump installed?"
HIDDEN = {"GGML_VK_VISIBLE_DEVICES": "", "CUDA_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": ""}


def main(arguments: list[str]) -> int:
    """Check the model given, or one number of layers (`--layers`, used on itself)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--layers", type=int, help="load with this many and print what it answers")
    parser.add_argument("--margin-mb", type=int, default=1024, help="what the plan keeps free on each device")
    options = parser.parse_args(arguments)
    found = (
        one(options.model, options.layers) if options.layers is not None else check(options.model, options.margin_mb)
    )
    print(json.dumps(found))
    return 0


def check(model: Path, margin_mb: int) -> dict[str, Any]:
    """Everything; takes a load of the model for every number of layers, and as many for the plan as it needs."""
    from desktop_rag.engines.devices import accelerators, backends, devices
    from desktop_rag.models.inspect import inspect
    from desktop_rag.models.offload import plan_offload
    from desktop_rag.models.shape import shape_of_gguf

    shape = shape_of_gguf(inspect(model))
    there = accelerators()
    plan = plan_offload(shape, there, CONTEXT, micro_batch=MICRO_BATCH, margin=margin_mb << 20)
    every = shape.layers + 1
    base = in_child(model, 0, HIDDEN)
    runs = [base, *(in_child(model, layers) for layers in (0, 1, every // 2, every))]
    reference = list(base.get("logits", []))
    for run in runs:
        compare(run, base, reference, planned(shape, there, run["asked"]))
    return {
        "model": model.name,
        "backends": backends(),
        "devices": [asdict(device) for device in devices()],
        "plan": asdict(plan),
        "verified": verified(model, plan.gpu_layers),
        "runs": runs,
    }


def planned(shape: Any, devices: list[Any], layers: int) -> int:
    """What the plan says that so many layers take, in bytes."""
    from desktop_rag.models.offload import plan_offload

    if not layers or not devices:
        return 0
    plan = plan_offload(shape, devices, CONTEXT, micro_batch=MICRO_BATCH, margin=0, at_most=layers)
    return sum(share.used for share in plan.shares)


def verified(model: Path, layers: int) -> dict[str, Any]:
    """The plan, tried; with layers that cannot hold it must step back and say so."""
    from desktop_rag.engines.offload_trial import Held, Trial, load
    from desktop_rag.engines.offload_verify import verify_plan
    from desktop_rag.errors import DesktopRagError, ModelError
    from desktop_rag.workers.trial_service import in_child as attempt_in

    say(f"the plan of {layers} layers, tried in children")
    trial = Trial(str(model), layers, CONTEXT, micro_batch=MICRO_BATCH)
    with tempfile.TemporaryDirectory() as folder:
        attempt = attempt_in(Path(folder))

        def scarce(step: Trial) -> Held:
            """A device that has no room for more than half of what was planned."""
            if step.gpu_layers > layers // 2:
                raise ModelError("out_of_memory", "refused by this check")
            return attempt(step)

        try:
            return {
                "plan": verify_plan(trial, attempt).to_payload(),
                "half_the_room": verify_plan(trial, scarce).to_payload(),
                "missing_device": refused(lambda: load(Trial(str(model), layers, CONTEXT, device="Gone0"))),
            }
        except DesktopRagError as error:
            return {"error": error.to_payload()}


def refused(run: Any) -> dict[str, Any]:
    """The error that `run` raises."""
    from desktop_rag.errors import DesktopRagError

    try:
        run()
    except DesktopRagError as error:
        return error.to_payload()
    return {"code": "", "message": "it was not refused"}


def in_child(model: Path, layers: int, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """One load in a process of its own."""
    say(f"{layers} layers" + (", devices hidden" if environment else ""))
    command = [sys.executable, str(Path(__file__).resolve()), str(model), "--layers", str(layers)]
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **(environment or {})}
    )
    if result.returncode != 0:
        return {"asked": layers, "error": f"exit code {result.returncode}: {result.stderr.strip()[-500:]}"}
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


def one(model: Path, layers: int) -> dict[str, Any]:
    """Load with `layers` on the devices, answer, and say what it took."""
    from desktop_rag.engines.cancel import Cancellation
    from desktop_rag.engines.devices import accelerators
    from desktop_rag.engines.llama_cpp import LlamaCppEngine
    from desktop_rag.engines.offload_trial import Trial, load
    from desktop_rag.engines.protocol import Finish, LoadOptions, Sampling
    from desktop_rag.meter.gpu import process_gpu_mb
    from desktop_rag.meter.memory import resident_mb

    # First the report of the buffers: the engine silences the library's messages.
    held = load(Trial(str(model), layers, CONTEXT, micro_batch=MICRO_BATCH))
    free = sum(device.free_bytes for device in accelerators())
    options = LoadOptions(context=CONTEXT, gpu_layers=layers, micro_batch=MICRO_BATCH, lookup=False)
    engine = LlamaCppEngine(model, options)
    try:
        begin = time.perf_counter()
        text, tokens = "", 0
        prompt = engine.render([{"role": "user", "content": QUESTION}])
        for piece in engine.generate(prompt, max_tokens=ANSWER_TOKENS, sampling=Sampling(), cancelled=Cancellation()):
            if isinstance(piece, Finish):
                tokens = piece.generated_tokens
            else:
                text += piece.text
        seconds = time.perf_counter() - begin
        logits = [round(float(value), 4) for value in engine.logits_of(prompt.tokens)]
        return {
            "asked": layers,
            "offloaded": held.gpu_layers,
            "of": held.layers,
            "answer": text,
            "tokens": tokens,
            "seconds": round(seconds, 2),
            "logits": logits,
            "reported": held.on_devices(),
            "device_delta": free - sum(device.free_bytes for device in accelerators()),
            "nvml_mb": process_gpu_mb(os.getpid()),
            "resident_mb": resident_mb(),
            "engine": {"device": engine.info.device, "gpu_layers": engine.info.gpu_layers},
        }
    finally:
        engine.close()


def compare(run: dict[str, Any], base: dict[str, Any], reference: list[float], planned_bytes: int) -> None:
    """Put beside a run how it differs from the processor's; the logits themselves are dropped."""
    if "error" in run or "error" in base:
        return
    logits = run.pop("logits")
    run["same_text"] = run["answer"] == base["answer"]
    run["same_first_token"] = logits.index(max(logits)) == reference.index(max(reference))
    run["largest_logit_difference"] = round(max(abs(a - b) for a, b in zip(logits, reference, strict=True)), 4)
    run["planned"] = planned_bytes


def say(text: str) -> None:
    """Where it is; standard output is for the result alone."""
    print(f"  {text} …", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
