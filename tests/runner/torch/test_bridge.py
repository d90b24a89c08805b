"""A module sent through by the engine: the same outputs and gradients as by torch, at every layer."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'initlab[torch]'")
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

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


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(6, 8)
        self.blocks = nn.ModuleList(Residual(8) for _ in range(3))
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        x = torch.tanh(self.stem(x))
        for block in self.blocks:
            x = block(x)
        return self.head(self.drop(x))


class Image(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.again = nn.Conv2d(4, 4, 3, padding=1)
        self.head = nn.Linear(4, 4)

    def forward(self, x):
        x = self.relu(self.norm(self.conv(x)))
        y = self.again(x)
        y += x
        return self.head(self.relu(y).mean((2, 3)))


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(9, 8)
        self.rnn = nn.LSTM(8, 8, 2, batch_first=True, dropout=0.5)
        self.attention = nn.MultiheadAttention(8, 2, dropout=0.5, batch_first=True)
        self.head = nn.Linear(8, 9, bias=False)
        self.head.weight = self.table.weight

    def forward(self, x):
        x, _ = self.rnn(self.table(x))
        return self.head(x + self.attention(x, x, x, need_weights=False)[0])


CASES = {
    "residual": (Net, lambda: torch.randn(5, 6)),
    "sequence": (
        lambda: nn.Sequential(nn.Linear(6, 5), nn.GELU(), nn.Linear(5, 4)),
        lambda: torch.randn(5, 6),
    ),
    "image": (Image, lambda: torch.randn(3, 1, 5, 5)),
    "words": (Words, lambda: torch.randint(0, 9, (3, 7))),
}


def by_torch(module, x, y):
    """Return (loss, gradients of the outputs of modules by path, gradients of parameters)."""
    outputs, handles = {}, []
    module.train()

    def keep(path):
        def hook(part, args, output):
            first = output[0] if isinstance(output, tuple) else output
            outputs.setdefault(path, first.clone())
            outputs[path].retain_grad()
            passed = outputs[path].clone()  # which the module may change in place
            return (passed, *output[1:]) if isinstance(output, tuple) else passed

        return hook

    for path, part in module.named_modules():
        if path and not isinstance(part, nn.ReLU):
            handles.append(part.register_forward_hook(keep(path)))
    loss = functional.cross_entropy(module(x).flatten(0, -2), y.flatten())
    loss.backward()
    for handle in handles:
        handle.remove()
    gradients = {path: output.grad for path, output in outputs.items() if output.grad is not None}
    return loss.item(), gradients, {name: p.grad for name, p in module.named_parameters()}


def without_dropout(module):
    for part in module.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
        if isinstance(part, nn.LSTM | nn.MultiheadAttention):
            part.dropout = 0.0


@pytest.mark.parametrize("case", CASES)
def test_loss_and_gradients_at_every_layer_are_torchs(case):
    build, draw = CASES[case]
    torch.manual_seed(0)
    module, x = build(), draw()
    root = mirrored(Body(module))
    adopt(root, module)
    shape = module.eval()(x).shape
    y = torch.randint(0, shape[-1], shape[:-1])
    calls = []
    with (
        autograd.record(),
        autograd.without_dropout(),
        following(blocks_by_path(root), calls.append),
    ):
        given = nd.array(x.numpy(), dtype="int32" if case == "words" else "float32")
        loss = -nd.mean(nd.pick(nd.log_softmax(root(given)), nd.array(y.numpy(), dtype="int64")))
    seen = [(call.path, call.returned) for call in calls if isinstance(call.returned, nd.NDArray)]
    learned = {path: p for path, p in root.structural_params().items() if p.grad_req != "null"}
    boxes = [array for _, array in seen] + [p.data() for p in learned.values()]
    found = autograd.inner_gradients(loss, boxes)
    without_dropout(module)
    expected, outputs, parameters = by_torch(module, x, y)
    assert loss.asscalar() == pytest.approx(expected, rel=1e-5)
    compared = 0
    for (path, _), gradient in zip(seen, found, strict=False):
        if path in outputs and gradient is not None:
            assert np.allclose(gradient.asnumpy(), outputs[path].numpy(), rtol=1e-3, atol=1e-6), (
                path
            )
            compared += 1
    assert compared >= 2
    for path, gradient in zip(learned, found[len(seen) :], strict=True):
        if path in parameters:
            assert np.allclose(
                gradient.asnumpy(), parameters[path].numpy(), rtol=1e-3, atol=1e-6
            ), path


def ready(module):
    root = mirrored(Body(module))
    adopt(root, module)
    return root


def test_a_step_of_the_engines_trainer_changes_what_the_module_computes():
    from initlab.engine import gluon

    torch.manual_seed(0)
    root = ready(nn.Sequential(nn.Linear(3, 1)))
    trainer = gluon.Trainer(root.collect_params(), "sgd", {"learning_rate": 0.1})
    x = nd.ones((2, 3))
    losses = []
    for _ in range(5):
        with autograd.record():
            loss = nd.mean(root(x) ** 2)
        loss.backward()
        trainer.step(1)
        losses.append(float(loss.asscalar()))
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] / 2


def test_an_error_of_torch_names_the_layer_and_what_it_was_given():
    root = ready(nn.Sequential(nn.Linear(6, 8), Residual(9)))
    with pytest.raises(MXNetError, match="normalized_shape") as error:
        root(nd.zeros((2, 6)))
    assert error.value.path == "1.norm"


def test_the_scores_of_a_sequence_that_ends_in_a_recurrent_layer_are_its_first_tensor():
    module = nn.Sequential(nn.Linear(3, 3), nn.LSTM(3, 4, batch_first=True))
    out = ready(module)(nd.ones((2, 5, 3)))
    assert out.shape == (2, 5, 4)
