"""The base of all laws. A law draws any slice of a tensor from a stream, and states properties that
the values can be tested against.

Constant  Uniform  Normal  TruncatedNormal    element by element, exact to the bit
Structured                                    no randomness: identity
Haar  DeltaOrthogonal                         through a factorization: exact to a tolerance, or to
                                              the bit on request
Loaded  Custom                                values from a file, or from a user's own code
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from initlab.engine import dtypes
from initlab.engine.device import Device, runs_kernels
from initlab.engine.errors import LawError, StreamError
from initlab.engine.laws import blas
from initlab.engine.options import is_number, shown
from initlab.engine.registry import Registry, snake_case
from initlab.engine.streams import (
    LAWS,
    VERSION,
    Distribution,
    Key,
    Piece,
    Source,
    Stream,
    cuda,
    draw_many,
    pool,
    version,
)
from initlab.engine.streams.distribution import NARROWER

REGISTRY: Registry[type[Law]] = Registry("law")
NOWHERE = Key(0, "")
"""The key for laws that draw nothing random."""
LACKING = "{} cannot be drawn from stream {}, which has {} values only - use initlab-1"
LARGEST = 3.4028234663852886e38
"""The largest float32."""
FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
"""The dtypes in which random values are drawn."""
ROUNDED_AT_ONCE = 1 << 19
"""Elements that are drawn as float32 before they are rounded to float16 or bfloat16: enough for
threads to share.
"""
COMPARED_AT_ONCE = 1 << 18
"""Elements that are held to compare them with what a law declares."""
SIDE_BY_SIDE = 1 << 20
"""Elements at most of a matrix that a thread factors by itself. It needs about 16 bytes for each of
them besides the values. A larger matrix has all threads.
"""
_local = threading.local()


def _scratch() -> np.ndarray:
    """This thread's float32 array of ROUNDED_AT_ONCE elements."""
    if not hasattr(_local, "scratch"):
        _local.scratch = np.empty(ROUNDED_AT_ONCE, np.float32)
    scratch: np.ndarray = _local.scratch
    return scratch


@dataclass(frozen=True)
class Invariant:
    """A condition on drawn values: `value`, which was measured, must not exceed `bound`; `ok` says
    whether it holds."""

    name: str
    value: float
    bound: float
    ok: bool


