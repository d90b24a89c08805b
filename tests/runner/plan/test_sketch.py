"""What a run's statistics will hold is known before it, and the run then holds nothing else."""

from __future__ import annotations

import math

import pytest

from initlab.runner.evidence.folder import RunFolder
from initlab.runner.figures.lookup import Measured
from initlab.runner.figures.lookup import figure as figure_of
from initlab.runner.figures.path import parse_path
from initlab.runner.figures.unknown import TEXT, YES_OR_NO, Always, Rows
from initlab.runner.json_values import number
from initlab.runner.plan.validate import revalidate

SMALL = [
    "model.input=[1,6,6]",
    "model.layers=[{kind: conv2d, name: conv, channels: 4, kernel_size: 3}, {kind: flatten, name: flat}, "
    "{kind: dense, name: head, units: 3, activation: relu}]",
    "data=normal",
    "data.batch=4",
]


@pytest.mark.parametrize(
    "words",
    [
        (*SMALL, "probe=forward", "stats=[moments,law,histogram]"),
        (*SMALL, "probe=backward", "stats.histogram.quantiles=[0.5]", "stats=[histogram]"),
        (
            *SMALL,
            "probe=none",
            "stats=[]",
            "measure=[layers,backprop,spectrum,operator]",
        ),
        ("model=mlp", "data=digits", "model.input=[64]", "probe=none", "measure=[output_change]"),
        (*SMALL, "probe=none", "measure=[jacobian,cosine]"),
        (
            "model=mlp",
            "data=digits",
            "model.input=[64]",
            "probe=train",
            "probe.epochs=1",
            "probe.target_loss=1.0",
        ),
        ("model=mlp", "data=digits", "model.input=[64]", "probe=train", "+probe.steps=2"),
    ],
    ids=lambda words: " ".join(words[-2:]),
)
def test_everything_in_the_statistics_was_known_before(words, only_run):
    folder = only_run(*words)
    run = RunFolder(folder)
    config, stats = revalidate(run.config), run.stats.by_name
    assert set(config.sketch) == set(stats)
    for section, found in stats.items():
        known = config.sketch[section]
        if isinstance(found, dict):
            assert found.keys() <= known.keys(), section
            assert bool(found) == bool(known)
            assert all(is_like(value, known[name]) for name, value in found.items()), section
            continue
        assert bool(found) == bool(known), section
        for row in found:
            like = known.row if not isinstance(known, list) else _row(known, row["path"])
            assert row.keys() - {"path"} <= like.keys(), section
            wrong = [
                name for name, value in row.items() if not is_like(value, like.get(name, TEXT))
            ]
            assert wrong == [], section


@pytest.mark.parametrize(
    "words",
    [
        ("model=lenet", "data=normal"),
        ("model=residual_mlp", "data=normal"),
        ("model=shared", "data=normal"),
        ("model=lstm_lm", "data=text"),
    ],
    ids=lambda words: words[0],
)
def test_the_shapes_of_layers_are_known_before_the_run(words, only_run):
    folder = only_run(*words, "data.batch=2", "probe=forward", "snapshot=none", "stats=[]")
    run = RunFolder(folder)
    known = {row["path"]: row["shape"] for row in revalidate(run.config).sketch["layers"]}
    rows = run.stats.layers
    assert rows and all(is_like(row["shape"], known[row["path"]]) for row in rows)
    assert sum(isinstance(shape, list) for shape in known.values()) > len(known) / 2


def is_like(value, placeholder):
    """Whether a value is of the kind that its placeholder says."""
    match placeholder:
        case str():
            return value == placeholder
        case list():
            return value == placeholder
        case Rows(row):
            return isinstance(value, list) and all(is_like(entry, row) for entry in value)
        case Always():
            return number(value) is not None
        case float():
            return value is None or number(value) is not None
    kinds = {TEXT: str, YES_OR_NO: bool}
    return value is None or isinstance(value, kinds[placeholder])


def _row(rows, path):
    [row] = [row for row in rows if row["path"] == path]
    return row


def test_the_sections_that_nothing_measures_are_empty(only_run):
    folder = only_run("probe=none")
    config = revalidate(RunFolder(folder).config)
    assert not any(config.sketch[name] for name in ("layers", "gradients", "training", "figures"))
    assert [row["path"] for row in config.sketch["parameters"]][:2] == ["0.weight", "0.bias"]


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        (
            "parameters[0].law",
            "'parameters[0].law' is a text, which is no number - name one number",
        ),
        ("parameters.*.verdict.max", "'parameters.*.verdict' is a text, which is no number"),
        ("parameters[0].verdict.max", "'parameters[0].verdict' is a text, which is no number"),
        ("parameters[0].bound_ok", "is true or false, which is no number"),
        ("parameters[0].path", "is '0.weight', which is no number"),
        ("parameters[0].shape[5]", "parameters[0].shape has 2 rows, there is no [5]"),
        ("parameters[0].shape.max", "parameters[0].shape has no 'max' - Known: 0, 1."),
        ("parameters[0].shape", "holds 2 entries and is no single value"),
        ("parameters[0].histogram", "holds rows and is no single value"),
        ("layers[0].shape", "holds 2 entries and is no single value"),
        ("layers[0].shape.max", "layers[0].shape has no 'max' - Known: 0, 1."),
        ("layers[0].shape[5]", "layers[0].shape has 2 rows, there is no [5] - Known: 0 to 1."),
        ("layers[0].shape[1][0]", "layers[0].shape[1] is one value, it has no '[0]'"),
    ],
)
def test_an_objective_that_is_no_number_is_refused_before_the_run(figure, said, command, tmp_path):
    words = ("probe=forward", "stats=[moments,law,histogram]")
    done = command(*words, f'objective={{figure: "{figure}"}}')
    assert done.code == 2
    assert done.err.startswith("error: objective.figure: ") and said in done.err, done.err
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    "figure",
    [
        "parameters[0].shape[-1]",
        "layers[0].shape[1]",
        "layers.*.shape[-1].max",
        "parameters[0].histogram[0][2]",
        "layers.*.rms_ratio.mean",
        "parameters.*.std.max",
    ],
)
def test_an_objective_that_is_a_number_passes_and_the_run_has_it(figure, only_run):
    words = ("probe=forward", "stats=[moments,law,histogram]")
    folder = only_run(*words, f'objective={{figure: "{figure}"}}')
    run = RunFolder(folder)
    found = Measured(run.config, run.stats.by_name)
    assert math.isfinite(figure_of(parse_path(figure), found))
