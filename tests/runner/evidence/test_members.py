"""The sum of a sweep, from what its runs left on disk."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from initlab.runner.evidence.members import (
    Member,
    extend_members,
    forget,
    places_of,
    read_members,
    read_sweep,
    short_names,
    spelled,
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


def test_a_value_has_one_spelling():
    pairs = {"0.10": "0.1", "1e-1": "0.1", "2.0": "2", "'a b'": "a b", "True": "true", "x": "x"}
    pairs |= {"18446744073709551615": "18446744073709551615", "1e300": "1e+300", "": ""}
    assert {text: spelled(text) for text in pairs} == pairs


def test_a_run_is_in_the_list_of_the_last_sweep_that_has_it(tmp_path, members):
    write_members(tmp_path, ["first"], members)
    write_members(tmp_path, ["second"], members[:1])
    extend_members(tmp_path, members[:2])
    found = read_sweep(tmp_path)
    assert (found.last.number, found.last.runs, found.last.overrides) == (
        2,
        ["x-0", "x-1"],
        ["second"],
    )
    [earlier] = found.earlier
    assert (earlier.number, earlier.runs, earlier.overrides) == (1, ["x-2"], ["first"])
    write_members(tmp_path, ["third"], members)
    assert (read_sweep(tmp_path).last.number, read_sweep(tmp_path).earlier) == (3, [])


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


def test_runs_that_are_removed_are_forgotten_by_every_list(tmp_path):
    made = [Member(f"x-{n}", str(tmp_path / f"x-{n}"), [f"seed={n}"]) for n in range(4)]
    write_members(tmp_path, ["seed=0,1,2"], made[:3])
    write_members(tmp_path, ["seed=2,3"], made[2:])
    gone = {os.path.realpath(made[n].folder) for n in (1, 3)}
    assert forget(tmp_path, gone)
    found = read_sweep(tmp_path)
    assert [member.run_id for member in found.members] == ["x-2"]
    assert [sweep.runs for sweep in found.earlier] == [["x-0"]]
    assert found.last.overrides == ["seed=2,3"] and not forget(tmp_path, gone)
