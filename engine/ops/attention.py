"""Scaled dot-product attention (Vaswani et al. 2017)."""

from __future__ import annotations

from initlab.engine.arrays import Array, Library
from initlab.engine.autograd import primitive
from initlab.engine.errors import MXNetError
from initlab.engine.tape import Result

NEVER = -1e30
"""The score of a masked key; float16, which cannot hold it, uses its lowest number."""


@primitive
def attention(
    xp: Library,
    q: Array,
    k: Array,
    v: Array,
    *,
    scale: float,
    allowed: Array | None = None,
    drop: Array | None = None,
) -> Result:
    """softmax(scale q k^T) v over the last two axes.

    q is (…, queries, d), k (…, keys, d), v (…, keys, e). `allowed` and `drop` are raw arrays that
    broadcast to (…, queries, keys): the keys that a query may attend to, and the factors of the
    weights. A query without any allowed key gets 0.
    """
    if q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
        raise MXNetError.checked(
            f"attention: queries {tuple(q.shape)}, keys {tuple(k.shape)} and values "
            f"{tuple(v.shape)} do not fit"
        )
    scores = xp.matmul(q, xp.swapaxes(k, -1, -2)) * scale
    if allowed is not None:
        lowest = -6e4 if str(q.dtype) == "float16" else NEVER
        scores = xp.where(allowed, scores, xp.full_like(scores, lowest))
    e = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
    if allowed is not None:
        e = e * allowed.astype(e.dtype)
    total = xp.sum(e, axis=-1, keepdims=True)
    p = e / xp.where(total == 0, xp.ones_like(total), total)
    used = p if drop is None else p * drop

    def vjp(g: Array) -> tuple[Array, Array, Array]:
        dp = xp.matmul(g, xp.swapaxes(v, -1, -2))
        dp = dp if drop is None else dp * drop
        ds = p * (dp - xp.sum(dp * p, axis=-1, keepdims=True)) * scale
        return (
            xp.matmul(ds, k),
            xp.matmul(xp.swapaxes(ds, -1, -2), q),
            xp.matmul(xp.swapaxes(used, -1, -2), g),
        )

    return xp.matmul(used, v).astype(v.dtype, copy=False), vjp
