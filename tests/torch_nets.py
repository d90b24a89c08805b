"""Networks that are declared here and built in torch, layer by layer: the words that declare each, and
what builds the other, with our path of each parameter.

`built(name, torch)` gives {our path: torch's tensor} of a network that is made after
`torch.manual_seed(SEED)`. tests/vectors/record_torch_layers.py records digests of them.
"""

from __future__ import annotations

from typing import Any

SEED = 20
ALWAYS = ("semantics=torch", "stream=torch-2.13", f"seed={SEED}", "probe=none", "diagnose=false")
NAMES = {
    "self_attn.in_proj_weight": "attention.qkv_weight",
    "self_attn.in_proj_bias": "attention.qkv_bias",
    "self_attn.out_proj.weight": "attention.projection_weight",
    "self_attn.out_proj.bias": "attention.projection_bias",
    "in_proj_weight": "qkv_weight",
    "in_proj_bias": "qkv_bias",
    "out_proj.weight": "projection_weight",
    "out_proj.bias": "projection_bias",
    "linear1.weight": "expand.weight",
    "linear1.bias": "expand.bias",
    "linear2.weight": "contract.weight",
    "linear2.bias": "contract.bias",
}
"""torch's names of an attention's and a TransformerEncoderLayer's parameters -> ours."""


def ours(module: Any, name: str) -> str:
    """Return our name of a parameter or buffer of a torch module."""
    if "RNN" in type(module).__mro__[1].__name__:  # weight_ih_l0_reverse -> r0_i2h_weight
        kind, source, layer, *back = name.split("_")
        end = {"ih": "i2h", "hh": "h2h", "hr": "h2r"}[source]
        return f"{'r' if back else 'l'}{layer[1:]}_{end}_{kind}"
    if name in NAMES:
        return NAMES[name]
    start, _, end = name.rpartition(".")
    owner = module.get_submodule(start) if start else module
    if "Norm" in type(owner).__name__:
        end = {"weight": "gamma", "bias": "beta"}.get(end, end)
    if type(owner).__name__ == "PReLU":
        end = "alpha"
    return f"{start}.{end}" if start else end


def named(modules: dict[str, Any]) -> dict[str, Any]:
    """Return {our path: tensor} of modules by our paths."""
    return {
        f"{path}.{ours(module, name)}": tensor
        for path, module in modules.items()
        for name, tensor in module.state_dict(keep_vars=True).items()
        if name != "num_batches_tracked"
    }


def mlp(nn: Any) -> dict[str, Any]:
    return named({"0": nn.Linear(20, 256), "1": nn.Linear(256, 10)})


def lenet(nn: Any) -> dict[str, Any]:
    return named(
        {
            "conv1": nn.Conv2d(1, 6, 3),
            "conv2": nn.Conv2d(6, 16, 3),
            "fc1": nn.Linear(64, 120),
            "fc2": nn.Linear(120, 84),
            "head": nn.Linear(84, 10),
        }
    )


def lstm_lm(nn: Any) -> dict[str, Any]:
    return named(
        {"embed": nn.Embedding(256, 64), "lstm": nn.LSTM(64, 128, 2), "head": nn.Linear(128, 256)}
    )


def gpt(nn: Any) -> dict[str, Any]:
    """Two blocks of 32 units; the head is tied to the table, after it has drawn its own values."""
    tokens, positions = nn.Embedding(50, 32), nn.Embedding(16, 32)
    blocks = {
        f"blocks.{i}.block": nn.TransformerEncoderLayer(32, 4, 128, norm_first=True)
        for i in range(2)
    }
    norm, head = nn.LayerNorm(32), nn.Linear(32, 50, bias=False)
    after = nn.Linear(50, 3)
    head.weight = tokens.weight
    return named({"tokens": tokens, "positions": positions, **blocks, "norm": norm, "after": after})


def recurrent(nn: Any) -> dict[str, Any]:
    return named(
        {
            "rnn": nn.RNN(7, 9, 2),
            "both": nn.LSTM(9, 5, 2, bidirectional=True),
            "projected": nn.LSTM(10, 12, 2, proj_size=5),
            "gru": nn.GRU(5, 6, 3),
        }
    )


def convolutions(nn: Any) -> dict[str, Any]:
    return named(
        {
            "a": nn.Conv2d(8, 12, 3, groups=4),
            "b": nn.BatchNorm2d(12),
            "c": nn.ConvTranspose2d(12, 6, 3, groups=2),
            "d": nn.PReLU(6),
            "e": nn.Conv2d(6, 2, (1, 3), bias=False),
        }
    )


def one_axis(nn: Any) -> dict[str, Any]:
    return named({"a": nn.Conv1d(2, 3, 2), "b": nn.ConvTranspose1d(3, 5, 2)})


def three_axes(nn: Any) -> dict[str, Any]:
    return named({"a": nn.Conv3d(2, 3, 2), "b": nn.ConvTranspose3d(3, 2, 2)})


def attention(nn: Any) -> dict[str, Any]:
    return named(
        {
            "a": nn.MultiheadAttention(16, 4),
            "b": nn.MultiheadAttention(16, 2, bias=False),
            "c": nn.TransformerEncoderLayer(16, 2, 24),
        }
    )


