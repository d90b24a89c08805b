"""What a sweep varies, as lists of words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.runner.config.compose import parse_word, start
from initlab.runner.sweep.space import Space, parse_space, word_of


def space(words: list[str], node: dict, params: dict | None = None) -> Space:
    made = parse_space([parse_word(word) for word in words], node, params or {})
    assert made.problems == ()
    return made


def jobs(words: list[str], node: dict, params: dict | None = None) -> list[str]:
    return [" ".join(job) for job, _ in space(words, node, params).jobs()]


def problems(node: dict) -> list[str]:
    return [str(problem) for problem in parse_space([], node, {}).problems]


def test_the_words_of_the_command_line_are_a_grid_whose_last_key_varies_fastest():
    assert jobs(["init=normal,he", "dtype=float16", "seed=range(0,2)"], {}) == [
        "init=normal dtype=float16 seed=0",
        "init=normal dtype=float16 seed=1",
        "init=he dtype=float16 seed=0",
        "init=he dtype=float16 seed=1",
    ]


def test_a_grid_takes_lists_sweeps_in_hydras_grammar_and_single_values():
    node = {"grid": {"init": ["normal", "he"], "seed": "range(0,2)", "dtype": "float16"}}
    assert jobs([], node) == [
        f"init={i} seed={s} dtype=float16" for i in ("normal", "he") for s in (0, 1)
    ]


def test_cases_are_crossed_with_the_grid():
    node = {
        "grid": {"seed": [0, 1]},
        "cases": [{"init": "normal", "init.sigma": 0.1}, {"init": "zero"}],
    }
    assert jobs([], node) == [
        "init=normal init.sigma=0.1 seed=0",
        "init=normal init.sigma=0.1 seed=1",
        "init=zero seed=0",
        "init=zero seed=1",
    ]


def test_a_union_is_one_block_after_the_other_and_the_empty_block_above_it_is_none():
    node = {"union": [{"grid": {"seed": [0, 1]}}, {"cases": [{"init": "he"}]}]}
    assert jobs(["dtype=float16"], node) == [
        "dtype=float16 seed=0",
        "dtype=float16 seed=1",
        "dtype=float16 init=he",
    ]
    assert jobs([], {"grid": {"seed": [5]}, **node}) == ["seed=5", "seed=0", "seed=1", "init=he"]


def test_what_is_excluded_above_a_union_is_excluded_in_all_its_blocks():
    made = space(
        [],
        {
            "exclude": [{"seed": 1}],
            "union": [
                {"grid": {"seed": [0, 1]}},
                {"grid": {"seed": [1, 2]}, "exclude": [{"seed": 2}]},
            ],
        },
    )
    assert [[entry.place for entry in block.exclude] for block in made.blocks] == [
        ["sweep.exclude[0]"],
        ["sweep.exclude[0]", "sweep.union[1].exclude[0]"],
    ]


def test_the_command_line_replaces_what_a_block_says_of_a_key():
    node = {
        "grid": {"seed": [0, 1], "init": ["he"]},
        "cases": [{"dtype": "float16"}, {"dtype": "float64"}],
    }
    assert jobs(["seed=7", "dtype=bfloat16"], node) == ["seed=7 dtype=bfloat16 init=he"] * 2
    assert jobs(["seed=5,6"], {"grid": {"seed": [0, 1, 2]}}) == ["seed=5", "seed=6"]


def test_the_command_line_replaces_hydras_own_parameters():
    assert jobs([], {}, {"seed": "0,1"}) == ["seed=0", "seed=1"]
    assert jobs(["seed=4,5"], {}, {"seed": "0,1"}) == ["seed=4", "seed=5"]


def test_a_count_is_the_number_of_jobs():
    made = space(
        ["a=1,2"],
        {"grid": {"b": [1, 2, 3]}, "cases": [{"c": 1}, {"c": 2}], "union": [{"grid": {"b": [9]}}]},
    )
    assert made.count() == len(list(made.jobs())) == 14


def test_ten_million_jobs_are_not_made_before_they_are_asked_for():
    made = space(["a=range(0,10000)", "b=range(0,1000)"], {})
    assert made.count() == 10_000_000
    assert next(made.jobs())[0] == ["a=0", "b=0"]


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ({"grid": [1]}, "sweep.grid: must be a mapping of keys to values, got [1]"),
        (
            {"grid": {"seed": []}},
            "sweep.grid.seed: holds no value - give a list, or range(start,stop)",
        ),
        ({"grid": {"seed": "range(0,0)"}}, "sweep.grid.seed: 'seed=range(0,0)' holds no value"),
        (
            {"grid": {"seed": "interval(0,1)"}},
            "sweep.grid.seed: 'seed=interval(0,1)' is no list of values - use a,b or choice(a,b) or range(start,stop), or search it with hydra/sweeper=optuna",
        ),
        (
            {"grid": {"resume": [True]}},
            "sweep.grid.resume: cannot be swept over - set it for the whole sweep",
        ),
        (
            {"grid": {"hydra.job.chdir": [True]}},
            "sweep.grid.hydra.job.chdir: cannot be swept over - set it for the whole sweep",
        ),
        ({"cases": {"seed": 1}}, "sweep.cases: must be a list, got {'seed': 1}"),
        ({"cases": [3]}, "sweep.cases.0: must be a mapping of keys to values, got 3"),
        (
            {"cases": [{"task": "plan"}]},
            "sweep.cases.0.task: cannot be swept over - set it for the whole sweep",
        ),
        (
            {"cases": [{"init.param": {"it's": 1}}]},
            'sweep.cases.0.init.param: {"it\'s": 1} cannot be written as a word of the command line - set its parts one by one',
        ),
        (
            {"exclude": [{}]},
            "sweep.exclude.0: names no key - give what the runs to leave out have in common",
        ),
        (
            {"union": {"grid": {}}},
            "sweep.union: must be a list of blocks {grid, cases, exclude}, got {'grid': {}}",
        ),
        (
            {"union": [{"gird": {}}]},
            "sweep.union.0.gird: no such key - did you mean 'grid'? Known: cases, exclude, grid.",
        ),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_block_is_said_with_its_place(node, said):
    assert problems(node) == [said]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.from_regex("[a-z][a-z_0-9]*", fullmatch=True), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(VALUES)
def test_a_word_gives_back_the_very_value_that_it_was_made_of(value):
    parsed = parse_word(word_of("key", value))
    assert not parsed.is_sweep_override()
    assert parsed.value() == value
    assert type(parsed.value()) is type(value)


def test_what_is_sound_of_a_space_is_kept_beside_what_is_wrong_with_the_rest():
    made = parse_space(
        [parse_word("seed=1,2"), parse_word("dtype=range(3,3)")],
        {"grid": {"init": ["he", "lecun"], "task": ["plan"]}},
        {"name": "x", "hydra": 1},
    )
    assert [" ".join(words) for words, _ in made.jobs()] == [
        "name=x seed=1 init=he",
        "name=x seed=2 init=he",
        "name=x seed=1 init=lecun",
        "name=x seed=2 init=lecun",
    ]
    assert [problem.place for problem in made.problems] == [
        "sweep.grid.task",
        "hydra.sweeper.params.hydra",
        "dtype",
    ]


def test_a_pattern_stands_for_the_options_that_it_fits():
    start([], None)
    assert jobs(["init=glob([he*,one],exclude=*uniform)"], {}) == [
        "init=he",
        "init=he_fan_out",
        "init=one",
    ]
    assert jobs([], {"grid": {"init": "glob(he_u*)"}}) == ["init=he_uniform"]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("seed=glob(*)", "seed: 'seed=glob(*)' chooses options by their names, but the key is no"),
        ("init=glob(zz*)", "init: 'init=glob(zz*)' fits no option - Known: bilinear, "),
        ("seed=range(0,10000000)", "seed: 'seed=range(0,10000000)' has 10,000,000 values, more"),
    ],
)
def test_values_that_cannot_be_listed_are_one_problem(word, said):
    start([], None)
    [problem] = parse_space([parse_word(word)], {}, {}).problems
    assert str(problem).startswith(said)
