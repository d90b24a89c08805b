"""A plan: rows by path, what it prints, its digest."""

from __future__ import annotations

import hashlib
import json
import math

import pytest

from initlab.engine import laws
from initlab.engine.errors import StreamError
from initlab.runner.check.verify import verify
from initlab.runner.config.identity import Declaration
from initlab.runner.declare import declare
from initlab.runner.errors import ConfigError
from initlab.runner.plan.validate import revalidate, validate
from initlab.runner.run import stages


def test_what_cannot_be_drawn_alone_says_why():
    with pytest.raises(
        StreamError,
        match=r"'0.weight' cannot be drawn alone: stream mxnet-1.9.1 is drawn from in order - use initlab-1",
    ):
        declare("init=normal", "stream=mxnet-1.9.1").plan["0.weight"].draw()
    with pytest.raises(ConfigError, match="did you mean 'normal'"):
        declare("init=norml")


def test_a_plan_is_a_mapping_of_paths_to_rows():
    planned = plan_of("shared")
    assert len(planned) == len(planned.rows) == len(list(planned))
    assert list(planned) == [row.path for row in planned.rows]
    assert "0.weight" in planned and "0.weigth" not in planned
    assert planned["2.weight"].alias_of == "1.weight"
    with pytest.raises(KeyError, match="no parameter '0.weigth' - did you mean '0.weight'"):
        planned["0.weigth"]


def test_a_plan_fits_a_screen():
    lines = repr(plan_of("deep_mlp")).splitlines()
    assert lines[0].startswith("Plan of ") and lines[1].split() == [
        "path", "shape", "dtype", "law", "chosen", "by",
    ]  # fmt: skip
    assert len(lines) <= 23 and max(map(len, lines)) <= 80
    assert lines[-1] == f"… {len(plan_of('deep_mlp')) - 20} more"
    assert "<table>" in plan_of("mlp")._repr_html_()
    assert repr(plan_of("shared")).startswith("Plan of 4 parameters and 2 aliases: ")


