"""`mx.operator` has what Gluon code imports from it."""

from __future__ import annotations

import initlab.engine as mx
from initlab.engine.nd import custom


def test_the_classes_are_those_that_custom_runs():
    assert mx.operator.CustomOpProp is custom.CustomOpProp
    assert issubclass(mx.operator.CustomOp, custom.CustomOp)
