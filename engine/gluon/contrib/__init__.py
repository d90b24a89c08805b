"""What MXNet keeps in `gluon.contrib`."""

from __future__ import annotations

from engine.gluon.contrib import nn

__all__ = ["nn"]
