"""`initlab export`: torch and transformers load what is written, and compute what our network does.

The torch modules are written here by hand, as a reader of docs/export.md would. Every parameter of
the runs is random, norms and running values too, so that no mistake in a name stays unseen.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from initlab.engine import nd
from initlab.engine.device import Device
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.export.export import export
from initlab.runner.plan.model import parse_input, parse_model
from initlab.runner.plan.network import build, infer_shapes

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'initlab[torch]'")
load_file = pytest.importorskip("safetensors.torch").load_file
safe_open = pytest.importorskip("safetensors").safe_open
nn = torch.nn
F = torch.nn.functional

RANDOM = (
    "init.rules=[{match: '.*running_var', init: {kind: constant, value: 1.7}, optional: true},"
    " {match: '.*', init: {kind: normal, sigma: 0.15}}]"
)
"""Every parameter random, but variances positive."""


@pytest.fixture
def made(only_run) -> Callable[..., Path]:
    """`made(word, …)`: a run of these words with random parameters of every kind."""

    def call(*words: str) -> Path:
        rules = RANDOM if any("norm" in word or "resnet" in word for word in words) else ""
        chosen = ["init=mixed", rules] if rules else ["init=normal", "init.sigma=0.15"]
        return only_run(*words, *chosen, "probe=none", "stats=[]", "diagnose=false")

    return call


def ours(folder: Path, x: np.ndarray) -> np.ndarray:
    """Return the output of the run's network, with its first values, for a batch."""
    run = RunFolder(folder)
    options = run.config["model"]
    shape = parse_input(options.get("input"))
    network = build(parse_model(options, shape), run.config["dtype"])
    infer_shapes(network, x.shape)
    for path, parameter in network.owners.items():
        parameter.adopt(np.array(run.snapshot[path]), Device("cpu", 0))
    return network.root(nd.array(x, dtype=x.dtype)).asnumpy()


def loaded(folder: Path, module):
    """Load the export of a run, every name of it and of the module, and return the module."""
    module.load_state_dict(load_file(export(folder, "torch").path), strict=True)
    return module.eval()


def same(folder: Path, module, x: np.ndarray) -> None:
    """Check that the module computes what our network does."""
    with torch.no_grad():
        theirs = loaded(folder, module)(torch.from_numpy(x))
    theirs = theirs[0] if isinstance(theirs, tuple) else theirs
    expected = ours(folder, x)
    assert theirs.shape == expected.shape
    assert np.abs(theirs.numpy() - expected).max() <= 1e-5 * max(1.0, np.abs(expected).max())


def drawn(*shape: int) -> np.ndarray:
    return np.random.default_rng(7).normal(size=shape).astype(np.float32)


class Named(nn.Module):
    """Modules by the names of a config, one after the other; `then` is what follows each."""

    def __init__(self, then=None, **layers) -> None:
        super().__init__()
        for name, layer in layers.items():
            setattr(self, name, layer)
        self._order, self._then = list(layers), then or {}

    def forward(self, x):
        for name in self._order:
            x = getattr(self, name)(x)
            x = x[0] if isinstance(x, tuple) else x
            x = self._then.get(name, lambda y: y)(x)
        return x


def test_mlp(made):
    module = nn.Sequential(nn.Linear(20, 256), nn.Linear(256, 10))

    class Mlp(nn.Module):
        def __init__(self):
            super().__init__()
            self.add_module("0", module[0])
            self.add_module("1", module[1])

        def forward(self, x):
            return module[1](F.relu(module[0](x)))

    same(made("model=mlp"), Mlp(), drawn(5, 20))


