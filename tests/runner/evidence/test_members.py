"""The sum of a sweep, from what its runs left on disk."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from initlab.runner.evidence.members import (
    Member,
    places_of,
    read_members,
    short_names,
    swept_values,
    write_members,
)


def test_what_belongs_to_a_sweep_comes_back_as_it_was_written(tmp_path, members):
    write_members(tmp_path, ["init=normal", "seed=0,1,2"], members)
    assert read_members(tmp_path) == members
    assert json.loads((tmp_path / "sweep.json").read_text())["overrides"] == [
        "init=normal",
        "seed=0,1,2",
    ]


def test_an_override_that_only_some_runs_have_was_swept(tmp_path):
    some = [Member("a", "a", ["init=he", "+init.slope=1"]), Member("b", "b", ["init=he"])]
    assert swept_values(some) == [{"init.slope": "1"}, {}]


def test_a_value_may_hold_an_equals_sign():
    some = [Member("a", "a", ["name=a=b"]), Member("b", "b", ["name=c"])]
    assert swept_values(some) == [{"name": "a=b"}, {"name": "c"}]


def test_names_of_keys_are_as_short_as_they_can_be():
    assert short_names(["seed", "vars.depth", "init.kind"]) == ["seed", "depth", "init"]
    assert short_names(["a.units", "b.units", "model"]) == ["a.units", "b.units", "model"]


def test_the_runs_of_a_sweep_are_where_they_were_written_or_were_moved_with_it(tmp_path, command):
    assert command("-m", "init=normal", "probe=none", "name=a,b").code == 0
    found = read_members(Path("outputs/a"))
    assert len({member.run_id for member in found}) == 1
    written = [Path(member.folder) for member in found]
    assert places_of(found, Path("outputs/a")) == written
    assert places_of(found, Path("outputs/a").absolute()) == written
    shutil.copytree("outputs", "copy")
    assert places_of(found, Path("copy/a")) == [
        Path("copy/a", written[0].name),
        Path("copy/a/../b", written[1].name),
    ]
    assert places_of([], Path("copy/a")) == []
