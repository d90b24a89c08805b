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


def test_an_error_of_torch_names_the_layer_and_what_it_was_given():
    root = ready(nn.Sequential(nn.Linear(6, 8), Residual(9)))
    with pytest.raises(MXNetError, match="normalized_shape") as error:
        root(nd.zeros((2, 6)))
    assert error.value.path == "1.norm"


def test_gradients_of_gradients_are_refused():
    root = ready(nn.Sequential(nn.Linear(3, 1)))
    x = nd.ones((2, 3))
    x.attach_grad()
    with autograd.record():
        y = nd.sum(root(x))
        with pytest.raises(MXNetError, match="cannot be differentiated again"):
            autograd.grad(y, [x], create_graph=True)
