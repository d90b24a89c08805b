"""law, zero-row, block, tie, copy and scaled-copy: values and last writes against a declaration."""

from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402
from torch_models import GPT, GPT_SPEC, Language, ResNet  # noqa: E402

from initlab.runner.errors import ConfigError  # noqa: E402
from initlab.runner.torch.watch.watching import watch  # noqa: E402


def findings(build, spec=None, **arguments):
    """Return [(id, names, sentence)] of what is found in what `build` makes."""
    torch.manual_seed(1)
    with watch() as w:
        model = build()
    report = w.report(spec, model=model, **arguments)
    return [(one.id, one.names, one.said) for one in report.findings]


@pytest.mark.parametrize("build", [GPT, ResNet, Language, lambda: ResNet(initialized=False)])
def test_clean_models_give_nothing(build):
    assert findings(build) == []


def test_a_clean_model_gives_nothing_against_its_declaration():
    assert findings(GPT, GPT_SPEC) == []


def test_missing_residual_scaling_is_named():
    class Model(GPT):
        def scale_residuals(self):
            pass

    ((check, names, said),) = findings(Model, GPT_SPEC)
    assert check == "law"
    assert set(names) == {f"h.{i}.{part}c_proj.weight" for i in range(3) for part in ("", "attn.")}
    assert said.startswith("its last write is normal_(mean=0, std=0.02) at torch_models.py:")
    assert "its std is 0.02, 2.449 times the declared 0.008165" in said
    assert "the scaling by 1/sqrt(2L), L=3, is missing [residual-scaling]" in said


def test_values_that_no_write_explains_are_judged_by_themselves():
    class Model(GPT):
        def scale_residuals(self):
            super().scale_residuals()
            with torch.no_grad():
                self.wpe.weight.copy_(self.wpe.weight * torch.full((32,), 3.0))

    ((check, names, said),) = findings(Model, GPT_SPEC)
    assert (check, names) == ("law", ("wpe.weight",))
    assert said.startswith("its std is 0.0") and "; last written by copy_() at " in said


def test_what_values_are_too_few_to_say_the_last_write_says():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.empty(4))
            nn.init.normal_(self.scale, std=0.03)

    spec = {"rules": [{"match": ".*", "init": {"kind": "normal", "sigma": 0.02}}]}
    ((check, names, said),) = findings(Model, spec)
    assert (check, names) == ("law", ("scale",))
    assert said.startswith("its last write is normal_(mean=0, std=0.03) at ")
    assert "its std is 0.03, 1.5 times the declared 0.02" in said


def test_a_cut_whose_spread_is_not_corrected_is_named_by_the_last_write():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.empty(9))
            nn.init.trunc_normal_(self.scale, std=0.02, a=-0.04, b=0.04)

    spec = {"rules": [{"match": ".*", "init": {"kind": "normal", "sigma": 0.02}}]}
    ((_, _, said),) = findings(Model, spec)
    assert "[truncation]" in said


def test_a_padding_row_that_is_not_zero_is_found_without_a_declaration():
    class Model(Language):
        def __init__(self):
            super().__init__()
            nn.init.normal_(self.embedding.weight, std=0.02)

    ((check, names, said),) = findings(Model)
    assert (check, names) == ("zero-row", ("embedding.weight",))
    assert said.startswith("row 0, its padding_idx, is not zero; all rows were last written at ")


def test_zero_rows_are_held_against_the_declaration_in_both_directions():
    def build(row):
        model = GPT()
        with torch.no_grad():
            model.wpe.weight[row].zero_()
        return model

    spec = {**GPT_SPEC, "zero_rows": {"wpe.weight": [1]}}
    assert findings(lambda: build(1), spec) == []
    assert [one[:2] for one in findings(GPT, spec)] == [("zero-row", ("wpe.weight",))]
    assert [one[:2] for one in findings(lambda: build(1), GPT_SPEC)] == [
        ("zero-row", ("wpe.weight",))
    ]


def test_blocks_are_judged_each_by_its_law():
    class Model(GPT):
        def scale_residuals(self):
            super().scale_residuals()
            with torch.no_grad():
                self.h[1].attn.c_attn.weight[32:64].normal_(0, 0.04)

    spec = {**GPT_SPEC, "blocks": {".*c_attn.weight": {"axis": 0, "parts": 3}}}
    assert findings(GPT, spec) == []
    ((check, names, said),) = findings(Model, spec)
    assert (check, names) == ("block", ("h.1.attn.c_attn.weight",))
    assert said.startswith("block 2 of 3: its std is 0.039")
    assert "then in a part by normal_(0, 0.04) at test_declared.py:" in said


def test_blocks_with_the_same_noise_are_found():
    class Model(GPT):
        def scale_residuals(self):
            super().scale_residuals()
            with torch.no_grad():
                weight = self.h[1].attn.c_attn.weight
                weight[32:64] = weight[:32]
                weight[64:] = weight[:32]

    assert ("block", ("h.1.attn.c_attn.weight",)) in [one[:2] for one in findings(Model)]


