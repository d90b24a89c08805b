"""JUnit reports are XML, whatever they say."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st
from locks import SMALL, change

from initlab.runner.check import junit


def test_a_junit_report_is_xml_with_a_case_a_run(locked, said, here):
    path = locked("init=normal,he", *SMALL)
    change(path, lambda content: content["runs"][0].update(run_id="he-seed0-<&\u0001"))
    assert said("verify", "--lock", path, "--junit", "report.xml")[0] == 1
    root = ElementTree.parse(here / "report.xml").getroot()
    suite = root.find("testsuite")
    assert (root.tag, suite.get("tests"), suite.get("failures"), suite.get("errors")) == (
        "testsuites",
        "2",
        "1",
        "0",
    )
    names = [case.get("name") for case in suite.iter("testcase")]
    assert names[0].startswith("normal-seed0-")
    assert names[1].startswith("he-seed0-<&? init=he")
    [failure] = suite.iter("failure")
    assert failure.get("type") == "config"
    assert failure.get("message").startswith("config: run id: ")
    assert failure.get("message") == failure.text


def test_a_lock_that_cannot_be_checked_is_an_error_in_the_report_too(here, said):
    (here / "initlab.lock").write_text("{")
    assert said("verify", "--lock", "initlab.lock", "--junit", "report.xml")[0] == 2
    suite = ElementTree.parse(here / "report.xml").getroot().find("testsuite")
    assert suite.get("errors") == "1"
    assert "the lock is damaged" in next(suite.iter("error")).get("message")


@settings(deadline=None)
@given(st.text(), st.text())
def test_a_report_is_well_formed_whatever_it_says(name, what):
    text = junit.text_of(
        name, [junit.Case(name, failures=[("config", what)]), junit.Case(what, error=name)]
    )
    root = ElementTree.fromstring(text)
    assert len(list(root.iter("testcase"))) == 2


def test_a_report_that_cannot_be_written_is_one_line(locked, said):
    path = locked("init=normal", *SMALL)
    code, _, err = said("verify", "--lock", path, "--junit", f"{path}/report.xml")
    assert (code, err) == (
        2,
        f"error: {path}/report.xml: the report cannot be written (File exists) - give another file with --junit\n",
    )
