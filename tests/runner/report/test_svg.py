"""Charts as SVG in a page: ids of their own, colours of the theme, words for those who cannot see."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

pytest.importorskip("matplotlib", reason="matplotlib is not installed")

from initlab.runner.report import drawing  # noqa: E402
from initlab.runner.report.charts import Chart  # noqa: E402
from initlab.runner.report.svg import svg  # noqa: E402


@pytest.fixture
def chart():
    figure, [axes] = drawing.separate(1, 1, 3.0, 2.0)
    axes.plot([0, 1], [0, 1], color=drawing.SERIES[0])
    return Chart(
        figure=figure,
        name="loss curve",
        title="Loss <of> a run",
        description="It rises & falls",
    )


def test_a_chart_is_one_element_with_its_title_and_description(chart):
    root = ElementTree.fromstring(svg(chart))
    assert root.tag.endswith("svg") and root.get("role") == "img"
    texts = [child.text for child in root[:2]]
    assert texts == ["Loss <of> a run", "It rises & falls"]
    assert root.get("aria-labelledby") == "loss-curve-title loss-curve-desc"


def test_every_id_is_of_the_chart_and_every_reference_is_to_one(chart):
    text = svg(chart)
    ids = set(re.findall(r'\bid="([^"]*)"', text))
    assert all(one.startswith("loss-curve") for one in ids)
    assert set(re.findall(r'(?:url\(#|href="#)([^")]*)', text)) <= ids


def test_colours_are_left_to_the_theme(chart):
    text = svg(chart)
    assert "var(--series-0)" in text and drawing.SERIES[0] not in text


def test_the_same_figure_gives_the_same_bytes(chart):
    assert svg(chart) == svg(chart)
