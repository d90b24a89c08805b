"""MXNet's automatic mixed precision, so far as Gluon code imports it: switching it on is one error."""

from __future__ import annotations

import sys
from typing import NoReturn

from initlab.engine.errors import MXNetError

amp = sys.modules[__name__]
"""MXNet has a module of this name within a package of this name; here both are this module."""
_amp_initialized = False
ABSENT = (
    "mixed precision is not switched on here - use net.cast('float16') and multi_precision=True"
)


def init(*args: object, **options: object) -> NoReturn:
    """Raise MXNetError."""
    raise MXNetError(f"amp.init: {ABSENT}")


def init_trainer(trainer: object) -> NoReturn:
    """Raise MXNetError."""
    raise MXNetError(f"amp.init_trainer: {ABSENT}")


def scale_loss(loss: object, trainer: object) -> NoReturn:
    """Raise MXNetError."""
    raise MXNetError(f"amp.scale_loss: {ABSENT}")


def unscale(trainer: object) -> NoReturn:
    """Raise MXNetError."""
    raise MXNetError(f"amp.unscale: {ABSENT}")
