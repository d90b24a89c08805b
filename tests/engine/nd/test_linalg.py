"""`nd`: linear algebra, against what MXNet 1.9.1 gave and by what must hold."""

from __future__ import annotations

import nd_checks


def test_a_function_gives_what_mxnet_gave(number):
    nd_checks.check_recorded(number)


def test_a_function_stays_on_its_device(number):
    nd_checks.check_stays_on_its_device(number)


def test_a_function_runs_on_what_cupy_has(number):
    nd_checks.check_on_what_cupy_has(number)
