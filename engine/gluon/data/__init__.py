"""Data for training loops: datasets, samplers and batches (MXNet: `gluon.data`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from initlab.engine.gluon.data.dataloader import DataLoader, default_batchify_fn
from initlab.engine.gluon.data.dataset import (
    ArrayDataset,
    Dataset,
    RecordFileDataset,
    SimpleDataset,
)
from initlab.engine.gluon.data.sampler import (
    BatchSampler,
    FilterSampler,
    IntervalSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
)
from initlab.lazy import lazily

if TYPE_CHECKING:
    from initlab.engine.gluon.data import vision

__all__ = [
    "ArrayDataset",
    "BatchSampler",
    "DataLoader",
    "Dataset",
    "FilterSampler",
    "IntervalSampler",
    "RandomSampler",
    "RecordFileDataset",
    "Sampler",
    "SequentialSampler",
    "SimpleDataset",
    "default_batchify_fn",
    "vision",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, {"vision"}, {})
