"""The watch as people use it: which model it means, what it says, what it refuses."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402

from initlab.runner.errors import Contradicted  # noqa: E402
from initlab.runner.torch.watch.watching import watch  # noqa: E402


class Unset(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Linear(4, 3)
        self.scale = nn.Parameter(torch.empty(3))


def test_check_raises_with_the_report_and_a_clean_model_passes():
    with watch() as w:
        model = Unset()
    with pytest.raises(Contradicted, match=r"never-written: scale\n +3 of 3 elements were never"):
        w.check()
    assert isinstance(Contradicted("x"), AssertionError) and Contradicted.exit_code == 1
    with watch() as w:
        model = nn.Linear(4, 3)
    assert w.check().ok
    assert model is not None


def test_a_model_that_was_built_before_can_be_initialized_in_a_watch():
    model = nn.Linear(4, 3)
    with watch() as w:
        nn.init.normal_(model.weight, std=0.02)
    rows = w.report(model=model).rows
    assert [(row.names, row.law) for row in rows] == [
        (("weight",), "Normal(0, 0.02)"),
        (("bias",), "not seen"),
    ]


def test_a_watch_can_go_on_in_a_second_block():
    with watch() as w:
        model = Unset()
    with w:
        nn.init.ones_(model.scale)
    assert w.check().ok
