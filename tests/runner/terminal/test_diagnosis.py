"""The diagnosis in lines of text."""

from __future__ import annotations

from dataclasses import replace

from initlab.runner.evidence.diagnosed import Diagnosis, Finding
from initlab.runner.terminal.diagnosis import said

FOUND = Finding(
    "signal-vanishes",
    "blocks.23.block",
    1e-9,
    None,
    "rms 1e-9 after 24 blocks, a factor of 0.42 a block; about 79 more blocks to the end of float32",
    "a signal that keeps its size",
    "Scores and gradients shrink with the signal.",
    "He et al. 2015",
    ("init=he",),
    2.4,
)


def lines(diagnosis, width):
    return [line.plain for line in said(diagnosis, width)]


def test_no_line_is_wider_than_the_screen():
    for width in (80, 100, 140):
        assert max(map(len, lines(Diagnosis((FOUND,), ("a",)), width))) <= width
        deep = replace(FOUND, where=".".join(["encoder_blocks"] * 4))
        assert max(map(len, lines(Diagnosis((deep,), ("a",)), width))) <= width


def test_a_finding_says_what_was_measured_what_is_expected_why_and_what_to_type():
    text = " ".join(" ".join(lines(Diagnosis((FOUND,), ("a",)), 100)).split())
    for part in (FOUND.measured, FOUND.expected, FOUND.why, FOUND.source, "instead: init=he"):
        assert part in text
    assert lines(Diagnosis((FOUND,), ()), 100)[1].startswith(
        "fatal    signal-vanishes at blocks.23"
    )


def test_without_findings_it_says_in_one_line_how_much_was_looked_at():
    assert lines(Diagnosis((), ("this", "that")), 80) == [
        "diagnosis: nothing found that is known to hurt",
        "looked at: 2 figures, which docs/diagnosis.md explains",
    ]
