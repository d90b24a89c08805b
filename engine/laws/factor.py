"""The orthogonal factor of a matrix, A = Q R. The diagonal of R is positive, which makes Q unique.

lapack_q         panels factored by LAPACK, the rest as matrix products with BLAS's threads;
                 reproducible to a tolerance
householder_q    elementwise operations and sums in a fixed binary tree: the same bits everywhere

Signs: Mezzadri, "How to generate random matrices from the classical compact groups", 2007.
"""

from __future__ import annotations

import numpy as np

from initlab.engine.errors import LawError
from initlab.engine.laws.base import Invariant

PANEL = 64
"""Columns that LAPACK factors at a time. With its own blocks of 32, large matrices spend most time
in matrix-vector products.
"""
RESOLUTION = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float64": 2.0**-53}
"""The relative error of rounding to a dtype; 2^-24 for the others, whose values are drawn as
float32.
"""


def tree_sum(terms: np.ndarray) -> np.ndarray:
    """Return the sum over the first axis. Neighbouring rows are added until one row is left, so the
    order of additions is the same on every machine.
    """
    while terms.shape[0] > 1:
        half = terms.shape[0] // 2
        paired = terms[: 2 * half : 2] + terms[1 : 2 * half : 2]
        terms = np.concatenate([paired, terms[2 * half :]]) if terms.shape[0] % 2 else paired
    total: np.ndarray = terms[0]
    return total


def householder_q(gaussian: np.ndarray) -> np.ndarray:
    """Return the Q factor of shape (rows, columns), columns <= rows, whose R has a positive
    diagonal. It is computed in float64 with + - * / and sqrt only.

    The order of the operations is stated in docs/streams.md.
    """
    r = gaussian.astype(np.float64)
    rows, columns = r.shape
    reflectors: list[np.ndarray] = []
    signs = np.ones(columns)
    for k in range(columns):
        x = r[k:, k].copy()
        norm = np.sqrt(tree_sum(x * x))
        signs[k] = -1.0 if x[0] > 0 else 1.0  # the diagonal of R is signs[k] * norm
        x[0] -= signs[k] * norm
        square = tree_sum(x * x)
        v = x / np.sqrt(square) if square > 0 else x
        reflectors.append(v)
        r[k:, k:] -= 2.0 * v[:, None] * tree_sum(v[:, None] * r[k:, k:])[None, :]
    q = np.eye(rows, columns)
    for k in range(columns - 1, -1, -1):
        v = reflectors[k]
        q[k:, k:] -= 2.0 * v[:, None] * tree_sum(v[:, None] * q[k:, k:])[None, :]
    return q * signs


def lapack_q(gaussian: np.ndarray) -> np.ndarray:
    """Return the same factor up to rounding, float64. Raises LawError if LAPACK's result is
    unusable.

    The reflectors of each panel are combined into I - V T V' (Schreiber and Van Loan, "A
    storage-efficient WY representation for products of Householder transformations", 1989) with T
    from its inverse (Puglisi, "Modification of the Householder method based on the compact WY
    representation", 1992). The products use BLAS's threads; computing several matrices in threads
    of ours takes longer unless BLAS uses one thread (`benchmarks/orthogonal.py`).
    """
    r = gaussian.astype(np.float64)
    rows, columns = r.shape
    signs = np.ones(columns)
    blocks: list[tuple[np.ndarray, np.ndarray]] = []
    # The result is checked itself, so floating-point warnings are not needed.
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(0, columns, PANEL):
            end = min(k + PANEL, columns)
            v, t, signs[k:end] = _panel(r[k:, k:end])
            blocks.append((v, t))
            if end < columns:
                r[k:, end:] -= v @ (t.T @ (v.T @ r[k:, end:]))
        q = np.eye(rows, columns)
        for k in reversed(range(0, columns, PANEL)):
            v, t = blocks.pop()
            q[k:, k:] -= v @ (t @ (v.T @ q[k:, k:]))
        q *= signs
    return q


def _panel(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(V, T, the signs of R's diagonal): the reflectors of one panel are I - V T V'."""
    try:
        factored, tau = np.linalg.qr(matrix, mode="raw")
        v = np.tril(factored.T, -1)
        np.fill_diagonal(v, 1.0)
        idle = tau == 0.0  # LAPACK's way to say that a reflector is the identity
        v[:, idle] = 0.0
        inverse = np.triu(v.T @ v, 1)
        np.fill_diagonal(inverse, 1.0 / np.where(idle, 1.0, tau))
        return v, np.linalg.inv(inverse), np.where(np.diagonal(factored) < 0, -1.0, 1.0)
    except np.linalg.LinAlgError as error:
        raise LawError(
            f"LAPACK could not factor a matrix of shape {matrix.shape}: {error}"
        ) from None


def check_factor(q: np.ndarray, gaussian: np.ndarray) -> None:
    """Raise LawError unless the diagonal of R = Q'A is positive, up to rounding.

    A wrong Q, or one with wrong signs, passes for every column only by chance.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        diagonal = (q * gaussian).sum(axis=0)
        wrong = ~(diagonal >= -1e-12 * np.sqrt((gaussian.astype(np.float64) ** 2).sum()))
    if wrong.any():
        raise LawError(
            f"{wrong.sum()} of {wrong.size} columns of an orthogonal factor are not those of its matrix, "
            f"of shape {gaussian.shape} - the "
            "values were computed wrongly: check the installation of NumPy and its LAPACK"
        )


def gram_invariant(side: np.ndarray, gain: float) -> Invariant:
    """Return the invariant that the rows of `side` (a matrix, or a stack of them) are orthogonal
    and of length `gain`, as exactly as the dtype can say.
    """
    wide = side.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        gram = wide @ np.swapaxes(wide, -1, -2)
        worst = float(np.abs(gram - gain**2 * np.eye(gram.shape[-1])).max())
    bound = max(gain**2, 1e-30) * (8 * RESOLUTION.get(side.dtype.name, 2.0**-24) + 1e-12)
    return Invariant("distance of the Gram matrix from gain^2 I", worst, bound, worst <= bound)
