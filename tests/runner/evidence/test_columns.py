"""Columns of a list of runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from initlab.runner.errors import QuantityError
from initlab.runner.evidence.columns import (
    default_figures,
    differences,
    order,
    parse_columns,
    row,
    rows,
    view,
)
from initlab.runner.evidence.record import FACTS, Record


def record(words=(), config=None, **figures) -> Record:
    facts = {**dict.fromkeys(FACTS), "state": "finished", "tags": ["a"], "words": list(words)}
    return Record(facts, config or {}, figures, ["figures"])


def test_the_path_of_a_run_is_a_column_even_if_it_is_not_named():
    assert list(map(str, parse_columns("seed, figures.loss"))) == ["path", "seed", "figures.loss"]
    assert list(map(str, parse_columns("seed,path"))) == ["seed", "path"]
    with pytest.raises(QuantityError):
        parse_columns("seed;path")


def test_numbers_come_before_texts_and_nothing_comes_last_in_both_directions():
    found = [record(loss=value) for value in (None, "inf", 2, "nan", 1.5, "-inf")]
    views = [view(one, Path()) for one in found]
    assert order("figures.loss", views, views) == [5, 4, 2, 1, 0, 3]
    assert order("-figures.loss", views, views) == [1, 2, 4, 5, 0, 3]
    mixed = [view(record(config={"x": value}), Path()) for value in ("b", 3, "a", True)]
    assert order("x", mixed, mixed) == [3, 1, 2, 0]


def test_runs_that_are_equal_in_a_key_keep_their_order():
    views = [view(record(config={"x": at % 2, "y": at}), Path()) for at in range(5)]
    assert order("x", views, views) == [0, 2, 4, 1, 3]
    assert order("-x", views, views) == [1, 3, 0, 2, 4]
    assert order("x, -y", views, views) == [4, 2, 0, 3, 1]


def test_the_figures_that_most_runs_have_are_shown():
    found = [record(other=1, loss=2), record(output_rms=1, other=1), record(other=None)]
    assert default_figures(found, 2) == ["other", "loss"]
    assert default_figures([record()], 2) == []


def test_runs_are_told_apart_by_their_words_or_else_by_their_configs():
    he = record(["init=he", "seed=1"], {"seed": 1, "init": {"kind": "he"}})
    plain = record(["seed=2"], {"seed": 2, "init": {"kind": "normal"}})
    assert differences([he, plain]) == [
        {"seed": "1", "init": "he"},
        {"seed": "2", "init": "normal"},
    ]
    one = record((), {"init": {"kind": "he", "slope": 0.1}})
    other = record((), {"init": {"kind": "normal"}})
    assert differences([one, other]) == [
        {"init.kind": "he", "init.slope": "0.1"},
        {"init.kind": "normal", "init.slope": "-"},
    ]
    assert differences([]) == []


def test_a_row_has_everything_that_is_one_value():
    config = {"seed": 3, "tags": ["a"], "name": "x", "model": {"layers": [{"units": 4}]}, "v": {}}
    found = row(record(config=config, loss="nan", **{"train-loss": 1.0}))
    assert found["tags"] == ["a"] and "tags[0]" not in found
    assert found["model.layers[0].units"] == 4 and found["seed"] == 3
    assert found["figures.loss"] != found["figures.loss"]
    assert found["figures['train-loss']"] == 1.0


def test_a_table_has_the_columns_of_all_runs_with_the_figures_last():
    names, found = rows([record(loss=1), record(config={"seed": 3}), record(accuracy=1)])
    assert names == [*FACTS, "seed", "figures.loss", "figures.accuracy"]
    assert len(found) == 3 and rows([]) == (list(FACTS), [])
