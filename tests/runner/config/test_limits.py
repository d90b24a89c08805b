"""A word that is too deep, or has too long a number, is one line with its column."""

from __future__ import annotations

import time

import pytest

from initlab.runner.config.limits import MOST_BRACKETS, MOST_DIGITS, check_limits
from initlab.runner.errors import ConfigError

DEEP = f"has more than {MOST_BRACKETS} brackets within one another, which is the limit"
LONG = f"has a number of more than {MOST_DIGITS} digits, which is the limit"


def nested(count: int) -> str:
    return "+vars.x=" + "[" * count + "]" * count


@pytest.mark.parametrize(
    ("word", "said"),
    [
        (nested(400), f"column 109: {DEEP}"),
        ("model.layers=" + "[{kind: residual, layers: " * 300 + "[]" + "}]" * 300, DEEP),
        ("seed=" + "9" * 5000, f"column 6: {LONG}"),
        ("sweep.grid={seed: [1, " + "9" * 5000 + "]}", f"column 23: {LONG}"),
        ("expect=[{id: a, cite: b, quantity: seed, predicted: " + "9" * 5000 + "}]", LONG),
    ],
    ids=["lists", "layers", "seed", "sweep", "claim"],
)
@pytest.mark.parametrize("mode", [[], ["-m"]], ids=["run", "sweep"])
def test_a_word_beyond_a_limit_is_one_line(word, said, mode, command, tmp_path):
    done = command(*mode, word)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1 and said in done.err and len(done.err) < 250
    assert not any(tmp_path.iterdir())


def test_a_word_at_the_limits_is_composed(command):
    assert command("dry_run=true", nested(MOST_BRACKETS)).code == 0


def test_quoted_text_has_no_limits():
    check_limits(
        "expect=[{quantity: '" + "(" * 500 + "9" * 5000 + "\\'((', note: \"" + "[" * 200 + '"}]'
    )
    with pytest.raises(ConfigError, match=LONG):
        check_limits("a='b' + " + "9" * 5000)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            [
                "task=plan",
                "model.layers=[{kind: repeat, times: 1000000000, layers: [{kind: flatten}]}]",
            ],
            "model.layers: makes 2,000,000,000 layers, more than 100,000 - take fewer copies",
        ),
        (
            ["task=plan", "model.layers=[{kind: lstm, hidden_size: 3, num_layers: 1000000000}]"],
            "model.layers: makes 1,000,000,000 layers, more than 100,000 - take fewer copies",
        ),
        (
            ["-m", "seed=range(0,10000)", "init.sigma=range(0,10000)", "data.batch=range(1,1000)"],
            "sweep: declares 99,900,000,000 jobs, more than 1,000,000 - split it",
        ),
        (
            [
                "task=plan",
                "init=mixed",
                f"model.layers=[{{kind: dense, units: 3, name: {'a' * 60}}}]",
                "init.rules=[{match: '(a+)+b', init: zeros}, {match: '.*', init: zeros}]",
            ],
            "init: '(a+)+b' takes more than 0.5 seconds for 'aaaa",
        ),
    ],
    ids=["times", "num_layers", "jobs", "match"],
)
def test_what_asks_for_too_much_is_refused_in_a_second(words, said, command):
    started = time.perf_counter()
    done = command(*words)
    assert (done.code, done.err.count("\n"), said in done.err) == (2, 1, True), done.err
    assert time.perf_counter() - started < 5
