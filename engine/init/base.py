"""What an initializer is: a dataclass that maps the description of a parameter to the law its values follow.

It draws nothing itself, so every initializer can be planned, streamed, reproduced and audited. MXNet's protocol is kept: a call with a
name and an array fills the array, and a subclass may define `_init_weight(name, data)` instead of `law`; then its law is `Custom`.
Source: MXNet 1.9.1 python/mxnet/initializer.py.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine import dtypes, laws, nd
from engine.errors import OptionError
from engine.registry import advice, get_alias_func, get_create_func, get_register_func, registry_of, snake_case
from engine.streams import current

ROLES = ("out", "in", "spatial", "group")


@dataclass(frozen=True)
class Fans:
    """`fan_in`: inputs that feed one output unit; `fan_out`: outputs that one input unit feeds."""

    fan_in: int
    fan_out: int

    def choose(self, mode: str) -> float:
        """The fan that `in`, `out`, `avg` or `geo` (geometric mean) names."""
        match mode:
            case "in":
                return self.fan_in
            case "out":
                return self.fan_out
            case "avg":
                return (self.fan_in + self.fan_out) / 2
            case "geo":
                return math.sqrt(self.fan_in * self.fan_out)
        raise ValueError(f"no fan '{mode}'")


@dataclass(frozen=True)
class Description:
    """All that an initializer may know of a parameter.

    `roles` has one entry an axis: `out` and `in` for output and input units, `spatial` for kernel axes, `group` for an axis of
    independent groups. None where the parameter's block declares none; then fans come from the shape, as MXNet's do.
    """

    name: str
    path: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    roles: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.roles is not None and (len(self.roles) != len(self.shape) or not set(self.roles) <= set(ROLES)):
            raise ValueError(f"parameter '{self.path}' of shape {self.shape} cannot have the axis roles {self.roles}")

    @property
    def fans(self) -> Fans:
        """The fans by axis roles. ValueError for a parameter with fewer than two axes."""
        if self.roles is None:
            return self.shape_fans
        self._need_matrix()
        size = {role: math.prod(n for n, r in zip(self.shape, self.roles, strict=True) if r == role) for role in ROLES}
        return Fans(size["in"] * size["spatial"], size["out"] * size["spatial"])

    @property
    def shape_fans(self) -> Fans:
        """MXNet's rule: axis 0 is out, axis 1 is in, the others are spatial."""
        self._need_matrix()
        field = math.prod(self.shape[2:])
        return Fans(self.shape[1] * field, self.shape[0] * field)

    def _need_matrix(self) -> None:
        if len(self.shape) < 2:
            raise ValueError(f"a fan of '{self.path}' was asked for, but its shape {self.shape} has fewer than 2 axes")


class InitDesc(str):
    """A parameter's name with what is known of it (MXNet: `initializer.InitDesc`); `attrs['__init__']` names its own initializer."""

    attrs: dict[str, Any]
    global_init: Any
    description: Description | None

    def __new__(
        cls, name: str, attrs: dict[str, Any] | None = None, global_init: Any = None, description: Description | None = None
    ) -> InitDesc:
        made = super().__new__(cls, name)
        made.attrs = attrs or {}
        made.global_init = global_init
        made.description = description
        return made


