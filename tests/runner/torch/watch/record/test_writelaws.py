"""The law of what was written follows from operations and arguments."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402

from initlab.runner.torch.watch.record.recording import Recording  # noqa: E402
from initlab.runner.torch.watch.record.writelaws import computed  # noqa: E402


def content(make):
    """Return the content of the tensor that `make` gives."""
    with Recording() as recording:
        tensor = make()
    return computed(recording.last(tensor))


@pytest.mark.parametrize(
    ("make", "law"),
    [
        (lambda: torch.randn(3), "Normal(0, 1)"),
        (lambda: torch.rand(3), "Uniform(0, 1)"),
        (lambda: torch.normal(0.5, 0.02, (3,)), "Normal(0.5, 0.02)"),
        (lambda: torch.empty(3).normal_(0, 0.02), "Normal(0, 0.02)"),
        (lambda: torch.empty(3).normal_(mean=0, std=0.02), "Normal(0, 0.02)"),
        (lambda: torch.empty(3).uniform_(-1, 2), "Uniform(-1, 2)"),
        (lambda: torch.full((3,), 7.0), "Constant(7)"),
        (lambda: torch.zeros(3).new_full((2,), 7.0), "Constant(7)"),
        (lambda: torch.ones(3) * 3, "Constant(3)"),
        (lambda: (torch.rand(3) - 0.5) / 2, "Uniform(-0.25, 0.25)"),
        (lambda: 1 + 0.1 * torch.randn(3), "Normal(1, 0.1)"),
        (lambda: -torch.randn(3).add(2, alpha=3), "Normal(-6, 1)"),
        (lambda: torch.tensor(2.0) + torch.randn(3), "Normal(2, 1)"),
        (lambda: torch.randn(3).sub_(2).div(4), "Normal(-0.5, 0.25)"),
        (lambda: torch.randn(3).mul_(torch.tensor(2.0)), "Normal(0, 2)"),
        (lambda: torch.randn(3).clone().to(torch.float64), "Normal(0, 1)"),
        (lambda: torch.cat([torch.randn(3), torch.randn(2)]), "Normal(0, 1)"),
        (lambda: torch.empty(3).normal_(0, 0), "Constant(0)"),
        (lambda: nn.init.xavier_uniform_(torch.empty(2, 4)), "Uniform(-1, 1)"),
        (lambda: nn.init.kaiming_normal_(torch.empty(2, 8)), "Normal(0, 0.5)"),
        (lambda: nn.init.eye_(torch.empty(3, 3)), "Identity(1)"),
    ],
)
def test_the_law_is_read_from_the_arguments(make, law):
    assert content(make).name == law
    assert str(content(make).law) == law


@pytest.mark.parametrize(
    ("make", "name", "random"),
    [
        (lambda: torch.arange(3).log(), "computed by log, arange", False),
        (lambda: torch.randn(3).exp() + 1, "computed by add, exp, randn", True),
        (lambda: torch.rand(3) * torch.randn(3), "computed by mul, rand, randn", True),
        (lambda: torch.tensor(2.0) - torch.rand(3), "computed by sub, rand", True),
        (lambda: torch.tensor(2.0) / torch.rand(3), "computed by div, rand", True),
        (lambda: torch.randperm(5), "computed by randperm", True),
    ],
)
def test_what_else_was_computed_has_a_name_and_is_random_or_not(make, name, random):
    found = content(make)
    assert (found.law, found.name, found.random) == (None, name, random)
