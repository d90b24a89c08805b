"""The diagnosis of a finished run is made again, whatever the manifest says of its file."""

from __future__ import annotations

import pytest
from altered import answer, change, change_manifest, forge

from initlab.runner.evidence.diagnosed import Diagnosis
from initlab.runner.evidence.folder import DIAGNOSIS, RunFolder


@pytest.fixture
def ill(small):
    """The folder of a small network with several findings."""
    return small("seed=3", "init.sigma=1e-6", "probe=backward", "data=normal", "data.batch=16")


def first(alter):
    return lambda d: d["findings"][0].update(alter(d["findings"][0]))


def test_a_diagnosis_is_covered_and_the_line_names_nothing_of_it(ill, capsys):
    code_, text = answer(ill, capsys)
    assert code_ == 0 and "as written" not in text


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (lambda d: d["findings"].pop(0), " is not that of its findings"),
        (lambda d: d["findings"].pop(), " is not that of its findings"),
        (first(lambda f: {"severity": "odd"}), "findings is not that of its findings"),
        (lambda d: d.update(headline="all is well"), "headline is not that of its findings"),
        (first(lambda f: {"figure": f["figure"] * 1.01 + 0.01}), ".figure is "),
        (first(lambda f: {"where": "1.bias"}), "is not that of its findings"),
        (first(lambda f: {"why": "Nothing matters."}), ".why is Nothing matters., measured"),
        (first(lambda f: {"instead": []}), ".instead"),
        (first(lambda f: {"measured": "all is well"}), ".measured is all is well, measured"),
        (lambda d: d["looked_at"].pop(), ".looked_at"),
    ],
)
def test_a_diagnosis_is_not_what_somebody_writes(alter, said, ill, capsys):
    forge(ill, "diagnosis.json", alter)
    found, text = answer(ill, capsys)
    assert found == 1 and "diagnosis.json: " in text and said.lstrip(".") in text, text


def consistent(alter):
    """Alter the findings, and what the file says of them."""

    def altered(content):
        alter(content["findings"])
        content.update(Diagnosis.from_json(content, DIAGNOSIS).to_json())

    return altered


def milder(findings):
    findings[0].update(place=0.5)
    findings.sort(key=lambda one: -one["place"])


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (lambda found: found.clear(), ".id is missing, measured again "),
        (lambda found: found.pop(0), ".id is missing, measured again "),
        (milder, ".place is 0.5, measured again "),
        (
            lambda found: found.append({**found[0], "id": "made-up"}),
            "made-up.id is made-up, measured again missing",
        ),
    ],
)
def test_a_diagnosis_that_fits_itself_is_made_again(alter, said, ill, capsys):
    forge(ill, DIAGNOSIS, consistent(alter))
    code, text = answer(ill, capsys)
    assert code == 1 and "diagnosis.json: " in text and said in text, text


def test_a_changed_or_missing_file_is_named(ill, capsys):
    change(ill, DIAGNOSIS, lambda d: d["findings"].pop())
    code, text = answer(ill, capsys)
    assert code == 1 and "diagnosis.json is not as the manifest says" in text
    (ill / DIAGNOSIS).unlink()
    code, text = answer(ill, capsys)
    assert code == 2 and "diagnosis.json: is missing" in text


def without(folder):
    """Remove the file, and its entry in the manifest."""
    (folder / DIAGNOSIS).unlink()
    change_manifest(folder, lambda m: m["written"].pop(DIAGNOSIS))


def test_a_run_whose_config_asks_for_a_diagnosis_must_have_one(ill, capsys):
    without(ill)
    code, text = answer(ill, capsys)
    assert code == 1 and "diagnosis.json: " in text and "is missing, measured again" in text


def test_a_diagnosis_of_a_run_whose_config_asks_for_none_is_found(small, ill, capsys):
    quiet = small("probe=backward", "diagnose=false")
    assert answer(quiet, capsys)[0] == 0
    (quiet / DIAGNOSIS).write_bytes((ill / DIAGNOSIS).read_bytes())
    written = RunFolder(ill).manifest.written[DIAGNOSIS].to_json()
    change_manifest(quiet, lambda m: m["written"].update({DIAGNOSIS: written}))
    code, text = answer(quiet, capsys)
    assert code == 1 and "diagnosis.json" in text


def test_a_diagnosis_of_other_code_is_as_written_and_the_line_says_so(ill, capsys):
    def older(content):
        content["findings"].pop()
        content.update(Diagnosis.from_json(content, DIAGNOSIS).to_json())
        del content["code"]

    forge(ill, DIAGNOSIS, older)
    code, text = answer(ill, capsys)
    assert code == 0 and "its diagnosis as written, since other code made it" in text


def test_a_finding_at_the_very_end_of_its_scale_may_be_missing(ill, capsys):
    def nearly(content):
        found = {**content["findings"][-1], "id": "hardly", "place": 1e-6}
        content["findings"].append(found)
        content.update(Diagnosis.from_json(content, DIAGNOSIS).to_json())

    forge(ill, DIAGNOSIS, nearly)
    assert answer(ill, capsys)[0] == 0
