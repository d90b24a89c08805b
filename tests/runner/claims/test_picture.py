"""What claims look like: the points, the theory's line, and the file that they are drawn into."""

from __future__ import annotations

import math

import numpy as np
import pytest

from initlab.runner.claims.claim import parse_claims
from initlab.runner.claims.judge import estimate, judge
from initlab.runner.claims.picture import picture
from initlab.runner.claims.results import Result
from initlab.runner.report.claim_charts import claim_figure, thinned, write_claim_charts


def claim(quantity: str, predicted: float = 1.0, **more):
    return parse_claims(
        [
            {"id": "c", "cite": "x", "quantity": quantity, "predicted": predicted, "within": 9}
            | more
        ],
    )[0]


def runs(count: int = 3, rows: int = 4) -> list[Result]:
    made = []
    for seed in range(count):
        layers = [{"path": f"l{i}", "rms": 1.0 + i + 0.1 * seed} for i in range(rows)]
        made.append(
            Result(
                f"r{seed}",
                (f"seed={seed}",),
                {"seed": seed, "vars": {}},
                {"layers": layers, "figures": {"loss": 2.0 + seed}},
            )
        )
    return made


def along(power: float) -> list[Result]:
    return [
        Result(
            f"{s}-{w}",
            (f"seed={s}", f"vars.width={w}"),
            {"seed": s, "vars": {"width": w}},
            {"figures": {"x": w**power * (1 + 0.01 * s)}},
        )
        for s in (0, 1)
        for w in (2, 4, 8)
    ]


def test_a_number_of_each_run_is_a_point_a_seed():
    seen = picture(claim("figures.loss", 2.5), runs())
    assert (seen.names, list(seen.theory)) == (("0", "1", "2"), [2.5, 2.5, 2.5])
    assert [float(s[0]) for s in seen.samples] == [2.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("reduction", "predicted", "level"),
    [
        ("mean", 3.0, 3.0),
        ("log_mean", 0.5, math.exp(0.5)),
        ("mean_square", 4.0, 2.0),
        ("max", 4.0, 4.0),
    ],
)
def test_the_rows_under_a_reduction_are_points_and_the_line_is_their_value_if_all_are_equal(
    reduction, predicted, level
):
    seen = picture(claim(f"layers.*.rms.{reduction}", predicted), runs())
    assert seen.names == ("l0", "l1", "l2", "l3") and seen.what == "layers.*.rms"
    assert np.array(seen.samples) == pytest.approx(
        np.array([[1 + i + 0.1 * s for s in range(3)] for i in range(4)])
    )
    assert seen.theory == pytest.approx([level] * 4)


def test_a_slope_is_a_line_through_the_middle_of_what_it_goes_along():
    seen = picture(claim("slope(log figures.x, log width)", 0.5), along(0.5))
    assert (list(seen.x), seen.log_x, seen.log_y, seen.along) == ([2, 4, 8], True, True, "width")
    assert seen.theory == pytest.approx([w**0.5 * math.sqrt(1.01) for w in (2, 4, 8)])
    factor = picture(claim("exp(slope(log figures.x, width))", 2.0), along(0.5))
    assert factor.theory[2] / factor.theory[0] == pytest.approx(2.0**6)


def test_a_slope_over_the_rows_of_a_run_goes_along_their_numbers():
    seen = picture(claim("slope(layers.*.rms, index)", 1.0), runs())
    assert list(seen.x) == [0, 1, 2, 3] and seen.theory[1] - seen.theory[0] == pytest.approx(1)


def test_many_points_are_put_together():
    seen = thinned(picture(claim("layers.*.rms.mean"), runs(rows=120)))
    assert len(seen.x) == 40 and all(len(s) == 9 for s in seen.samples)


def test_the_title_of_a_chart_and_its_legend_do_not_overlap():
    pytest.importorskip("matplotlib")
    claims = [claim("figures.loss", 3.0), claim("layers.*.rms.log_mean", 9.0, id="other")]
    figure = claim_figure(judge(claims, [estimate(one, runs()) for one in claims]), runs())
    figure.draw_without_rendering()
    for axes in figure.axes:
        title = axes._left_title.get_window_extent()
        assert title.width > 0
        assert not title.overlaps(axes.get_legend().get_window_extent())


def test_charts_are_written_as_svg_and_png_with_the_verdict_and_are_the_same_each_time(tmp_path):
    pytest.importorskip("matplotlib")
    claims = [
        claim("figures.loss", 3.0),
        claim("layers.*.rms.log_mean", 9.0, id="other"),
        claim("layers[0].rms", 1.0, error=0),
    ]
    judged = judge(claims, [estimate(one, runs()) for one in claims])
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        assert [p.name for p in write_claim_charts(folder, "claims", judged, runs())] == [
            "claims.svg",
            "claims.png",
        ]
    text = (tmp_path / "a" / "claims.svg").read_text()
    for one in judged:
        assert f"{one.claim.id}: {one.verdict}" in text
    assert "measured" in text and "theory" in text and "#010203" not in text
    assert (tmp_path / "b" / "claims.svg").read_text() == text
    assert (tmp_path / "a" / "claims.png").read_bytes().startswith(b"\x89PNG")
