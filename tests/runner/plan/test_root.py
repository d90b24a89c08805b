from __future__ import annotations

import pytest

from initlab.runner.errors import ConfigError
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.plan.root import check_made, parse_root

GOOD = {
    "seed": 3,
    "name": "runs",
    "stream": "initlab-1",
    "dtype": "float32",
    "init_mode": "deferred",
    "task": "run",
}


def refusals(**options) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_root(GOOD | options)
    return [str(problem) for problem in caught.value.problems]


def test_a_config_of_an_older_manifest_may_lack_newer_keys():
    root = parse_root(GOOD)
    assert (root.claims, root.resume, root.threads) == ([], False, None)
    assert (root.seed, root.dtype) == (GOOD["seed"], GOOD["dtype"])


def test_the_keys_that_every_config_has_must_be_there():
    with pytest.raises(ConfigError) as caught:
        parse_root({})
    places = {problem.place for problem in caught.value.problems}
    assert places == {"seed", "name", "stream", "dtype", "init_mode", "task"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": True}, "seed: must be a whole number from 0 to 2^64-1, got True"),
        (
            {"seed": 2**32, "stream": "mxnet-1.9.1"},
            "seed: must be a whole number from 0 to 2^32-1 with stream mxnet-1.9.1, got 4294967296",
        ),
        ({"tags": "wide"}, "tags: must be a list of texts, like [baseline,wide], got 'wide'"),
        ({"tags": ["a", 1]}, "tags: must be a list of texts, like [baseline,wide], got ['a', 1]"),
        ({"tags": [""]}, "tags: must be a list of texts, like [baseline,wide], got ['']"),
        ({"note": 3}, "note: must be a text, or null, got 3"),
        ({"timeout": 0}, "timeout: must be a positive number of seconds, or null, got 0"),
        ({"timeout": True}, "timeout: must be a positive number of seconds, or null, got True"),
        ({"timeout": "1h"}, "timeout: must be a positive number of seconds, or null, got '1h'"),
        (
            {"timeout": float("nan")},
            "timeout: must be a positive number of seconds, or null, got nan",
        ),
        ({"name": ".."}, "name: must be one path component, got '..'"),
        (
            {"threads": 0},
            "threads: must be a whole number of at least 1, or null for all processors, got 0",
        ),
        ({"resume": 1}, "resume: must be true or false, got 1"),
        ({"vars": [1]}, "vars: must be a mapping of names to values, got [1]"),
        ({"control": [3]}, 'control: must be a list of words like "init=normal", got [3]'),
        (
            {"sweep": 3},
            "sweep: must be a mapping, got 3 - choose an option of the group: sweep=…",
        ),
        (
            {"sweep": {"on_error": "stop", "retries": -1}},
            "sweep.retries: must be a whole number of at least 0, got -1",
        ),
        ({"expect": 3}, "expect: must be a list of claims, got 3"),
        (
            {"objective": 3},
            "objective: must be a mapping {figure, target, distance} or null, got 3",
        ),
        ({"sed": 3}, "sed: no such key - did you mean 'seed'?"),
    ],
)
def test_an_invalid_key_is_refused_at_its_place(options, message):
    [said] = refusals(**options)
    assert said.startswith(message)


def test_everything_wrong_is_said_at_once():
    assert len(refusals(seed=-1, task="pln", expect=[3], objective={"figure": 3})) == 4


def test_a_run_is_made_from_a_config_that_is_complete_and_no_sweep(only_run):
    config = RunFolder(only_run("init=normal", "probe=none")).config
    check_made(config)
    del config["report"]
    with pytest.raises(ConfigError) as caught:
        check_made(config | {"sweep": {**config["sweep"], "grid": {"seed": [1]}}, "task": "plan"})
    assert [str(problem) for problem in caught.value.problems] == [
        "report: is missing",
        "task: is 'plan', with which no run is made",
        "sweep.grid: is {'seed': [1]}, and a single run has {}",
    ]
