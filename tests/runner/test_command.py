"""What a subcommand is: a class that declares its arguments and performs."""

from __future__ import annotations

import argparse

import pytest

from initlab.runner.cli import run_command
from initlab.runner.command import REGISTRY, Command, register
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
        "initlab greet_twice: error: the following arguments are required: word"
        in capsys.readouterr().err
    )
    assert run_command(["greet_twice", "--help"]) == 0
    assert "Say it twice." in capsys.readouterr().out
