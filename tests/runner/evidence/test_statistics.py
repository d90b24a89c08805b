"""Statistics: the same after writing and reading, readable without a format as older versions wrote
them, refused in one line where they are damaged or newer.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.statistics import Statistics, shape_text

PLACE = Path("outputs/runs/one/stats.json")
ROW = {"path": "0.weight", "shape": [4, 2], "law": "Normal(0, 1)", "std": 0.5, "verdict": "ok"}
OFF = {"path": "0.bias", "shape": [], "law": "Zero", "histogram": [[0, 1, 2]], "verdict": "off"}
WHOLE = Statistics(
    parameters=[ROW, OFF],
    layers=[{"path": "0", "rms": 1.0}],
    gradients=[{"path": "0.weight", "rms": 0.25}],
    training=[{"epoch": 1, "loss": 2.5}],
    figures={"output_rms": 1.0, "loss": None},
    sections={"spectrum": [{"path": "0", "largest": 2.0}]},
    mode="train",
)


def test_statistics_are_the_same_after_writing_and_reading(tmp_path):
    RunFolder(tmp_path).write_stats(WHOLE)
    assert RunFolder(tmp_path).stats == WHOLE
    content = json.loads((tmp_path / "stats.json").read_text())
    assert (content["format"], content["mode"]) == ("initlab-statistics-2", "train")
    assert list(content) == ["format", "mode", *WHOLE.by_name]


def test_the_table_has_shapes_as_text_and_leaves_lists_to_json(tmp_path):
    RunFolder(tmp_path).write_stats(WHOLE)
    assert (tmp_path / "stats.csv").read_text() == (
        'path,shape,law,std,verdict\n0.weight,4x2,"Normal(0, 1)",0.5,ok\n0.bias,scalar,Zero,,off\n'
    )
    assert (shape_text([]), shape_text((3,))) == ("scalar", "3")


def test_statistics_without_a_format_are_of_version_1():
    old = WHOLE.to_json()
    del old["format"], old["mode"], old["updates"]
    assert Statistics.from_json(old, PLACE) == replace(WHOLE, mode=None, version=1)


def test_statistics_of_version_1_are_the_same_after_writing_and_reading():
    first = replace(WHOLE, mode=None, version=1)
    content = first.to_json()
    assert content["format"] == "initlab-statistics-1" and "mode" not in content
    assert Statistics.from_json(content, PLACE) == first


def test_a_section_called_format_is_a_section():
    old = {"parameters": [ROW], "format": [{"path": "0"}]}
    assert Statistics.from_json(old, PLACE).sections == {"format": [{"path": "0"}]}


def test_parameters_that_are_not_as_declared_are_named():
    assert WHOLE.off == ["0.bias"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "is damaged, it holds no mapping - run its config again"),
        (
            {"format": "initlab-statistics-3"},
            "is of format initlab-statistics-3, this initlab reads initlab-statistics-1, "
            "initlab-statistics-2 - use a newer initlab, or run its config again",
        ),
        ({}, "is not as written, it lacks 'parameters' - run its config again"),
        (
            {"parameters": 3},
            "is not as written, it lacks rows in parameters - run its config again",
        ),
        (
            {"format": "initlab-statistics-2", "mode": 1, "parameters": []},
            "is not as written, mode has a value of another type - run its config again",
        ),
        ({"parameters": [{}]}, "is not as written, it lacks 'path' - run its config again"),
        (
            {"parameters": [], "layers": [{"rms": 1}]},
            "is not as written, it lacks 'path' - run its config again",
        ),
        (
            {"parameters": [], "figures": [1]},
            "is not as written, it lacks figures - run its config again",
        ),
        (
            {"parameters": [], "spectrum": [1]},
            "is not as written, it lacks rows in spectrum - run its config again",
        ),
    ],
)
def test_damaged_and_newer_statistics_are_refused_in_one_line(content, said):
    with pytest.raises(EvidenceError) as found:
        Statistics.from_json(content, PLACE)
    assert str(found.value) == f"{PLACE}: {said}"


@pytest.mark.parametrize(
    ("section", "column", "value"),
    [
        *[("parameters", "path", value) for value in (None, 3, ["x"], {})],
        *[("parameters", "shape", value) for value in (None, 3, "4x2", [4, None], [1.5], [-1])],
        *[("parameters", "law", value) for value in (3, ["x"])],
        *[("parameters", "verdict", value) for value in (None, True, 10**30, [])],
        *[("parameters", "histogram", value) for value in (3, [1], [[0, 1]], [[0, 1, "x"]])],
        *[("parameters", "std", value) for value in ("x", -1, 10**400, [], True)],
        *[("layers", "rms", value) for value in ("x", [1])],
        *[("gradients", "max_abs", value) for value in ("x", {})],
        *[("training", "epoch", value) for value in (None, 0.5, "1")],
        *[("training", "loss", value) for value in ("x", [1])],
    ],
)
def test_a_value_of_another_type_is_refused_in_one_line(section, column, value, tmp_path):
    content = WHOLE.to_json()
    content[section] = [content[section][0] | {column: value}]
    with pytest.raises(EvidenceError) as found:
        Statistics.from_json(content, PLACE)
    said = f"is not as written, {section}[0].{column} has a value of another type"
    assert str(found.value) == f"{PLACE}: {said} - run its config again"


@pytest.mark.parametrize("value", [[], {}, 10**400])
def test_a_figure_that_is_no_single_value_is_refused(value):
    content = WHOLE.to_json() | {"figures": {"loss": value}}
    with pytest.raises(EvidenceError, match="figures.loss has a value of another type"):
        Statistics.from_json(content, PLACE)


def test_what_was_not_finite_is_a_number():
    row = ROW | {"std": "nan", "mean": None, "histogram": [["-inf", 0, 3]], "mine": ["anything"]}
    content = WHOLE.to_json() | {"parameters": [row], "figures": {"loss": "inf", "name": "x"}}
    assert Statistics.from_json(content, PLACE).parameters == [row]


def test_statistics_say_in_one_short_line_what_they_hold():
    row = {"path": "0.weight", "shape": [2], "verdict": "ok"}
    held = Statistics([row], figures={"loss": 1.0}, sections={"spectrum": [row, row]})
    assert repr(held) == "Statistics(parameters: 1, figures: 1, spectrum: 2)"
    many = Statistics([row], sections={f"section{number}": [row] for number in range(90)})
    assert len(repr(many)) < 140
