"""Values of torch tensors as NumPy arrays that an audit reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from initlab.engine import dtypes
from initlab.engine.errors import MXNetError


def array(tensor: Any) -> np.ndarray | None:
    """Return the values of a tensor, without a copy where it lies in the host's memory; None for a type
    that NumPy has not.
    """
    try:
        given = tensor.detach().cpu()
        if given.dtype == torch.bfloat16:
            return _bfloat16(given)
        values: np.ndarray = given.numpy()
    except (RuntimeError, TypeError):
        return None
    return values if values.dtype.kind in "biuf" else None


def _bfloat16(tensor: Any) -> np.ndarray:
    try:
        dtype = dtypes.resolve("bfloat16")
    except MXNetError:
        values: np.ndarray = tensor.float().numpy()
        return values
    found: np.ndarray = tensor.contiguous().view(torch.int16).numpy().view(dtype)
    return found
