"""Transforms: what MXNet gave is in `differential/pictures`; here how they are put together."""

from __future__ import annotations

import random

import numpy as np
import pytest

from initlab.engine import nd, streams
from initlab.engine.gluon import nn
from initlab.engine.gluon.data.vision import transforms

PICTURE = nd.array(np.random.RandomState(0).randint(0, 256, (8, 9, 3)), dtype="uint8")


def test_hybrid_transforms_in_a_row_are_one_block():
    steps = [
        transforms.RandomFlipLeftRight(),
        transforms.CenterCrop((5, 4)),
        transforms.Cast("float32"),
        transforms.ToTensor(),
        transforms.Normalize(0.1, 0.2),
    ]
    composed = transforms.Compose(steps)
    assert [type(child) for child in composed._children.values()] == [
        transforms.RandomFlipLeftRight,
        transforms.CenterCrop,
        nn.HybridSequential,
    ]
    assert len(steps) == 5
    found = composed(PICTURE)
    assert (found.shape, found.dtype) == ((3, 4, 5), np.float32)


@pytest.mark.parametrize(
    "transform",
    [
        transforms.RandomFlipLeftRight(),
        transforms.RandomFlipTopBottom(),
        transforms.RandomBrightness(0.5),
        transforms.RandomContrast(0.5),
        transforms.RandomSaturation(0.5),
        transforms.RandomHue(0.5),
        transforms.RandomColorJitter(0.5, 0.5, 0.5, 0.5),
        transforms.RandomLighting(0.5),
    ],
    ids=lambda t: type(t).__name__,
)
def test_a_random_transform_keeps_shape_and_dtype_and_repeats_after_the_same_seed(transform):
    found = []
    for _ in range(2):
        streams.seed(1)
        found.append([transform(PICTURE).tolist() for _ in range(6)])
    assert found[0] == found[1]
    assert any(one != PICTURE.tolist() for one in found[0])
    result = transform(PICTURE)
    assert (result.shape, result.dtype) == (PICTURE.shape, PICTURE.dtype)


def test_a_random_crop_repeats_after_pythons_seed():
    found = []
    for _ in range(2):
        random.seed(1)
        found.append([transforms.RandomResizedCrop(4)(PICTURE).tolist() for _ in range(3)])
    assert found[0] == found[1]
    assert found[0][0] != found[0][1]


def test_a_transform_is_applied_with_its_probability():
    assert transforms.RandomApply(transforms.ToTensor(), 1.0)(PICTURE).shape == (3, 8, 9)
    assert transforms.RandomApply(transforms.ToTensor(), -1.0)(PICTURE) is PICTURE


def test_a_shape_is_kept_on_demand():
    assert transforms.Resize(4, keep_ratio=True)(PICTURE).shape == (4, 4, 3)
    assert transforms.Resize((3, 5))(PICTURE).shape == (5, 3, 3)
    assert transforms.CropResize(1, 2, 3, 4)(PICTURE).shape == (4, 3, 3)


def test_rotations_take_floats_and_rising_limits():
    with pytest.raises(
        TypeError, match="only supports float32. Consider calling it after ToTensor"
    ):
        transforms.Rotate(10)(PICTURE)
    with pytest.raises(ValueError, match="must be an ordered tuple"):
        transforms.RandomRotation((3, 3))
    with pytest.raises(ValueError, match="should be between 0 and 1"):
        transforms.RandomRotation((0, 3), rotate_with_proba=2)
