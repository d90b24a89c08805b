"""never-written: memory that nobody wrote is found, and nothing else."""

from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402

from initlab.runner.torch.watch.watching import watch  # noqa: E402


def unset(build):
    """Return {name: sentence} of what the check finds in what `build` makes."""
    with watch() as w:
        model = build()
    found = w.report(model=model).findings
    return {name: one.said for one in found if one.id == "never-written" for name in one.names}


class Gate(nn.Module):
    """A module with a parameter and buffers that tests write, or not."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(4, 6))
        self.register_buffer("index", torch.empty(4, dtype=torch.int64))


def test_a_parameter_of_torch_empty_is_found():
    found = unset(Gate)
    assert found["weight"].startswith("24 of 24 elements were never written since it was made at ")
    assert "test_unwritten.py:" in found["weight"]
    assert found["index"].startswith("4 of 4 elements were never written")


def test_what_is_written_in_parts_is_found_until_every_element_is():
    def build(rows):
        gate = Gate()
        gate.index.zero_()
        for row in rows:
            gate.weight.data[row].normal_()
        return gate

    found = unset(lambda: build((0, 1, 3)))["weight"]
    assert found.startswith("6 of 24 elements were never written, the first at [2, 0]")
    assert unset(lambda: build(range(4))) == {}


def test_integers_are_judged_by_the_elements_that_were_written():
    def build():
        gate = Gate()
        gate.weight.data.zero_()
        gate.index[1:3] = torch.iinfo(torch.int64).max
        return gate

    assert unset(build)["index"].startswith("2 of 4 elements were never written, the first at [0]")


def test_columns_and_fused_memory_are_counted_exactly():
    class Fused(nn.Module):
        def __init__(self):
            super().__init__()
            flat = torch.empty(24)
            self.a = nn.Parameter(flat[:12].view(3, 4))
            self.b = nn.Parameter(flat[12:].view(3, 4).t())
            self.a.data[:, 1:].zero_()
            self.b.data.fill_(1.0)

    found = unset(Fused)
    assert found.keys() == {"a"}
    assert found["a"].startswith("3 of 12 elements were never written, the first at [0, 0]")


def test_a_copy_of_unset_memory_is_found():
    def build():
        gate = Gate()
        gate.index.zero_()
        gate.weight.data.copy_(torch.empty(4, 6) * 2)
        return gate

    said = unset(build)["weight"]
    assert said.startswith("24 of 24 elements are NaN: copy_ at ") and "read unset memory" in said
    assert "weight" in unset(lambda: copy.deepcopy(Gate()))


def test_to_empty_without_an_initialization_is_found():
    def build():
        with torch.device("meta"):
            model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
        model.to_empty(device="cpu")
        nn.init.zeros_(model[0].weight)
        return model

    assert unset(build).keys() == {
        "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked",
    }  # fmt: skip


def test_skip_init_is_found():
    assert unset(lambda: nn.utils.skip_init(nn.Linear, 4, 3)).keys() == {"weight", "bias"}


def test_nan_that_was_written_is_said_to_be_written():
    def build():
        layer = nn.Linear(4, 3)
        layer.weight.data[0] = float("nan")
        return layer

    assert "elements are NaN: last written by fill_" in unset(build)["weight"]


@pytest.mark.parametrize(
    "build",
    [
        lambda: nn.Linear(4, 3),
        lambda: nn.Conv2d(3, 8, 3),
        lambda: nn.LSTM(4, 5, 2),
        lambda: nn.MultiheadAttention(8, 2),
        lambda: nn.TransformerEncoderLayer(8, 2),
        lambda: nn.BatchNorm2d(4),
        lambda: nn.Embedding(5, 4, padding_idx=0),
        lambda: nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)),
        lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(4, 3)),
        lambda: nn.Linear(4, 3).to(torch.bfloat16),
    ],
)
def test_torchs_own_layers_leave_nothing_unset(build):
    assert unset(build) == {}
