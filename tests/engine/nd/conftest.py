"""The recorded calls of the functions that the module of a test file's name defines: `number` of
those that succeed, `failing` for those that are refused.
"""

from __future__ import annotations

import nd_cases
from nd_checks import module_of


def pytest_generate_tests(metafunc):
    module = metafunc.module.__name__.rpartition("test_")[2]
    for fixture, cases in (("number", nd_cases.CASES), ("failing", nd_cases.FAILURES)):
        if fixture in metafunc.fixturenames and not any(
            fixture in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")
        ):
            mine = [i for i, case in enumerate(cases) if module_of(case[0]) == module]
            assert mine, f"no recorded call is of engine.nd.{module}"
            values = mine if fixture == "number" else [cases[i] for i in mine]
            metafunc.parametrize(fixture, values, ids=[f"{i}-{cases[i][0]}" for i in mine])
