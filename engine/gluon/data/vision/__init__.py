"""Datasets of images, and transforms of them (MXNet: `gluon.data.vision`)."""

from __future__ import annotations

from initlab.engine.gluon.data.vision import datasets, transforms
from initlab.engine.gluon.data.vision.datasets import (
    CIFAR10,
    CIFAR100,
    MNIST,
    FashionMNIST,
    ImageFolderDataset,
    ImageRecordDataset,
)

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
