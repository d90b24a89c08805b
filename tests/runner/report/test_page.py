"""Pages: the same bytes for the same evidence, and safe whatever it holds."""

from __future__ import annotations

import json
import re

from outline import Outline, text_of

from initlab.runner.evidence.members import Member, read_members, write_members
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