def small(nn: Any) -> dict[str, Any]:
    """Less than 16 normals are drawn in another way, in pairs that reach over tensors."""
    return named(
        {"a": nn.Embedding(3, 5), "b": nn.Linear(5, 5), "c": nn.Linear(25, 1), "d": nn.Linear(1, 1)}
    )


def initialized_again(nn: Any) -> dict[str, Any]:
    """A network whose weights are drawn over, in order, once it is built."""
    a, b, c = nn.Linear(20, 30), nn.Linear(30, 5), nn.Linear(5, 5)
    nn.init.normal_(a.weight, 0.0, 0.02)
    nn.init.normal_(b.weight, 0.0, 0.02)
    nn.init.uniform_(b.bias, -0.25, 0.25)
    nn.init.normal_(c.weight, 0.0, 0.5)
    return named({"a": a, "b": b, "c": c})


CONV = "kind: conv2d, kernel_size:"
NETS = {
    "mlp": (mlp, ["model=mlp"]),
    "lenet": (lenet, ["model=lenet"]),
    "lstm_lm": (lstm_lm, ["model=lstm_lm", "data=text"]),
    "gpt": (
        gpt,
        [
            "data=tokens",
            "data.vocabulary=50",
            "model.input=[16]",
            "model.layers=[{kind: embedding, name: tokens, input_dim: 50, output_dim: 32}, "
            "{kind: position_embedding, name: positions, length: 16, units: 32}, "
            "{kind: repeat, name: blocks, times: 2, layers: ["
            "{kind: transformer_block, name: block, units: 32, heads: 4, causal: true}]}, "
            "{kind: layer_norm, name: norm}, "
            "{kind: dense, name: head, units: 50, use_bias: false, flatten: false}, "
            "{kind: dense, name: after, units: 3, flatten: false}]",
            "+model.share.table=[tokens.weight, head.weight]",
        ],
    ),
    "recurrent": (
        recurrent,
        [
            "model.input=[4, 7]",
            "model.layers=[{kind: rnn, name: rnn, hidden_size: 9, num_layers: 2}, "
            "{kind: lstm, name: both, hidden_size: 5, num_layers: 2, bidirectional: true}, "
            "{kind: lstm, name: projected, hidden_size: 12, num_layers: 2, projection_size: 5}, "
            "{kind: gru, name: gru, hidden_size: 6, num_layers: 3}]",
        ],
    ),
    "convolutions": (
        convolutions,
        [
            "model.input=[8, 6, 6]",
            f"model.layers=[{{{CONV} 3, name: a, channels: 12, groups: 4}}, "
            "{kind: batch_norm, name: b}, "
            "{kind: conv2d_transpose, name: c, channels: 6, kernel_size: 3, groups: 2}, "
            "{kind: prelu, name: d, in_channels: 6}, "
            f"{{{CONV} [1, 3], name: e, channels: 2, use_bias: false}}]",
        ],
    ),
    "one_axis": (
        one_axis,
        [
            "model.input=[2, 9]",
            "model.layers=[{kind: conv1d, name: a, channels: 3, kernel_size: 2}, "
            "{kind: conv1d_transpose, name: b, channels: 5, kernel_size: 2}]",
        ],
    ),
    "three_axes": (
        three_axes,
        [
            "model.input=[2, 4, 4, 4]",
            "model.layers=[{kind: conv3d, name: a, channels: 3, kernel_size: 2}, "
            "{kind: conv3d_transpose, name: b, channels: 2, kernel_size: 2}]",
        ],
    ),
    "attention": (
        attention,
        [
            "model.input=[5, 16]",
            "model.layers=[{kind: multi_head_attention, name: a, units: 16, heads: 4}, "
            "{kind: multi_head_attention, name: b, units: 16, heads: 2, use_bias: false}, "
            "{kind: transformer_block, name: c, units: 16, heads: 2, hidden: 24, norm: post}]",
        ],
    ),
    "small": (
        small,
        [
            "data=tokens",
            "data.vocabulary=3",
            "model.input=[5]",
            "model.layers=[{kind: embedding, name: a, input_dim: 3, output_dim: 5}, "
            "{kind: dense, name: b, units: 5, flatten: false}, {kind: dense, name: c, units: 1}, "
            "{kind: dense, name: d, units: 1}]",
        ],
    ),
    "initialized_again": (
        initialized_again,
        [
            "init=normal",
            "init.sigma=0.02",
            "model.layers=[{kind: dense, name: a, units: 30}, "
            "{kind: dense, name: b, units: 5, bias_initializer: {kind: uniform, scale: 0.25}}, "
            "{kind: dense, name: c, units: 5, weight_initializer: {kind: normal, sigma: 0.5}}]",
        ],
    ),
}
"""Name -> (what builds it from torch.nn, the words that declare it)."""


def words_of(name: str) -> list[str]:
    """Return all words that declare a network with torch's values."""
    return [*NETS[name][1], *ALWAYS]


def built(name: str, torch: Any) -> dict[str, Any]:
    """Return {our path: tensor} of a network made after `torch.manual_seed(SEED)`."""
    torch.manual_seed(SEED)
    with torch.no_grad():
        return NETS[name][0](torch.nn)
