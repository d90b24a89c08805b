"""Words that edit a list: in single runs, in sweeps, and what cannot be edited."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.runner.config import grammar
from initlab.runner.config.grammar import ListEdit
from initlab.runner.config.list_edits import with_functions
from initlab.runner.declare import declare

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.from_regex(r"\A[a-z]{1,4}\Z"), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.sampled_from(["append", "prepend", "insert"]),
    st.integers(-9, 9),
    st.lists(VALUES, min_size=1, max_size=3),
)
def test_the_text_of_an_edit_is_a_word_for_the_same_edit(name, at, values):
    edit = ListEdit(name, at if name == "insert" else None, values)
    again = grammar.parse(f"key={edit}").value()
    assert (again.name, again.at, again.values) == (edit.name, edit.at, edit.values)
    assert again == edit


@given(st.lists(st.integers(), max_size=5), st.integers(-6, 6), st.lists(st.integers(), min_size=1))
def test_edits_do_what_lists_of_python_do(before, at, values):
    after = list(before)
    if -len(before) <= at <= len(before):
        after[at:at] = values
        assert ListEdit("insert", at, values).applied(before) == after
    assert ListEdit("append", None, values).applied(before) == before + values
    assert ListEdit("prepend", None, values).applied(before) == values + before
    if -len(before) <= at < len(before):
        left = list(before)
        del left[at]
        assert ListEdit("remove_at", at, []).applied(before) == left
    else:
        with pytest.raises(ValueError, match=f"no place {at} - "):
            ListEdit("remove_at", at, []).applied(before)
    if before:
        left = list(before)
        left.remove(before[-1])
        assert ListEdit("remove_value", None, [before[-1]]).applied(before) == left


@pytest.mark.parametrize(
    "words, key, wanted",
    [
        (["tags+=a"], "tags", ["a"]),
        (["tags=[a]", "tags+=b"], "tags", ["a", "b"]),
        (["tags=[a]", "tags+=[b, c]", "tags=remove_at(0)"], "tags", ["b", "c"]),
        (["tags=[a]", "tags=extend_list(b, c)"], "tags", ["a", "b", "c"]),
        (["tags=[a]", "tags=prepend(b)", "tags=insert(-1, c)"], "tags", ["b", "c", "a"]),
        (["tags=['1', 'x y']", "tags+='z, w'"], "tags", ["1", "x y", "z, w"]),
        (["show=remove_value(layers)"], "show", declare().config["show"][:1] + declare().config["show"][2:]),
        (["stats+=histogram"], "stats", ["moments", "law", "histogram"]),
        (["measure+=layers", "experiment=digits"], "measure", ["layers"]),
        (["model.freeze+='0[.].*'"], "model.freeze", ["0[.].*"]),
    ],
)  # fmt: skip
def test_a_list_of_any_kind_can_be_edited(words, key, wanted):
    found = declare("init=normal", *words).config
    for part in key.split("."):
        found = found[part]
    assert list(found) == wanted


def test_layers_and_rules_can_be_edited_wherever_they_come_from(tmp_path):
    edited = declare(
        "init=he", "model=deep_mlp", "model.layers=insert(1, {kind: dropout, rate: 0.1})"
    )
    whole = declare(
        "init=he", "model=deep_mlp",
        "model.layers=[{kind: dense, name: stem, units: 128, activation: relu}, {kind: dropout, rate: 0.1}, "
        "{kind: repeat, name: body, times: 12, layers: [{kind: dense, name: fc, units: 128, activation: relu}]}, "
        "{kind: dense, name: head, units: 10}]",
    )  # fmt: skip
    assert edited.run_id == whole.run_id
    ruled = declare(
        "init=mixed",
        "init.rules=[{match: '.*', init: {kind: he}}]",
        "init.rules=prepend({match: '.*bias|1[.].*', init: {kind: zero}})",
    )
    assert [str(ruled.plan[path].law) for path in ("0.weight", "1.weight")] == [
        "Normal(0, 0.316228)",
        "Constant(0)",
    ]


def test_what_is_recorded_is_the_plain_word_and_the_run_verifies(only_run, command):
    folder = only_run("init=he", "measure+=layers", "tags=[a]", "tags+=b")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["overrides"] == ["init=he", "measure=[layers]", "tags=[a,b]"]
    assert command("verify", str(folder)).code == 0
    assert only_run("init=he", "measure=[layers]").name == folder.name


def test_interpolations_in_a_list_stay():
    found = declare(
        "init=he",
        "+vars.width=7",
        "model.layers=[{kind: dense, units: '${vars.width}'}]",
        "model.layers+={kind: dense, units: 3}",
    )
    assert found.plan["0.weight"].shape == (7, 20)
    assert found.config["model"]["layers"][1]["units"] == 3


def test_lists_are_edited_in_sweeps_by_the_list_of_each_job(command):
    done = command("-m", "init=he", "model=mlp,deep_mlp", "model.layers+={kind: dense, units: 3}")
    assert done.code == 0, done.err
    counts = {
        len(json.loads((folder / "manifest.json").read_text())["config"]["model"]["layers"])
        for folder in Path("outputs/runs").iterdir()
        if folder.is_dir() and folder.name.startswith(("he", "deep"))
    }
    assert counts == {3, 4}


def test_edits_are_swept_over(command):
    for word in ("measure+=layers,spectrum", "measure=append(layers),append(spectrum)"):
        done = command("-m", "init=he", word, "dry_run=true")
        assert done.code == 0, done.err
        listed = [line.split()[-1] for line in done.out.splitlines()[1:3]]
        assert listed == ["[layers]", "[spectrum]"]


@pytest.mark.parametrize(
    "word, said",
    [
        ("tags=remove_at(2)", "tags: remove_at: no place 2 - the list is empty"),
        ("show=remove_at(9)", "show: remove_at: no place 9 - the places are 0 to 6"),
        ("show=remove_value(layer)", "no element 'layer' - did you mean 'layers'?"),
        ("shw+=a", "shw: no such key - did you mean 'show'?"),
        ("seed+=3", "seed: is no list, so that nothing can be added to it - write seed=…"),
        ("+tags=append(x)", "tags: no '+' before an edit of a list - write tags=append('x')"),
        ("tags=append()", "append needs at least one element"),
        ("tags=insert(a, b)", "insert needs the place of an element first, a whole number"),
        ("tags=remove_value()", "remove_value takes one argument: remove_value(a)"),
        ("measure+=spectrm", "measure: no option 'spectrm' - did you mean 'spectrum'?"),
        ("model.layers+={kind: dense}", "model.layers.2.units: is missing - dense needs it"),
        ("tags+=", "tags"),
        ("tags+=a,b", "tags: is edited twice by one word - write one list: 'tags+=[a,b]'"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_in_one_line(word, said, command):
    done = command("init=he", word)
    assert done.code == 2
    assert said in done.err
    assert len(done.err.splitlines()) == 1
    assert command("-m", "init=he", "seed=0,1", word).code == 2


def test_a_word_that_adds_is_written_as_a_function():
    assert with_functions(["a+=1", "b.c+=[x, 2]", "d=3", "+e=4", "f+=(", "g+=x,[y,z]"]) == [
        "a=append(1)", "b.c=append('x',2)", "d=3", "+e=4", "f+=(", "g=append('x'),append('y','z')",
    ]  # fmt: skip


def test_a_text_in_quotes_is_no_edit():
    assert declare("init=he", "tags=['append(a)']").config["tags"] == ["append(a)"]
