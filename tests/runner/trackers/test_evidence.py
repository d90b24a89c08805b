"""A run's evidence as trackers take it."""

from __future__ import annotations

from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.statistics import Statistics
from initlab.runner.trackers import Evidence
from initlab.runner.trackers.evidence import flat, spread
from initlab.runner.trackers.wandb import coarser


def test_bars_with_a_gap_become_a_histogram_without():
    found = spread(
        {"histogram": [[-1.0, -0.5, 3], [0.0, 0.5, 2], [0.5, 1.0, 4]], "mean": 0.1, "rms": 0.6}
    )
    assert (found.edges, found.counts) == ([-1.0, -0.5, 0.0, 0.5, 1.0], [3, 0, 2, 4])
    coarse = coarser(found, 3)
    assert (coarse.edges, coarse.counts) == ([-1.0, 0.0, 1.0], [3, 6])


def test_figures_that_are_not_finite_are_numbers_again(only_run):
    stats = Statistics(
        parameters=[],
        figures={"loss": "nan", "kept": None, "name": "x"},
        layers=[{"rms": 1.0}, {"rms": None}, {"rms": "inf"}],
    )
    evidence = Evidence("runs", RunFolder(only_run("init=normal")).manifest, stats)
    assert str(evidence.metrics["figures/loss"]) == "nan" and "figures/kept" not in evidence.metrics
    [rms] = evidence.series
    assert (rms.steps, rms.values) == ([0, 2], [1.0, float("inf")])


def test_tags_have_what_was_said_of_a_run(only_run):
    def tags(*words):
        folder = RunFolder(only_run("init=normal", *words))
        return Evidence("runs", folder.manifest, folder.stats).tags

    plain, told = tags(), tags("tags=[wide,old]", "note='first try'")
    assert set(told.items()) - set(plain.items()) == {
        ("initlab.tags", "wide,old"),
        ("initlab.note", "first try"),
        ("initlab.overrides", "init=normal tags=[wide,old] note='first try'"),
    }
    assert not plain.keys() & {"initlab.tags", "initlab.note"}


def test_a_run_is_tracked_under_the_name_of_its_folder_whatever_label_that_has(only_run):
    folder = RunFolder(only_run("init=normal", "probe=none"))
    digits = folder.manifest.run_id.rpartition("-")[2]
    older = f"old-seed0-{digits}"
    for given, expected in ((older, older), ("mine", folder.manifest.run_id)):
        made = Evidence("runs", folder.manifest, folder.stats, folder=given)
        assert made.run_id == expected


def test_depth_counts_layers_from_the_input_to_the_output(only_run):
    folder = RunFolder(only_run("model=residual_mlp", "init=he", "data=normal"))
    [rms] = Evidence("runs", folder.manifest, folder.stats).series
    rows = [row for row in folder.stats.layers if row["inside"] is None]
    assert [row["path"] for row in rows][:2] == ["stem", "body.0.block"]
    assert (rms.steps, rms.values) == ([*range(8)], [row["rms"] for row in rows])


def test_a_tracker_is_given_names_without_brackets():
    config = {"model": {"layers": [{"units": 4}, {"kernel": [3, 5]}]}, "vars": {}}
    assert flat(config) == {
        "model.layers.0.units": 4,
        "model.layers.1.kernel.0": 3,
        "model.layers.1.kernel.1": 5,
        "vars": {},
    }
