"""What `initlab ls` prints of runs."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from rich.console import Console

from initlab.runner.evidence.record import FACTS, Record
from initlab.runner.evidence.runs import Runs
from initlab.runner.keeping.listing import (
    cell,
    print_default,
    time_text,
    title,
    write_csv,
    write_json,
)

NOW = datetime(2026, 11, 27, 13, 30, tzinfo=UTC)


def made(count=3, path="runs/normal-seed{}-046dba22b31ff360", **more):
    records = []
    for at in range(count):
        facts = {**dict.fromkeys(FACTS), "state": "finished", "path": path.format(at), "tags": []}
        facts |= {"when": "2026-11-27T13:24:00.000Z", "diagnosis": "odd", "words": [f"seed={at}"]}
        records.append(Record(facts | more, {"seed": at}, {"loss": 2.5, "output_rms": 0.25 * at}))
    return Runs([(None, one) for one in records])


def printed(runs, width):
    out = Console(file=io.StringIO(), width=width, color_system=None)
    print_default(out, runs)
    return out.file.getvalue().splitlines()


@pytest.mark.parametrize(
    ("width", "heads"),
    [
        (80, "path state when diagnosis loss"),
        (87, "path state when diagnosis loss output_rms"),
        (100_000, "path state when diagnosis loss output_rms seed"),
    ],
)
def test_a_row_is_a_line_with_as_many_figures_as_fit(width, heads):
    lines = printed(made(), width)
    assert lines[0].split() == heads.split() and len(lines) == 4
    assert max(map(len, lines)) <= width


def test_a_long_path_is_never_broken():
    path = "a name with spaces/gpt2-he_fan_out-seed{}-046dba22b31ff360-ü"
    lines = printed(made(path=path), 60)
    assert lines[:2] == ["path", "  state     when          diagnosis  loss  output_rms  seed"]
    assert lines[2:4] == [
        path.format(0),
        "  finished  Nov 27 13:24  odd         2.5           0  0",
    ]
    assert len(lines) == 8 and printed(made(path=path), 20)


def test_a_path_that_would_break_a_line_is_shown_as_python_writes_it():
    assert "a\\nb" in "\n".join(printed(made(path="a\nb"), 80))
    assert "a\\udc80" in "\n".join(printed(made(path="a\udc80"), 80))


def test_the_title_counts_states():
    every = made(5)
    assert title(every, every) == "5 runs: 5 finished"
    assert title(every[:2], every) == "2 of 5 runs: 2 finished"
    assert title(every[:0], every) == "none of 5 runs matches"
    assert title(Runs([]), Runs([])) == "no runs"


def test_a_time_is_that_of_the_day_or_of_long_ago():
    assert time_text("2026-11-27T13:24:00.000Z", NOW) == "Nov 27 13:24"
    assert time_text("2025-01-02T13:24:00.000Z", NOW) == "Jan 02  2025"
    assert time_text(None, NOW) == "-"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0.123456, "0.1235"),
        (3, "3"),
        (True, "true"),
        (["a", 1], "a,1"),
        ("x\n", "x\\n"),
    ],
)
def test_a_cell_is_one_short_line(value, text):
    assert cell(value) == text


TABLE = [["a,b", 'say "hi"', float("nan"), None, True], ["line\nbreak", "ü", 1e-300, 3, ["x", "y"]]]
NAMES = ["a", "b", "c", "d", "e"]


def test_csv_is_as_rfc_4180_has_it(capsys):
    write_csv(NAMES, TABLE)
    text = capsys.readouterr().out
    assert text.startswith('a,b,c,d,e\r\n"a,b","say ""hi""",nan,,true\r\n')
    assert text.endswith("\r\n")
    back = list(csv.reader(io.StringIO(text, newline="")))
    assert back[2] == ["line\nbreak", "ü", "1e-300", "3", "x,y"]


def test_json_is_an_array_with_null_for_nothing_and_no_word_that_json_lacks(capsys):
    write_json(NAMES, TABLE)
    text = capsys.readouterr().out
    assert "NaN" not in text
    found = json.loads(text)
    assert found[0] == {"a": "a,b", "b": 'say "hi"', "c": "nan", "d": None, "e": True}
    assert found[1]["e"] == ["x", "y"]
    write_json(NAMES, [])
    assert json.loads(capsys.readouterr().out) == []