def test_lenet(made):
    def pooled(x):
        return F.max_pool2d(F.relu(x), 2)

    module = Named(
        {"conv1": pooled, "conv2": pooled, "flat": F.relu, "fc1": F.relu, "fc2": F.relu},
        conv1=nn.Conv2d(1, 6, 3, padding=1),
        conv2=nn.Conv2d(6, 16, 3, padding=1),
        flat=nn.Flatten(),
        fc1=nn.Linear(64, 120),
        fc2=nn.Linear(120, 84),
        head=nn.Linear(84, 10),
    )
    same(made("model=lenet", "data=digits"), module, drawn(3, 1, 8, 8))


class Block(nn.Module):
    """ResNet's block of two convolutions, with the names of conf/model/resnet18.yaml."""

    def __init__(self, channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        if stride != 1:
            conv = nn.Conv2d(channels, width, 1, stride, bias=False)
            self.shortcut = nn.ModuleDict({"conv": conv, "bn": nn.BatchNorm2d(width)})

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if hasattr(self, "shortcut"):
            x = self.shortcut["bn"](self.shortcut["conv"](x))
        return F.relu(x + y)


def repeated(times: int, width: int) -> nn.Sequential:
    """`times` copies of a block, each in a sequence of its own: `0.block`, `1.block`."""
    return nn.Sequential(*(Named(block=Block(width, width)) for _ in range(times)))


def test_resnet18_with_running_values_and_shortcuts(made):
    module = Named(
        {"bn1": lambda x: F.max_pool2d(F.relu(x), 3, 2, 1)},
        conv1=nn.Conv2d(3, 64, 7, 2, 3, bias=False),
        bn1=nn.BatchNorm2d(64),
        stage1=repeated(2, 64),
        down2=Block(64, 128, 2),
        stage2=repeated(1, 128),
        down3=Block(128, 256, 2),
        stage3=repeated(1, 256),
        down4=Block(256, 512, 2),
        stage4=repeated(1, 512),
        pool=nn.AdaptiveAvgPool2d(1),
        flat=nn.Flatten(),
        head=nn.Linear(512, 1000),
    )
    same(made("model=resnet18", "model.input=[3,32,32]"), module, drawn(2, 3, 32, 32))


def test_an_lstm_language_model(made):
    module = Named(
        embed=nn.Embedding(256, 64),
        lstm=nn.LSTM(64, 128, num_layers=2, batch_first=True),
        head=nn.Linear(128, 256),
    )
    tokens = np.random.default_rng(1).integers(0, 256, (3, 35))
    folder = made("model=lstm_lm", "data=tokens", "data.vocabulary=256")
    same(folder, module, tokens)


GPT2 = ["model=gpt2", "data=tokens", "data.vocabulary=61", "model.layers.0.input_dim=61"]
GPT2 += ["model.layers.0.output_dim=24", "model.layers.2.times=2", "model.input=[16]"]
GPT2 += ["model.layers.2.layers.0.heads=3", "model.layers.1.length=16"]


class Gpt2(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(61, 24)
        self.positions = nn.Embedding(16, 24)
        options = {"batch_first": True, "norm_first": True, "dropout": 0.0}

        def tanh_gelu(x):
            return F.gelu(x, approximate="tanh")

        def block():
            return nn.TransformerEncoderLayer(24, 3, 96, activation=tanh_gelu, **options)

        self.blocks = nn.ModuleList([nn.ModuleDict({"block": block()}) for _ in range(2)])
        self.norm = nn.LayerNorm(24)
        self.head = nn.Linear(24, 61, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, tokens):
        length = tokens.shape[1]
        x = self.tokens(tokens) + self.positions(torch.arange(length))
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        for block in self.blocks:
            x = block["block"](x, src_mask=mask, is_causal=True)
        return self.head(self.norm(x))


def test_gpt2_of_torchs_own_layers_with_a_tied_head(made):
    tokens = np.random.default_rng(1).integers(0, 61, (3, 16))
    same(made(*GPT2), Gpt2(), tokens)


def test_a_tie_is_in_the_file_under_both_names_and_is_said(made):
    done = export(made(*GPT2), "torch")
    assert done.ties == {"head.weight": "tokens.weight"}
    stored = load_file(done.path)
    assert torch.equal(stored["head.weight"], stored["tokens.weight"])


def layers(*listed: str, shape: str) -> list[str]:
    return [f"model.layers=[{', '.join(listed)}]", f"model.input=[{shape}]"]


IMAGE = [
    (
        "{kind: conv2d, name: a, channels: 6, kernel_size: 3, groups: 2}",
        nn.Conv2d(4, 6, 3, groups=2),
    ),
    (
        "{kind: conv2d_transpose, name: a, channels: 6, kernel_size: 3, strides: 2, groups: 2}",
        nn.ConvTranspose2d(4, 6, 3, 2, groups=2),
    ),
    ("{kind: instance_norm, name: a, scale: true}", nn.InstanceNorm2d(4, affine=True)),
    ("{kind: group_norm, name: a, num_groups: 2}", nn.GroupNorm(2, 4)),
    ("{kind: batch_norm, name: a, scale: false}", nn.BatchNorm2d(4)),
    ("{kind: prelu, name: a, in_channels: 4}", nn.PReLU(4)),
    ("{kind: layer_norm, name: a}", nn.LayerNorm(9)),
]
SEQUENCE = [
    ("{kind: conv1d, name: a, channels: 6, kernel_size: 3}", nn.Conv1d(7, 6, 3)),
    (
        "{kind: conv1d_transpose, name: a, channels: 6, kernel_size: 3}",
        nn.ConvTranspose1d(7, 6, 3),
    ),
    (
        "{kind: rnn, name: a, hidden_size: 5, activation: relu}",
        nn.RNN(6, 5, nonlinearity="relu", batch_first=True),
    ),
    (
        "{kind: lstm, name: a, hidden_size: 5, num_layers: 2, bidirectional: true}",
        nn.LSTM(6, 5, 2, bidirectional=True, batch_first=True),
    ),
    (
        "{kind: lstm, name: a, hidden_size: 5, projection_size: 3}",
        nn.LSTM(6, 5, proj_size=3, batch_first=True),
    ),
    (
        "{kind: gru, name: a, hidden_size: 5, num_layers: 2, bidirectional: true}",
        nn.GRU(6, 5, 2, bidirectional=True, batch_first=True),
    ),
    (
        "{kind: transformer_block, name: a, units: 6, heads: 2, norm: post, activation: relu, use_bias: false}",
        nn.TransformerEncoderLayer(6, 2, 24, 0.0, activation="relu", batch_first=True),
    ),
    ("{kind: dense, name: a, units: 3, flatten: false, use_bias: false}", nn.Linear(6, 3, False)),
]
VOLUME = [
    ("{kind: conv3d, name: a, channels: 4, kernel_size: 2}", nn.Conv3d(2, 4, 2)),
    (
        "{kind: conv3d_transpose, name: a, channels: 4, kernel_size: 2, groups: 2}",
        nn.ConvTranspose3d(2, 4, 2, groups=2),
    ),
]
SHAPES = [(IMAGE, (4, 9, 9)), (SEQUENCE, (7, 6)), (VOLUME, (2, 5, 5, 5))]


def of_kind(text: str) -> str:
    return text[len("{kind: ") :].partition(",")[0]


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize(
    ("text", "module", "shape"),
    [
        pytest.param(text, module, shape, id=of_kind(text))
        for cases, shape in SHAPES
        for text, module in cases
    ],
)
def test_each_layer_kind_computes_the_same_in_torch(made, text, module, shape):
    folder = made(*layers(text, shape=",".join(map(str, shape))), "model=mlp")
    same(folder, Named(a=module), drawn(3, *shape))


def test_attention_with_packed_projections(made):
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.MultiheadAttention(6, 2, batch_first=True)

        def forward(self, x):
            return self.a(x, x, x)

    text = "{kind: multi_head_attention, name: a, units: 6, heads: 2}"
    same(made("model=mlp", *layers(text, shape="7,6")), Attention(), drawn(3, 7, 6))


def test_parallel_branches_and_scalars_keep_their_names(made):
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return self.scale * x

    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            both = {"one": nn.Linear(6, 3), "two": nn.Linear(6, 4)}
            self.both, self.s = nn.ModuleDict(both), Scaled()

        def forward(self, x):
            return self.s(torch.cat([self.both["one"](x), self.both["two"](x)], 1))

    inner = "{kind: dense, name: one, units: 3}, {kind: dense, name: two, units: 4}"
    text = f"{{kind: concurrent, name: both, layers: [{inner}]}}"
    scale = "{kind: scale, name: s, factor: 1.5, learnable: true}"
    same(made("model=mlp", *layers(text, scale, shape="6")), Both(), drawn(3, 6))


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_the_values_are_ours_bit_for_bit_in_every_dtype(made, dtype):
    folder = made("model=lenet", "data=digits", f"dtype={dtype}")
    stored = load_file(export(folder, "torch").path)
    for path, values in RunFolder(folder).snapshot.tensors.items():
        assert str(stored[path].dtype) == f"torch.{dtype}"
        assert stored[path].view(torch.uint8).numpy().tobytes() == values.tobytes()


@pytest.fixture
def transformers(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("transformers", reason="transformers is not installed")


def pretrained(transformers, folder: Path):
    """Return transformers' model of a run's export; every weight of it comes from there."""
    model, said = transformers.AutoModelForCausalLM.from_pretrained(
        export(folder, "transformers").path, output_loading_info=True
    )
    assert not any(said.values()), said
    assert type(model).__name__ == "GPT2LMHeadModel"
    return model.eval()


UNTIED = ["~model.share.table", "+model.layers.2.layers.0.hidden=40"]
WITHOUT_BIAS = [
    "+model.layers.2.layers.0.use_bias=false",
    "model.layers.2.layers.0.activation=relu",
]


@pytest.mark.parametrize("words", [[], UNTIED, WITHOUT_BIAS], ids=["tied", "untied", "no-bias"])
def test_transformers_gpt2_computes_the_same(made, transformers, words):
    folder = made(*GPT2, *words)
    tokens = np.random.default_rng(1).integers(0, 61, (3, 16))
    model = pretrained(transformers, folder)
    assert model.config.tie_word_embeddings is (words is not UNTIED)
    with torch.no_grad():
        theirs = model(torch.from_numpy(tokens)).logits.numpy()
    expected = ours(folder, tokens)
    assert np.abs(theirs - expected).max() <= 1e-5 * np.abs(expected).max()


def test_transformers_loads_the_dtype_of_the_run(made, transformers):
    model = pretrained(transformers, made(*GPT2, "dtype=bfloat16"))
    assert model.dtype is torch.bfloat16


def test_the_file_of_a_run_names_the_frozen_parameters_as_torch_does(made):
    folder = made(
        "model.input=[6,4]",
        "data=normal",
        "model.layers=[{kind: lstm, name: rnn, hidden_size: 5}, {kind: layer_norm, name: norm}, "
        "{kind: dense, name: head, units: 2, trainable: false}]",
        "model.freeze=['rnn.l0_i2h.*', 'norm.*']",
    )
    target = export(folder, "torch").path
    with safe_open(target, "pt") as file:
        named = json.loads(file.metadata()["frozen"])
    assert sorted(named) == [
        *(
            "head.bias",
            "head.weight",
            "norm.bias",
            "norm.weight",
            "rnn.bias_ih_l0",
            "rnn.weight_ih_l0",
        ),
    ]
    module = Named(rnn=nn.LSTM(4, 5, batch_first=True), norm=nn.LayerNorm(5), head=nn.Linear(5, 2))
    for name in named:
        module.get_parameter(name).requires_grad_(False)
