"""Patterns that name parameters by their paths."""

from __future__ import annotations

import threading
import time

import pytest

from initlab.engine import init
from initlab.engine.errors import OptionError
from initlab.engine.init.patterns import Expression, fits


@pytest.mark.parametrize("kind", ["siren", "fixup", "skipinit", "t_fixup", "deepnorm", "mup"])
def test_a_pattern_that_matches_nothing_is_reported(kind):
    option = {
        "siren": "first",
        "fixup": "zero",
        "skipinit": "multiplier",
        "t_fixup": "encoder",
        "deepnorm": "scaled",
        "mup": "output",
    }[kind]
    chosen = init.by_name(kind)(**{option: [r"haed\.weight"]})
    with pytest.raises(OptionError) as error:
        chosen.check(["stem.weight", "head.weight"])
    assert error.value.option == f"{option}[0]"
    assert error.value.problem.startswith(r"'haed\.weight' matches nothing - ")
    init.by_name(kind)(**{option: [r"head\.weight"]}).check(["stem.weight", "head.weight"])


LETTERS = "a" * 60
SLOW = ["(a+)+b", "(a|a)*b", ".*a.*a.*a.*a.*a.*a.*a.*a.*ab"]


@pytest.mark.parametrize("text", SLOW)
def test_an_expression_that_backtracks_without_end_is_refused_in_a_second(text):
    slow = Expression(text)
    started = time.perf_counter()
    for path in (f"net/{LETTERS}", "short"):
        with pytest.raises(OptionError) as found:
            slow.fits(path)
        assert str(found.value).startswith(
            f" {text!r} takes more than 0.5 seconds for '{LETTERS}' - write it without a repeat"
        )
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("text", "fitting"),
    [
        (r"(body\.\d+\.)*weight", {"weight", "body.0.weight", "body.1.body.2.weight"}),
        (r"(.*\.)?bias", {"body.0.bias"}),
        (r".*", {"weight", "body.0.weight", "body.1.body.2.weight", "body.0.bias"}),
        (r"(\w+\.)+bias", {"body.0.bias"}),
    ],
)
def test_an_expression_fits_whole_paths_as_before(text, fitting):
    paths = ["weight", "body.0.weight", "body.1.body.2.weight", "body.0.bias"]
    assert {path for path in paths if fits([text], f"root/{path}")} == fitting


def test_another_thread_matches_too():
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(Expression(r"(a\.)+b").fits("a.a.b")))
    thread.start()
    thread.join()
    assert found == [True]
