"""Charts of a sweep: a panel for each kind of run, and a chart for each figure."""

from __future__ import annotations

import pytest
from laid_out import check_layout

from initlab.runner.report import drawing
from initlab.runner.report.sweep_charts import (
    MOST_PANELS,
    RunGroup,
    all_alike,
    apart,
    figure_chart,
    gradient_panels,
    loss_panels,
    signal_panels,
)

pytest.importorskip("matplotlib", reason="matplotlib is not installed")


def kinds(*sizes: float) -> list[RunGroup]:
    made = []
    for at, size in enumerate(sizes):
        lines = [[1.0, size**0.5, size], [1.0, "nan", size]]
        made.append(RunGroup(f"kind={at}", lines, lines, losses=lines))
    return made


def limits(panels) -> list[tuple[float, float]]:
    return [chart.figure.axes[0].get_ylim() for chart in panels.charts]


@pytest.mark.parametrize("panels", [signal_panels, gradient_panels, loss_panels])
def test_a_kind_that_collapsed_does_not_flatten_the_others(panels):
    together, own = panels(kinds(0.5, 2.0)), panels(kinds(1e-16, 2.0, 0.5))
    assert len(set(limits(together))) == 1 and len(set(limits(own))) == 3
    assert limits(own)[1][0] > 0.5 and "a scale of its own" in own.description
    assert "a scale of its own" not in together.description
    assert "kind=0: 1e-16; kind=1: 2; kind=2: 0.5" in own.description
    colours = {line.get_color() for chart in own.charts for line in chart.figure.axes[0].lines}
    assert len(colours) == 1


def test_kinds_that_all_fall_alike_share_a_scale():
    assert not apart([(1e-9, 1.0), (1e-8, 2.0)])
    assert apart([(1e-9, 1.0), (0.5, 2.0)])
    assert apart([(1.0, 1.0), (1e300, 1e300), (1e-300, 1e-300)])


def test_kinds_without_a_positive_number_have_no_panel_and_are_named():
    empty = RunGroup("init=zero", gradients=[["nan", 0.0]])
    assert gradient_panels([empty, RunGroup("b")]) is None
    found = gradient_panels([empty, *kinds(2.0)])
    assert len(found.charts) == 1 and "not finite: init=zero." in found.description


def test_of_many_kinds_the_first_are_drawn_and_the_others_counted():
    found = signal_panels(kinds(*[2.0] * (MOST_PANELS + 3)))
    assert len(found.charts) == MOST_PANELS
    assert f"The first {MOST_PANELS} of {MOST_PANELS + 3} kinds" in found.description


def test_the_weights_of_a_block_have_a_line_each():
    paths = ["tokens.weight", *(f"blocks.{n}.{part}.weight" for n in range(3) for part in "ab")]
    kind = RunGroup("a", gradients=[[5.0, 1.0, 9.0, 2.0, 8.0, 3.0, 7.0]], weights=paths)
    [chart] = gradient_panels([kind]).charts
    lines = [list(line.get_ydata()) for line in chart.figure.axes[0].lines]
    assert lines == [[5.0], [1.0, 2.0, 3.0], [9.0, 8.0, 7.0]]


def of_figure(*values: list[float]) -> list[RunGroup]:
    return [
        RunGroup(f"kind={at}, another_key=some_long_value", figures={"loss": one})
        for at, one in enumerate(values)
    ]


def test_a_figure_that_exploded_has_an_axis_of_its_own():
    chart = figure_chart(of_figure([1.0, 1.1], [1e30, 2e30], [0.0, 0.0], [1.2]), "loss")
    assert [len(pair.get_yticks()) for pair in chart.figure.axes] == [1, 3]
    assert chart.figure.axes[1].get_xlim()[1] < 2
    assert "an axis of their own" in chart.description
    [alone] = figure_chart(of_figure([1.0, 1.1], [2.0]), "loss").figure.axes
    assert len(alone.get_yticks()) == 2


def test_the_rows_of_a_figure_can_be_read():
    for values in ([[1.0, 1.1], [1e30, 2e30], [1.2]], [[float(n), n + 0.5] for n in range(40)]):
        check_layout(figure_chart(of_figure(*values), "loss"))


def test_a_figure_that_is_the_same_in_all_runs_is_a_sentence():
    same = of_figure([0.0, 0.0], [0.0])
    assert figure_chart(same, "loss") is None
    assert all_alike(same, "loss") == "loss is 0 in all 3 runs."
    assert all_alike(of_figure([0.0], [1.0]), "loss") == ""


def test_runs_whose_figure_is_not_finite_are_said_to_be():
    found = [*of_figure([1.0, 2.0]), RunGroup("bad", not_finite={"loss": 2})]
    assert "Not finite, and not drawn: 2 of bad." in figure_chart(found, "loss").description
    assert all_alike([*of_figure([1.0, 1.0]), found[1]], "loss") == ""


def test_a_figure_has_one_colour_and_its_median_that_of_text():
    pair = figure_chart(of_figure([1.0, 2.0]), "loss").figure.axes[0]
    assert [line.get_color() for line in pair.lines] == [drawing.FIGURE, drawing.INK]
