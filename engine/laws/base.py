"""What is drawn: a law can draw any slice of a tensor from a stream, and be tested against.

    Constant  Uniform  Normal  TruncatedNormal      element by element, exact to the bit
    Structured                                      no randomness: identity
    Haar                                            through a factorisation: exact to a tolerance, or to the bit on request
    Loaded  Custom                                  values from a file, or from a user's own code
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from engine import dtypes
from engine.errors import LawError, StreamError
from engine.registry import Registry
from engine.streams import Key, Stream, version

REGISTRY: Registry[type[Law]] = Registry("law")
LARGEST = 3.4028234663852886e38
"""The largest float32."""


@dataclass(frozen=True)
class Invariant:
    """Something that must hold of values: `value` is at most `bound` if `ok`."""

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

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.kind = cls.__name__.lower()
        REGISTRY.add(cls.kind, cls)

    # Of one element; None where not stated. Plain attributes, so that a law may have them as fields or as properties.
    mean: ClassVar[Any] = None
    std: ClassVar[Any] = None
    kurtosis: ClassVar[Any] = None
    """Excess kurtosis."""

    @property
    def support(self) -> tuple[float, float]:
        """The smallest and the largest value possible."""
        return -math.inf, math.inf

    def cdf(self, x: np.ndarray) -> np.ndarray | None:
        """The distribution function at x, float64; None where there is no density to test."""
        return None

    def invariants(self, values: np.ndarray) -> list[Invariant]:
        """What must hold of drawn values beyond their distribution."""
        return []

    def draw(
        self, key: Key, shape: tuple[int, ...], dtype: Any = "float32", start: int = 0, stop: int | None = None
    ) -> np.ndarray:
        """The tensor of `shape`, or its elements start … stop - 1 in C order when a slice is asked for.

        Random values are drawn as float32 and rounded once to float16 or bfloat16. StreamError for other dtypes.
        """
        self.check_shape(shape)
        size = math.prod(shape)
        whole = start == 0 and stop is None
        end = size if stop is None else stop
        if not 0 <= start <= end <= size:
            raise LawError(f"slice [{start}, {end}) is not within the {size} elements of shape {shape}")
        resolved = self._resolved(dtype)
        flat = self._elements(key, shape, start, end, resolved)
        flat = flat.astype(resolved, copy=False)
        return flat.reshape(shape) if whole else flat

    def draw_from(self, stream: Stream, shape: tuple[int, ...], dtype: Any = "float32") -> np.ndarray:
        """The next tensor of a stream that is drawn from in order; moves its cursor, unless nothing random is drawn."""
        if not self.random:
            return self.draw(stream.key, shape, dtype)
        self.check_shape(shape)
        resolved = self._resolved(dtype)
        start = stream.take(math.prod(shape))
        return self._later(stream.key, shape, start, resolved).astype(resolved, copy=False).reshape(shape)

    def _later(self, key: Key, shape: tuple[int, ...], first: int, dtype: np.dtype) -> np.ndarray:
        """The tensor of `shape` whose first element is element `first` of the stream, flat."""
        size = math.prod(shape)
        return self._elements(key, (first + size,), first, first + size, dtype)

    def _resolved(self, dtype: Any) -> np.dtype:
        """The dtype. StreamError for one that no random values are specified for."""
        resolved = dtypes.resolve(dtype)
        if self.random and dtypes.name(resolved) not in ("float32", "float16", "bfloat16"):
            raise StreamError(f"random values of dtype {resolved.name} are not specified yet in stream {version()} - use float32")
        return resolved

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """LawError for a shape that the law cannot fill."""

    def _elements(self, key: Key, shape: tuple[int, ...], start: int, end: int, dtype: np.dtype) -> np.ndarray:
        """Elements [start, end) in C order: float32 for a random law, else in any dtype."""
        raise NotImplementedError(f"law '{self.kind}' defines no elements")

    def describe(self) -> dict[str, Any]:
        """The law as JSON: `kind` and its arguments."""
        return {"kind": self.kind, **asdict(self)}


def from_description(description: dict[str, Any]) -> Law:
    """The law that `describe` described. LawError for what is none."""
    options = dict(description)
    try:
        law = REGISTRY.get(str(options.pop("kind", None)))
        return law(**options)
    except (KeyError, TypeError) as error:
        raise LawError(f"no law can be made of {description!r}: {error}") from None


def check_finite(law: str, **numbers: float) -> None:
    """LawError unless all arguments are numbers that float32 can hold."""
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise LawError(f"{law}: {name} must be a finite number, got {value!r}")
        if abs(value) > LARGEST:
            raise LawError(f"{law}: {name} must be within float32's range, got {value!r}")
