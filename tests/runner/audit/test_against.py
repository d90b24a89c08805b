"""A file is held against a declaration: as declared, contradicted with its cause, or not to be judged."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fresh import LAWS, SHAPES
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine import formats, laws
from initlab.engine.streams import Key
from initlab.runner.audit.against import _contradicted, audit_against
from initlab.runner.audit.spec import parse_spec
from initlab.runner.cli import run_command
from initlab.runner.errors import ConfigError

RULES = [
    {"match": ".*bias", "init": "zeros"},
    {"match": ".*norm.weight", "init": "ones"},
    {"match": ".*out.weight", "init": {"kind": "normal", "sigma": 0.02 / 24**0.5}},
    {"match": ".*", "init": {"kind": "normal", "sigma": 0.02}},
]


def normal(std, shape, name):
    return laws.Normal(0, std).draw(Key(0, name), shape)


def model(**changed):
    """A file's tensors as they are declared, but for some."""
    table = normal(0.02, (100, 32), "table")
    table[0] = 0
    tensors = {
        "table.weight": table,
        "attn.weight": normal(0.02, (96, 32), "attn"),
        "attn.bias": np.zeros(96, np.float32),
        "out.weight": normal(0.02 / 24**0.5, (32, 32), "out"),
        "norm.weight": np.ones(32, np.float32),
        "norm.seen": np.arange(3),
    }
    return tensors | {name.replace("_", ".", 1): value for name, value in changed.items()}


def spec(**more):
    return parse_spec({"rules": RULES, "zero_rows": {"table.weight": [0]},
                       "facts": {"layers": 12}, "tied": [["table.weight", "head.weight"]], **more})  # fmt: skip


def judged(tmp_path, tensors, declared=None, aliases=None):
    path = tmp_path / "m.safetensors"
    tie = {"head.weight": "table.weight"} if aliases is None else aliases
    formats.get(path).write(path, formats.Snapshot(tensors, tie))
    return audit_against(path, declared or spec())


def wrong(found):
    named = [(one.name, each.name) for one in found.tensors for each in one.contradictions]
    return dict([*named, *(("", each.name) for each in found.whole)])


def test_what_is_as_declared_is_not_contradicted(tmp_path):
    found = judged(tmp_path, model())
    assert (wrong(found), found.code) == ({}, 0)


@pytest.mark.parametrize(
    ("name", "values", "cause"),
    [
        ("out.weight", normal(0.02, (32, 32), "o"), "residual-scaling"),
        ("attn.weight", normal(0.02 * 3**0.5, (96, 32), "o"), "bound-for-std"),
        ("attn.weight", np.zeros((96, 32), np.float32), "constant"),
        ("attn.bias", np.full(96, 0.1, np.float32), "law"),
        ("norm.weight", np.zeros(32, np.float32), "law"),
        ("table.weight", normal(0.02, (100, 32), "o"), "zero-row"),
        ("attn.weight", np.full((96, 32), np.nan, np.float32), "unset"),
    ],
)
def test_each_planted_fault_is_named(name, values, cause, tmp_path):
    found = judged(tmp_path, model(**{name.replace(".", "_", 1): values}))
    assert (wrong(found), found.code) == ({name: cause}, 1)


def test_a_zero_row_that_is_not_declared_is_named(tmp_path):
    values = normal(0.02, (96, 32), "z")
    values[5] = 0
    assert wrong(judged(tmp_path, model(attn_weight=values))) == {"attn.weight": "zero-row"}


def test_ties_are_held_against_the_declaration_in_both_directions(tmp_path):
    untied = model() | {"head.weight": normal(0.02, (100, 32), "h")}
    assert wrong(judged(tmp_path, untied, aliases={})) == {"": "tie"}
    assert wrong(judged(tmp_path, model(), aliases={"x.weight": "attn.weight"})) == {"": "tie"}


def test_copies_of_noise_are_named_unless_they_are_allowed(tmp_path):
    tensors = model()
    tensors["other.weight"] = tensors["attn.weight"].copy()
    assert wrong(judged(tmp_path, tensors)) == {"": "copy"}
    allowed = spec(allow={"other.weight": "is meant"})
    assert wrong(judged(tmp_path, tensors, allowed)) == {}


def test_what_is_allowed_is_a_remark(tmp_path):
    found = judged(
        tmp_path, model(out_weight=normal(0.02, (32, 32), "o")), spec(allow={"out.*": "old"})
    )
    assert found.code == 0
    [remark] = next(one.found.remarks for one in found.tensors if one.name == "out.weight")
    assert remark.startswith("allowed (old): its std is")


