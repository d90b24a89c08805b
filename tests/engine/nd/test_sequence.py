"""`nd`: sequences of different lengths, against what MXNet 1.9.1 gave and by what must hold."""

from __future__ import annotations

import nd_checks

from initlab.engine import nd


def test_a_function_gives_what_mxnet_gave(number):
    nd_checks.check_recorded(number)


def test_a_function_stays_on_its_device(number):
    nd_checks.check_stays_on_its_device(number)


def test_a_function_runs_on_what_cupy_has(number):
    nd_checks.check_on_what_cupy_has(number)


def test_a_call_fails_as_mxnets_does(failing):
    nd_checks.check_fails(*failing)


def test_the_last_step_without_lengths_is_that_of_all():
    x = nd.arange(12).reshape((3, 2, 2))
    assert nd.SequenceLast(x).tolist() == x[2].tolist()
    assert nd.SequenceLast(x, axis=1).tolist() == x[:, 1].tolist()
    assert nd.sequence_mask(x, nd.array([1, 3]), True).tolist()[1] == [[0, 0], [6, 7]]
