"""What a search is declared to search."""

from __future__ import annotations

import pytest

from initlab.runner.config.compose import parse_word
from initlab.runner.errors import ConfigError
from initlab.runner.sweep.searching import parse_searched


def test_a_declared_search_is_read_from_the_grid_and_from_the_sweepers_params():
    grid = {"init.sigma": "interval(0.1,1)", "seed": [1, 2], "dtype": "float32"}
    space = parse_searched(
        [parse_word("dtype=float16")], {"grid": grid}, {"init.sigma": "interval(0.2,1)"}
    )
    assert space.fixed == ("dtype=float16",)
    assert {key: words for key, (_, words) in space.searched.items()} == {
        "init.sigma": ("init.sigma=0.2", "init.sigma=1.0"),
        "seed": ("seed=1", "seed=2"),
    }
    assert space.probes() == [
        ["dtype=float16", "init.sigma=0.2", "seed=1"],
        ["dtype=float16", "init.sigma=1.0", "seed=1"],
        ["dtype=float16", "init.sigma=0.2", "seed=2"],
    ]


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ({"cases": [{"seed": 1}]}, "sweep.cases: has no meaning in a search - give sweep.grid"),
        (
            {"grid": {"name": ["a", "b"]}},
            "sweep.grid.name: cannot be searched - set it for the whole sweep",
        ),
        (
            {"grid": {"seed": "range(0,"}},
            "sweep.grid.seed: 'seed=range(0,' is no word of the command line",
        ),
        ({"grid": {"seed": "range(3,3)"}}, "seed: 'seed=range(3,3)' holds no value"),
    ],
)
def test_what_is_wrong_with_a_declared_search_is_said(node, said):
    with pytest.raises(ConfigError) as error:
        parse_searched([], node, {})
    assert str(error.value.problems[0]) == said
