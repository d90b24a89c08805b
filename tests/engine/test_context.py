"""The module `context`: devices by MXNet's name."""

from __future__ import annotations

import pytest

import initlab.engine as mx
from initlab.engine import context
from initlab.engine.context import Context, cpu
from initlab.engine.errors import MXNetError


def test_it_has_the_devices_themselves():
    assert Context is mx.Context
    assert cpu(1) == mx.cpu(1)
    assert context.current_context() == mx.cpu()


@pytest.mark.skipif(mx.num_gpus() > 0, reason="there is a GPU")
def test_the_memory_of_a_gpu_that_is_not_there_is_an_error():
    with pytest.raises(MXNetError, match="GPU is not enabled"):
        context.gpu_memory_info(0)
