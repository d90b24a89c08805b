"""Charts of a run as figures."""

from __future__ import annotations

import pytest
from laid_out import GPT2, check_layout, texts_of

from initlab.runner.evidence.folder import RunFolder
from initlab.runner.report import drawing
from initlab.runner.report.charts import run_charts


def test_the_charts_of_a_run_can_be_had_as_figures(run_folder):
    charts = run_charts(run_folder)
    assert [chart.name for chart in charts][:4] == [
        "signal",
        "gradient",
        "deviation",
        "histogram-stem.weight",
    ]
    assert all(
        chart.figure.axes and chart.title and chart.description.endswith(".") for chart in charts
    )


def test_the_line_of_the_forward_chart_follows_the_stream(only_run):
    folder = only_run("model=residual_mlp", "init=he", "data=normal", "probe=forward")
    signal = run_charts(folder)[0]
    through, inside = signal.figure.axes[0].lines[:2]
    rows = RunFolder(folder).stats.layers
    trunk = [row["rms"] for row in rows if row["stream"] or row["path"] in ("stem", "head")]
    assert list(through.get_ydata()) == trunk and len(trunk) == 8
    assert inside.get_label() == "inside a block" and len(inside.get_ydata()) == 12
    said = (
        f"from {trunk[0]:.3g} in the first of 8 layers and blocks to {trunk[-1]:.3g} in the last."
    )
    assert said in signal.description
    assert "Measured in train mode: statistics of the batch, no dropout." in signal.description


@pytest.fixture
def deep(only_run):
    """The charts of a GPT-2 with 24 blocks."""
    folder = only_run(*GPT2, "init=gpt2", "probe=backward", "diagnose=false", "snapshot=none")
    return {chart.name: chart for chart in run_charts(folder)}


def test_names_of_24_blocks_are_whole_and_nothing_overlaps(deep):
    for name in ("signal", "gradient", "deviation"):
        check_layout(deep[name])
        assert not [text for text, _ in texts_of(deep[name]) if "…" in text]
    labels = [text for text, _ in texts_of(deep["gradient"])]
    assert {"blocks.0", "blocks.23", "positions.weight"} <= set(labels)
    assert "block.attention.projection_weight" in labels, "the legend names the lines of a block"


def test_each_weight_of_a_block_has_a_line_through_the_blocks(deep):
    lines = deep["gradient"].figure.axes[0].lines
    assert [len(line.get_ydata()) for line in lines] == [24, 24, 24, 24, 2]
    assert len({line.get_marker() for line in lines}) == 5


def test_every_colour_of_a_runs_charts_has_one_meaning(deep):
    used = {
        name: {
            line.get_color()
            for line in chart.figure.axes[0].lines
            if not line.get_label().startswith("_")
        }
        for name, chart in deep.items()
    }
    assert used["signal"] == {drawing.FORWARD, drawing.BEFORE}
    assert used["gradient"] == {drawing.GRADIENT} and used["deviation"] == {drawing.VALUES}


def test_charts_of_a_chain_have_whole_names_and_theory_in_the_colour_of_text(run_folder):
    charts = run_charts(run_folder)
    for chart in charts:
        check_layout(chart)
    [theory] = [
        line for line in charts[0].figure.axes[0].lines if line.get_label() == "output, theory"
    ]
    assert theory.get_color() == drawing.INK


def test_values_that_a_logarithmic_axis_cannot_show_are_counted(only_run):
    words = ("probe=backward", "diagnose=false", "model=deep_mlp")
    charts = run_charts(only_run("init=zero", *words))
    assert not {"signal", "gradient"} & {chart.name for chart in charts}
    folder = only_run("init=normal", "init.sigma=1e-30", *words)
    said = {chart.name: chart.description for chart in run_charts(folder)}["signal"]
    first = RunFolder(folder).stats.layers[0]["rms"]
    assert f"goes from {first:.3g} in the first of 14 layers to 0 in the last." in said
    assert "Not drawn, since they are 0 or not finite: 13 of 14." in said
