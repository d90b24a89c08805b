"""A model is built again, with the same seed and without moving torch's."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402
from torch_models import GPT  # noqa: E402

from initlab.runner.errors import ConfigError  # noqa: E402
from initlab.runner.torch.watch.record.rebuilding import built  # noqa: E402
from initlab.runner.torch.watch.watching import watch  # noqa: E402


def findings(make, check, **arguments):
    """Return the names that one check finds."""
    with watch() as w:
        model = make()
    return w.report(model=model, **arguments).named(check)


def std_of(value):
    return GPT(std=value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"knob": 0.02}, "knob: needs build="),
        ({"knob": "sdt", "build": std_of}, "GPT has no 'sdt' - did you mean 'std'"),
        ({"knob": "layers.x", "build": std_of}, "int has no 'x'"),
        ({"knob": "wte", "build": std_of}, "'wte' must be a positive number"),
        ({"knob": None, "build": std_of, "loaded": 3}, "loaded: must be a file"),
        ({"loaded": ["wte.weight"]}, "loaded: needs build="),
        ({"knob": 0.02, "build": lambda value: None}, "build: must return a module, got NoneType"),
        ({"knob": 0.02, "build": lambda value: nn.Linear(2, 2)}, "gives other parameters than"),
        (
            {"knob": 0.02, "build": lambda: 1},
            r"cannot be built again with 0.02 for the knob 0.02: TypeError",
        ),
    ],
)
def test_a_wrong_knob_or_build_is_one_clear_error(arguments, said):
    with pytest.raises(ConfigError, match=said):
        findings(GPT, "not-wired", **arguments)


def test_building_again_moves_no_state_and_repeats_itself():
    state = torch.get_rng_state()
    first, second = built(GPT, "once"), built(GPT, "twice")
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.wte.weight, second.wte.weight)


def test_a_build_that_raises_is_one_clear_error():
    def build():
        raise RuntimeError("no port is free")

    with pytest.raises(ConfigError, match="cannot be built again twice: RuntimeError: no port"):
        built(build, "twice")