class Initializer:
    """Base of all initializers. A subclass defines `law`, or Gluon's `_init_weight`."""

    def __init__(self, **kwargs: Any) -> None:
        self._kwargs = kwargs
        self._verbose = False
        self._print_func: Callable[[Any], str] | None = None

    def __post_init__(self) -> None:
        """A dataclass's options, checked by `check_options`, are its `_kwargs`."""
        self._verbose = False
        self._print_func = None
        self.check_options()
        self._kwargs = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}  # type: ignore[arg-type]

    def check_options(self) -> None:
        """OptionError for an option whose value cannot be."""

    def law(self, description: Description) -> laws.Law:
        """The law of a parameter's first values. ValueError where the initializer cannot be applied to it."""
        if type(self)._init_weight is Initializer._init_weight:
            raise NotImplementedError("Must override it")
        return laws.Custom(type(self).__name__)

    def claims(self, path: str) -> bool:
        """Whether this initializer names the parameter at `path`, so that a layer's default (a zero bias) gives way to it."""
        return False

    # --- MXNet's protocol ----------------------------------------------------------------------------------------------------

    def set_verbosity(self, verbose: bool = False, print_func: Callable[[Any], str] | None = None) -> Initializer:
        """Whether to log what was initialized, and the function that describes the values."""
        self._verbose = verbose
        self._print_func = print_func or (lambda x: str((nd.norm(x) / math.sqrt(x.size)).asscalar()))
        return self

    def _verbose_print(self, desc: InitDesc, init: str, arr: nd.NDArray) -> None:
        if self._verbose and self._print_func:
            logging.info("Initialized %s as %s: %s", desc, init, self._print_func(arr))

    def dumps(self) -> str:
        """The initializer as JSON: its registered name and options."""
        for key, value in self._kwargs.items():
            if isinstance(value, (nd.NDArray, np.ndarray)):
                self._kwargs[key] = value.tolist()
        return json.dumps([type(self).__name__.lower(), self._kwargs])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Initializer):
            return NotImplemented
        return type(self) is type(other) and self._kwargs == other._kwargs

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return object.__repr__(self)

    def __call__(self, desc: Any, arr: nd.NDArray) -> None:
        """Fill `arr`: by the initializer that `desc` names, else by the ending of its name."""
        if not isinstance(desc, InitDesc):
            self._legacy_init(desc, arr)
            return
        if desc.global_init is None:
            desc.global_init = self
        own = desc.attrs.get("__init__", "")
        if own:
            create(own)._init_weight(desc, arr)
            self._verbose_print(desc, own, arr)
            return
        for ending, method in self._ENDINGS:
            if desc.lower().endswith(ending):
                getattr(self, method)(desc, arr)
                self._verbose_print(desc, ending, arr)
                return
        self._init_default(desc, arr)

    _ENDINGS = (
        ("weight", "_init_weight"),
        ("bias", "_init_bias"),
        ("gamma", "_init_gamma"),
        ("beta", "_init_beta"),
        ("min", "_init_zero"),
        ("max", "_init_one"),
        ("bias_quantize", "_init_zero"),
    )
    _LEGACY_ENDINGS = (
        ("bias", "_init_bias"),
        ("gamma", "_init_gamma"),
        ("beta", "_init_beta"),
        ("weight", "_init_weight"),
        ("moving_mean", "_init_zero"),
        ("moving_var", "_init_one"),
        ("moving_inv_var", "_init_zero"),
        ("moving_avg", "_init_zero"),
        ("min", "_init_zero"),
        ("max", "_init_one"),
    )

    def _legacy_init(self, name: Any, arr: nd.NDArray) -> None:
        warnings.warn(
            "\x1b[91mCalling initializer with init(str, NDArray) has been deprecated."
            "please use init(mx.init.InitDesc(...), NDArray) instead.\x1b[0m",
            DeprecationWarning,
            stacklevel=3,
        )
        if not isinstance(name, str):
            raise TypeError("name must be string")
        if not isinstance(arr, nd.NDArray):
            raise TypeError("arr must be NDArray")
        for ending, method in self._LEGACY_ENDINGS:
            if name.endswith(ending):
                getattr(self, method)(name, arr)
                return
        self._init_default(name, arr)

    def _init_weight(self, name: Any, arr: nd.NDArray) -> None:
        """Fill `arr` from the current stream by `law`."""
        description = getattr(name, "description", None)
        if description is None or description.shape != arr.shape:
            description = Description(str(name), str(name), arr.shape, dtypes.name(arr.dtype))
        values = self.law(description).draw_from(current(), arr.shape, arr.dtype)
        arr[:] = nd.array(values, ctx=arr.context, dtype=values.dtype)

    def _init_bias(self, name: Any, arr: nd.NDArray) -> None:
        arr[:] = 0

    def _init_gamma(self, name: Any, arr: nd.NDArray) -> None:
        arr[:] = 1

    def _init_beta(self, name: Any, arr: nd.NDArray) -> None:
        arr[:] = 0

    def _init_zero(self, name: Any, arr: nd.NDArray) -> None:
        arr[:] = 0

    def _init_one(self, name: Any, arr: nd.NDArray) -> None:
        arr[:] = 1

    def _init_default(self, name: Any, arr: nd.NDArray) -> None:
        raise ValueError(
            f"Unknown initialization pattern for {name}. Default initialization is now limited to "
            '"weight", "bias", "gamma" (1.0), and "beta" (0.0).'
            "Please use mx.sym.Variable(init=mx.init.*) to set initialization pattern"
        )


_register = get_register_func(Initializer, "initializer")
alias = get_alias_func(Initializer, "initializer")
create = get_create_func(Initializer, "initializer")
_KINDS: dict[str, type[Initializer]] = {}


def register(klass: type[Initializer]) -> type[Initializer]:
    """Make an initializer known by its lower-case class name (as Gluon does) and by its snake-case kind."""
    _register(klass)
    kind = snake_case(klass.__name__)
    _KINDS[kind] = klass
    registry_of(Initializer, "initializer").add(kind, klass)
    return klass


def names() -> list[str]:
    """The kinds of all initializers, one a class."""
    return sorted(_KINDS)


def by_name(kind: str) -> type[Initializer]:
    """The class of a kind, or of any name Gluon knows it by; KeyError with the nearest name."""
    registry = registry_of(Initializer, "initializer")
    if kind in _KINDS:
        return _KINDS[kind]
    if kind in registry:
        return registry.get(kind)
    raise KeyError(f"no initializer '{kind}' - {advice(kind, names())}")


def check_number(option: str, value: Any, *, positive: bool = False, minimum: float | None = None) -> None:
    """OptionError unless `value` is a finite number (above 0 with `positive`, at least `minimum`)."""
    wanted = "a positive number" if positive else "a number" if minimum is None else f"a number of at least {minimum:g}"
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool) and math.isfinite(value)
    if not number or (positive and value <= 0) or (minimum is not None and value < minimum):
        raise OptionError(option, f"must be {wanted}, got {value!r}")


def check_choice(option: str, value: Any, choices: tuple[str, ...]) -> None:
    """OptionError unless `value` is one of `choices`."""
    if value not in choices:
        raise OptionError(option, f"cannot be {value!r} - {advice(str(value), choices)}")


def check_flag(option: str, value: Any) -> None:
    """OptionError unless `value` is True or False."""
    if not isinstance(value, bool):
        raise OptionError(option, f"must be true or false, got {value!r}")
