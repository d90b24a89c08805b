"""Tables of a report: sections of statistics, and claims."""

from __future__ import annotations

import base64
import re

from outline import Outline

from initlab.runner.evidence import judged
from initlab.runner.evidence.statistics import Statistics
from initlab.runner.report.sections import MOST_ROWS, claims_section, statistics_sections

PARAMETER = {"path": "0.weight", "shape": [2], "verdict": "ok"}


def test_each_section_with_rows_is_a_table_and_the_parameters_are_left_to_theirs():
    layers = [{"path": "0", "shape": [2, 3], "pre_rms": 0.123456789, "bars": [[1, 2]]}]
    stats = Statistics([PARAMETER], layers, sections={"spectrum": [{"path": "<b>"}], "empty": []})
    first, second = statistics_sections(stats)
    assert "<h2>Layers</h2>" in first and "pre rms" in first and "2x3" in first
    assert ">0.1235<" in first and "bars" not in first
    assert "<h2>Spectrum</h2>" in second and "&lt;b&gt;" in second
    Outline(f"<main>{first}{second}</main>")


def test_columns_without_a_value_are_left_out_and_truths_are_words():
    rows = [{"path": "a", "stable": True, "none": None}, {"path": "b", "stable": False}]
    [made] = statistics_sections(Statistics([PARAMETER], sections={"own": rows}))
    assert "none" not in made and ">yes<" in made and ">no<" in made


def test_layers_begin_with_what_matters_and_say_their_role():
    rows = [
        {"path": "a.fc", "kind": "dense", "stream": False, "inside": "a", "joins": "a", "rms": 1.0},
        {"path": "a", "kind": "residual", "stream": True, "mean": 0.5, "rms": 2.0, "zeros": 0.0},
    ]
    [made] = statistics_sections(Statistics([PARAMETER], rows))
    heads = re.findall('data-name="([^"]+)"', made)
    assert heads == ["path", "rms", "zeros", "role", "kind", "mean"]
    assert ">branch<" in made and ">stream<" in made


def test_a_long_table_says_how_many_rows_it_leaves_out():
    rows = [{"path": str(number), "step": number} for number in range(MOST_ROWS + 1)]
    [made] = statistics_sections(Statistics([PARAMETER], updates=rows))
    assert made.count("<tr>") == MOST_ROWS + 1
    assert "The first 1000 of 1001 rows are shown; stats.json has them all." in made


def test_judged_claims_are_a_table_with_their_bounds_and_reasons(tmp_path):
    assert claims_section(tmp_path) == ""
    one = {"id": "one", "relation": "equal", "predicted": 2.0, "measured": 2.00001234, "floor": 0.1}
    two = {"id": "two", "relation": "at_least", "predicted": 0.5, "measured": "nan"}
    more = {"error": 0.01, "z": 0.5, "cite": "me", "quantity": "figures.loss", "form": "2"}
    judged.write(
        tmp_path,
        1e-6,
        [
            one | more | {"verdict": "reproduced", "reason": ""},
            two | more | {"floor": 0, "verdict": "refuted", "reason": "not finite: <run>"},
        ],
    )
    text = claims_section(tmp_path)
    assert text.count("<tr>") == 3 and "<img" not in text
    assert ">2<" in text and "&gt;= 0.5" in text and "not finite: &lt;run&gt;" in text
    assert '<td class="good">reproduced' in text and '<td class="bad">refuted' in text
    (tmp_path / "claims.svg").write_text("<svg onload='x()'/>")
    text = claims_section(tmp_path)
    shown = base64.b64decode(re.search('base64,([^"]+)"', text).group(1))
    assert shown == b"<svg onload='x()'/>" and "onload" not in text and 'alt="' in text


def test_a_claim_that_its_floor_allows_and_claims_of_one_noise_are_said_to_be(tmp_path):
    more = {"relation": "equal", "verdict": "reproduced", "predicted": 1.0, "tolerance_z": 4.0}
    draws = [1.1, 0.9, 1.3, 0.7]
    judged.write(
        tmp_path,
        1e-6,
        [
            {"id": "far", "z": -4.97, "floor": 0.005, "reason": "", "points": draws} | more,
            {"id": "near", "z": 1.0, "floor": 0.005, "points": [2 * x for x in draws]} | more,
            {"id": "odd", "z": "nan", "floor": None, "points": ["nan", 1.0, 2.0, 3.0]} | more,
        ],
    )
    text = claims_section(tmp_path)
    assert text.count("the floor of 0.005 allows the deviation") == 1
    assert "far and near share their noise" in text and "odd and" not in text