@pytest.mark.parametrize(
    ("values", "rule", "expected"),
    [
        (np.zeros((), np.int64), "zeros", {}),
        (np.array(3), "zeros", {"seen": "law"}),
        (np.full(5, 7, np.uint8), {"kind": "constant", "value": 7}, {}),
        (np.full(5, 8, np.uint8), {"kind": "constant", "value": 7}, {"seen": "law"}),
        (np.array([True, False]), "zeros", {"seen": "law"}),
        (np.arange(64).reshape(1, 64), {"kind": "normal", "sigma": 0.02}, {}),
        (np.array([True, False]), {"kind": "normal", "sigma": 0.02}, {}),
        (np.array(3), {"kind": "normal", "sigma": 0.02}, {}),
        (
            (1e3 * normal(0.02, (32, 32), "q")).astype(np.int8),
            {"kind": "normal", "sigma": 0.02},
            {"seen": "whole-numbers"},
        ),
    ],
)
def test_whole_numbers_with_a_rule_are_judged(tmp_path, values, rule, expected):
    declared = parse_spec({"rules": [{"match": "seen", "init": rule}]})
    found = judged(tmp_path, {"seen": values}, declared, {})
    assert wrong(found) == expected
    [one] = found.tensors
    said = [each.said for each in one.contradictions] or one.found.remarks
    if rule != "zeros" and not expected and values.dtype != np.uint8:
        assert said == ("counts, positions or a mask: not judged by Normal(0, 0.02)",)
    if "whole-numbers" in expected.values():
        assert said == [
            "it holds whole numbers (int8), declared is Normal(0, 0.02): quantized? "
            "Give it a rule of its own, or allow it"
        ]


def test_blocks_are_judged_each(tmp_path):
    values = normal(0.02, (96, 32), "b")
    values[64:] *= 2
    declared = spec(blocks={"attn.weight": {"axis": 0, "parts": 3}})
    found = judged(tmp_path, model(attn_weight=values), declared)
    [one] = [one for one in found.tensors if one.contradictions]
    assert [each.said.partition(":")[0] for each in one.contradictions] == ["block 3 of 3"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"rules": RULES[:2]},
            "no rule fits 'attn.weight', 'out.weight', 'table.weight' - add one",
        ),
        ({"rules": [{"match": "x", "init": "zeros"}, *RULES]}, "'x' matches nothing"),
        ({"rules": [*RULES, {"match": ".*bias", "init": "ones"}]}, "is shadowed by"),
        ({"rules": [{"match": ".*", "init": "xavier"}]}, "has no law for 'attn.bias': Xavier"),
        ({"blocks": {"attn.weight": {"axis": 0, "parts": 5}}}, "has no 5 equal parts on axis 0"),
        ({"zero_rows": {"table.weight": 100}}, "has no row 100"),
    ],
)
def test_what_cannot_be_judged_is_an_error(more, said, tmp_path):
    with pytest.raises(ConfigError) as found:
        judged(tmp_path, model(), spec(**more))
    assert said in str(found.value)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(LAWS)), st.sampled_from(SHAPES), st.integers(0, 10**6),
       st.sampled_from(["float32", "float16", "bfloat16", "float64"]))  # fmt: skip
def test_no_law_is_contradicted_by_its_own_values(name, shape, seed, dtype):
    try:
        values = LAWS[name].draw(Key(seed, "own"), shape, dtype)
    except RuntimeError:
        return
    if name in ("blocks", "repeated"):  # judged by their parts
        return
    assert _contradicted("", values, LAWS[name], parse_spec({"rules": RULES})) == []


def test_the_command_says_0_1_or_2(tmp_path, capsys):
    file, declared = tmp_path / "m.safetensors", tmp_path / "s.yaml"
    formats.get(file).write(file, formats.Snapshot(model(), {"head.weight": "table.weight"}))
    content = {"rules": RULES, "tied": [["table.weight", "head.weight"]], "facts": {"layers": 12},
               "zero_rows": {"table.weight": 0}}  # fmt: skip
    declared.write_text(json.dumps(content))
    words = ["audit", str(file), "--against", str(declared)]
    assert run_command(words) == 0
    content["zero_rows"] = {"table.weight": 1}
    declared.write_text(json.dumps(content))
    assert run_command([*words, "--junit", str(tmp_path / "r.xml")]) == 1
    assert "[zero-row]" in capsys.readouterr().out
    assert "zero-row: row 1 is not zero" in (tmp_path / "r.xml").read_text()
    declared.write_text(json.dumps({"rules": RULES[:1]}))
    assert run_command(words) == 2
    assert "rules: no rule fits" in capsys.readouterr().err
    assert run_command([*words, "--layers", "3"]) == 2
    assert "--layers: is in the declaration" in capsys.readouterr().err
