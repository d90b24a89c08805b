"""The diagnosis of a module as it is."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'initlab[torch]'")
from torch import nn  # noqa: E402

import initlab.torch as it  # noqa: E402
from initlab.runner.errors import ConfigError  # noqa: E402


def deep(std):
    torch.manual_seed(0)
    layers = [part for _ in range(14) for part in (nn.Linear(32, 32), nn.ReLU())]
    module = nn.Sequential(*layers, nn.Linear(32, 10))
    for part in module:
        if isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, std=std)
            nn.init.zeros_(part.bias)
    return module


def test_weights_that_are_too_small_are_found_and_good_ones_are_not():
    x = torch.randn(16, 32)
    bad = it.diagnose(deep(0.01), x)
    assert {"signal-vanishes", "gradient-vanishes"} <= {finding.id for finding in bad.findings}
    assert not [f for f in it.diagnose(deep(0.25), x).findings if f.severity == "fatal"]


def test_the_module_is_the_same_afterwards():
    module, x = deep(0.25), torch.randn(4, 32)
    kept = {name: (p, p.detach().clone(), p.grad) for name, p in module.named_parameters()}
    y = torch.randint(0, 10, (4,))
    state = torch.get_rng_state()
    it.diagnose(module, x, y)
    assert torch.equal(torch.get_rng_state(), state)
    for name, parameter in module.named_parameters():
        before, values, gradient = kept[name]
        assert parameter is before and torch.equal(parameter, values) and parameter.grad is gradient
        assert parameter.requires_grad


def test_a_model_of_transformers_is_judged_by_its_logits():
    transformers = pytest.importorskip("transformers")
    config = transformers.GPT2Config(n_layer=2, n_embd=32, n_head=2, vocab_size=50, n_positions=16)
    torch.manual_seed(0)
    model = transformers.GPT2LMHeadModel(config)
    found = it.diagnose(model, torch.randint(0, 50, (4, 16)))
    assert not [finding for finding in found.findings if finding.severity != "odd"], found
    for parameter in model.parameters():
        with torch.no_grad():
            parameter *= 20
    assert [
        finding
        for finding in it.diagnose(model, torch.randint(0, 50, (4, 16))).findings
        if finding.severity != "odd"
    ]


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: it.diagnose(3, torch.ones(2, 2)), TypeError, "must be a torch.nn.Module"),
        (lambda: it.diagnose(nn.Linear(3, 2, device="meta"), torch.ones(2, 3)), ConfigError, "weight: is on meta"),
        (lambda: it.diagnose(nn.Linear(3, 2), torch.tensor(1.0)), ConfigError, "must be a batch"),
        (lambda: it.diagnose(nn.Linear(3, 2), torch.ones(2, 4)), RuntimeError, "mat1 and mat2 shapes"),
    ],
)  # fmt: skip
def test_bad_arguments_are_refused(call, error, said):
    with pytest.raises(error, match=said):
        call()
