"""Charts of a run as figures."""

from __future__ import annotations

from initlab.runner.evidence.folder import RunFolder
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
