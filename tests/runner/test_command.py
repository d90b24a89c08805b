"""What a subcommand is: a class that declares its arguments and performs."""

from __future__ import annotations

import argparse
import inspect

import pytest

from initlab.runner.cli import run_command
from initlab.runner.command import REGISTRY, Command, filled, register
from initlab.runner.errors import RunnerError


@pytest.fixture
def greet():
    @register
    class GreetTwice(Command):
        """Say it twice."""

        def add_arguments(self, parser: argparse.ArgumentParser) -> None:
            parser.add_argument("word")

        def perform(self, given: argparse.Namespace) -> int:
            if given.word == "no":
                raise RunnerError("not today\nnor tomorrow")
            print(given.word, given.word)
            return 3

    yield GreetTwice
    REGISTRY.remove("greet_twice")


def test_a_command_is_known_by_its_class_name_and_gives_the_exit_code(greet, capsys):
    assert run_command(["greet_twice", "hello"]) == 3
    assert capsys.readouterr().out == "hello hello\n"


def test_an_error_is_one_line_for_each_problem_and_an_exit_code(greet, capsys):
    assert run_command(["greet_twice", "no"]) == 1
    assert capsys.readouterr().err == "error: not today\nerror: nor tomorrow\n"


def test_wrong_arguments_are_refused_and_its_docstring_is_its_help(greet, capsys):
    assert run_command(["greet_twice"]) == 2
    assert (
        "initlab greet_twice: the following arguments are required: word" in capsys.readouterr().err
    )
    assert run_command(["greet_twice", "--help"]) == 0
    assert "Say it twice." in capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(REGISTRY.entries()))
def test_the_help_of_every_command_fits_80_columns_and_says_its_exit_codes(name, capsys):
    assert run_command([name, "--help"]) == 0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 80
    assert said.startswith(f"usage: initlab {name} ")
    assert "exit codes:\n  0   " in said and "\n  2   " in said
    summary = (inspect.getdoc(REGISTRY.get(name)) or "").partition("\n")[0]
    assert summary in " ".join(said.split())


def test_plan_and_run_say_what_they_do_whatever_stands_beside_help(capsys):
    for words in (["plan", "--help"], ["plan", "init=he", "-h"], ["plan", "no=thing", "--help"]):
        assert run_command(words) == 0
        assert "what a run of the words would draw, and why" in capsys.readouterr().out
    assert run_command(["--help"]) == run_command(["init=he", "--help"]) == 0
    assert capsys.readouterr().out.count("declare a network") == 2


def test_paragraphs_are_filled_and_listed_lines_stay_lines():
    text = "One two\nthree.\n\ncodes:\n  0   a b c d e\n  12  f"
    assert filled(text, 12) == [
        "One two",
        "three.",
        "",
        "codes:",
        "  0   a b c",
        "      d e",
        "  12  f",
    ]