def test_ties_are_held_against_the_declaration_in_both_directions():
    class Untied(GPT):
        def tie(self):
            pass

    class Copied(GPT):
        def tie(self):
            pass

        def scale_residuals(self):
            super().scale_residuals()
            self.head.weight.data.copy_(self.wte.weight)

    undeclared = {key: value for key, value in GPT_SPEC.items() if key != "tied"}
    said = [one for one in findings(Untied, GPT_SPEC) if one[0] == "tie"]
    assert [one[1] for one in said] == [("head.weight",)]
    assert said[0][2].startswith("does not share the memory of wte.weight, as is declared; last")
    assert [one[:2] for one in findings(GPT, undeclared)] == [("tie", ("head.weight",))]
    assert "tie" in [one[0] for one in findings(Copied, GPT_SPEC)]
    assert [one[:2] for one in findings(Copied, undeclared)] == [("copy", ("head.weight",))]


def test_layers_with_the_same_noise_are_copies():
    def build():
        return nn.TransformerEncoder(
            nn.TransformerEncoderLayer(32, 2, 64, batch_first=True), 2, enable_nested_tensor=False
        )

    found = findings(build)
    assert {one[0] for one in found} == {"copy"}
    names = {name for one in found for name in one[1]}
    assert {"layers.1.linear1.weight", "layers.1.self_attn.in_proj_weight"} <= names
    (said,) = [one[2] for one in found if "layers.1.linear1.weight" in one[1]]
    assert said.startswith(
        "the same numbers as layers.0.linear1.weight; last written by clone() at"
    )


def test_replicas_that_are_scaled_are_scaled_copies():
    class Experts(nn.Module):
        def __init__(self):
            super().__init__()
            first = nn.Linear(16, 16, bias=False)
            second = copy.deepcopy(first)
            second.weight.data.mul_(0.5)
            self.experts = nn.ModuleList([first, second])

    ((check, names, said),) = findings(Experts)
    assert (check, names) == ("scaled-copy", ("experts.1.weight",))
    assert said.startswith("0.5 times experts.0.weight")


def test_what_is_meant_is_allowed_in_the_declaration():
    spec = {**GPT_SPEC, "allow": {"h.1.*": "tuned by hand"}}

    class Model(GPT):
        def scale_residuals(self):
            super().scale_residuals()
            nn.init.normal_(self.h[1].fc.weight, std=0.1)

    torch.manual_seed(1)
    with watch() as w:
        model = Model()
    report = w.check(spec, model=model)
    assert {one.id for one, why in report.allowed} == {"law"}
    assert {why for one, why in report.allowed} == {"tuned by hand"}


def test_a_declaration_that_concerns_nothing_or_leaves_something_out_is_an_error():
    rules = [{"match": "nothing.*", "init": "zeros"}, *GPT_SPEC["rules"]]
    with pytest.raises(ConfigError, match="'nothing.*' matches nothing"):
        findings(GPT, {**GPT_SPEC, "rules": rules})
    with pytest.raises(ConfigError, match="no rule fits 'wte.weight', 'wpe.weight', "):
        findings(GPT, {**GPT_SPEC, "rules": GPT_SPEC["rules"][:3]})
    with pytest.raises(ConfigError, match="spec: must be a mapping, a file or a Spec, got int"):
        findings(GPT, 3)


def test_what_another_thread_or_numpy_wrote_is_not_taken_for_the_last_write():
    import threading

    def by_thread():
        layer = nn.Linear(32, 32)
        thread = threading.Thread(target=lambda: nn.init.normal_(layer.weight))
        thread.start()
        thread.join()
        return layer

    def by_numpy():
        layer = nn.Linear(32, 32)
        layer.weight.detach().numpy()[...] = 0.5
        return layer

    for build in (by_thread, by_numpy):
        ((check, names, said),) = findings(build)
        assert (check, names) == ("law", ("weight",))
        assert said.startswith(
            "its values are not Uniform(-0.176777, 0.176777), which its last write"
        )
        assert said.endswith("written by another thread, or outside of torch's operations")


def test_one_value_where_its_law_gives_none_is_found():
    def build():
        layer = nn.Linear(300, 300, bias=False)
        nn.init.normal_(layer.weight, std=0.02)
        layer.weight.detach().numpy()[299, 299] = -2
        return layer

    ((check, _, said),) = findings(build)
    assert check == "law"
    assert said.endswith(
        "but 1 of its 90,000 values lies beyond 8 standard deviations; the farthest, -2, 100 of them"
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_rounding_is_no_other_law(dtype):
    def build():
        layer = nn.Linear(256, 256)
        nn.init.trunc_normal_(layer.weight, std=0.02, a=-0.04, b=0.04)
        return nn.Sequential(layer, nn.Linear(256, 256), nn.Embedding(300, 256)).to(dtype)

    assert findings(build) == []


def test_fans_of_rules_are_those_of_the_modules():
    class Model(nn.Module):
        def __init__(self, fan):
            super().__init__()
            self.up = nn.ConvTranspose2d(64, 8, 3)
            nn.init.normal_(self.up.weight, std=(2 / (fan * 9)) ** 0.5)
            nn.init.zeros_(self.up.bias)

    spec = {
        "rules": [
            {"match": ".*bias", "init": {"kind": "zero"}},
            {"match": ".*", "init": {"kind": "he"}},
        ]
    }
    assert findings(lambda: Model(64), spec) == []  # weight (in, out, kernel): 64 inputs
    assert findings(lambda: Model(8), spec) != []
