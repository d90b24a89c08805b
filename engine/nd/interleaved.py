"""Products of attention whose heads, and queries, keys and values, lie interleaved in one last axis
(MXNet: `nd.contrib.interleaved_matmul_…`).

Sequences are (length, batch, channels). In the channels stand, head by head, its queries, keys and
values (self-attention), or its keys and values (between an encoder and a decoder). Scores are (batch
times heads, length of queries, length of keys). Source: MXNet 1.9.1
src/operator/contrib/transformer.cc.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from initlab.engine.errors import MXNetError
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import operator
from initlab.engine.ops import linear

CONTRIB: dict[str, Callable[..., Any]] = {}
"""The functions of this module by name."""


def _parts(name: str, data: NDArray, heads: int, count: int) -> list[NDArray]:
    """Return `count` arrays (batch times heads, length, channels of a head)."""
    if data.ndim != 3 or data.shape[2] % (heads * count):
        raise MXNetError.checked(
            f"{name}: needs (length, batch, {heads} heads times {count} parts times channels), got "
            f"{data.shape}"
        )
    length, batch, channels = data.shape
    size = channels // (heads * count)
    split = data.reshape((length, batch, heads, count, size)).transpose((3, 1, 2, 0, 4))
    return [split[part].reshape((batch * heads, length, size)) for part in range(count)]


def _scores(queries: NDArray, keys: NDArray) -> NDArray:
    return linear.batch_dot(
        queries / math.sqrt(queries.shape[2]), keys, transpose_a=False, transpose_b=True
    )


def _mixed(attention: NDArray, values: NDArray, heads: int) -> NDArray:
    """Return (length, batch, channels): the values of all heads, weighted by `attention`."""
    found = linear.batch_dot(attention, values, transpose_a=False, transpose_b=False)
    both, length, channels = found.shape
    by_head = found.reshape((both // heads, heads, length, channels)).transpose((2, 0, 1, 3))
    return by_head.reshape((length, both // heads, heads * channels))


@operator("interleaved_matmul_selfatt_qk", among=CONTRIB)
def interleaved_matmul_selfatt_qk(queries_keys_values: NDArray, heads: int) -> NDArray:
    """Return the products of queries and keys, divided by the root of a head's channels."""
    queries, keys, _ = _parts("interleaved_matmul_selfatt_qk", queries_keys_values, heads, 3)
    return _scores(queries, keys)


@operator("interleaved_matmul_selfatt_valatt", among=CONTRIB)
def interleaved_matmul_selfatt_valatt(
    queries_keys_values: NDArray, attention: NDArray, heads: int
) -> NDArray:
    """Return the sums of values, weighted by `attention`."""
    values = _parts("interleaved_matmul_selfatt_valatt", queries_keys_values, heads, 3)[2]
    return _mixed(attention, values, heads)


@operator("interleaved_matmul_encdec_qk", among=CONTRIB)
def interleaved_matmul_encdec_qk(queries: NDArray, keys_values: NDArray, heads: int) -> NDArray:
    """Return the products of queries and keys, divided by the root of a head's channels."""
    [asked] = _parts("interleaved_matmul_encdec_qk", queries, heads, 1)
    keys, _ = _parts("interleaved_matmul_encdec_qk", keys_values, heads, 2)
    return _scores(asked, keys)


@operator("interleaved_matmul_encdec_valatt", among=CONTRIB)
def interleaved_matmul_encdec_valatt(
    keys_values: NDArray, attention: NDArray, heads: int
) -> NDArray:
    """Return the sums of values, weighted by `attention`."""
    values = _parts("interleaved_matmul_encdec_valatt", keys_values, heads, 2)[1]
    return _mixed(attention, values, heads)
