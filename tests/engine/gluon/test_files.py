"""Saving and loading networks: every format, shared parameters, and what does not fit."""

from __future__ import annotations

import pytest

from engine import formats, init, nd, streams
from engine.gluon import nn


@pytest.fixture(autouse=True)
def seeded():
    streams.seed(0)


def network() -> nn.HybridSequential:
    shared = nn.Dense(4, in_units=4)
    net = nn.HybridSequential()
    net.add(nn.Dense(4, in_units=3), shared, nn.Dense(4, in_units=4, params=shared.params))
    return net


@pytest.mark.parametrize("suffix", [".params", ".safetensors", ".npz"])
@pytest.mark.parametrize("deduplicate", [False, True])
def test_a_saved_network_is_loaded_in_every_format(suffix, deduplicate, tmp_path):
    path = tmp_path / f"net{suffix}"
    first, second = network(), network()
    first.initialize(init.Normal(1))
    first.save_parameters(path, deduplicate=deduplicate)
    second.load_parameters(path)
    for name, parameter in first.structural_params().items():
        assert second.structural_params()[name].data().tolist() == parameter.data().tolist()
    assert second[2].weight is second[1].weight


def test_a_runs_snapshot_with_aliases_is_loaded(tmp_path):
    first, second = network(), network()
    first.initialize(init.Normal(1))
    tensors = {path: p.data().asnumpy() for path, p in first.structural_params().items() if not path.startswith("2")}
    path = tmp_path / "snapshot.safetensors"
    formats.get(path).write(path, formats.Snapshot(tensors, {"2.weight": "1.weight", "2.bias": "1.bias"}))
    second.load_parameters(path)
    assert second[2].weight.data().tolist() == first[1].weight.data().tolist()


def test_shapes_and_names_that_do_not_fit_are_refused(tmp_path):
    path = str(tmp_path / "net.params")
    net = network()
    net.initialize()
    net.save_parameters(path)
    wide = nn.HybridSequential()
    wide.add(nn.Dense(5), nn.Dense(4), nn.Dense(4))
    with pytest.raises(AssertionError, match=r"shape incompatible expected \(5, 0\) vs saved \(4, 3\)"):
        wide.load_parameters(path)
    net.add(nn.Dense(1))
    with pytest.raises(AssertionError, match=r"Parameter '3.weight' is missing in file"):
        net.load_parameters(path)
    net.load_parameters(path, allow_missing=True)
    short = nn.HybridSequential()
    short.add(nn.Dense(4))
    with pytest.raises(ValueError, match="Parameter '1.weight' loaded from file .* is not present"):
        short.load_parameters(path)
    short.load_parameters(path, ignore_extra=True)
    assert short(nd.ones((1, 3))).shape == (1, 4)


def test_hybridize_changes_no_value():
    net = network()
    net.initialize()
    x = nd.ones((2, 3))
    before = net(x).tolist()
    net.hybridize()
    assert net(x).tolist() == before
    net.hybridize(False)
    assert net(x).tolist() == before


def test_a_block_that_cannot_infer_shapes_says_what_to_define():
    class Mine(nn.Block):
        def forward(self, x):
            return x

    net = nn.Sequential()
    net.add(nn.Dense(2), Mine(prefix="mine_"))
    with pytest.raises(
        RuntimeError, match=r"block 'mine' \(Mine\) does not say how its output's shape follows .* define infer_shape"
    ) as caught:
        net.infer_shape((1, 2))
    assert caught.value.path == "1"
