"""`diagnosis.json`: written, read, and refused where it is damaged."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path

import pytest

from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.diagnosed import Diagnosis, Finding
from initlab.runner.files import json_text

FOUND = Finding(
    "a", "0", math.inf, None, "much", "little", "It hurts.", "A paper", ("init=he",), 2.5
)
DIAGNOSIS = Diagnosis((FOUND, Finding("b", "1", 2.0, 0.5, "m", "e", "w", "s", (), 0.5)), ("a", "b"))
PLACE = Path("diagnosis.json")


def written(diagnosis):
    return json.loads(json_text(diagnosis.to_json()))


def test_a_diagnosis_is_read_as_it_was_written():
    assert Diagnosis.from_json(written(DIAGNOSIS), PLACE) == DIAGNOSIS


def test_the_headline_counts_findings_and_names_the_worst():
    assert DIAGNOSIS.headline == "1 fatal, 1 odd; worst: a at 0"
    assert DIAGNOSIS.severity == "fatal"
    assert Diagnosis((), ()).headline == "nothing found that is known to hurt"


def mutations():
    good = written(DIAGNOSIS)
    for key in sorted(good.keys() - {"severity", "headline", "code"}):
        yield {name: value for name, value in good.items() if name != key}
    for key in sorted(good["findings"][0].keys() - {"severity", "error"}):
        for value in (None, {}, [3], True):
            bad = copy.deepcopy(good)
            bad["findings"][0][key] = value
            yield bad
    yield from (None, [], 3, {**good, "format": "initlab-diagnosis-9"}, {**good, "findings": [3]})
    yield {**good, "code": 3}


@pytest.mark.parametrize("content", list(mutations()))
def test_a_damaged_file_is_refused_in_one_line(content):
    with pytest.raises(EvidenceError) as raised:
        Diagnosis.from_json(content, PLACE)
    assert "\n" not in str(raised.value) and "diagnosis.json" in str(raised.value)
