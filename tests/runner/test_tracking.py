"""Which trackers a run has, and whether their libraries are there."""

from __future__ import annotations

import sys

import pytest
from tracked import KINDS

from initlab.runner.trackers import REGISTRY


@pytest.mark.parametrize("kind", KINDS)
def test_a_library_that_is_not_installed_is_refused_before_anything_starts(
    kind, command, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, REGISTRY.get(kind).packages[0], None)
    done = command(f"tracker={kind}")
    assert (done.code, done.err) == (
        2,
        f"error: tracker: {kind} is not installed - pip install 'initlab[{kind}]'\n",
    )
    done = command("-m", "seed=1,2", f"tracker={kind}")
    assert done.code == 2 and f"{kind} is not installed" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_working_directory_is_not_the_library(command, tmp_path, monkeypatch):
    (tmp_path / "nowhere_installed").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(REGISTRY.get("wandb"), "packages", ("nowhere_installed",))
    assert "wandb is not installed" in command("tracker=wandb", "dry_run=true").err
