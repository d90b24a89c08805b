"""How a module behaves during one call."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'initlab[torch]'")
from torch import nn  # noqa: E402

from initlab.engine import autograd, nd  # noqa: E402
from initlab.runner.torch.body import Body  # noqa: E402
from initlab.runner.torch.mirror import adopt, mirrored  # noqa: E402


def ready(module):
    root = mirrored(Body(module))
    adopt(root, module)
    return root


def test_running_statistics_change_in_train_mode_as_by_torch_and_counters_do_not():
    torch.manual_seed(0)
    module, x = nn.Sequential(nn.BatchNorm1d(3)), torch.randn(8, 3)
    root = ready(module)
    with autograd.record():
        root(nd.array(x.numpy()))
    other = nn.Sequential(nn.BatchNorm1d(3))
    other.train()(x)
    mean = root.structural_params()["0.running_mean"].data().asnumpy()
    assert np.allclose(mean, other[0].running_mean.numpy(), atol=1e-7)
    assert module[0].num_batches_tracked.item() == 0
    assert module.training


def test_dropout_follows_the_engines_mode_and_stream():
    root = ready(nn.Sequential(nn.Dropout(0.5)))
    x = nd.ones((50,))
    assert (root(x).asnumpy() == 1).all()
    state = torch.get_rng_state()
    with autograd.train_mode():
        assert 0 < (root(x).asnumpy() == 0).sum() < 50
        with autograd.without_dropout():
            assert (root(x).asnumpy() == 1).all()
    assert torch.equal(torch.get_rng_state(), state)
