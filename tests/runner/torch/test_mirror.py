"""The tree of blocks that stands for a module."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'initlab[torch]'")
from torch import nn  # noqa: E402

from initlab.engine import gluon  # noqa: E402
from initlab.runner.errors import ConfigError  # noqa: E402
from initlab.runner.measures.base import activation_name  # noqa: E402
from initlab.runner.probes.roles import kind_of, layers_with_rows  # noqa: E402
from initlab.runner.torch.body import Body  # noqa: E402
from initlab.runner.torch.mirror import mirrored  # noqa: E402


def test_blocks_have_the_paths_and_kinds_of_the_modules():
    module = nn.Sequential(
        nn.Linear(3, 4), nn.Tanh(), nn.Sequential(nn.Linear(4, 4), nn.GELU("tanh"))
    )
    root = mirrored(Body(module))
    assert {path: kind_of(block) for path, block in layers_with_rows(root).items()} == {
        "0": "linear",
        "1": "tanh",
        "2.0": "linear",
        "2.1": "gelu",
    }
    assert list(root.structural_params()) == ["0.weight", "0.bias", "2.0.weight", "2.0.bias"]
    assert repr(root._children["0"]) == repr(module[0])


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (nn.ReLU(), "relu"),
        (nn.GELU(), "gelu"),
        (nn.GELU("tanh"), "gelu_tanh"),
        (nn.ELU(), "elu"),
        (nn.ELU(0.5), None),
        (nn.LeakyReLU(0.2), None),
        (nn.Linear(2, 2), None),
    ],
)
def test_an_activation_is_known_by_its_name_if_its_function_is_the_same(module, name):
    assert activation_name(mirrored(Body(nn.Sequential(module)))._children["0"]) == name


def test_a_module_that_stands_at_two_places_is_one_block():
    inner = nn.Linear(3, 3)
    root = mirrored(Body(nn.Sequential(inner, nn.ReLU(), inner)))
    assert root._children["0"] is root._children["2"]
    assert isinstance(root, gluon.nn.HybridSequential)


def test_a_frozen_parameter_has_no_gradient():
    module = nn.Sequential(nn.Linear(3, 3))
    module[0].weight.requires_grad_(False)
    found = mirrored(Body(module)).structural_params()
    assert [found[path].grad_req for path in ("0.weight", "0.bias")] == ["null", "write"]


def test_a_parametrized_module_is_planned_and_not_run():
    module = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(3, 3)))
    with pytest.raises(ConfigError, match=r"0.weight: is computed from other parameters"):
        mirrored(Body(module))
