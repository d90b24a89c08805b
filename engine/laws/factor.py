"""The orthogonal factor of a matrix, A = Q R. The diagonal of R is positive, which makes Q unique.

lapack_q         products of matrices in threads, small factors by LAPACK; reproducible to a
                 tolerance
householder_q    elementwise operations and sums in a fixed binary tree: the same bits everywhere

Signs: Mezzadri, "How to generate random matrices from the classical compact groups", 2007.
"""

from __future__ import annotations

import math

import numpy as np

from initlab.engine import streams
from initlab.engine.errors import LawError
from initlab.engine.laws import blas
from initlab.engine.laws.base import Invariant
from initlab.engine.streams import Key, pool

PANEL = 64
"""Columns that are made orthonormal by their Gram matrix: fewer make narrow products, more make the
Gram matrices and their factors costly.
"""
AGAIN = 16
"""Columns that are made orthonormal twice. Without the last 16, a square Gaussian matrix of n
columns has a condition of about n / 4.
"""
SHARED_FROM = 1 << 22
"""Multiplications from which a product is made in parts; for fewer, waking threads costs more."""
SHARES = 4
"""The parts. They are the same for any number of threads, because BLAS may round a product of
another width differently.
"""
SIGNS = 24
"""Random vectors that a Gram matrix is tried with, at most 32."""
SLICE = 256
"""Elements of each row of a Gram matrix's factor that are read at a time, so that they stay in the
cache.
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
    """Return the same factor up to rounding, float64, of each matrix of a stack (..., rows,
    columns), columns <= rows.

    Raises LawError if LAPACK's result is unusable.
    """
    a = np.array(gaussian, np.float64)
    # The result is checked itself, so floating-point warnings are not needed.
    with np.errstate(all="ignore"), blas.one_thread() as ours:
        try:
            _Halves(a, pool.workers() if ours else 1).orthonormalize()
            return a
        except (
            np.linalg.LinAlgError
        ):  # the matrix lacks full rank, as a Gaussian one hardly ever does
            return _householder(gaussian.astype(np.float64))


def _householder(a: np.ndarray) -> np.ndarray:
    """LAPACK's own factor, which is orthonormal whatever the rank, with the signs corrected."""
    try:
        q, r = np.linalg.qr(a)
    except np.linalg.LinAlgError as error:
        raise LawError(
            f"LAPACK could not factor a matrix of shape {a.shape[-2:]}: {error}"
        ) from None
    return q * np.where(np.diagonal(r, axis1=-2, axis2=-1) < 0, -1.0, 1.0)[..., None, :]


def _turned(matrices: np.ndarray) -> np.ndarray:
    return matrices.swapaxes(-1, -2)


