"""not-by-scheme and overridden: which code wrote last, and what was lost by it."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402
from torch_models import GPT, Attention, Block, ResNet  # noqa: E402

from initlab.runner.torch.watch.watching import watch  # noqa: E402


def found(build, check):
    """Return {name: sentence} of what one check finds in what `build` makes."""
    with watch() as w:
        model = build()
    findings = w.report(model=model).findings
    return {name: one.said for one in findings if one.id == check for name in one.names}


class LateHead(GPT):
    def __init__(self):
        super().__init__()
        self.value = nn.Linear(32, 1)


def test_a_layer_that_is_added_after_the_scheme_is_not_by_the_scheme():
    said = found(LateHead, "not-by-scheme")
    assert said.keys() == {"value.weight", "value.bias"}
    assert said["value.weight"] == (
        "holds Uniform(-0.176777, 0.176777) of the constructor (torch/nn/modules/linear.py "
        "reset_parameters); the model's own initialization never wrote it"
    )


def test_a_kind_of_layer_that_the_scheme_forgets_is_not_by_the_scheme():
    class Convolving(GPT):
        def __init__(self):
            self.made = False
            super().__init__()

        def tie(self):
            super().tie()
            self.conv = nn.Conv1d(32, 32, 3)

    assert found(Convolving, "not-by-scheme").keys() == {"conv.weight", "conv.bias"}


def test_a_layer_of_ones_own_with_reset_parameters_is_a_constructor():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.empty(8, 8))
            self.reset_parameters()

        def reset_parameters(self):
            nn.init.kaiming_uniform_(self.weight, a=5**0.5)

    class Model(GPT):
        def tie(self):
            super().tie()
            self.own = Own()

    assert found(Model, "not-by-scheme").keys() == {"own.weight"}


def test_a_plain_draw_in_a_constructor_is_not_by_the_scheme():
    class Model(GPT):
        def tie(self):
            super().tie()

        def initialize(self):
            super().initialize()

        def __init__(self):
            super().__init__()
            self.token = nn.Parameter(torch.randn(1, 32))
            self.scaled = nn.Parameter(0.02 * torch.randn(1, 32))

    assert found(Model, "not-by-scheme").keys() == {"token"}


def test_resetting_a_layer_on_purpose_is_part_of_the_scheme():
    class Model(LateHead):
        def __init__(self):
            super().__init__()
            self.value.reset_parameters()

    assert found(Model, "not-by-scheme") == {}


def test_weight_norm_that_hides_the_weight_from_the_scheme_is_found():
    class Normed(Attention):
        def __init__(self, width):
            super().__init__(width)
            nn.utils.parametrizations.weight_norm(self.c_attn)

    class NormedBlock(Block):
        def __init__(self, width):
            super().__init__(width)
            self.attn = Normed(width)

    class Model(GPT):
        block = NormedBlock

    said = found(Model, "not-by-scheme")
    assert "h.0.attn.c_attn.parametrizations.weight.original1" in said


@pytest.mark.parametrize("build", [GPT, ResNet, lambda: ResNet(initialized=False)])
def test_a_scheme_that_reaches_all_or_none_is_clean(build):
    assert found(build, "not-by-scheme") == {}
    assert found(build, "overridden") == {}


class ZeroInit(Block):
    """A block whose last layer is to begin at zero."""

    def __init__(self, width):
        super().__init__(width)
        nn.init.zeros_(self.c_proj.weight)


def test_a_special_choice_that_a_later_sweep_takes_away_is_overridden():
    class Model(GPT):
        block = ZeroInit

        def scale_residuals(self):
            pass

    said = found(Model, "overridden")
    assert said.keys() == {f"h.{i}.c_proj.weight" for i in range(3)}
    assert said["h.0.c_proj.weight"].startswith("Constant(0) by ")
    assert "was overwritten with Normal(0, 0.02) by " in said["h.0.c_proj.weight"]
    assert "_init_weights" in said["h.0.c_proj.weight"]


def test_residual_scaling_that_a_second_sweep_takes_away_is_overridden():
    class Model(GPT):
        def scale_residuals(self):
            super().scale_residuals()
            self.apply(self._init_weights)

    assert found(Model, "overridden").keys() == {
        f"h.{i}.{name}c_proj.weight" for i in range(3) for name in ("", "attn.")
    }


def test_a_tie_between_parameters_of_two_laws_is_overridden():
    class Model(GPT):
        def _init_weights(self, module):
            super()._init_weights(module)
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=1.0)

        def initialize(self):
            self.apply(self._init_weights)

    assert "wte.weight" in found(Model, "overridden")


def test_a_padding_row_that_a_sweep_takes_away_is_overridden():
    class Model(GPT):
        def initialize(self):
            with torch.no_grad():
                self.wte.weight[0].zero_()
            super().initialize()

    said = found(Model, "overridden")
    assert said.keys() == {"wte.weight"} and said["wte.weight"].startswith("Constant(0) by ")


def test_a_function_of_ones_own_that_fills_does_not_hide_who_called_it():
    def fill(weight, std):
        nn.init.normal_(weight, std=std)

    class Model(GPT):
        def _init_weights(self, module):
            if isinstance(module, (nn.Linear, nn.Embedding)):
                fill(module.weight, 0.02)

        def scale_residuals(self):
            for name, parameter in self.named_parameters():
                if name.endswith("c_proj.weight"):
                    fill(parameter, 0.01)

    assert found(Model, "overridden") == {}


def test_what_is_computed_from_the_value_before_is_no_override():
    class Model(GPT):
        def scale_residuals(self):
            with torch.no_grad():
                for parameter in self.parameters():
                    parameter.copy_(parameter * 0.5)

    assert found(Model, "overridden") == {}
