"""What all data has: a key of its own, no fingerprint unless it reads files, a batch to train on."""

from __future__ import annotations

import numpy as np

from initlab.runner.data import Batch, Data
from initlab.runner.data.base import data_key


class Constant(Data):
    def load(self, shape, seed):
        return Batch(np.full((2, *shape), seed, np.float32), None)


def test_the_key_of_data_is_that_of_its_seed_and_of_no_parameter():
    assert data_key(1) == data_key(1) != data_key(2)


def test_data_without_files_has_no_fingerprint_and_no_test_part():
    assert Constant.fingerprint() is None
    training, test = Constant().training((3,), 5)
    assert training.inputs.tolist() == [[5] * 3] * 2 and test is None


def test_a_sample_has_the_shape_that_the_model_declares():
    assert Constant().sample_shape((3, 4)) == (3, 4)
    assert Constant().label_shape((3, 4)) == ()
