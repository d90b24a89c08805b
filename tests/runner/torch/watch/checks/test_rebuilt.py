"""not-wired and missing-key: what shows only when the model is built again."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402
from torch_models import GPT  # noqa: E402

from initlab.runner.torch.watch.watching import watch  # noqa: E402


def findings(make, check, **arguments):
    """Return {name: sentence} of what one check finds."""
    with watch() as w:
        model = make()
    report = w.report(model=model, **arguments)
    return {name: one.said for one in report.findings if one.id == check for name in one.names}


def std_of(value):
    return GPT(std=value)


class Unwired(GPT):
    """The residual scaling forgets the declared spread."""

    def scale_residuals(self):
        for name, parameter in self.named_parameters():
            if name.endswith("c_proj.weight"):
                nn.init.normal_(parameter, std=0.02 / 6**0.5)


class Configured(Unwired):
    def __init__(self, config):
        self.config = config
        super().__init__(std=config["init"].std)


def test_every_parameter_of_a_clean_model_reacts():
    assert findings(GPT, "not-wired", build=std_of, knob=0.02) == {}
    assert findings(GPT, "not-wired", build=std_of, knob="std") == {}


@pytest.mark.parametrize(
    ("make", "arguments"),
    [
        (Unwired, {"build": lambda value: Unwired(std=value), "knob": 0.02}),
        (Unwired, {"build": lambda value: Unwired(std=value), "knob": "std"}),
        (
            lambda: Configured({"init": SimpleNamespace(std=0.02)}),
            {"build": Configured, "knob": "config.init.std"},
        ),
    ],
)
def test_what_does_not_react_to_the_spread_is_found(make, arguments):
    found = findings(make, "not-wired", **arguments)
    assert found.keys() == {
        f"h.{i}.{part}c_proj.weight" for i in range(3) for part in ("", "attn.")
    }
    knob = arguments["knob"]
    said = knob if isinstance(knob, str) else f"the knob {knob}"
    assert set(found.values()) == {f"is the same when {said} is tripled"}


def test_a_spread_that_reaches_nothing_is_found_everywhere():
    found = findings(GPT, "not-wired", build=lambda value: GPT(), knob=0.02)
    assert "wte.weight" in found and "h.0.fc.weight" in found


def lacking(*names):
    state = GPT().state_dict()
    return {name: value for name, value in state.items() if not name.startswith(names)}


class Loaded(GPT):
    """Loads a state dict instead of initializing."""

    state: dict = {}
    assign = False

    def initialize(self):
        self.load_state_dict(self.state, strict=False, assign=self.assign)


@pytest.mark.parametrize("assign", [False, True])
def test_what_a_file_lacks_and_nobody_initialized_is_found(assign):
    class Model(Loaded):
        state = lacking("h.2.fc", "ln_f")

    Model.assign = assign
    found = findings(Model, "missing-key", build=GPT)
    assert found.keys() == {"h.2.fc.weight", "h.2.fc.bias"}
    assert found["h.2.fc.weight"] == (
        "was not loaded, and holds Uniform(-0.176777, 0.176777); a fresh build gives Normal(0, 0.02)"
    )


def test_what_a_file_lacks_and_is_initialized_as_ever_is_clean():
    class Model(Loaded):
        state = lacking("h.2.fc")

        def initialize(self):
            GPT.initialize(self)
            super().initialize()

    assert findings(Model, "missing-key", build=GPT) == {}


def test_unset_memory_in_place_of_what_a_file_lacks_is_found():
    def build():
        with torch.device("meta"):
            model = GPT()
        model.to_empty(device="cpu")
        model.load_state_dict(lacking("h.2.fc"), strict=False)
        return model

    found = findings(build, "missing-key", build=GPT)
    assert found["h.2.fc.weight"].startswith("was not loaded, and holds unset memory; a fresh")


def test_the_names_of_the_file_can_be_given(tmp_path):
    from safetensors.torch import save_file

    save_file(lacking("h.2.fc", "head"), tmp_path / "model.safetensors")

    class Model(GPT):
        def initialize(self):
            pass

    found = findings(Model, "missing-key", build=GPT, loaded=tmp_path / "model.safetensors")
    assert found.keys() == {"h.2.fc.weight", "h.2.fc.bias"}
    assert findings(GPT, "missing-key", build=GPT, loaded=["wte.weight"]) == {}
