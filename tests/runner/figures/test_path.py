"""The names of figures: both ways to write a row, parts, patterns, and what is no path."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.runner.errors import QuantityError
from initlab.runner.figures.path import (
    Part,
    Path,
    parse_path,
    parse_paths,
    parse_signed,
    scan,
    written,
)

NAMES = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Z")), min_size=1, max_size=8
).filter(lambda name: not ("'" in name and '"' in name))
ENDS = st.none() | st.integers(-30, 30)
STEPS = (
    NAMES
    | st.integers(-1000, 1000)
    | st.builds(Part, ENDS, ENDS)
    | st.sampled_from(["*", "body.*.fc", "0.weight", "0", "-1", "1:2", "and", "in"])
)
PATHS = st.builds(
    lambda first, rest: Path((first, *rest)),
    st.from_regex(re.compile(r"[A-Za-z_]\w{0,6}", re.ASCII), fullmatch=True),
    st.lists(STEPS, max_size=4),
)


@given(PATHS)
def test_a_path_is_read_back_as_it_is_written_alone_and_within_an_expression(path):
    text = str(path)
    assert parse_path(text).steps == path.steps
    assert scan(f"{text} + 1", 0) == (path, len(text))
    assert written(parse_path(text).steps) == text


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("figures.loss", ("figures", "loss")),
        ("layers[-1].rms", ("layers", -1, "rms")),
        ("layers[ 2 ].rms", ("layers", 2, "rms")),
        ("layers[body.11.fc].rms", ("layers", "body.11.fc", "rms")),
        ("layers['body.11.fc'].rms", ("layers", "body.11.fc", "rms")),
        ('layers["0"].rms', ("layers", "0", "rms")),
        ("layers.0.rms", ("layers", "0", "rms")),
        ("layers[1:-1].rms", ("layers", Part(1, -1), "rms")),
        ("layers[:].rms.max", ("layers", Part(), "rms", "max")),
        ("layers['1:2'].rms", ("layers", "1:2", "rms")),
        ("layers.*.rms.log_mean", ("layers", "*", "rms", "log_mean")),
        ("layers[*].rms", ("layers", "*", "rms")),
        ("layers[body.*.fc].rms", ("layers", "body.*.fc", "rms")),
        ("model.layers[0].units", ("model", "layers", 0, "units")),
        ("parameters[0].histogram[3][1]", ("parameters", 0, "histogram", 3, 1)),
        ("figures.train-loss", ("figures", "train-loss")),
        (" seed ", ("seed",)),
    ],
)
def test_the_ways_to_write_a_step(text, steps):
    assert parse_path(text).steps == steps


def test_every_path_has_a_hash_also_one_with_a_part_of_a_list():
    assert hash(parse_path("layers[1:2].rms")) == hash(parse_path("layers[ 1 : 2 ].rms"))


def test_a_path_shows_itself_as_it_was_written_and_equals_another_of_the_same_steps():
    path = parse_path("layers['head'].rms")
    assert str(path) == "layers['head'].rms"
    assert path == parse_path("layers[head].rms") == parse_path("layers.head.rms")


def test_within_an_expression_a_path_ends_where_a_sign_begins():
    assert scan("layers.*.rms * layers", 0)[1] == len("layers.*.rms")
    assert scan("figures.train-loss", 0)[1] == len("figures.train")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "needs a name at column 1"),
        (".a", "needs a name at column 1"),
        ("a..b", "needs a name or * after a dot, it has '.'"),
        ("a.", "needs a name or * after a dot, it has its end"),
        ("a[", "needs a number, from:to or a name in [ ], it has its end"),
        ("a[].b", "needs a number, from:to or a name in [ ], it has '].b'"),
        ("a['x\"]", "needs a number, from:to or a name in [ ]"),
        (
            f"a[{'9' * 5000}].b",
            "column 3: has a number of more than 400 characters, which is the limit",
        ),
        (f"a[1:{'9' * 5000}].b", "column 3: has a number of more than 400 characters"),
        ("a]b", "cannot be read from ']b' on"),
        ("a[0]b", "cannot be read from 'b' on"),
    ],
)
def test_what_is_no_path_is_refused(text, said):
    with pytest.raises(QuantityError, match=re.escape(said)) as refused:
        parse_path(text)
    assert len(str(refused.value)) < 300


@given(st.lists(PATHS, min_size=1, max_size=4), st.sampled_from([",", ", ", " , "]))
def test_a_list_of_paths_is_read_back_as_it_is_written(paths, comma):
    assert parse_paths(comma.join(map(str, paths))) == paths


@given(st.lists(st.tuples(st.sampled_from(["-", ""]), PATHS), min_size=1, max_size=4))
def test_a_list_of_signed_paths_is_read_back_as_it_is_written(signed):
    assert parse_signed(",".join(f"{sign}{path}" for sign, path in signed)) == signed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "needs a name at column 1"),
        ("a,", "needs a name at column 3"),
        ("a b", "column 3: needs a comma or its end, it has 'b'"),
        ("-a", "needs a name at column 1"),
    ],
)
def test_what_is_no_list_of_paths_is_refused(text, said):
    with pytest.raises(QuantityError, match=re.escape(said)):
        parse_paths(text)
