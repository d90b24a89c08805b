"""The table of initializers that were tried."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from initlab.runner.evidence.diagnosed import Finding
from initlab.runner.terminal.advice import Refused, Tried, print_advice

WORST = Finding("signal-vanishes", "3", 0.01, None, "m", "e", "w", "s", (), 1.5)
GOOD = Tried("init=he", None, -0.4, 2.5, 1.9, 2.3, 1.01, 0.99, 0.7, 0.1)
BAD = Tried("init=normal", WORST, 1.5, 2.3, 2.2, 2.3, None, None, None, None)


def printed(rows, refused=(), width=200):
    out = Console(file=io.StringIO(), width=width, color_system=None)
    print_advice(out, rows, refused, "init=normal")
    return out.file.getvalue()


def test_a_row_has_its_figures_and_the_words_to_type_come_last():
    lines = printed([GOOD, BAD]).splitlines()
    assert lines[1].split() == ["1", "init=he", "none", "2.5", "1.9", "1.01", "0.99", "0.7", "10%"]
    assert lines[2].split()[1:4] == ["init=normal", "harmful:", "signal-vanishes"]
    assert "as declared: init=normal, place 2 of 2" in lines
    assert lines[-1] == "to type: init=he"
    assert "trained" not in lines[0]


def test_the_columns_of_a_training_are_there_if_there_was_one():
    lines = printed([replace(GOOD, trained=0.125, rate=0.1), BAD]).splitlines()
    assert lines[0].endswith("trained to  at rate")
    assert lines[1].endswith("0.125      0.1")
    assert lines[2].endswith("-        -")


def test_nothing_is_recommended_where_every_initializer_is_fatal():
    dead = replace(
        WORST, id="dead-units", place=2.5, instead=("model.layers.0.bias_initializer=zeros",)
    )
    lines = printed([replace(BAD, worst=dead)]).splitlines()
    assert lines[-2] == "no initializer helps: the least bad one is still fatal: dead-units at 3"
    assert lines[-1] == "change the network: model.layers.0.bias_initializer=zeros"


def test_what_was_refused_has_a_line_each():
    text = printed([BAD], [Refused("init=fixup", "no branch")])
    assert "1 initializer cannot be used here:\n  init=fixup: no branch\n" in text


def test_no_line_is_wider_than_the_terminal():
    assert max(map(len, printed([GOOD, BAD], width=60).splitlines())) <= 60
