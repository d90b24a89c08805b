"""A report is text of 80 columns, and JSON types."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402

from initlab.runner.torch.watch.record.found import Finding  # noqa: E402
from initlab.runner.torch.watch.report import merged, pattern, patterns  # noqa: E402
from initlab.runner.torch.watch.watching import watch  # noqa: E402


class Unset(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Linear(4, 3)
        self.scale = nn.Parameter(torch.empty(3))


def test_the_report_says_who_wrote_what_in_80_columns():
    with watch() as w:
        model = nn.Sequential(*(nn.Linear(4, 4) for _ in range(3)), Unset())
    text = str(w.report())
    assert "Sequential: 9 tensors" in text
    assert "*.weight (3)" in text
    by = "Uniform(-0.5, 0.5); 1 write, by torch/nn/modules/linear.py reset_parameters"
    assert by in " ".join(text.split())
    assert "Sequential: 1 finding" in text
    assert max(map(len, text.splitlines())) <= 80
    described = w.report(model=model).describe()
    assert described["findings"][0]["id"] == "never-written"
    assert described["tensors"][0]["names"] == ["0.weight", "1.weight", "2.weight"]


def test_names_that_differ_in_numbers_are_one_pattern():
    assert pattern("h.11.attn.c_attn.weight") == "h.*.attn.c_attn.weight"
    assert pattern("0.weight") == "*.weight"
    assert pattern("conv1.weight_ih_l0") == "conv1.weight_ih_l0"
    names = [f"h.{i}.w" for i in range(12)] + ["a", "b", "c", "d"]
    assert patterns(names) == "h.*.w (12), a, b, c and 1 more"


def test_findings_that_say_the_same_are_put_together():
    found = [Finding("tie", ("a",), "x"), Finding("tie", ("b",), "x"), Finding("tie", ("a",), "y")]
    assert merged(found) == [Finding("tie", ("a", "b"), "x"), Finding("tie", ("a",), "y")]
