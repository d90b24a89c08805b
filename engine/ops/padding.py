"""Elements around an array: a constant, the edge's, or the array's own, reflected."""

from __future__ import annotations

from typing import Any

from engine.autograd import primitive


def _cut(axis: int, start: int | None, stop: int | None, step: int | None = None) -> tuple[Any, ...]:
    return (slice(None),) * axis + (slice(start, stop, step),)


def _folded(xp: Any, g: Any, axis: int, before: int, after: int, mode: str) -> Any:
    """The gradient along one axis: its middle, plus what its ends send back into it."""
    n = g.shape[axis] - before - after
    middle = g[_cut(axis, before, before + n)]
    if mode == "constant":
        return middle
    for width, at_start in ((before, True), (after, False)):
        if not width:
            continue
        end = g[_cut(axis, 0, width)] if at_start else g[_cut(axis, before + n, None)]
        if mode == "edge":
            end, start = xp.sum(end, axis=axis, keepdims=True), 0 if at_start else n - 1
        else:
            end, start = end[_cut(axis, None, None, -1)], 1 if at_start else n - 1 - width
        around = [(0, 0)] * g.ndim
        around[axis] = (start, n - start - end.shape[axis])
        middle = middle + xp.pad(end, around)
    return middle


@primitive
def pad(xp, x, *, widths, mode="constant", value=0.0):  # type: ignore[no-untyped-def]
    """x with `widths` (a pair an axis) elements before and after; `mode` is constant, edge or reflect."""
    y = xp.pad(x, widths, mode=mode, **({"constant_values": value} if mode == "constant" else {}))

    def vjp(g: Any) -> tuple[Any]:
        for axis, (before, after) in enumerate(widths):
            g = _folded(xp, g, axis, before, after, mode)
        return (g,)

    return y, vjp
