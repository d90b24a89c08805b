"""Laws of matrices: Haar matrices (uniform on the Stiefel manifold), Gluon's orthogonal matrices,
and the identity.

A Haar matrix is the orthogonal factor of a Gaussian one. `engine.laws.factor` computes it through
LAPACK, which is reproducible to a tolerance, or with `exact` to the same bits on every machine,
which is affordable up to about 1024 x 1024. Every matrix is checked before it is returned.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from initlab.engine import dtypes, streams
from initlab.engine.errors import LawError
from initlab.engine.laws.base import Invariant, Law, check_numbers
from initlab.engine.laws.factor import check_factor, gram_invariant, householder_q, lapack_q
from initlab.engine.streams import Key, Source, Stream
from initlab.engine.streams.words import WORDS_A_BLOCK

TOGETHER = 1 << 18
"""Elements of the matrices that are factored in one call: enough for many small ones, few enough for
the memory that a factorization needs.
"""


def bilinear_kernel(height: int, width: int) -> np.ndarray:
    """(1 - |x/f - c|)(1 - |y/f - c|), f = ceil(width / 2), c = (2f - 1 - f mod 2) / 2f: float64 of
    shape (height, width).
    """
    f = math.ceil(width / 2)
    c = (2 * f - 1 - f % 2) / (2 * f)
    rows, columns = (1 - np.abs(np.arange(n) / f - c) for n in (height, width))
    grid: np.ndarray = rows[:, None] * columns[None, :]
    return grid


@dataclass(frozen=True)
class Haar(Law):
    """A multiple of a uniformly random orthogonal matrix of shape (first axis, product of the
    others). The shorter side is orthonormal.

    Matrix b of r x c is the factor of the stream's elements b r c … (b + 1) r c - 1.

    Formula: gain Q with Q^T Q = 1

    Source: Mezzadri, "How to generate random matrices from the classical compact groups", 2007
    (arXiv:math-ph/0609050).

    Example: {kind: haar, gain: 1}
    """

    sliceable: ClassVar[bool] = False
    factored: ClassVar[bool] = True
    gain: float = 1.0
    """All singular values."""
    exact: bool = False
    """Whether the same bits are drawn on every machine, without LAPACK."""
    blocks: int = field(default=1, kw_only=True)
    """Into how many equal blocks (gates, groups) axis 0 is divided, each with a matrix of its own.
    """

    def __post_init__(self) -> None:
        check_numbers(self, "gain")
        if type(self.blocks) is not int or self.blocks < 1:
            raise LawError(
                f"{self.kind}: blocks must be a whole number of at least 1, got {self.blocks!r}"
            )

    @property
    def exactness(self) -> str:  # type: ignore[override]
        """`bits` with `exact`, else `tolerance`."""
        return "bits" if self.exact else "tolerance"

    @property
    def mean(self) -> float:
        return 0.0

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Raise LawError unless the shape has at least two axes, none of them empty, and axis 0
        divides into the blocks.
        """
        if len(shape) < 2:
            raise LawError(
                f"an orthogonal matrix cannot have shape {shape}: it needs at least 2 axes"
            )
        if 0 in shape:
            raise LawError(f"an orthogonal matrix cannot have shape {shape}: an axis is empty")
        if shape[0] % self.blocks:
            raise LawError(
                f"{self} cannot fill shape {shape}: its axis 0 must divide into {self.blocks} blocks"
            )

    def _elements(
        self, key: Key, shape: tuple[int, ...], start: int, end: int, dtype: np.dtype
    ) -> np.ndarray:
        return self._later(key, shape, 0, dtype)[start:end]

    def _later(self, key: Key, shape: tuple[int, ...], first: int, dtype: np.dtype) -> np.ndarray:
        rows, columns = shape[0] // self.blocks, math.prod(shape[1:])
        gaussian = self._gaussian(key, first, math.prod(shape), dtype).reshape(
            self.blocks, max(rows, columns), min(rows, columns)
        )
        values = np.empty((self.blocks, rows, columns), gaussian.dtype)
        self._fill_factors(gaussian, values if rows >= columns else values.swapaxes(1, 2))
        return self.check_invariants(values.reshape(shape)).reshape(-1)

    @staticmethod
    def _gaussian(key: Key, first: int, count: int, dtype: np.dtype) -> np.ndarray:
        return (streams.normal64 if dtype == np.float64 else streams.normal)(
            key, first, count, 0.0, 1.0
        )

    def _fill_factors(self, gaussian: np.ndarray, out: np.ndarray) -> None:
        """Write gain times the orthogonal factors of matrices (blocks, rows, columns), none of them
        wide, into `out`, which has their shape and dtype.
        """
        step = max(1, TOGETHER // math.prod(gaussian.shape[1:]))
        for start in range(0, len(gaussian), step):
            drawn = gaussian[start : start + step]
            q = np.stack([householder_q(one) for one in drawn]) if self.exact else lapack_q(drawn)
            check_factor(q, drawn)
            np.multiply(q, self.gain, out=out[start : start + step], casting="same_kind")

    def invariants(self, values: np.ndarray) -> list[Invariant]:
        """Return the condition that the Gram matrix of the shorter side, of every block, is gain^2
        times the identity, up to the precision of the dtype.
        """
        return [gram_invariant(self._sides(values), self.gain)]

    def _sides(self, values: np.ndarray) -> np.ndarray:
        """Return the shorter sides of all blocks as the rows of (blocks, shorter, longer)."""
        matrices = values.reshape(self.blocks, values.shape[0] // self.blocks, -1)
        tall = matrices.shape[1] > matrices.shape[2]
        return matrices.swapaxes(1, 2) if tall else matrices

    def describe(self) -> dict[str, Any]:
        """Return the law as JSON; the blocks only if there are several."""
        described = super().describe()
        if self.blocks == 1:
            del described["blocks"]
        return described

    def __str__(self) -> str:
        exact = ", exact" if self.exact else ""
        blocks = f", {self.blocks} blocks" if self.blocks > 1 else ""
        return f"Haar({self.gain:.6g}{exact}{blocks})"


@dataclass(frozen=True)
class SingularVectors(Law):
    """The left singular vectors of a matrix of noise, or the right ones if it is wide, times
    `scale`, computed by LAPACK in the precision of the values.

    LAPACK does not define the signs. Here the largest element of each vector is made positive, and
    then the sign is drawn. MXNet's stream has no values for signs, so with it LAPACK's signs are
    kept.

    Source: MXNet 1.9.1, python/mxnet/initializer.py.

    Example: {kind: singular_vectors, scale: 1.414, noise: uniform}
    """

    exactness: ClassVar[str] = "tolerance"
    sliceable: ClassVar[bool] = False
    scale: float = 1.414
    """All singular values."""
    noise: str = "uniform"
    """The law of the noise: uniform or normal."""

    def __post_init__(self) -> None:
        check_numbers(self, "scale")
        if self.noise not in ("uniform", "normal"):
            raise LawError(
                f"singular vectors: noise must be 'uniform' or 'normal', got {self.noise!r}"
            )

    @property
    def mean(self) -> float:
        return 0.0

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Raise LawError unless the shape has at least two axes, none of them empty."""
        Haar().check_shape(shape)

    def _elements(
        self, key: Key, shape: tuple[int, ...], start: int, end: int, dtype: np.dtype
    ) -> np.ndarray:
        return self._later(key, shape, 0, dtype)[start:end]

    def draw_from(
        self, stream: Source, shape: tuple[int, ...], dtype: Any = "float32"
    ) -> np.ndarray:
        """Return the next matrix of a source. The signs are drawn from the source too."""
        if not isinstance(stream, Stream):
            self.check_shape(shape)
            low, high = (-1.0, 1.0) if self.noise == "uniform" else (0.0, 1.0)
            noise = getattr(stream, self.noise)(low, high, math.prod(shape))
            return self._rounded(
                self._vectors(noise.reshape(shape[0], -1), None), dtypes.resolve(dtype)
            ).reshape(shape)
        drawn = super().draw_from(stream, shape, dtype)
        stream.take(min(shape[0], math.prod(shape[1:])))
        return drawn

    def check_stream(self, name: str) -> None:
        """Do nothing: every stream has the noise that the law draws."""

    def _later(self, key: Key, shape: tuple[int, ...], first: int, dtype: np.dtype) -> np.ndarray:
        rows, columns = shape[0], math.prod(shape[1:])
        size, wide = rows * columns, dtype == np.float64
        if self.noise == "uniform":
            noise = (streams.uniform64 if wide else streams.uniform)(key, first, size, -1.0, 1.0)
        else:
            noise = (streams.normal64 if wide else streams.normal)(key, first, size, 0.0, 1.0)
        after = -(-(first + size) * (2 if wide else 1) // WORDS_A_BLOCK) * WORDS_A_BLOCK
        signs = np.where(
            streams.uniform(key, after, min(rows, columns), 0.0, 1.0) < 0.5, -1, 1
        ).astype(noise.dtype)
        return self._vectors(noise.reshape(rows, columns), signs).reshape(-1)

    def _vectors(self, noise: np.ndarray, signs: np.ndarray | None) -> np.ndarray:
        try:
            u, _, v = np.linalg.svd(noise, full_matrices=False)
        except np.linalg.LinAlgError as error:
            raise LawError(
                f"{self}: LAPACK could not decompose a matrix of shape {noise.shape}: {error}"
            ) from None
        columns = u if u.shape == noise.shape else v.T
        if signs is not None:
            largest = columns[np.abs(columns).argmax(axis=0), np.arange(columns.shape[1])]
            columns = columns * np.where(largest < 0, -signs, signs)
        return self.check_invariants(
            noise.dtype.type(self.scale) * (columns if u.shape == noise.shape else columns.T)
        )

    def invariants(self, values: np.ndarray) -> list[Invariant]:
        """Return the condition that the shorter side's Gram matrix is scale^2 times the identity,
        up to the precision of float32's factorization and of the dtype.
        """
        return [
            Invariant(i.name, i.value, bound := 64 * i.bound, i.value <= bound)
            for i in Haar(self.scale).invariants(values)
        ]

    def __str__(self) -> str:
        return f"SingularVectors({self.scale:.6g}, {self.noise})"


@dataclass(frozen=True)
class Structured(Law):
    """Values without randomness.

    `identity` has gain on the diagonal of the channel axes, for convolution kernels at the centre
    tap ((k - 1) // 2). `bilinear` has gain times an interpolating kernel over the two axes that are
    not the channels'.

    Example: {kind: structured, name: identity, gain: 1}
    """

    random: ClassVar[bool] = False
    name: str = "identity"
    """identity or bilinear."""
    gain: float = 1.0
    """The factor."""
    channels: tuple[int, ...] = (0, 1)
    """The two channel axes."""
    blocks: int = 1
    """Into how many blocks (groups, gates) axis 0 is divided, each with its own diagonal."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", tuple(self.channels))
        if self.name not in ("identity", "bilinear"):
            raise LawError(f"structured: no structure '{self.name}' - known: bilinear, identity")
        check_numbers(self, "gain")
        whole = all(type(number) is int for number in (*self.channels, self.blocks))
        if not whole or len({n for n in self.channels if n >= 0}) != 2 or self.blocks < 1:
            raise LawError(
                f"structured: no tensor has channel axes {self.channels!r} and {self.blocks!r} blocks"
            )

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Raise LawError unless a bilinear kernel has 4 axes and an identity at least 2, with both
        channel axes and equal blocks.
        """
        if self.name == "bilinear" and len(shape) != 4:
            raise LawError(
                f"a bilinear kernel cannot have shape {shape}: it needs 4 axes, two for channels and two "
                "for the kernel"
            )
        if len(shape) < 2:
            raise LawError(f"an identity cannot have shape {shape}: it needs at least 2 axes")
        if len(shape) <= max(self.channels) or shape[0] % self.blocks:
            raise LawError(
                f"{self} cannot fill shape {shape}: its channel axes are {self.channels}, and "
                f"axis 0 has {self.blocks} equal blocks"
            )

    @property
    def support(self) -> tuple[float, float]:
        return min(0.0, self.gain), max(0.0, self.gain)

    def invariants(self, values: np.ndarray) -> list[Invariant]:
        """Return the condition that every element is the declared one."""
        return self._none_wrong(f"elements that differ from the {self.name}", values)

    def describe(self) -> dict[str, Any]:
        """Return the law as JSON; axes and blocks only if they are not the usual ones."""
        return {key: value for key, value in super().describe().items() if value != USUAL.get(key)}

    def _elements(
        self, key: Key, shape: tuple[int, ...], start: int, end: int, dtype: np.dtype
    ) -> np.ndarray:
        channels = self.channels
        kernel_axes = [axis for axis in range(len(shape)) if axis not in channels]
        if self.name == "bilinear":
            kernel = np.zeros([shape[axis] for axis in kernel_axes], dtype)
            if math.prod(shape):
                kernel = self._rounded(self.gain * bilinear_kernel(*kernel.shape), dtype)
            return np.broadcast_to(np.expand_dims(kernel, channels), shape).flat[start:end]
        elements = np.zeros(end - start, dtype)
        if not math.prod(shape):
            return elements
        strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
        centre = sum(strides[axis] * ((shape[axis] - 1) // 2) for axis in kernel_axes)
        rows = shape[0] // self.blocks
        length = min(rows if axis == 0 else shape[axis] for axis in channels)
        step = sum(strides[axis] for axis in channels)  # between two elements of a diagonal
        gain, block = self._rounded(np.asarray(self.gain), dtype), rows * strides[0]
        for first in range(start // block * block + centre, end, block):
            before = max(0, -(-(start - first) // step))  # of this diagonal, those before the slice
            upto = min(length, max(0, -(-(end - first) // step)))
            stop = max(0, first + upto * step - start)
            elements[first + before * step - start : stop : step] = gain
        return elements

    def __str__(self) -> str:
        axes = f", channel axes {self.channels}" if self.channels != (0, 1) else ""
        blocks = f", {self.blocks} blocks" if self.blocks > 1 else ""
        return f"{self.name.capitalize()}({self.gain:.6g}{axes}{blocks})"


USUAL = {"channels": [0, 1], "blocks": 1}
"""The layout of `Structured` that is MXNet's: (out, in, *kernel)."""
