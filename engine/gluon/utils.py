"""Gluon's own module of that name."""

from __future__ import annotations

from typing import Any


def shape_is_known(shape: Any) -> bool:
    """Whether every axis is: None, () and a 0 are unknown. AssertionError for a negative one."""
    if shape is None or len(shape) == 0:
        return False
    for size in shape:
        if size == 0:
            return False
        if size < 0:
            raise AssertionError(f"shape dimension size cannot be less than 0, while received {size}")
    return True