def test_the_digest_of_a_plan_is_of_what_decides_the_values_and_of_nothing_else():
    planned = plan_of("shared")
    text = {
        "format": "plan-v1",
        "rows": [
            {
                "path": row.path,
                "shape": list(row.shape),
                "dtype": row.dtype,
                "law": row.law.describe(),
                "stream": row.describe()["stream"],
                "alias_of": row.alias_of,
            }
            for row in planned.rows
        ],
    }
    canonical = json.dumps(text, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert planned.digest == hashlib.sha256(canonical.encode()).hexdigest()
    assert planned.digest == plan_of("shared", "name=other", "probe=none").digest
    assert planned.digest != plan_of("shared", "seed=1").digest
    assert planned.digest != plan_of("shared", "init=xavier").digest


def plan_of(model, *words):
    return declare(f"model={model}", *words).plan


# --- schemes for deep networks, which go by the declared network


def laws_of(*words: str) -> dict[str, str]:
    return {row.path: str(row.law) for row in declare(*words).plan.rows}


TINY = [
    "model=gpt2",
    "data=tokens",
    "data.vocabulary=11",
    "model.layers.0.input_dim=11",
    "model.layers.0.output_dim=8",
    "model.layers.2.layers.0.heads=2",
    "model.input=[4]",
]


@pytest.mark.parametrize("depth", [1, 2, 5, 12])
def test_gpt2_divides_by_the_depth_that_its_model_has(depth):
    found = laws_of(*TINY, "init=gpt2", f"model.layers.2.times={depth}")
    std = 0.02 / math.sqrt(2 * depth)
    for end in ("attention.projection_weight", "contract.weight"):
        assert found[f"blocks.{depth - 1}.block.{end}"] == str(laws.Normal(0.0, std))
    assert found["blocks.0.block.expand.weight"] == found["tokens.weight"] == "Normal(0, 0.02)"
    assert found["positions.weight"] == "Normal(0, 0.01)"


def test_gpt2_goes_by_the_structure_and_not_by_names():
    named = "model.layers=[{kind: dense, name: a, units: 8}, {kind: residual, name: b, layers: [{kind: dense, name: c, units: 8}, {kind: dense, name: d, units: 8}]}]"
    found = laws_of("init=gpt2", "model.input=[4]", named)
    assert (found["b.c.weight"], found["b.d.weight"]) == ("Normal(0, 0.02)", "Normal(0, 0.02)")
    twice = named.replace(
        "]}]", "]}, {kind: residual, name: e, layers: [{kind: dense, units: 8}]}]"
    )
    assert laws_of("init=gpt2", "model.input=[4]", twice)["b.d.weight"] == "Normal(0, 0.0141421)"


def test_rules_by_hand_with_the_right_number_give_the_same_laws():
    rules = (
        "init.rules=[{match: '.*(projection_weight|contract\\.weight)', init: {kind: residual_scaled, "
        "std: 0.02, layers: 12}}, {match: 'positions\\.weight', init: {kind: normal, sigma: 0.01}}, "
        "{match: '.*weight', init: {kind: normal, sigma: 0.02}}]"
    )
    assert laws_of(*TINY, "init=mixed", rules) == laws_of(*TINY, "init=gpt2")


SINES = "model.layers=[{kind: dense, name: a, units: 8}, {kind: scale, factor: 10}, {kind: activation, activation: sin}, {kind: dense, name: b, units: 8, activation: sin}, {kind: dense, name: c, units: 1}]"
SKIP = "model.layers=[{kind: residual, name: block, layers: [{kind: dense, name: fc, units: 20}, {kind: scale, name: end, learnable: true}]}]"


def test_presets_as_shipped_do_what_they_are_for():
    fixup = laws_of("init=fixup", "model=residual_mlp")
    assert fixup["body.5.block.fc2.weight"] == fixup["head.weight"] == "Constant(0)"
    assert fixup["body.0.block.fc1.weight"] == str(laws.Normal(0.0, math.sqrt(2 / 64 / 6)))
    sines = laws_of("init=siren", "model.input=[4]", SINES)
    assert sines["a.weight"] == "Uniform(-0.25, 0.25)"
    assert (
        sines["b.weight"]
        == sines["c.weight"]
        == str(laws.Uniform(-math.sqrt(0.75), math.sqrt(0.75)))
    )
    assert laws_of("init=skipinit", "model.input=[20]", SKIP)["block.end.scale"] == "Constant(0)"
    rows = declare("init=mup", "model=residual_mlp", "init.base=32").plan
    assert rows["head.weight"].law == laws.Normal(0.0, math.sqrt(32 / 64**2))
    assert (rows["stem.weight"].lr_mult, rows["body.0.block.fc2.weight"].lr_mult) == (1, 1 / 8)
    deep = declare("init=deepnorm", *TINY, "model.layers.2.times=2").plan
    assert deep["blocks.0.block.contract.weight"].law.std == 16**-0.25 * math.sqrt(1 / 20)
    assert "multiplies them by 1: give each residual the shortcut" in deep.remarks[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            [*TINY, "init=gpt2", "init.layers=3"],
            "init.layers: is 3, but the network has 12 layers: 24 branches - leave it out",
        ),
        (
            ["model=residual_mlp", "init=fixup", "init.branches=12"],
            "init.branches: is 12, but the network has 6 residual branches with weights",
        ),
        (["init=fixup"], "init.kind: is fixup, but none of the weights that it fills is in a"),
        (["init=icnr"], "init.kind: is icnr, but no convolution that it fills goes into a pixel"),
        (["init=delta_orthogonal"], "init.kind: is delta_orthogonal, but it fills no convolution"),
        (
            ["model=residual_mlp", "+model.layers.0.weight_initializer=residual_scaled"],
            "model.layers.0.weight_initializer: cannot initialize 'stem.weight' of shape (64, 20): it "
            "ends no residual branch, which residual_scaled is for - choose normal",
        ),
        (
            ["+model.layers.0.weight_initializer=delta_orthogonal"],
            "delta_orthogonal is for convolutions - choose orthogonal",
        ),
        (
            ["model=residual_mlp", "init=mixed", "init.rules=[{match: 'head.*', init: fixup}]"],
            "init.rules.0.init.kind: is fixup, but none of the weights that it fills is in a",
        ),
    ],
)
def test_what_contradicts_the_network_or_finds_nothing_is_one_line(words, said, command):
    done = command("task=plan", *words)
    assert (done.code, said in done.err, len(done.err.splitlines())) == (2, True, 1), done.err


