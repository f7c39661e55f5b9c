"""The nine promises of `bench --targets`: names and bounds are fixed, scripts rely on them. Pure."""

from __future__ import annotations

from desktop_rag.evaluation.rounds import Instead, Target

TARGETS = {
    target.name: target
    for target in (
        Target(
            "decode_vs_bare_loop", 0.97, True,
            "decoding through worker, pipe and painting / a bare llama_decode loop",
        ),
        Target(
            "decode_vs_high_level", 1.0, True,
            "decoding 1,000 tokens through worker and pipe / llama_cpp.Llama streaming, equal threads",
        ),
        Target(
            "decode_vs_bandwidth_1b", 0.80, True,
            "bytes a second that decoding a 1B shape reads / the measured read bandwidth",
            instead=Instead(
                "vs_bare_loop_when_cores_are_the_bound", 0.97,
                "the cores are the bound: decoding / a bare llama_decode loop",
            ),
        ),
        Target(
            "ttft_followup", 0.15, False,
            "time to the first token of a second question on the same passages / of the first one",
        ),
        Target("ttft_restart", 0.10, False, "the same after a restart with saved KV memory / of the first question"),
        Target("lookup_extractive", 1.4, True, "speed with prompt lookup / without it, copying answers, same text"),
        Target("lookup_chat", 0.97, True, "speed with prompt lookup / without it, free chat, same text"),
        Target("chat_overhead_mb", 150, False, "memory of the chat process beyond weights and KV, in MB", timed=False),
        Target(
            "memory_estimate_error", 0.08, False, "|estimate before loading - measured| / measured", timed=False,
        ),
    )
}  # fmt: skip
