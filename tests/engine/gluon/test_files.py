"""Saving and loading networks: every format, shared parameters, and what does not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from initlab.engine import formats, init, nd, streams
from initlab.engine.errors import MXNetError
from initlab.engine.gluon import nn


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
    tensors = {
        path: p.data().asnumpy()
        for path, p in first.structural_params().items()
        if not path.startswith("2")
    }
    path = tmp_path / "snapshot.safetensors"
    formats.get(path).write(
        path, formats.Snapshot(tensors, {"2.weight": "1.weight", "2.bias": "1.bias"})
    )
    second.load_parameters(path)
    assert second[2].weight.data().tolist() == first[1].weight.data().tolist()


def test_shapes_and_names_that_do_not_fit_are_refused(tmp_path):
    path = str(tmp_path / "net.params")
    net = network()
    net.initialize()
    net.save_parameters(path)
    wide = nn.HybridSequential()
    wide.add(nn.Dense(5), nn.Dense(4), nn.Dense(4))
    with pytest.raises(
        AssertionError, match=r"shape incompatible expected \(5, 0\) vs saved \(4, 3\)"
    ):
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
        RuntimeError,
        match=r"block 'mine' \(Mine\) does not say how its output's shape follows .* define output_shape",
    ) as caught:
        net.output_shape((1, 2))
    assert caught.value.path == "1"


# --- files that MXNet 1.9.1 wrote
# ---------------------------------------------------------------------------------------------------


VECTORS = Path(__file__).parents[2] / "vectors"
WRITTEN = (
    "mxnet-blocks.params",
    "mxnet-legacy.params",
    "mxnet-exported.params",
    "mxnet-dtypes.params",
)
"""By `save_parameters`, by `collect_params().save`, by `export`, and by `nd.save` of every element
type.
"""


def small_network() -> nn.HybridSequential:
    """The network whose values the files hold: trained on one batch, so that running statistics are
    not at their start.
    """
    net = nn.HybridSequential(prefix="small_")
    with net.name_scope():
        net.add(
            nn.Conv2D(3, 3, padding=1, activation="relu"),
            nn.BatchNorm(),
            nn.MaxPool2D(),
            nn.Flatten(),
            nn.Dense(4),
        )
    return net


@pytest.mark.parametrize(
    ("name", "load"),
    [
        ("mxnet-blocks.params", lambda net, file: net.load_parameters(file)),
        ("mxnet-legacy.params", lambda net, file: net.load_parameters(file)),
        ("mxnet-exported.params", lambda net, file: net.collect_params().load(file)),
    ],
)
def test_a_network_that_mxnet_saved_computes_what_it_computed_there(name, load):
    net = small_network()
    load(net, str(VECTORS / name))
    with np.load(VECTORS / "mxnet-files.npz") as recorded:
        np.testing.assert_allclose(
            net(nd.array(recorded["x"])).asnumpy(), recorded["y"], rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize("name", WRITTEN)
def test_what_mxnet_wrote_is_written_again_byte_for_byte(name, tmp_path):
    copy = tmp_path / "copy.params"
    nd.save(copy, nd.load(VECTORS / name))
    assert copy.read_bytes() == (VECTORS / name).read_bytes()


def test_a_network_is_saved_as_mxnet_saved_it(tmp_path):
    net = small_network()
    net.load_parameters(str(VECTORS / "mxnet-blocks.params"))
    net.save_parameters(tmp_path / "blocks.params")
    net.collect_params().save(str(tmp_path / "legacy.params"), strip_prefix="small_")
    for name in ("blocks", "legacy"):
        assert (tmp_path / f"{name}.params").read_bytes() == (
            VECTORS / f"mxnet-{name}.params"
        ).read_bytes()


def test_every_element_type_is_read_as_mxnet_wrote_it():
    found = nd.load(VECTORS / "mxnet-dtypes.params")
    assert {name: (array.dtype.__name__, array.tolist()) for name, array in found.items()} == {
        "f16": ("float16", [1.5, -2.0]),
        "f64": ("float64", [[1 / 3]]),
        "i8": ("int8", [1, -1]),
        "u8": ("uint8", [255]),
        "i32": ("int32", [-7]),
        "i64": ("int64", [2**40]),
        "π": ("float32", [0.0, 1.0, 2.0]),
    }


@pytest.mark.parametrize("cut", [10, 30, 200, 1000])
def test_a_file_cut_short_changes_no_network(cut, tmp_path):
    path = tmp_path / "cut.params"
    path.write_bytes((VECTORS / "mxnet-blocks.params").read_bytes()[:-cut])
    net = small_network()
    net.load_parameters(str(VECTORS / "mxnet-blocks.params"))
    before = net[0].weight.data().tolist()
    with pytest.raises(MXNetError, match="Invalid NDArray file format"):
        net.load_parameters(str(path))
    assert net[0].weight.data().tolist() == before
