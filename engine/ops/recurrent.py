"""Recurrent networks over a whole sequence as one primitive; the contribution of the inputs is one
matrix product for all steps.

Inputs are (time, batch, inputs). Weights stack their gates along axis 0 like cuDNN and MXNet: LSTM
input, forget, cell, output; GRU reset, update, new. Sources: Hochreiter and Schmidhuber 1997 with
forget gates (Gers et al. 2000); Cho et al. 2014, with the reset gate applied after the product; Sak
et al. 2014 for projections.
"""

from __future__ import annotations

from collections.abc import Sequence

from initlab.engine.arrays import Array, Library
from initlab.engine.autograd import primitive
from initlab.engine.errors import MXNetError
from initlab.engine.tape import Result, Results

GATES = {"rnn_relu": 1, "rnn_tanh": 1, "lstm": 4, "gru": 3}
"""The number of gates that a mode stacks."""


def check_weights(x: Array, h: Array, wx: Array, wh: Array, mode: str) -> None:
    """Raise MXNetError, with both shapes and the axis, unless the weights fit inputs and state."""
    for name, weight, given in (("i2h_weight", wx, x), ("h2h_weight", wh, h)):
        if weight.shape[1] != given.shape[-1]:
            raise MXNetError.checked(
                f"{mode}: {name} of shape {tuple(weight.shape)} takes {weight.shape[1]} "
                "elements on axis 1, "
                f"{'inputs' if given is x else 'the state'} of shape {tuple(given.shape)} "
                f"{'have' if given is x else 'has'} {given.shape[-1]} on the last"
            )
    if x.shape[1] != h.shape[0]:
        raise MXNetError.checked(
            f"{mode}: inputs {tuple(x.shape)} and state {tuple(h.shape)} are of different batches"
        )


def _of_inputs(xp: Library, x: Array, w: Array, b: Array) -> Array:
    """Return x W^T + b of every step, (time, batch, units)."""
    steps, batch, width = x.shape
    return (xp.matmul(x.reshape((steps * batch, width)), w.T) + b).reshape(
        (steps, batch, w.shape[0])
    )


def _back_through_inputs(xp: Library, da: Array, x: Array, w: Array) -> tuple[Array, Array, Array]:
    """Return the gradients of x, W and b of that product, from (time, batch, units)."""
    rows, inputs = da.reshape((-1, da.shape[2])), x.reshape((-1, x.shape[2]))
    return xp.matmul(rows, w).reshape(x.shape), xp.matmul(rows.T, inputs), xp.sum(rows, axis=0)


def _before(xp: Library, first: Array, states: list[Array]) -> Array:
    """Return the states at the start of each step, as rows."""
    whole = xp.stack([first, *states[:-1]], axis=0)
    return whole.reshape((-1, whole.shape[2]))


@primitive
def simple_recurrence(
    xp: Library, x: Array, h: Array, wx: Array, wh: Array, bx: Array, bh: Array, *, mode: str
) -> Result:
    """h_t = f(Wx x_t + bx + Wh h_{t-1} + bh), with f relu or tanh. Returns all h_t (time, batch,
    units).
    """
    check_weights(x, h, wx, wh, mode)
    added = _of_inputs(xp, x, wx, bx + bh)
    states, state = [], h
    for t in range(x.shape[0]):
        a = added[t] + xp.matmul(state, wh.T)
        state = xp.tanh(a) if mode == "rnn_tanh" else xp.maximum(a, xp.zeros_like(a))
        states.append(state)

    def vjp(g: Array) -> tuple[Array, ...]:
        rows: list[Array] = []
        back = xp.zeros_like(h)
        for t in range(x.shape[0] - 1, -1, -1):
            dh, y = g[t] + back, states[t]
            da = dh * (1 - y * y) if mode == "rnn_tanh" else dh * (y > 0)
            rows.append(da)
            back = xp.matmul(da, wh)
        da = xp.stack(rows[::-1], axis=0)
        dx, dwx, db = _back_through_inputs(xp, da, x, wx)
        dwh = xp.matmul(da.reshape((-1, da.shape[2])).T, _before(xp, h, states))
        return dx, back, dwx, dwh, db, db

    return xp.stack(states, axis=0).astype(x.dtype, copy=False), vjp


