"""What identifies a run: its config, and nothing of the machine."""

from __future__ import annotations

from initlab.runner.config import identity


def test_the_run_id_is_the_same_anywhere_and_the_name_is_the_folder_above(
    only_run, tmp_path, monkeypatch
):
    one = only_run("init=normal")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    two = only_run("init=normal", "name=mine")
    assert one.name == two.name == "normal-seed0-046dba22b31ff360"
    assert (one.parent.name, two.parent.name) == ("runs", "mine")


def test_a_run_id_holds_no_path_date_or_launcher():
    config = {
        "model": {},
        "init": {"kind": "no/rmal"},
        "seed": 3,
        "name": "x",
        "task": "run",
        "hydra": 1,
    }
    one = identity.canonical_config(config, "initlab-1", [], {})
    assert set(one) == {*identity.IDENTIFYING, "stream"}
    assert identity.run_id(one).startswith("no_rmal-seed3-")
    assert len(identity.run_id(one)) == len("no_rmal-seed3-") + 16
