"""Trackers change no run, and what is not installed is refused."""

from __future__ import annotations

import sys

import pytest
from tracked import KINDS

from initlab.engine.errors import OptionError
from initlab.runner.config.compose import compose
from initlab.runner.config.identity import declaration_of
from initlab.runner.plan.validate import revalidate, validate
from initlab.runner.sweep.plugin import register
from initlab.runner.trackers import REGISTRY


@pytest.fixture(autouse=True)
def registered() -> None:
    register()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_tracker_changes_no_run_id(kind):
    plain, tracked = (
        validate(declaration_of(compose([f"tracker={name}"]))) for name in ("none", kind)
    )
    assert tracked.tracker.kind == kind
    assert (plain.run_id, plain.canonical) == (tracked.run_id, tracked.canonical)


@pytest.mark.slow
def test_a_tracked_run_can_be_verified_where_the_library_is_missing(monkeypatch):
    plain = validate(declaration_of(compose(["tracker=mlflow"]))).resolved
    monkeypatch.setitem(sys.modules, "mlflow", None)
    assert revalidate(plain).tracker.kind == "none"


@pytest.mark.parametrize(
    ("kind", "option", "value", "said"),
    [
        (
            "mlflow",
            "uri",
            "file:runs",
            "must be a database or a server, got 'file:runs' - use sqlite:///outputs/mlflow.db",
        ),
        ("mlflow", "experiment", "", "must be a text that is not empty or null"),
        ("wandb", "mode", "onlin", "cannot be 'onlin' - did you mean 'online'"),
        ("wandb", "project", 3, "must be a text that is not empty or null, got 3"),
        ("tensorboard", "folder", "", "must be a text that is not empty, got ''"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused(kind, option, value, said):
    with pytest.raises(OptionError) as error:
        REGISTRY.get(kind)(**{option: value})
    assert (error.value.option, said in error.value.problem) == (option, True), error.value.problem
