"""What the axes of modules' parameters are, and what is said where that is not known."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'initlab[torch]'")
from torch import nn  # noqa: E402

import initlab.torch as it  # noqa: E402
from initlab.runner.errors import ConfigError  # noqa: E402
from initlab.runner.torch.roles import DECLARED, places_of  # noqa: E402


def fans(module, name="weight"):
    row = it.plan(module, "he")[name]
    return row.fan_in, row.fan_out


@pytest.mark.parametrize(
    ("module", "name", "expected"),
    [
        (nn.Linear(5, 7), "weight", (5, 7)),
        (nn.Bilinear(3, 4, 5), "weight", (12, 5)),
        (nn.Conv1d(4, 6, 3), "weight", (12, 18)),
        (nn.Conv2d(4, 8, 3, groups=2), "weight", (18, 36)),
        (nn.Conv3d(2, 4, (1, 2, 3)), "weight", (12, 24)),
        (nn.ConvTranspose2d(4, 8, 3, groups=2), "weight", (18, 36)),
        (nn.Embedding(10, 3), "weight", (1, 3)),
        (nn.EmbeddingBag(10, 3), "weight", (1, 3)),
        (nn.RNN(3, 5), "weight_ih_l0", (3, 5)),
        (nn.LSTM(3, 5), "weight_ih_l0", (3, 5)),
        (nn.LSTM(3, 6, proj_size=4), "weight_hr_l0", (6, 4)),
        (nn.GRU(3, 5, bidirectional=True), "weight_hh_l0_reverse", (5, 5)),
        (nn.LSTMCell(3, 5), "weight_hh", (5, 5)),
        (nn.GRUCell(3, 5), "weight_ih", (3, 5)),
        (nn.MultiheadAttention(8, 2), "in_proj_weight", (8, 8)),
        (nn.MultiheadAttention(8, 2, kdim=3), "k_proj_weight", (3, 8)),
    ],
)  # fmt: skip
def test_fans_follow_from_the_type_of_the_module(module, name, expected):
    assert fans(module, name) == expected


def test_every_parameter_of_every_layer_of_torch_has_a_role():
    layers = [
        nn.Linear(2, 2), nn.Bilinear(2, 2, 2), nn.Conv1d(2, 2, 1), nn.Conv2d(2, 2, 1), nn.Conv3d(2, 2, 1),
        nn.ConvTranspose1d(2, 2, 1), nn.ConvTranspose2d(2, 2, 1), nn.ConvTranspose3d(2, 2, 1),
        nn.Embedding(2, 2), nn.EmbeddingBag(2, 2), nn.RNN(2, 2, 2, bidirectional=True), nn.LSTM(2, 2),
        nn.GRU(2, 2), nn.RNNCell(2, 2), nn.LSTMCell(2, 2), nn.GRUCell(2, 2),
        nn.MultiheadAttention(2, 1), nn.MultiheadAttention(2, 1, add_bias_kv=True, kdim=3, vdim=5),
        nn.BatchNorm1d(2), nn.BatchNorm2d(2), nn.BatchNorm3d(2), nn.InstanceNorm2d(2, affine=True),
        nn.LayerNorm((2, 3)), nn.GroupNorm(1, 2), nn.RMSNorm(2), nn.PReLU(2), nn.Transformer(4, 2, 1, 1, 8, batch_first=True),
        nn.TransformerEncoderLayer(4, 2, 8), nn.TransformerDecoderLayer(4, 2, 8),
    ]  # fmt: skip
    for layer in layers:
        named = {name for name, _ in layer.named_parameters(remove_duplicate=False)}
        assert named <= {place.path for place in places_of(layer)}, layer


def test_a_norm_is_one_and_zero_and_its_running_statistics_are_rows():
    rows = it.plan(nn.BatchNorm2d(3), "he")
    assert {path: str(row.law) for path, row in rows.items()} == {
        "weight": "Constant(1)",
        "bias": "Constant(0)",
        "running_mean": "Constant(0)",
        "running_var": "Constant(1)",
    }


class Gate(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.empty(4, 3))
        self.gate = nn.Parameter(torch.empty(3))


def test_a_parameter_without_a_role_is_refused_and_the_error_says_how_to_declare_it():
    with pytest.raises(ConfigError) as error:
        it.plan(nn.Sequential(Gate()), "he")
    said = str(error.value)
    assert "0.table: of Gate, shape (4, 3): it is not known what its axes are" in said
    assert "0.gate: " in said
    assert 'initlab.torch.roles(gate=initlab.torch.Role(("out",)))(Gate)' in said


def test_roles_are_declared_by_a_decorator_and_hold_for_derived_classes():
    try:
        it.roles(table=("group", "out"), gate=it.Role(("out",), "ones"))(Gate)

        class Derived(Gate):
            pass

        rows = it.plan(Derived(), "he")
        assert (rows["table"].fan_in, str(rows["gate"].law)) == (1, "Constant(1)")
    finally:
        DECLARED.clear()


def test_what_is_declared_goes_before_the_table():
    class Mine(nn.Linear):
        pass

    try:
        it.roles(weight=("in", "out"))(Mine)
        assert fans(Mine(5, 7)) == (7, 5)
        assert fans(nn.Linear(5, 7)) == (5, 7)
    finally:
        DECLARED.clear()


@pytest.mark.parametrize(
    ("declare", "error", "said"),
    [
        (lambda: it.Role(("outt",)), ValueError, "no axis role 'outt' - did you mean 'out'"),
        (lambda: it.Role(("out*0",)), ValueError, "no axis role 'out\\*0'"),
        (lambda: it.Role(("out",), "onez"), ValueError, "no initializer 'onez'"),
        (lambda: it.roles(weight="out"), ValueError, "must be a tuple like"),
        (lambda: it.roles(weight=("out",))(3), TypeError, "declared for a class of modules, got 3"),
    ],
)
def test_wrong_roles_are_refused(declare, error, said):
    with pytest.raises(error, match=said):
        declare()


def test_roles_that_do_not_fit_the_shape_are_refused():
    class Mine(nn.Linear):
        pass

    try:
        it.roles(weight=("out",))(Mine)
        with pytest.raises(
            ConfigError, match=r"weight: has shape \(7, 5\), but the roles \('out',\)"
        ):
            it.plan(Mine(5, 7), "he")
    finally:
        DECLARED.clear()


def test_a_list_of_parameters_has_the_roles_that_its_owner_declares():
    class Several(nn.Module):
        def __init__(self):
            super().__init__()
            self.tables = nn.ParameterList([torch.empty(4, 3), torch.empty(5, 3)])
            self.gates = nn.ParameterDict({"a": torch.empty(3)})
            self.factor = nn.Parameter(torch.empty(()))

    with pytest.raises(ConfigError) as error:
        it.plan(Several(), "he")
    said = str(error.value)
    assert 'initlab.torch.roles(tables=initlab.torch.Role(("out", "in")))(Several)' in said
    assert "initlab.torch.roles(factor=initlab.torch.Role(()))(Several)" in said
    try:
        gates = it.Role(("out",), "ones")
        it.roles(tables=("out", "in"), gates=gates, factor=it.Role((), "ones"))(Several)
        rows = it.plan(Several(), "he")
        assert [rows[f"tables.{n}"].fan_in for n in (0, 1)] == [3, 3]
        assert str(rows["gates.a"].law) == "Constant(1)"
    finally:
        DECLARED.clear()


@pytest.mark.parametrize("dtype", [torch.complex64, torch.int8, torch.float8_e4m3fn])
def test_a_dtype_without_a_law_is_refused_by_name(dtype):
    module = nn.Sequential(nn.Linear(5, 7))
    module[0].weight = nn.Parameter(torch.zeros(7, 5).to(dtype), requires_grad=False)
    said = f"0.weight: has dtype {str(dtype)[6:]}, for which there are no laws"
    with pytest.raises(ConfigError, match=said):
        it.plan(module, "he")


def test_a_lazy_module_says_that_it_has_no_shapes_yet():
    with pytest.raises(ConfigError, match="has no shape yet"):
        it.plan(nn.LazyLinear(3), "he")


def test_modules_of_transformers_have_roles():
    transformers = pytest.importorskip("transformers")
    config = transformers.GPT2Config(n_layer=1, n_embd=8, n_head=2, vocab_size=11, n_positions=4)
    with torch.device("meta"):
        model = transformers.GPT2LMHeadModel(config)
    rows = it.plan(model, {"kind": "normal", "sigma": 0.02})
    attention = rows["transformer.h.0.attn.c_attn.weight"]
    assert (attention.shape, attention.fan_in, attention.fan_out) == ((8, 24), 8, 24)
    assert rows["lm_head.weight"].alias_of == "transformer.wte.weight"


def test_the_older_weight_norm_is_refused_with_the_newer_one():
    with pytest.warns(FutureWarning, match="weight_norm"):
        module = nn.utils.weight_norm(nn.Linear(3, 2))
    with pytest.raises(ConfigError, match=r"use torch.nn.utils.parametrizations.weight_norm"):
        it.plan(module, "he")
