"""Singular values of convolutions as operators."""

from __future__ import annotations

import numpy as np
import pytest
from measured import measured, subject

from initlab.runner.measures.operator import operator_spectrum


def test_the_spectrum_of_a_convolution_is_that_of_its_dense_matrix():
    kernel = np.random.Generator(np.random.PCG64(1)).normal(size=(2, 3, 3, 3))
    size = [5, 4]
    dense = np.zeros((2, *size, 3, *size))
    for o, i, dy, dx in np.ndindex(*kernel.shape):
        for y, x in np.ndindex(*size):
            dense[o, y, x, i, (y + dy) % 5, (x + dx) % 4] += kernel[o, i, dy, dx]
    wanted = np.sort(np.linalg.svd(dense.reshape(40, 60), compute_uv=False))
    assert np.sort(operator_spectrum(kernel, size).ravel()) == pytest.approx(wanted, abs=1e-10)


def test_convolutions_are_measured_and_nothing_else():
    words = ["model=lenet", "data=digits", "data.batch=4", "measure=[operator]"]
    given, _ = subject(*words)
    rows = measured(given, *words)["operator"]
    assert set(rows) == {"conv1.weight", "conv2.weight"}
    assert rows["conv1.weight"]["condition"] == pytest.approx(
        rows["conv1.weight"]["largest"] / rows["conv1.weight"]["smallest"]
    )
