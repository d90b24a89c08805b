"""Pages: the same bytes for the same evidence, and safe whatever it holds."""

from __future__ import annotations

import json
import re
from pathlib import Path

from outline import Outline, text_of

from initlab.runner.evidence.members import Member, read_members, write_members
from initlab.runner.report import drawing, page
from initlab.runner.report.run_page import write_run_report
from initlab.runner.report.sweep_page import write_sweep_report

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&\"'"


def test_the_same_evidence_gives_the_same_bytes(run_folder, sweep_folder):
    assert write_run_report(run_folder).read_bytes() == write_run_report(run_folder).read_bytes()
    first = write_sweep_report(sweep_folder).read_bytes()
    assert write_sweep_report(sweep_folder).read_bytes() == first


def test_nothing_that_evidence_holds_becomes_part_of_the_page(sweep_folder):
    members = read_members(sweep_folder)
    made = [
        Member(m.run_id, str(sweep_folder / m.run_id), [*m.overrides, f"name={HOSTILE}{n}"])
        for n, m in enumerate(members)
    ]
    write_members(sweep_folder, [HOSTILE], made)
    for run in sweep_folder.iterdir():
        if (run / "manifest.json").exists():
            content = json.loads((run / "manifest.json").read_text())
            content["canonical"][HOSTILE] = content["canonical"]["model"]["layers"][0]["name"] = (
                HOSTILE
            )
            content["overrides"] = [HOSTILE]
            (run / "manifest.json").write_text(json.dumps(content))
            stats = json.loads((run / "stats.json").read_text())
            stats["figures"][HOSTILE] = 1.0
            stats["parameters"][0] |= {
                "path": HOSTILE,
                "law": HOSTILE,
                "verdict": HOSTILE,
                "declared_std": 1.0,
            }
            stats["layers"][0]["path"] = HOSTILE
            (run / "stats.json").write_text(json.dumps(stats))
            last = run
        elif (run / "status.json").exists():
            status = json.loads((run / "status.json").read_text())
            (run / "status.json").write_text(json.dumps(status | {"error": HOSTILE}))
    for path in (write_sweep_report(sweep_folder), write_run_report(last)):
        outline = Outline(text_of(path))
        assert len(outline.all("script")) == (2 if path.parent == sweep_folder else 1)
        assert not [image for image in outline.all("img") if "onerror" in image]
        assert "<script>alert" not in text_of(path)


def test_the_script_data_of_a_page_is_json_whatever_it_holds(sweep_folder):
    text = text_of(write_sweep_report(sweep_folder))
    found = re.search(
        r'<script type="application/json" id="runs-data">(.*?)</script>', text, re.DOTALL
    )
    runs = json.loads(found[1])
    assert len(runs) == 4
    assert all({"init.sigma", "seed", "root digest"} <= set(values) for values in runs.values())
    assert not any("model.layers[0].units" in values for values in runs.values())


def themes() -> list[dict[str, str]]:
    """Return the colours of each theme by name."""
    css = (Path(page.__file__).parent / "page.css").read_text()
    blocks = [block for block in re.findall(r"\{([^{}]*)\}", css) if "--paper:" in block]
    return [dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", block)) for block in blocks]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, as WCAG 2.1 defines it."""

    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_text_and_lines_can_be_seen_in_both_themes():
    light, dark, by_system = themes()
    assert dark == by_system and light.keys() == dark.keys()
    words = ("ink", "soft", "link", "good", "bad", "harmful", "odd")
    for theme in (light, dark):
        for paper in ("paper", "panel"):
            assert all(contrast(theme[name], theme[paper]) >= 4.5 for name in words)
        series = [name for name in theme if name.startswith("series")]
        assert len(series) == len(drawing.SERIES)
        assert all(contrast(theme[name], theme["paper"]) >= 3 for name in series)


def test_no_two_meanings_have_one_colour():
    for theme in themes():
        names = [n for n in theme if n.startswith("series")] + [
            "link",
            "good",
            "bad",
            "harmful",
            "odd",
        ]
        assert len({theme[name] for name in names}) == len(names)


def test_numbers_stand_below_the_right_end_of_their_heading():
    made = page.table("t", ("name", "value"), [[page.cell("a"), page.cell(1.5)]], "said")
    assert '<th scope="col" data-name="value" class="n">' in made
    assert '<th scope="col" data-name="name">' in made and "all columns" not in made


def test_a_table_of_many_columns_says_which_matter_first():
    row = [page.cell(float(n)) for n in range(12)]
    made = page.table("t", [f"c{n}" for n in range(12)], [row], "said", first=20)
    assert "first-" not in made
    made = page.table("t", [f"c{n}" for n in range(12)], [row], "said", first=3)
    assert 'class="sortable few first-3"' in made and "all columns" in made
    css = (Path(page.__file__).parent / "page.css").read_text()
    for first in range(2, page.MOST_FIRST + 1):
        assert css.count(f".first-{first} tr >") == 2


def test_long_names_may_be_broken_after_their_parts_and_short_ones_are_whole():
    assert page.broken("a.b_c") == "a.b_c"
    assert page.broken("blocks.0.qkv_weight") == "blocks.<wbr>0.<wbr>qkv_<wbr>weight"
    assert page.broken("<script>.x") == "&lt;script&gt;.x"
