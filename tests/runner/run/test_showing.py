"""Tasks that show something and write nothing."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from initlab.runner.declare import declare
from initlab.runner.errors import ConfigError
from initlab.runner.run.showing import diagnosis_of, show


def shown(*words):
    out = Console(file=io.StringIO(), width=100)
    show(declare(*words).checked, out)
    return out.file.getvalue()


def test_a_plan_and_a_diagnosis_are_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "Normal(0, 0.01)" in shown("init=normal", "task=plan")
    assert shown("init=zero", "task=diagnose").startswith("diagnosis: 3 fatal")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", ["eager", "deferred", "streamed"])
def test_every_mode_of_initializing_gives_one_diagnosis(mode):
    assert diagnosis_of(declare("init=he", "init_mode=deferred").checked) == diagnosis_of(
        declare("init=he", f"init_mode={mode}").checked
    )


def test_what_sends_nothing_through_the_network_is_refused():
    with pytest.raises(ConfigError, match="probe: none sends nothing"):
        diagnosis_of(declare("init=he", "probe=none").checked)


def test_the_initializer_that_was_declared_is_not_advised():
    found = diagnosis_of(declare("init=he", "model=shared").checked)
    assert all("init=he" not in finding.instead for finding in found.findings)


def test_what_was_looked_at_is_said_once():
    looked = diagnosis_of(declare("init=he").checked).looked_at
    assert len(set(looked)) == len(looked)
