"""Charts of a run as figures."""

from __future__ import annotations

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