@pytest.mark.parametrize("mode", ["deferred", "eager", "streamed"])
def test_every_mode_draws_what_follows_from_the_network(mode, only_run):
    folder = only_run("init=fixup", "model=residual_mlp", f"init_mode={mode}", "probe=none")
    manifest = json.loads((folder / "manifest.json").read_text())
    only = declare("init=fixup", "model=residual_mlp").plan
    assert verify(folder).code == 0
    rows = json.loads((folder / "plan.json").read_text())["rows"]
    assert [row["law_text"] for row in rows] == [str(row.law) for row in only.rows]
    assert manifest["config"]["init"]["branches"] is None


def test_a_run_made_with_lists_that_do_nothing_keeps_its_values():
    plain = dict(declare("init=fixup", "model=residual_mlp").checked.declaration.resolved)
    plain["init"] = {"kind": "fixup", "branches": 1, "layers": 2, "branch": [], "zero": []}
    rows = revalidate(plain).plan
    assert rows["body.0.block.fc2.weight"].law == rows["head.weight"].law.__class__(
        0.0, math.sqrt(2 / 256)
    )
    network, _ = stages.initialize(revalidate(plain))
    assert network.owners["head.weight"].origin.law == rows["head.weight"].law
    with pytest.raises(ConfigError, match="init.branches: is 1, but the network has 6"):
        validate(Declaration(plain))


def test_a_run_whose_layer_chose_what_had_no_effect_keeps_its_values():
    words = ["init=he", "model.layers=[{kind: dense, name: a, units: 4}]"]
    plain = dict(declare(*words).checked.declaration.resolved)
    for chosen in ("delta_orthogonal", {"kind": "icnr"}, {"kind": "residual_scaled", "layers": 2}):
        plain["model"]["layers"][0]["weight_initializer"] = chosen
        assert revalidate(plain).plan["a.weight"].law
        with pytest.raises(ConfigError, match="model.layers.0.weight_initializer: cannot init"):
            validate(Declaration(plain))
    plain = dict(declare("init=skipinit", "model.input=[20]", SKIP).checked.declaration.resolved)
    plain["model"]["layers"][0]["layers"].pop()
    plain["init"]["multiplier"] = [r".*\.scale"]
    assert str(revalidate(plain).plan["block.fc.weight"].law) == "Normal(0, 0.316228)"


PLUGIN = """
from dataclasses import dataclass

from initlab.engine.gluon import nn
from initlab.engine.gluon.flow import Branch, Chain
from initlab.runner.layers import Layer, register


class Twice(nn.HybridSequential):
    def hybrid_forward(self, F, x):
        return x + super().hybrid_forward(F, x)
    SAYS


@register
@dataclass
class Doubled(Layer):
    units: int = 20

    def build(self, context):
        block = Twice()
        block.add(nn.Dense(self.units, in_units=self.units), nn.Dense(self.units, in_units=self.units))
        return block
"""
FLOW = "def data_flow(self):\n        return Branch(Chain(['0', '1']))"


def test_a_plugins_container_can_say_which_layers_end_a_branch(command, tmp_path):
    words = ["task=plan", "init=fixup", "model.layers=[{kind: doubled, name: a}]"]
    (tmp_path / "said.py").write_text(PLUGIN.replace("SAYS", FLOW))
    done = command("--plugin", "said.py", *words)
    assert done.code == 0, done.err
    assert [line.split()[3] for line in done.out.splitlines() if "a.1.weight" in line] == [
        "Constant(0)"
    ]


def test_a_plugins_container_that_says_nothing_needs_options_by_hand(command, tmp_path):
    words = ["task=plan", "init=residual_scaled", "model.layers=[{kind: doubled, name: a}]"]
    (tmp_path / "silent.py").write_text(PLUGIN.replace("SAYS", ""))
    done = command("--plugin", "silent.py", *words)
    said = (
        "init.layers: is not given, and 'a' (Twice) does not say how its layers follow each other"
    )
    assert (done.code, said in done.err) == (2, True), done.err
