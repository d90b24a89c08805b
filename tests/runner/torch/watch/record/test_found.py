"""What the laws and writers of tensors are called."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402

from initlab.runner.torch.watch.watching import watch  # noqa: E402


def test_a_row_that_was_written_later_is_said():
    with watch() as w:
        model = nn.Embedding(4, 6)
        with torch.no_grad():
            model.weight[0].fill_(2.0)
    (row,) = w.report(model=model).rows
    assert row.law == "Normal(0, 1), then Constant(2) in a part"
    assert row.writer == "torch/nn/modules/sparse.py reset_parameters"


def test_what_was_never_written_written_in_parts_or_not_seen_is_called_so():
    before = nn.Parameter(torch.ones(3))

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.before, self.unset = before, nn.Parameter(torch.empty(3))
            parts = torch.empty(2, 3)
            parts[0] = 1
            self.parts = nn.Parameter(parts)

    with watch() as w:
        model = Model()
    laws = {row.names[0]: row.law for row in w.report(model=model).rows}
    assert laws == {"before": "not seen", "unset": "never written", "parts": "in parts"}
