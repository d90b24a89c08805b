"""A model in two files, which MXNet 1.9.1 writes with the same text and reads."""

from __future__ import annotations

import pytest

from initlab.engine import gluon, init, nd
from initlab.engine.errors import FormatError
from initlab.engine.gluon import nn

WRITTEN = (
    '{"net0": {"orig_name": "net", "children": {"net_hybridsequential0": "body", "net_dense1": "out"}, '
    '"hybridsequential1": {"orig_name": "net_hybridsequential0", "hybridized": false, "children": '
    '{"net_dense0": "0", "net_batchnorm0": "1"}, "dense2": {"orig_name": "net_dense0", "hybridized": false, '
    '"children": {}}, "batchnorm3": {"orig_name": "net_batchnorm0", "hybridized": false, "children": {}}}, '
    '"dense4": {"orig_name": "net_dense1", "hybridized": false, "children": {}}}}'
)
"""What MXNet writes for `Net`."""


class Net(gluon.Block):
    def __init__(self, names=("body", "out"), **options):
        super().__init__(**options)
        with self.name_scope():
            body = nn.HybridSequential()
            body.add(nn.Dense(3, in_units=2), nn.BatchNorm(in_channels=3))
            setattr(self, names[0], body)
            setattr(self, names[1], nn.Dense(1, in_units=3))

    def forward(self, x):
        for child in self._children.values():
            x = child(x)
        return x


def test_the_text_is_mxnets(tmp_path):
    net = Net(prefix="net_")
    net.initialize()
    net.save(f"{tmp_path}/m")
    assert (tmp_path / "m-model.json").read_text() == WRITTEN


def test_a_model_with_other_names_is_the_same_after_loading(tmp_path):
    net = Net()
    net.initialize(init.Normal(1))
    net.save(f"{tmp_path}/m")
    other = Net(names=("first", "second"))
    other.load(f"{tmp_path}/m")
    x = nd.ones((2, 2))
    assert other(x).tolist() == net(x).tolist()
    assert list(other._children) == ["body", "out"]


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        ("{", FormatError, "m-model.json: is no JSON"),
        ("[" * 100000, FormatError, "m-model.json: is no JSON"),
        ("[]", FormatError, "m-model.json: describes no model"),
        ('{"net0": {}}', FormatError, "describes no model: 'net0' has no children"),
        (
            '{"net0": {"children": {}}}',
            ValueError,
            "describes blocks of the classes net, but the model",
        ),
    ],
)
def test_a_damaged_file_or_another_model_is_one_error(content, error, said, tmp_path):
    Net(prefix="n_").initialize()
    (tmp_path / "m-model.json").write_text(content)
    with pytest.raises(error) as caught:
        Net().load(f"{tmp_path}/m")
    assert said in str(caught.value)


def test_an_old_name_of_loading_warns(tmp_path):
    net = nn.Dense(1, in_units=2)
    net.initialize()
    net.save_parameters(f"{tmp_path}/p.params")
    other = nn.Dense(1, in_units=2)
    with pytest.warns(UserWarning, match="load_params is deprecated. Please use load_parameters."):
        other.load_params(f"{tmp_path}/p.params")
    assert other.weight.data().tolist() == net.weight.data().tolist()
