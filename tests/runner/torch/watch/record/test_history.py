"""The writes of one tensor, in order."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402

from initlab.runner.torch.watch.record.models import held_by  # noqa: E402
from initlab.runner.torch.watch.record.recording import Recording  # noqa: E402


def history_of(build):
    """Return the history of the first parameter of what `build` makes."""
    with Recording() as recording:
        model = build()
    return held_by(model, recording)[0].history


def test_the_operations_of_one_call_are_one_write():
    def build():
        layer = nn.Linear(8, 8)
        nn.init.orthogonal_(layer.weight)
        nn.init.dirac_(layer.weight.data.view(8, 8, 1))
        return layer

    writes = history_of(build).writes
    assert [one.call for one in writes] == [
        "kaiming_uniform_(a=2.23607, mode=fan_in, nonlinearity=leaky_relu)",
        "orthogonal_(gain=1)",
        "dirac_(groups=1)",
    ]
    assert [one.whole for one in writes] == [True, True, True]


def test_the_last_whole_write_counts_and_what_came_after_it():
    def build():
        layer = nn.Linear(8, 8)
        layer.weight.data.normal_()
        layer.weight.data[0].zero_()
        layer.weight.data.mul_(2)
        return layer

    past = history_of(build)
    assert past.last.call == "normal_()"
    assert [one.call for one in past.since] == ["normal_()", "zero_()", "mul_(2)"]
    assert past.content.name == "Normal(0, 2)"


def test_writes_to_other_parts_of_the_same_memory_do_not_count():
    def build():
        flat = torch.empty(8)
        model = nn.ParameterDict({"a": flat[:4], "b": flat[4:]})
        flat[:4].zero_()
        flat[4:].normal_()
        return model

    assert [one.call for one in history_of(build).writes] == ["zero_()"]
