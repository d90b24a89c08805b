"""Connectionist temporal classification (Graves et al. 2006): the probability of a label sequence
summed over all its alignments.

Alignments run over the labels with blanks between and around them. Forward and backward
probabilities are kept as logarithms; all samples of a batch go through time together.
"""

from __future__ import annotations

from initlab.engine.arrays import Array, Library, Operand
from initlab.engine.autograd import primitive
from initlab.engine.errors import MXNetError
from initlab.engine.tape import Result

NEVER = -1e30
"""The logarithm used for a probability of 0; it is finite so that sums stay defined."""


def _log_sum(xp: Library, *terms: Array) -> Array:
    """Return log of the sum of exp of several arrays."""
    top = terms[0]
    for term in terms[1:]:
        top = xp.maximum(top, term)
    total: Operand = 0.0
    for term in terms:
        total = total + xp.exp(term - top)
    return top + xp.log(total)


def _shifted(xp: Library, x: Array, by: int) -> Array:
    """Shift x along its last axis, to the right for positive `by`, filling with NEVER."""
    filling = xp.full_like(x[:, : abs(by)], NEVER)
    return (
        xp.concatenate([filling, x[:, :-by]], axis=1)
        if by > 0
        else xp.concatenate([x[:, -by:], filling], axis=1)
    )


@primitive
def ctc_loss(
    xp: Library, x: Array, labels: Array, lengths: Array, label_lengths: Array, *, blank: int
) -> Result:
    """Return -log p(labels) for each sample.

    Scores x are (time, batch, classes), labels (batch, longest), lengths and label_lengths
    (batch,). Elements beyond the lengths are ignored. A label that is the blank is one more blank of
    the alignment, as in MXNet. A sequence too short for its labels has an infinite loss and a zero
    gradient. Only x has a gradient.
    """
    steps, batch, classes = x.shape
    longest = labels.shape[1]
    if labels.shape[0] != batch:
        raise MXNetError.checked(
            f"CTCLoss: scores for {batch} samples {tuple(x.shape)}, labels for "
            f"{labels.shape[0]} {labels.shape}"
        )
    times, counts = lengths.astype("int64"), label_lengths.astype("int64")
    inside = xp.arange(longest)[None, :] < counts[:, None]
    whole = xp.where(inside, labels.astype("int64"), blank)
    wrong = (whole < 0) | (whole >= classes)
    if bool(xp.max(wrong.astype("int64"))) or bool(xp.max(counts) > longest):
        raise MXNetError.checked(f"CTCLoss: labels must be classes of 0 … {classes - 1}")
    # blank, label, blank, label, …, blank
    blanks = xp.full((batch, longest + 1), blank)
    path = xp.concatenate(
        [xp.stack([blanks[:, :-1], whole], axis=2).reshape((batch, 2 * longest)), blanks[:, -1:]],
        axis=1,
    )
    places = xp.arange(2 * longest + 1)[None, :]
    before = xp.concatenate([xp.full((batch, 2), blank), path[:, :-2]], axis=1)[
        :, : 2 * longest + 1
    ]
    may_skip = (path != blank) & (path != before) & (places >= 2)
    may_be_skipped = xp.concatenate([may_skip[:, 2:], xp.zeros((batch, 2)) > 0], axis=1)[
        :, : 2 * longest + 1
    ]
    last = 2 * counts[:, None]
    ends = (places == last) | (places == last - 1)

    top = x - xp.max(x, axis=2, keepdims=True)
    log_p = top - xp.log(xp.sum(xp.exp(top), axis=2, keepdims=True))
    never = xp.full_like(x[0, :, :1] * xp.ones((1, 2 * longest + 1), dtype=x.dtype), NEVER)
    of_path = [xp.take_along_axis(log_p[t], path, axis=1) for t in range(steps)]
    forward = [xp.where(places <= 1, of_path[0], never)]
    for t in range(1, steps):
        a = forward[-1]
        moved = _log_sum(xp, a, _shifted(xp, a, 1), xp.where(may_skip, _shifted(xp, a, 2), never))
        forward.append(xp.where((t < times)[:, None], xp.maximum(moved + of_path[t], never), a))
    at_ends = xp.where(ends, forward[-1], never)
    likelihood = at_ends[:, 0]
    for s in range(1, 2 * longest + 1):
        likelihood = _log_sum(xp, likelihood, at_ends[:, s])
    possible = likelihood > NEVER / 2
    loss = xp.where(possible, -likelihood, xp.full_like(likelihood, float("inf")))

    def vjp(g: Array) -> tuple[Array, None, None, None]:
        start = xp.where(ends, xp.zeros_like(never), never)
        backward = [xp.where((times == steps)[:, None], start, never)]
        for t in range(steps - 2, -1, -1):
            b = backward[-1] + of_path[t + 1]
            moved = _log_sum(
                xp, b, _shifted(xp, b, -1), xp.where(may_be_skipped, _shifted(xp, b, -2), never)
            )
            later = xp.where((t < times - 1)[:, None], xp.maximum(moved, never), never)
            backward.append(xp.where((times - 1 == t)[:, None], start, later))
        one_hot = (path[:, :, None] == xp.arange(classes)[None, None, :]).astype(x.dtype)
        rows = []
        for t, b in enumerate(reversed(backward)):
            share = xp.exp(xp.minimum(forward[t] + b - likelihood[:, None], xp.zeros_like(b)))
            expected = xp.matmul(share[:, None, :], one_hot)[:, 0, :]
            counted = ((t < times) & possible)[:, None]
            rows.append(
                xp.where(
                    counted, (xp.exp(log_p[t]) - expected) * g[:, None], xp.zeros_like(log_p[t])
                )
            )
        return xp.stack(rows, axis=0), None, None, None

    return loss, vjp
