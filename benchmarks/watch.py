"""`python -m benchmarks.watch` times the construction of PyTorch models with `initlab.torch.watch` and
without it, in turn, in seconds of processor time. Bar: at most 1.3 times the time without it, where a
build takes a tenth of a second or more.

A watch costs about 40 µs for each operation that writes, and one pass over fresh memory to fill it: a
build of a few milliseconds takes up to twice its time, which is said and not judged.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.rounds import verdict

BAR = 1.3
LEAST = 0.1
"""Seconds of a build from which it is judged."""
ROUNDS = 5


def gpt2(**options: Any) -> Callable[[], Any]:
    """Return what builds a GPT-2 of transformers."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(**options)
    return lambda: GPT2LMHeadModel(config)


def mamba(**options: Any) -> Callable[[], Any]:
    """Return what builds a Mamba of transformers."""
    from transformers import MambaConfig, MambaForCausalLM

    config = MambaConfig(**options)
    return lambda: MambaForCausalLM(config)


def layers(count: int, width: int) -> Callable[[], Any]:
    """Return what builds plain linear layers."""
    from torch import nn

    return lambda: nn.Sequential(*(nn.Linear(width, width) for _ in range(count)))


MODELS: dict[str, Callable[[], Callable[[], Any]]] = {
    "gpt2": gpt2,
    "mamba-130m": lambda: mamba(num_hidden_layers=24),
    "linear-48x1024": lambda: layers(48, 1024),
    "linear-400x32": lambda: layers(400, 32),
    "gpt2-tiny": lambda: gpt2(
        n_layer=2, n_embd=64, n_head=2, vocab_size=500, bos_token_id=1, eos_token_id=1
    ),
}


def seconds(build: Callable[[], Any]) -> float:
    """Return the processor time of a build."""
    start = time.process_time()
    build()
    return time.process_time() - start


def main(names: list[str]) -> None:
    """Print a line for each model, or for the named ones."""
    from initlab.torch import watch

    print(f"median of {ROUNDS} rounds in turn: seconds of processor time of a build")
    for name in names or MODELS:
        build = MODELS[name]()

        def watched(build: Callable[[], Any] = build) -> None:
            with watch():
                build()

        build(), watched()
        taken: dict[bool, list[float]] = {False: [], True: []}
        for _ in range(ROUNDS):
            taken[False].append(seconds(build))
            taken[True].append(seconds(watched))
        without, with_it = (statistics.median(taken[key]) for key in (False, True))
        ratio = with_it / without
        judged = f", bar {BAR}: {verdict(ratio <= BAR)}" if without >= LEAST else ""
        print(
            f"{name:<15} plain {without:7.4f} s   watched {with_it:7.4f} s   ratio {ratio:.2f}{judged}",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
