"""In which order data passes the layers of a module whose `forward` is code."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'initlab[torch]'")
from torch import nn  # noqa: E402

import initlab.torch as it  # noqa: E402
from initlab.engine.gluon.flow import Branch, Chain, Factor, Layer, Offset, Parallel  # noqa: E402
from initlab.runner.errors import ConfigError  # noqa: E402
from initlab.runner.torch.flow import flows_of  # noqa: E402


class Module(nn.Module):
    """Three layers, and a `forward` that a test gives."""

    def __init__(self, forward):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)
        self.drop = nn.Dropout(0.1)
        self.shift = nn.Parameter(torch.zeros(4))
        self.matrix = nn.Parameter(torch.zeros(4, 4))
        self.given = forward

    def forward(self, x):
        return self.given(self, x)


def flow(forward):
    return flows_of(Module(forward), [torch.randn(2, 4)])[""]


def grown(x, y):
    x += y
    return x


@pytest.mark.parametrize(
    ("forward", "expected"),
    [
        (lambda m, x: m.b(m.a(x)), Chain(("a", "b"))),
        (lambda m, x: x + m.b(m.a(x)), Chain((Branch(Chain(("a", "b"))),))),
        (lambda m, x: m.b(m.a(x)) + x, Chain((Branch(Chain(("a", "b"))),))),
        (lambda m, x: torch.add(x, m.drop(m.a(x))), Chain((Branch(Chain(("a", "drop"))),))),
        (lambda m, x: grown(m.b(m.a(x)), x), Chain((Branch(Chain(("a", "b"))),))),
        (lambda m, x: m.c(m.b(m.a(x)) + m.c(x)), Chain((Branch(Chain(("a", "b")), Chain(("c",))), "c"))),
        (lambda m, x: 2 * x + m.a(x), Chain((Branch(Chain(("a",)), Chain((Factor(2.0),))),))),
        (lambda m, x: m.a(x) + m.b(x), Chain((Parallel([Chain(("a",)), Chain(("b",))]),))),
        (lambda m, x: m.c(torch.cat([m.a(x), m.b(x)]).view(-1, 4)), Chain((Parallel([Chain(("a",)), Chain(("b",))]), "c"))),
        (lambda m, x: m.a(x) + m.shift, Chain(("a", Offset(("shift",))))),
        (lambda m, x: m.b(m.a(x) @ m.matrix), Chain(("a", Layer(("matrix",)), "b"))),
        (lambda m, x: m.a(x).reshape(-1).view(2, 4).contiguous(), Chain(("a",))),
    ],
)  # fmt: skip
def test_forwards_are_read(forward, expected):
    found = flow(forward)
    parts = [p for p in found.parts if type(p).__name__ != "Function"]
    assert Chain(tuple(parts)) == expected


def test_two_branches_of_a_block_are_two_and_positions_are_beside_the_words():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.attention = (
                nn.LayerNorm(8),
                nn.MultiheadAttention(8, 2, batch_first=True),
            )
            self.norm2, self.up, self.down = nn.LayerNorm(8), nn.Linear(8, 16), nn.Linear(16, 8)

        def forward(self, x):
            y = self.norm1(x)
            x = x + self.attention(y, y, y, need_weights=False)[0]
            return x + self.down(torch.relu(self.up(self.norm2(x))))

    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.places = nn.Embedding(9, 8), nn.Embedding(5, 8)
            self.blocks = nn.ModuleList([Block(), Block()])
            self.head = nn.Linear(8, 9)

        def forward(self, x):
            x = self.words(x) + self.places(torch.arange(x.shape[1], device=x.device))
            for block in self.blocks:
                x = block(x)
            return self.head(x)

    with torch.device("meta"):
        module, example = Words(), torch.zeros(2, 5, dtype=torch.long)
    found = flows_of(module, [example])
    assert [type(part).__name__ for part in found["blocks.0"].parts] == ["Branch", "Branch"]
    assert found[""].parts[0] == Parallel([Chain(("words",)), Chain(("places",))])
    rows = it.plan(module, "gpt2", example=example)
    scaled = {path for path, row in rows.items() if str(row.law) == "Normal(0, 0.01)"}
    ends = {f"blocks.{n}.{name}.weight" for n in (0, 1) for name in ("attention.out_proj", "down")}
    assert scaled == ends
    with pytest.raises(
        ConfigError, match="example: is not given, and ResidualScaled goes by the structure"
    ):
        it.plan(module, "gpt2")


def test_schemes_for_residual_networks_work_for_models_of_transformers():
    transformers = pytest.importorskip("transformers")
    config = transformers.LlamaConfig(
        num_hidden_layers=2,
        hidden_size=16,
        intermediate_size=32,
        num_attention_heads=2,
        num_key_value_heads=1,
        vocab_size=20,
    )
    with torch.device("meta"):
        model, example = transformers.LlamaForCausalLM(config), torch.zeros(2, 5, dtype=torch.long)
    rows = it.plan(model, "gpt2", example=example)
    scaled = {
        path.split(".")[-2] for path, row in rows.items() if str(row.law) == "Normal(0, 0.01)"
    }
    assert scaled == {"o_proj", "down_proj"}


def test_the_module_is_as_before():
    module = Module(lambda m, x: m.drop(m.a(x)))
    module.b.eval()
    flows_of(module, [torch.randn(2, 4)])
    assert module.training and not module.b.training and module.drop.training
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


def test_recurrent_layers_and_attention_say_what_their_weights_are():
    lstm = flows_of(nn.LSTM(3, 4, 2), [torch.zeros(5, 2, 3)])[""]
    assert [part.inner for part in lstm.parts] == [
        ["weight_hh_l0", "bias_hh_l0"],
        ["weight_hh_l1", "bias_hh_l1"],
    ]
