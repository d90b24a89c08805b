"""A plan as a declaration: what a run draws is as its plan's declaration says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine.init import Description
from initlab.runner.audit.against import side_against
from initlab.runner.audit.planned import declaration_of, rules_of
from initlab.runner.audit.spec import parse_spec
from initlab.runner.check.compare import Side
from initlab.runner.declare import declare

GPT2 = ["model=gpt2", "data=tokens", "data.vocabulary=61", "model.layers.0.input_dim=61"]
GPT2 += ["model.layers.0.output_dim=24", "model.layers.2.times=3", "model.input=[16]"]
GPT2 += ["model.layers.2.layers.0.heads=3", "model.layers.1.length=16"]
LSTM = ["model=lstm_lm", "data=tokens", "data.vocabulary=256"]
RULES = (
    "init.rules=[{match: '.*i2h_bias', init: {kind: lstm_bias}}, {match: '.*bias', init: {kind: zero}},"
    " {match: '.*', init: {kind: orthogonal}}]"
)
UP = "{kind: conv2d, name: up, channels: 36, kernel_size: 3, padding: 1}, {kind: pixel_shuffle, factor: 2}"
SINE = "{kind: dense, name: a, units: 40}, {kind: scale, factor: 30.0}, {kind: activation, activation: sin}"
SINE += ", {kind: dense, name: b, units: 3}"
KERNEL = (
    "{kind: conv2d_transpose, name: up, channels: 4, kernel_size: 4, groups: 4, use_bias: false}"
)
SKIP = "{kind: dense, name: f, units: 20}, {kind: scale, name: s, factor: 0.0, learnable: true}"
NETWORKS = {
    "mlp": (
        ["model=mlp"],
        "normal uniform truncated_normal he xavier orthogonal mup gluon_orthogonal zero",
    ),
    "tied": (["model=shared"], "he lecun"),
    "residual": (["model=residual_mlp"], "fixup residual_scaled identity"),
    "images": (["model=lenet", "data=digits"], "delta_orthogonal vgg msra_prelu he_fan_out"),
    "lstm": (LSTM, "glorot_uniform orthogonal lm_uniform"),
    "gates": ([*LSTM, RULES], "mixed"),
    "gpt2": (GPT2, "gpt2 t_fixup deepnorm he normal"),
    "shuffle": (["model=mlp", f"model.layers=[{UP}]", "model.input=[4,6,6]"], "icnr"),
    "sine": (["model=mlp", f"model.layers=[{SINE}]"], "siren"),
    "kernel": (["model=mlp", f"model.layers=[{KERNEL}]", "model.input=[4,6,6]"], "bilinear"),
    "skip": (
        ["model=mlp", f"model.layers=[{{kind: residual, name: r, layers: [{SKIP}]}}]"],
        "skipinit",
    ),
}
PAIRS = [(name, init) for name, (_, inits) in NETWORKS.items() for init in inits.split()]


def declared(name: str, *words: str):
    return declare(*NETWORKS[name][0], "probe=none", *words).checked


def drawn(config) -> Side:
    """Return what a run draws, without making it."""
    tensors = {row.path: row.draw() for row in config.plan.owners}
    return Side(Path("drawn"), tensors, {}, config.plan.aliases, None)


def written(config) -> dict:
    """Return the declaration as it is read from its file."""
    return yaml.safe_load(yaml.safe_dump(declaration_of(config)))


@settings(deadline=None, max_examples=12)
@given(st.sampled_from(PAIRS), st.integers(0, 10**6), st.sampled_from(["float32", "float16"]))
def test_what_a_run_draws_is_as_the_declaration_of_its_plan(pair, seed, dtype):
    network, init = pair
    check(network, init, seed, dtype)


@pytest.mark.slow
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_every_network_and_initializer_goes_there_and_back(pair):
    for seed in range(3):
        check(*pair, seed, "float32")


def check(network: str, init: str, seed: int, dtype: str) -> None:
    config = declared(network, f"init={init}", f"seed={seed}", f"dtype={dtype}")
    found = side_against(drawn(config), parse_spec(written(config)))
    said = [(one.name, each.said) for one in found.tensors for each in one.contradictions]
    assert (said, found.whole, found.code) == ([], (), 0)


def test_each_row_is_decided_by_a_rule_with_its_law():
    config = declared("gpt2", "init=gpt2")
    rules = parse_spec(written(config)).rules
    for row in config.plan.owners:
        assert rules.law(Description(row.path, row.path, row.shape, row.dtype)) == row.law


def test_rules_are_few_and_the_narrow_ones_come_first():
    rules = rules_of(declared("gpt2", "init=gpt2").plan.owners)
    assert [rule["match"] for rule in rules][:4] == [
        r"tokens\.weight",
        r"positions\.weight",
        r"blocks\.\d+\.block\.expand\.weight",
        r"blocks\.\d+\.block\.contract\.weight",
    ]
    assert {"match": r".*\.gamma", "init": "one"} in rules
    assert len(rules) == 11


def test_ties_and_facts_are_declared():
    found = declaration_of(declared("gpt2", "init=gpt2"))
    assert found["tied"] == [["tokens.weight", "head.weight"]]
    assert found["facts"] == {"layers": 3, "hidden": 24, "std": 0.02}
    assert "facts" not in declaration_of(declared("mlp", "init=he"))


def test_a_fault_in_the_values_is_found_with_its_cause():
    config = declared("gpt2", "init=gpt2")
    side = drawn(config)
    name = "blocks.1.block.contract.weight"
    side.tensors[name] = (side.tensors[name] * 6**0.5).astype(np.float32)
    found = side_against(side, parse_spec(written(config)))
    assert [(one.name, each.name) for one in found.tensors for each in one.contradictions] == [
        (name, "residual-scaling")
    ]


def test_the_command_writes_a_file_that_its_run_is_held_against(command, only_run):
    words = ["init=he", "model=shared", "probe=none"]
    folder = only_run(*words)
    done = command("plan", *words, "--write-spec", "a.yaml")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[-1] == "written: a.yaml"
    assert command("audit", str(folder), "--against", "a.yaml").code == 0
    other = only_run("init=normal", *words[1:])
    assert command("audit", str(other), "--against", "a.yaml").code == 1


def test_what_cannot_be_written_is_refused_in_one_line(command, only_run, tmp_path):
    def refused(*words: str) -> str:
        done = command("plan", "model=mlp", *words)
        assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
        return done.err

    Path("there.yaml").write_text("")
    said = "error: --write-spec: there.yaml exists - remove it, or give another name\n"
    assert refused("--write-spec", "there.yaml") == said
    assert "there is no such folder" in refused("--write-spec=none/a.yaml")
    assert "-m: is for a sweep" in refused("-m", "--write-spec", "a.yaml")
    assert "expected one argument" in refused("--write-spec")
    folder = only_run("init=normal", "model=mlp", "probe=none")
    loaded = f"init.param={folder / 'snapshot.safetensors'}"
    said = refused("init=load", loaded, "--write-spec", "a.yaml")
    assert "which says nothing to judge a file by - compare the files: initlab compare A B" in said
    assert not Path("a.yaml").exists()
