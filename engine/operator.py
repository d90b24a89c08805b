"""Operators written in Python, where Gluon code imports them from (MXNet: `mx.operator`)."""

from __future__ import annotations

from initlab.engine.nd.custom import CustomOp, CustomOpProp, register

__all__ = ["CustomOp", "CustomOpProp", "register"]