@primitive
def gru(xp: Library, x: Array, h: Array, wx: Array, wh: Array, bx: Array, bh: Array) -> Result:
    """h_t = (1 - z) n + z h_{t-1}, with n = tanh(Wx x + bx + r (Wh h + bh)) and sigmoid gates r, z.

    Returns all h_t (time, batch, units).
    """
    check_weights(x, h, wx, wh, "gru")
    units = h.shape[1]
    added = _of_inputs(xp, x, wx, bx)
    kept, states, state = [], [], h
    for t in range(x.shape[0]):
        of_state = xp.matmul(state, wh.T) + bh
        gates = 0.5 * xp.tanh(0.5 * (added[t][:, : 2 * units] + of_state[:, : 2 * units])) + 0.5
        r, z = gates[:, :units], gates[:, units:]
        m = of_state[:, 2 * units :]
        n = xp.tanh(added[t][:, 2 * units :] + r * m)
        kept.append((r, z, m, n))
        state = n + z * (state - n)
        states.append(state)

    def vjp(g: Array) -> tuple[Array, ...]:
        of_inputs: list[Array] = []
        of_states: list[Array] = []
        back = xp.zeros_like(h)
        for t in range(x.shape[0] - 1, -1, -1):
            dh, (r, z, m, n) = g[t] + back, kept[t]
            before = h if t == 0 else states[t - 1]
            dn = dh * (1 - z) * (1 - n * n)
            dz = dh * (before - n) * z * (1 - z)
            dr = dn * m * r * (1 - r)
            of_inputs.append(xp.concatenate([dr, dz, dn], axis=1))
            of_states.append(xp.concatenate([dr, dz, dn * r], axis=1))
            back = dh * z + xp.matmul(of_states[-1], wh)
        da, ds = xp.stack(of_inputs[::-1], axis=0), xp.stack(of_states[::-1], axis=0)
        dx, dwx, dbx = _back_through_inputs(xp, da, x, wx)
        rows = ds.reshape((-1, ds.shape[2]))
        return dx, back, dwx, xp.matmul(rows.T, _before(xp, h, states)), dbx, xp.sum(rows, axis=0)

    return xp.stack(states, axis=0).astype(x.dtype, copy=False), vjp


@primitive
def lstm(
    xp: Library,
    x: Array,
    h: Array,
    c: Array,
    wx: Array,
    wh: Array,
    bx: Array,
    bh: Array,
    *projection: Array,
    low: float | None = None,
    high: float | None = None,
) -> Results:
    """c_t = f c_{t-1} + i g, and h_t = o tanh(c_t) or its projection.

    Returns (all h_t (time, batch, units), the last c (batch, units)). Cell states are limited to
    [low, high] after each step; either bound may be None.
    """
    check_weights(x, h, wx, wh, "lstm")
    units = c.shape[1]
    added = _of_inputs(xp, x, wx, bx + bh)
    wr = projection[0] if projection else None
    kept, states, state, cell = [], [], h, c
    for t in range(x.shape[0]):
        a = added[t] + xp.matmul(state, wh.T)
        first = 0.5 * xp.tanh(0.5 * a[:, : 2 * units]) + 0.5
        i, f = first[:, :units], first[:, units:]
        g = xp.tanh(a[:, 2 * units : 3 * units])
        o = 0.5 * xp.tanh(0.5 * a[:, 3 * units :]) + 0.5
        before, cell = cell, f * cell + i * g
        inside = None
        if low is not None or high is not None:
            whole = cell
            cell = whole if low is None else xp.maximum(whole, xp.full_like(whole, low))
            cell = cell if high is None else xp.minimum(cell, xp.full_like(cell, high))
            inside = cell == whole
        y = xp.tanh(cell)
        out = o * y
        kept.append((i, f, g, o, before, y, out, inside))
        state = out if wr is None else xp.matmul(out, wr.T)
        states.append(state)

    def vjp(gradients: Sequence[Array | None]) -> tuple[Array, ...]:
        of_outputs, of_cell = gradients
        rows: list[Array] = []
        projected: list[Array] = []
        back, dc = xp.zeros_like(h), xp.zeros_like(c) if of_cell is None else of_cell
        for t in range(x.shape[0] - 1, -1, -1):
            i, f, g, o, before, y, _, inside = kept[t]
            dh = back if of_outputs is None else of_outputs[t] + back
            projected.append(dh)
            dout = dh if wr is None else xp.matmul(dh, wr)
            dc = dc + dout * o * (1 - y * y)
            if inside is not None:
                dc = dc * inside
            da = xp.concatenate(
                [
                    dc * g * i * (1 - i),
                    dc * before * f * (1 - f),
                    dc * i * (1 - g * g),
                    dout * y * o * (1 - o),
                ],
                axis=1,
            )
            rows.append(da)
            dc = dc * f
            back = xp.matmul(da, wh)
        da = xp.stack(rows[::-1], axis=0)
        dx, dwx, db = _back_through_inputs(xp, da, x, wx)
        dwh = xp.matmul(da.reshape((-1, da.shape[2])).T, _before(xp, h, states))
        found = (dx, back, dc, dwx, dwh, db, db)
        if wr is None:
            return found
        dr, outs = xp.stack(projected[::-1], axis=0), xp.stack([row[6] for row in kept], axis=0)
        return (*found, xp.matmul(dr.reshape((-1, dr.shape[2])).T, outs.reshape((-1, units))))

    outputs = xp.stack(states, axis=0).astype(x.dtype, copy=False)
    return (outputs, cell.astype(x.dtype, copy=False)), vjp
