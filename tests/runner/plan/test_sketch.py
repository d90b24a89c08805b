"""What a run's statistics will hold is known before it, and the run then holds nothing else."""

from __future__ import annotations

import pytest

from initlab.runner.evidence.folder import RunFolder
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
            continue
        assert bool(found) == bool(known), section
        for row in found:
            like = known.row if not isinstance(known, list) else _row(known, row["path"])
            assert row.keys() - {"path"} <= like.keys(), section


def _row(rows, path):
    [row] = [row for row in rows if row["path"] == path]
    return row


def test_the_sections_that_nothing_measures_are_empty(only_run):
    folder = only_run("probe=none")
    config = revalidate(RunFolder(folder).config)
    assert not any(config.sketch[name] for name in ("layers", "gradients", "training", "figures"))
    assert [row["path"] for row in config.sketch["parameters"]][:2] == ["0.weight", "0.bias"]
