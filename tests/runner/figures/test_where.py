"""Conditions on runs: how they are read, what they choose, and what is said of those that are none."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.runner.errors import QuantityError
from initlab.runner.figures.lookup import Measured
from initlab.runner.figures.parser import MOST_LEVELS
from initlab.runner.figures.where import (
    KEYWORDS,
    OF_OTHERS,
    SIGNS,
    And,
    Comparison,
    Contains,
    Literal,
    Membership,
    Not,
    Or,
    parse_where,
)
from tests.runner.figures.test_path import PATHS

LEVELS = (
    f"has more than {MOST_LEVELS} parentheses and negations within one another, which is the limit"
)
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6).filter(lambda text: not ("'" in text and '"' in text))
)
NAMED = PATHS.filter(
    lambda path: path.steps[0].lower() not in (*KEYWORDS, "true", "false", "null", "none")
)
COMPARED = st.builds(
    Comparison, NAMED, st.sampled_from(sorted(SIGNS)), st.builds(Literal, VALUES) | NAMED
)
MEMBERS = st.builds(Membership, NAMED, st.lists(VALUES, max_size=3).map(tuple))
HOLDING = st.builds(Contains, st.builds(Literal, VALUES), NAMED)
CONDITIONS = st.recursive(
    COMPARED | MEMBERS | HOLDING,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=6,
)


@given(CONDITIONS)
def test_a_condition_is_read_back_as_it_is_written(condition):
    assert parse_where(str(condition)).condition == condition


def run(seed: int = 0, kind: str = "he", **figures) -> Measured:
    layers = [{"path": "0", "rms": 1.0 + seed}, {"path": "head", "rms": 4.0}]
    tags = ["wide", str(seed)] if seed else []
    config = {"seed": seed, "init": {"kind": kind}, "resume": False, "threads": None, "tags": tags}
    return Measured(config, {"figures": figures, "layers": layers})


def chosen(where) -> list[Measured]:
    return [RUNS[at] for at in where.sort_out(RUNS)[0]]


RUNS = [run(0, loss=1.0), run(1, "lecun", loss=3.0), run(2, loss="nan"), run(3, other=1.0)]


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("init.kind == 'he'", [0, 2, 3]),
        ('init.kind != "he"', [1]),
        ("init.kind == 'he' and figures.loss < 2.4", [0]),
        ("init.kind == 'lecun' or figures.loss <= 1", [0, 1]),
        ("seed >= 1 and not seed == 2", [1, 3]),
        ("not (seed == 0 or seed == 1)", [2, 3]),
        ("not seed == 0 and seed < 2", [1]),
        ("seed in [0, 3, 7]", [0, 3]),
        ("seed not in [0, 3]", [1, 2]),
        ("init.kind in ['lecun', 'xavier']", [1]),
        ("2 < seed", [3]),
        ("-1 < seed and seed < +1.5e0", [0, 1]),
        ("layers[-1].rms > layers[0].rms", [0, 1, 2]),
        ("layers.*.rms.max > 3.5", [0, 1, 2, 3]),
        ("layers[head].rms == layers['0'].rms", [3]),
        ("resume == false", [0, 1, 2, 3]),
        ("resume == True", []),
        ("threads == null and seed == 1", [1]),
        ("threads != null", []),
        ("threads < 3", []),
        ("figures.loss < 5", [0, 1]),
        ("not figures.loss < 5", [2]),
        ("figures.loss < 2 or seed == 3", [0, 3]),
        ("figures.loss in [1.0, 3]", [0, 1]),
        ("seed in []", []),
        ("'wide' in tags", [1, 2, 3]),
        ("'wide' not in tags", [0]),
        ("'2' in tags or not 'wide' in tags", [0, 2]),
        ("2 in tags", []),
    ],
)
def test_a_condition_chooses_the_runs_for_which_it_holds(text, seeds):
    where = parse_where(text)
    assert [one.config["seed"] for one in chosen(where)] == seeds
    assert [one.config["seed"] for one in RUNS if where.matches(one)] == seeds


def test_a_run_that_lacks_the_figure_matches_neither_a_comparison_nor_its_contrary():
    [lacking] = [one for one in RUNS if "loss" not in one.stats["figures"]]
    for text in ("figures.loss < 5", "not figures.loss < 5", "figures.loss != 1"):
        assert not parse_where(text).matches(lacking)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("figures.lost < 2", "figures has no 'lost' - did you mean 'loss'?"),
        ("seed == 0 or inti.kind == 'he'", "did you mean 'init'?"),
        ("seed == 9 and figures.lost < 2", "did you mean 'loss'?"),
        (
            "init.kind == he",
            "Known: figures, layers, and the keys of the config. A text needs quotes: 'he'.",
        ),
        ("he == init.kind", "A text needs quotes: 'he'."),
        ("seed == '3'", "0 is a number, '3' is a text"),
        ("init.kind < 3", "'he' is a text, 3 is a number"),
        ("resume == 0", "false is true or false, 0 is a number"),
        ("seed in ['a', 'b']", "0 is a number, 'a' is a text"),
        ("layers.*.rms > 1", "gives 2 values - reduce them to one"),
        ("1 in seed", "'seed' is no list - a list of values is written [a, b]"),
        ("'a' in tgas", "did you mean 'tags'?"),
        ("init == 'he'", "holds kind and is no single value - name one of them"),
    ],
)
def test_what_no_run_can_answer_is_an_error_with_the_nearest_name(text, said):
    with pytest.raises(QuantityError, match=re.escape(said)):
        parse_where(text).sort_out(RUNS)


def test_the_runs_that_cannot_tell_are_named_too():
    assert parse_where("figures.loss < 2").sort_out(RUNS) == ([0], [3])


def test_the_error_is_that_of_a_run_that_knows_the_name_that_is_meant():
    bare = Measured({}, {"state": "failed"})
    with pytest.raises(QuantityError, match="did you mean 'seed'"):
        parse_where("sed == 1").sort_out([bare, *RUNS])


def test_no_run_is_chosen_from_none():
    assert parse_where("figures.lost < 2").sort_out([]) == ([], [])


def test_every_operator_of_another_language_gives_its_hint():
    for operator, own in OF_OTHERS.items():
        text = f"seed {operator} 1" if operator != "!" else "! seed == 1"
        with pytest.raises(
            QuantityError, match=re.escape(f"there is no '{operator}' - write {own}")
        ):
            parse_where(text)


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("(" * 400 + "seed == 1" + ")" * 400, 102, LEVELS),
        ("not " * 50000 + "seed == 1", 405, LEVELS),
        ("not (" * 60 + "seed == 1" + ")" * 60, 255, LEVELS),
        (
            f"seed == {'9' * 5000}",
            9,
            "has a number of more than 400 characters, which is the limit",
        ),
        (f"seed in [1, {'9' * 5000}]", 13, "has a number of more than 400 characters"),
        (f"layers[{'9' * 5000}].rms == 1", 1, "has a number of more than 400 characters"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_condition_beyond_a_limit_is_refused_at_its_column(text, column, said):
    with pytest.raises(QuantityError) as refused:
        parse_where(text)
    assert f"column {column}: {said}" in str(refused.value)
    assert len(str(refused.value)) < 300


def test_a_condition_may_be_as_deep_as_the_limit_says_and_as_long_as_it_likes():
    deep = "(" * MOST_LEVELS + "seed == 1" + ")" * MOST_LEVELS
    long = " or ".join(f"(seed == {number})" for number in range(1000))
    assert [one.config["seed"] for one in chosen(parse_where(deep))] == [1]
    assert len(chosen(parse_where(long))) == len(RUNS)
    assert parse_where("not " * MOST_LEVELS + "seed == 1").matches(RUNS[1])


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("", 1, "needs a number, a text in quotes or a path where it has its end"),
        ("seed", 5, "needs one of == != < <= > >= in where it has its end"),
        ("seed = 3", 6, "there is no '=' - write =="),
        ("seed == 3 && seed == 4", 11, "there is no '&&' - write and"),
        ("seed == 3 || seed == 4", 11, "there is no '||' - write or"),
        ("!seed == 3", 1, "there is no '!' - write not"),
        ("seed == 3 seed", 11, "needs and, or, or its end where it has 'seed'"),
        ("seed ==", 8, "needs a number, a text in quotes or a path where it has its end"),
        ("seed == and", 9, "needs a number, a text in quotes or a path where it has 'and'"),
        ("seed <> 1", 6, "there is no '<>' - write !="),
        ("not == 1", 5, "needs a number, a text in quotes or a path where it has '=='"),
        ("(seed == 3 && seed == 4)", 12, "there is no '&&' - write and"),
        ("seed in [1 | 2]", 12, "there is no '|' - write or"),
        ("(seed == 3", 11, "needs ')' where it has its end"),
        ("seed in 3", 9, "needs '[' where it has '3'"),
        ("seed in [3 4]", 12, "needs ',' where it has '4'"),
        ("seed in [he]", 10, "needs a number or a text in quotes in the list, he is a path"),
        ("seed not 3", 10, "needs 'in' where it has '3'"),
        ("3 in [3]", 1, "needs the name of a figure before 'in'"),
        ("3 in 'tags'", 6, "needs the name of a list, like tags, where it has \"'tags'\""),
        ("'wide' not in", 14, "needs the name of a list, like tags, where it has its end"),
        ("3 == 3", 1, "compares no figure of a run"),
        ("0 < seed < 3", 1, "compares three values - write two comparisons, joined by and"),
        ("layers[ == 3", 1, "needs a number, from:to or a name in [ ]"),
        ("seed == 'he", 9, 'where it has "\'"'),
        ("seed == 3x", 9, "where it has '3'"),
        ("__import__('os') == 3", 11, "needs one of"),
    ],
)
def test_what_is_no_condition_is_refused_at_its_column(text, column, said):
    with pytest.raises(QuantityError) as refused:
        parse_where(text)
    assert str(refused.value).startswith(f"'{text}', column {column}: ")
    assert said in str(refused.value)


def test_a_number_keeps_every_digit():
    large = run(2**64 - 1)
    assert parse_where(f"seed == {2**64 - 1}").matches(large)
    assert not parse_where(f"seed == {2**64 - 2}").matches(large)
    assert not parse_where("figures.loss == 1").matches(run(loss=math.nan))
