"""Datasets of images, and transforms of them (MXNet: `gluon.data.vision`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from initlab.engine.gluon.data.vision import datasets, transforms
from initlab.engine.gluon.data.vision.datasets import (
    CIFAR10,
    CIFAR100,
    MNIST,
    FashionMNIST,
    ImageFolderDataset,
    ImageRecordDataset,
)
from initlab.lazy import suggesting

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "MNIST",
    "FashionMNIST",
    "ImageFolderDataset",
    "ImageRecordDataset",
    "datasets",
    "transforms",
]

if not TYPE_CHECKING:
    __getattr__ = suggesting(__name__)
