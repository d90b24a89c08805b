"""Several files are audited each; one that cannot be read does not stop the others."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from foreign_files import FOLDER

from initlab.runner.audit.scales import Facts
from initlab.runner.audit.several import audit_all


def test_files_are_audited_one_by_one(tmp_path, capsys):
    report = tmp_path / "r.xml"
    files = [FOLDER / "state.pth", tmp_path / "missing.pth", FOLDER / "model.onnx"]
    assert audit_all(files, Facts(), False, report) == 2
    done = capsys.readouterr()
    assert done.err.startswith(f"error: {tmp_path}/missing.pth: no such file")
    assert "stem.0.weight" in done.out and "typed half" in done.out
    [suite] = ElementTree.parse(report).getroot()
    assert len(suite.findall("testcase/error")) == 1 and int(suite.get("tests")) > 20
