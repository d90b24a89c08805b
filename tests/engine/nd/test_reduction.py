"""`nd`: reductions, against what MXNet 1.9.1 gave and by what must hold."""

from __future__ import annotations

import nd_checks
import numpy as np
import pytest

from initlab.engine import nd


def test_a_function_gives_what_mxnet_gave(number):
    nd_checks.check_recorded(number)


def test_a_function_stays_on_its_device(number):
    nd_checks.check_stays_on_its_device(number)


def test_a_function_runs_on_what_cupy_has(number):
    nd_checks.check_on_what_cupy_has(number)


def test_a_call_fails_as_mxnets_does(failing):
    nd_checks.check_fails(*failing)


def test_histogram_without_a_range_warns_as_mxnet_does():
    with pytest.warns(UserWarning, match="range is not specified"):
        counts, edges = nd.histogram(nd.array([0, 1, 1, 3]), bins=3)
    assert counts.tolist() == [1, 2, 1]
    counts, _ = nd.histogram(nd.array([0, 1, 1, 3]), bins=nd.array([0, 2, 4]))
    assert (counts.tolist(), counts.dtype) == ([3, 1], np.int64)
