"""Copy this file beside your model: it fails when a parameter is not initialized as declared.

    pip install 'initlab[torch]' pytest
    pytest examples/torch

`spec.yaml` says what each parameter is to be. `gpt.laws` is the lock: what code wrote which law. Write it
again after a change that is meant: `python test_initialization.py`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from gpt import GPT, Config

import initlab.torch

HERE = Path(__file__).parent


def test_every_parameter_is_as_declared_and_reacts_to_the_declared_spread(initlab_watch):
    torch.manual_seed(0)
    with initlab_watch() as w:
        model = GPT(Config())
    w.check(
        HERE / "spec.yaml",
        model=model,
        build=GPT,
        knob="config.initializer_range",
    )


def test_no_law_and_no_writer_has_changed():
    initlab.torch.lock_of(lambda: GPT(Config())).check(HERE / "gpt.laws")


def test_the_first_step_finds_nothing_that_is_known_to_hurt():
    torch.manual_seed(0)
    found = initlab.torch.diagnose(GPT(Config()), torch.randint(0, 256, (8, 32)))
    assert [finding.id for finding in found.findings if finding.severity != "odd"] == []


if __name__ == "__main__":
    initlab.torch.lock_of(lambda: GPT(Config())).save(HERE / "gpt.laws")
    pytest.main([__file__])