class _Halves:
    """Makes the columns of float64 matrices (..., rows, columns) orthonormal in place, by the
    modified Gram-Schmidt process with blocks of columns.

    The first half of the columns is made orthonormal, what they span is subtracted from the second
    half, and then the second half is made orthonormal. Almost all of the 2 rows columns^2 operations
    are products of large matrices; Householder reflections need a third more, most of them in
    narrow ones. PANEL columns at most are multiplied by the inverse of the Cholesky factor of their
    Gram matrix.

    Sources: Björck, "Numerics of Gram-Schmidt orthogonalization", 1994, for the process and its
    error, which grows with the condition of the matrix; Giraud, Langou, Rozložník and van den
    Eshof, "Rounding error analysis of the classical Gram-Schmidt orthogonalization process", 2005,
    for the second turn, after which there is no error to speak of.
    """

    def __init__(self, a: np.ndarray, threads: int) -> None:
        self._a = a
        self._threads = threads
        self._rows, self._columns = a.shape[-2:]
        widest = max(self._columns // 2 + PANEL, PANEL)
        self._work = np.empty(a.size // self._columns * widest)

    def orthonormalize(self) -> None:
        """Raises LinAlgError if the columns are not independent."""
        self._divide(0, self._columns)
        self._again(max(0, self._columns - AGAIN))

    def _divide(self, start: int, stop: int) -> None:
        """Make the columns start … stop - 1 orthonormal, which are orthogonal to all before."""
        size = stop - start
        # A Gaussian panel of half as many columns as it has dimensions left has a condition near 6,
        # whose square the Gram matrix has.
        if size <= AGAIN or (size <= PANEL and 2 * size <= self._rows - start):
            self._normalize(start, stop)
            return
        half = size // 2 if size <= PANEL else -(-size // PANEL) // 2 * PANEL
        self._divide(start, start + half)
        self._subtract(start, start + half, stop)
        self._divide(start + half, stop)

    def _subtract(self, start: int, middle: int, stop: int) -> None:
        """Subtract from the columns middle … stop - 1 what those from `start` on span of them."""
        known, rest = self._a[..., start:middle], self._a[..., middle:stop]
        spanned = self._scratch(stop - middle)

        def subtract(first: int) -> None:
            part = slice(first, first + width)
            some = rest[..., part]
            some -= np.matmul(known, _turned(known) @ some, out=spanned[..., part])

        products = spanned.size * (middle - start)
        shares = SHARES if products >= SHARED_FROM else 1
        width = -(-(stop - middle) // (PANEL * shares)) * PANEL
        parts = range(0, stop - middle, width)
        if self._threads > 1 and len(parts) > 1:
            pool.share(subtract, parts)
        else:
            for first in parts:
                subtract(first)

    def _normalize(self, start: int, stop: int) -> np.ndarray:
        """Make these columns orthonormal among themselves. Returns the Gram matrix they had."""
        columns = self._a[..., start:stop]
        gram: np.ndarray = _turned(columns) @ columns
        inverse = np.linalg.inv(np.linalg.cholesky(gram))
        columns[...] = np.matmul(columns, _turned(inverse), out=self._scratch(stop - start))
        return gram

    def _again(self, start: int) -> None:
        """Make the columns from `start` on orthonormal a second time. A square matrix is so badly
        conditioned by its last columns that the first turn leaves an error in them.
        """
        if start:
            self._subtract(0, start, self._columns)
        gram = self._normalize(start, self._columns)
        if not np.abs(gram - np.eye(gram.shape[-1])).max() < 0.1:
            raise np.linalg.LinAlgError("the columns are not independent")

    def _scratch(self, columns: int) -> np.ndarray:
        shape = (*self._a.shape[:-1], columns)
        return self._work[: math.prod(shape)].reshape(shape)


def check_factor(q: np.ndarray, gaussian: np.ndarray) -> None:
    """Raise LawError unless the diagonal of R = Q'A is positive, up to rounding, for each matrix of
    a stack.

    A wrong Q, or one with wrong signs, passes for every column only by chance.
    """
    with np.errstate(all="ignore"):
        diagonal = np.einsum("...ij,...ij->...j", q, gaussian)
        wrong = ~(diagonal >= -1e-12 * np.sqrt(float(np.vdot(gaussian, gaussian))))
    if wrong.any():
        raise LawError(
            f"{wrong.sum()} of {wrong.size} columns of an orthogonal factor are not those of its matrix, "
            f"of shape {gaussian.shape[-2:]} - the "
            "values were computed wrongly: check the installation of NumPy and its LAPACK"
        )


def gram_invariant(side: np.ndarray, gain: float) -> Invariant:
    """Return the invariant that the rows of `side` (a matrix, or a stack of them) are orthogonal
    and of length `gain`, as exactly as the dtype can say.

    The Gram matrix is not computed, which would take as long as the factor. The distance E = side
    side' - gain^2 I is multiplied by SIGNS vectors of random signs (Freivalds, "Probabilistic
    machines can use less running time", 1977). If an element E_ij exceeds the bound, then for each
    vector one of the two signs of its element j at least makes (E x)_i exceed the bound: the error
    is overlooked with a probability of at most 2^-SIGNS.
    """
    shorter, longer = side.shape[-2:]
    signs = _signs(shorter)
    with np.errstate(all="ignore"):
        product = np.zeros((*side.shape[:-1], SIGNS))
        for start in range(0, longer, SLICE):
            part = side[..., start : start + SLICE].astype(np.float64)
            product += part @ (_turned(part) @ signs)
        worst = float(np.abs(product - gain**2 * signs).max())
    bound = max(gain**2, 1e-30) * (16 * RESOLUTION.get(side.dtype.name, 2.0**-24) + 1e-12)
    return Invariant("distance of the Gram matrix from gain^2 I", worst, bound, worst <= bound)


def _signs(rows: int) -> np.ndarray:
    """Return rows x SIGNS random signs, float64, always the same."""
    words = streams.words(Key(0, "signs"), 0, rows)
    bits = words[:, None] >> np.arange(SIGNS, dtype=np.uint32) & 1
    return 2.0 * bits - 1.0