@dataclass(frozen=True)
class Law:
    """Base of all laws."""

    kind: ClassVar[str] = ""
    exactness: ClassVar[str] = "bits"
    random: ClassVar[bool] = True
    sliceable: ClassVar[bool] = True
    """Whether a slice is drawn without drawing the rest."""
    factored: ClassVar[bool] = False
    """Whether the law factors a matrix, which takes so long that threads had better draw one each. Its
    values follow from the key alone.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.kind = snake_case(cls.__name__)
        REGISTRY.add(cls.kind, cls)

    # Moments of one element; None if the law does not state them. They are plain attributes so that a
    # law can have them as fields or as properties.
    mean: ClassVar[Any] = None
    std: ClassVar[Any] = None
    kurtosis: ClassVar[Any] = None
    """Excess kurtosis."""

    @property
    def support(self) -> tuple[float, float]:
        """The smallest and the largest value possible."""
        return -math.inf, math.inf

    def support_in(self, dtype: np.dtype) -> tuple[float, float]:
        """Return the smallest and the largest value possible in a dtype. They differ from `support`
        where the dtype does not have these numbers.
        """
        return self.support

    def cdf(self, x: np.ndarray) -> np.ndarray | None:
        """Return the distribution function at x as float64 of x's shape; None for a law without a
        density.
        """
        return None

    def invariants(self, values: np.ndarray) -> list[Invariant]:
        """Return the conditions that drawn values must fulfil besides their distribution. The
        values have the tensor's shape.
        """
        return []

    def check_invariants(self, values: np.ndarray) -> np.ndarray:
        """Return the values after checking all invariants.

        Raises LawError for the first invariant that does not hold; then the library that computed
        the values is broken.
        """
        for found in self.invariants(values):
            if not found.ok:
                raise LawError(
                    f"{self} of shape {values.shape}: {found.name} is {found.value:.3g}, at most "
                    f"{found.bound:.3g} is allowed - the values "
                    "were computed wrongly: check the installation of NumPy and its LAPACK"
                )
        return values

    def wrong_in(self, values: np.ndarray, shape: tuple[int, ...], start: int) -> int | None:
        """Return how many of `values` differ from the declared ones. `values` are the elements from
        number `start` on, in C order, of a tensor of `shape`.

        NaN equals NaN. None for a law that is random, and for one that cannot give a slice without
        the rest.
        """
        if self.random or not self.sliceable:
            return None
        wrong = 0
        declared = np.empty(min(values.size, COMPARED_AT_ONCE), values.dtype)
        for at in range(0, values.size, COMPARED_AT_ONCE):
            found = values[at : at + COMPARED_AT_ONCE]
            wanted = declared[: found.size]
            self.fill(NOWHERE, shape, start + at, wanted)
            differ = found != wanted
            if differ.any():
                differ &= (found == found) | (wanted == wanted)
                wrong += int(np.count_nonzero(differ))
        return wrong

    def _none_wrong(self, name: str, values: np.ndarray) -> list[Invariant]:
        """Return the invariant of a law that declares each element."""
        wrong = self.wrong_in(values.reshape(-1), values.shape, 0) or 0
        return [Invariant(name, wrong, 0, wrong == 0)]

    def draw(
        self,
        key: Key,
        shape: tuple[int, ...],
        dtype: Any = "float32",
        start: int = 0,
        stop: int | None = None,
    ) -> np.ndarray:
        """Return the tensor of `shape`, or with `start` or `stop` its elements start … stop - 1,
        flat.

        Elements are in C order. Random values are drawn in float64 for float64, in float32 for all
        other dtypes, and rounded once. Raises StreamError for a dtype without random values, and
        LawError if the law cannot fill the shape, the slice lies outside the tensor, or a value
        exceeds the dtype's range.
        """
        whole = start == 0 and stop is None
        end = math.prod(shape) if stop is None else stop
        self._check_slice(shape, start, end)
        resolved = self._resolved(dtype)
        flat = np.empty(end - start, resolved)
        self.fill(key, shape, start, flat)
        return flat.reshape(shape) if whole else flat

    def fill(self, key: Key, shape: tuple[int, ...], start: int, out: np.ndarray) -> None:
        """Draw elements start … start + out.size - 1, in C order, of the tensor of `shape` into
        `out`, a flat, contiguous array. Values are of `out`'s dtype. Errors are `draw`'s."""
        piece = self.fill_or_defer(key, shape, start, out)
        if piece is not None:
            draw_many([piece])

    def fill_or_defer(
        self, key: Key, shape: tuple[int, ...], start: int, out: np.ndarray
    ) -> Piece | None:
        """Fill `out` now, or give the piece that fills it, for `streams.draw_many` to draw together
        with those of other laws.

        The arguments and errors are `fill`'s. A law with a `distribution` gives a piece if `out` is
        float32 or float64; all others fill at once and give None. Every check is made now.
        """
        size, dtype = out.size, out.dtype
        if start or size != math.prod(shape):
            self._check_slice(shape, start, start + size)
        else:
            self.check_shape(shape)
        if dtype is FLOAT32:
            kind = self._narrow
        else:
            dtype = self._resolved(dtype)
            kind = self.distribution(dtype is FLOAT64)
        if kind is None:
            self._write(key, shape, start, out)
            return None
        if dtype is kind.dtype:
            return (kind, key, start, out)
        if dtype.name in NARROWER and out.dtype.isnative and not kind.reaches_beyond(dtype):
            self.check_dtype(dtype)
            return (kind, key, start, out)
        scratch = _scratch()
        for at in range(0, out.size, scratch.size):
            part = scratch[: out.size - at]
            draw_many([(kind, key, start + at, part)])
            out[at : at + part.size] = self._rounded(part, dtype)
        return None

    def draw_on(self, device: Device, key: Key, shape: tuple[int, ...], dtype: Any) -> Any:
        """Return the tensor of `shape` as a raw array that the device itself drew, with the bits of
        `draw`.

        None if the host has to draw: the device runs no kernels, the law has no `distribution`, or
        the kernels do not draw the dtype.
        """
        self.check_shape(shape)
        resolved = self._resolved(dtype)
        kind = (
            self.distribution(resolved == np.float64)
            if runs_kernels(device) and resolved.name in cuda.DTYPES
            else None
        )
        if kind is None:
            return None
        self.check_dtype(resolved)
        flat = cuda.draw(device, kind, key, 0, math.prod(shape), resolved)
        xp = device.use()
        if resolved != kind.dtype and not bool(xp.all(xp.isfinite(flat))):
            raise LawError(
                f"{self} gives values beyond the range of {resolved.name} - use a wider dtype"
            )
        return flat.reshape(shape)

    @property
    def elementwise(self) -> bool:
        """Whether there is a `distribution`."""
        return type(self).distribution is not Law.distribution

    @cached_property
    def _narrow(self) -> Distribution | None:
        """The distribution in float32, which many small tensors ask for."""
        return self.distribution(wide=False)

    def distribution(self, wide: bool) -> Distribution | None:
        """Return the distribution that every element follows, in float64 if `wide`, else in
        float32. None for a law whose elements do not follow one distribution independently of each
        other.
        """
        return None

    def _write(self, key: Key, shape: tuple[int, ...], start: int, out: np.ndarray) -> None:
        """Fill `out`, for a law without a `distribution`."""
        out[:] = self._rounded(
            self._elements(key, shape, start, start + out.size, out.dtype), out.dtype
        )

    def _check_slice(self, shape: tuple[int, ...], start: int, end: int) -> None:
        """Raise LawError if the law cannot fill the shape or the slice lies outside it."""
        self.check_shape(shape)
        size = math.prod(shape)
        if not 0 <= start <= end <= size:
            raise LawError(
                f"slice [{start}, {end}) is not within the {size} elements of shape {shape}"
            )

    def draw_from(
        self, stream: Source, shape: tuple[int, ...], dtype: Any = "float32"
    ) -> np.ndarray:
        """Return the next tensor of a source that gives its values in order. The source advances,
        unless the law is not random.
        """
        if not self.random:
            return self.draw(NOWHERE, shape, dtype)
        self.check_shape(shape)
        if not isinstance(stream, Stream):
            return self._in_order(stream, math.prod(shape), dtypes.name(dtype)).reshape(shape)
        resolved = self._resolved(dtype)
        size = math.prod(shape)
        start = stream.take_wide(size) if resolved == np.float64 else stream.take(size)
        return self._rounded(self._later(stream.key, shape, start, resolved), resolved).reshape(
            shape
        )

    def _in_order(self, source: Source, size: int, dtype: str) -> np.ndarray:
        """Return the next `size` values of another library's stream, for a law that it has."""
        raise StreamError(self._lacking(version()))

    def _lacking(self, name: str) -> str:
        *others, last = (kind.replace("_", " ") for kind in LAWS.get(name, ("no",)))
        having = f"{', '.join(others)} and {last}" if others else last
        return LACKING.format(self, name, having)

    def check_stream(self, name: str) -> None:
        """Raise StreamError if the stream version `name` does not have the law. Other libraries'
        streams have the few kinds that `streams.LAWS` lists.
        """
        if self.random and name != VERSION and self.kind not in LAWS[name]:
            raise StreamError(self._lacking(name))

    def _later(self, key: Key, shape: tuple[int, ...], first: int, dtype: np.dtype) -> np.ndarray:
        """Return, flat, the tensor of `shape` whose first element is element `first` of the stream.

        Raises LawError if the law knows tensors that begin a stream only, and `first` is not 0.
        """
        size = math.prod(shape)
        if first == 0:
            return self._elements(key, shape, 0, size, dtype)
        if not self.elementwise:
            raise LawError(f"{self} can only be the first that is drawn from a stream")
        return self._elements(key, (first + size,), first, first + size, dtype)

    def _resolved(self, dtype: Any) -> np.dtype:
        """Return the dtype. Raises StreamError if no random values are specified for it."""
        resolved = dtypes.resolve(dtype)
        if self.random and dtypes.name(resolved) not in Stream.dtypes:
            raise StreamError(
                f"random values of dtype {resolved.name} are not specified in stream {VERSION} - use float32"
            )
        return resolved

    def _rounded(self, values: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Return the values in `dtype`, those of a distribution within its bounds.

        Raises LawError if a finite value exceeds the range of the dtype, or if the dtype has no
        number within the bounds.
        """
        if values.dtype == dtype:
            return values
        self.check_dtype(dtype)
        kind = self.distribution(wide=False)
        if kind is None and np.can_cast(values.dtype, dtype, "safe"):
            return values.astype(dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            cast = values.astype(dtype) if kind is None else kind.rounded(values, dtype)
        if dtype.kind in "iu":
            limits = np.iinfo(dtype)
            beyond = ~((values >= limits.min) & (values <= limits.max))
        elif dtype.kind == "b":
            return cast
        else:
            beyond = np.isfinite(values) & ~np.isfinite(cast)
        if beyond.any():
            raise LawError(
                f"{self} gives {values[beyond][0]}, which is beyond the range of {dtype.name} - use a "
                "wider dtype"
            )
        return cast

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Raise LawError if the law cannot fill the shape."""

    def check_dtype(self, dtype: np.dtype) -> None:
        """Raise LawError if no number of the dtype lies within the bounds of the law."""
        kind = self.distribution(dtype == np.float64)
        if kind is not None:
            try:
                kind.limits(dtype)
            except StreamError as error:
                raise LawError(f"{self}: {error}") from None

    def _elements(
        self, key: Key, shape: tuple[int, ...], start: int, end: int, dtype: np.dtype
    ) -> np.ndarray:
        """Return elements [start, end) in C order, flat. A random law gives float64 for float64 and
        float32 for all other dtypes; one that is not random may give any dtype.
        """
        kind = self.distribution(dtype == np.float64)
        if kind is None:
            raise NotImplementedError(f"law '{self.kind}' defines no elements")
        out = np.empty(end - start, kind.dtype)
        draw_many([(kind, key, start, out)])
        return out

    def describe(self) -> dict[str, Any]:
        """Return the law as JSON: `kind` and its arguments."""
        return {"kind": self.kind, **{name: as_json(value) for name, value in asdict(self).items()}}

    @classmethod
    def from_options(cls, options: dict[str, Any]) -> Law:
        """Return the law for the arguments that `describe` returned, without `kind`."""
        return cls(**options)


Task = tuple[Law, Key, tuple[int, ...], int, np.ndarray]
"""The arguments of `Law.fill`, the law first."""


def fill_many(tasks: Iterable[Task]) -> None:
    """Fill all arrays as `Law.fill` does, as one block of work: many small tensors cost little more
    than one of their size, and threads factor matrices of moderate size side by side.

    The first error is raised; arrays of other tasks may not have been filled.
    """
    pieces: list[Piece] = []
    apart: list[Task] = []
    for law, key, shape, start, out in tasks:
        if law.factored and out.size <= SIDE_BY_SIDE:
            apart.append((law, key, shape, start, out))
            continue
        piece = law.fill_or_defer(key, shape, start, out)
        if piece is not None:
            pieces.append(piece)
    draw_many(pieces)
    _fill_side_by_side(apart)


def _fill_side_by_side(tasks: list[Task]) -> None:
    if len(tasks) > 1 and pool.workers() > 1:
        with blas.one_thread() as ours:
            if ours:
                pool.share(_fill_alone, tasks)
                return
    for law, key, shape, start, out in tasks:
        law.fill(key, shape, start, out)


def _fill_alone(task: Task) -> None:
    law, key, shape, start, out = task
    with pool.alone():
        law.fill(key, shape, start, out)


def from_description(description: dict[str, Any]) -> Law:
    """Return the law that `describe` described. Raises LawError if the description is of no law."""
    options = dict(description)
    try:
        return REGISTRY.get(str(options.pop("kind", None))).from_options(options)
    except (KeyError, TypeError) as error:
        raise LawError(f"no law can be made of {description!r}: {error}") from None


def as_json(value: Any) -> Any:
    """Return numbers with infinities, which JSON lacks, as text; lists element by element."""
    if isinstance(value, (list, tuple)):
        return [as_json(element) for element in value]
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def from_json(value: Any) -> Any:
    """Return the argument of `as_json` from its result."""
    if isinstance(value, list):
        return [from_json(element) for element in value]
    return float(value) if value in ("inf", "-inf") else value


def check_numbers(law: Law, *names: str, infinite: bool = False) -> None:
    """Convert these fields to Python numbers.

    Raises LawError if a field is no number, or, unless `infinite`, if it is not finite or exceeds
    float32.
    """
    who = law.kind.replace("_", " ")
    for name in names:
        value = getattr(law, name)
        if isinstance(value, np.generic):
            value = value.item()
            object.__setattr__(law, name, value)
        if not (is_number(value) or (infinite and value in (math.inf, -math.inf))):
            raise LawError(
                f"{who}: {name} must be a {'' if infinite else 'finite '}number, got {shown(value)}"
            )
        if LARGEST < abs(value) < math.inf:
            raise LawError(f"{who}: {name} must be within float32's range, got {value!r}")


def check_reach(law: Law, farthest: float) -> None:
    """Raise LawError if float32 cannot hold the drawn value farthest from 0."""
    if farthest > LARGEST:
        raise LawError(f"{law.kind.replace('_', ' ')}: {law} reaches beyond float32's range")
