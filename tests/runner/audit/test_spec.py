"""A declaration is read, or every problem of it is said with its place."""

from __future__ import annotations

import pytest

from initlab.engine.init import Description
from initlab.runner.audit.scales import Facts
from initlab.runner.audit.spec import Division, parse_spec, read_spec
from initlab.runner.errors import ConfigError

RULES = [
    {"match": ".*bias", "init": "zeros"},
    {"match": ".*", "init": {"kind": "normal", "sigma": 0.02}},
]
WHOLE = {
    "rules": RULES,
    "facts": {"layers": 12, "hidden": 768, "std": 0.02},
    "tied": [["head.weight", "table.weight"]],
    "zero_rows": {"table.weight": 0},
    "blocks": {".*attn.weight": {"axis": 0, "parts": 3}},
    "allow": {"old.*": "an older head"},
}


def said(content):
    with pytest.raises(ConfigError) as found:
        parse_spec(content)
    return str(found.value).splitlines()


def test_every_part_is_read():
    spec = parse_spec(WHOLE)
    assert spec.facts == Facts(12, 768, 0.02)
    assert spec.zero_rows == {"table.weight": (0,)}
    assert spec.blocks == {".*attn.weight": Division(0, 3)}
    assert spec.group_of("head.weight") == ("head.weight", "table.weight") and not spec.group_of(
        "x"
    )


def test_every_problem_is_said_at_once():
    wrong = {
        "rules": [{"match": "(", "init": "zeros"}, {"match": ".*", "init": {"kind": "nomal"}}],
        "fakts": {},
        "facts": {"layer": 3, "hidden": 0},
        "tied": [["a"]],
        "zero_rows": {"a": -1},
        "blocks": {"a": {"axis": 0}},
        "allow": {"a": ""},
    }
    lines = said(wrong)
    assert lines[0].startswith("fakts: is no part of a declaration - did you mean 'facts'?")
    places = [line.partition(": ")[0] for line in lines[1:]]
    assert places == ["rules.0.match", "rules.1.init.kind", "facts.layer", "facts.hidden", "tied",
                      "zero_rows.a", "blocks.a", "allow.a"] or len(places) >= 7  # fmt: skip
    assert said({})[0].startswith("rules: is missing - a declaration needs a list of rules")


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        ("normal", "must be a law as plan.json has it, got 'normal'"),
        ({"kind": "nomal"}, "no law can be made of {'kind': 'nomal'}"),
        ({"kind": "normal", "mean": 0}, "no law can be made of"),
        ({"kind": "normal", "mean": 0, "std": "x"}, "normal: std must be a finite number"),
        ({"kind": "loaded", "path": "a"}, "loaded says nothing to judge a file by"),
        ({"kind": "custom", "name": "a"}, "custom says nothing to judge a file by"),
    ],
)
def test_a_law_that_is_none_is_said_at_its_rule(law, expected):
    [line] = said({"rules": [{"match": ".*", "law": law}]})
    assert line.startswith(f"rules.0.law: {expected}")


def test_a_rule_has_an_initializer_or_a_law():
    law = {"kind": "normal", "mean": 0.0, "std": 0.5}
    [line] = said({"rules": [{"match": ".*", "law": law, "init": "zero"}]})
    assert line == "rules.0.law: is given beside init - leave one of the two out"
    spec = parse_spec({"rules": [{"match": ".*", "law": law}]})
    assert str(spec.rules.law(Description("a", "a", (3, 4), "float32"))) == "Normal(0, 0.5)"


def test_what_concerns_no_tensor_is_an_error():
    spec = parse_spec(WHOLE)
    with pytest.raises(ConfigError) as found:
        spec.check(["weight"])
    lines = str(found.value).splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        "rules.0", "zero_rows", "blocks", "allow", "tied",
    ]  # fmt: skip
    assert all("matches nothing" in line or "is no tensor" in line for line in lines)


def test_a_file_is_read_with_its_name_in_every_line(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text("rules: [{match: '.*', init: zero}]\nfact: {}\n")
    with pytest.raises(ConfigError, match=f"^{path}: fact: is no part of a declaration"):
        read_spec(path)
    path.write_text("rules: [")
    with pytest.raises(ConfigError, match=str(path)):
        read_spec(path)
    with pytest.raises(ConfigError, match="missing.yaml"):
        read_spec(tmp_path / "missing.yaml")
    path.write_text("rules: [{match: '.*', init: zero}]\n")
    assert read_spec(path).rules.rule_for("x") == 0
