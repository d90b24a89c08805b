"""The arrays that stand for the tensors of one call, and their steps on the tape."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'initlab[torch]'")
from torch import nn  # noqa: E402

from initlab.engine import autograd, nd  # noqa: E402
from initlab.engine.errors import MXNetError  # noqa: E402
from initlab.runner.probes.following import blocks_by_path, following  # noqa: E402
from initlab.runner.torch.body import Body  # noqa: E402
from initlab.runner.torch.mirror import adopt, mirrored  # noqa: E402


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Linear(width, 2 * width)
        self.act = nn.ReLU(inplace=True)
        self.outer = nn.Linear(2 * width, width)

    def forward(self, x):
        return x + self.outer(self.act(self.inner(self.norm(x))))


def ready(module):
    root = mirrored(Body(module))
    adopt(root, module)
    return root


def test_a_sum_within_a_module_is_known_as_a_residual_stream():
    from initlab.runner.observation.tree import calls_of

    torch.manual_seed(0)
    root = ready(nn.Sequential(nn.Linear(6, 8), Residual(8)))
    with autograd.record(), calls_of(root) as calls:
        root(nd.array(np.random.default_rng(0).normal(size=(4, 6)).astype("float32")))
    block = next(node for node in calls[0].parts if node.path == "1")
    assert block.adds
    before, after = block.entered.asnumpy(), block.left.asnumpy()
    rms = lambda x: float(np.sqrt(np.mean(np.square(x))))  # noqa: E731
    assert block.branch() == pytest.approx(rms(after - before) / rms(before), rel=1e-5)


@pytest.mark.parametrize("recording", [True, False])
def test_another_view_of_the_same_elements_is_the_same_array(recording):
    class Viewing(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(4, 4), Residual(4)

        def forward(self, x):
            return self.b(self.a(x).view(len(x), 4)).view(len(x), 4)

    root, calls = ready(Viewing()), []
    with (
        autograd.record() if recording else autograd.pause(),
        following(blocks_by_path(root), calls.append),
    ):
        out = root(nd.ones((2, 4)))
    by_path = {call.path: call for call in calls}
    assert by_path["b"].arguments[0] is by_path["a"].returned
    assert out is by_path["b"].returned


def test_gradients_of_gradients_are_refused():
    root = ready(nn.Sequential(nn.Linear(3, 1)))
    x = nd.ones((2, 3))
    x.attach_grad()
    with autograd.record():
        y = nd.sum(root(x))
        with pytest.raises(MXNetError, match="cannot be differentiated again"):
            autograd.grad(y, [x], create_graph=True)
