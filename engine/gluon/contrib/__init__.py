"""What MXNet keeps in `gluon.contrib`."""

from __future__ import annotations

from initlab.engine.gluon.contrib import data, nn

__all__ = ["data", "nn"]
