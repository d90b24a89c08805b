"""The base of all initializers. An initializer maps a parameter's description to a law. This module
also implements Gluon's protocol for initializers.

    __call__(InitDesc, array)    MXNet's entry: calls the parameter's own initializer; if it has none,
                                 the ending of its name decides
    _init_weight(name, array)    fills the array; a user's class overrides this
    law(description)             the law that the array is filled with; our classes define this

A class that overrides only `_init_weight` has the law `Custom`. Values come from the stream of the
parameter that is being filled, or from the ambient stream if no parameter is. Source: MXNet 1.9.1
python/mxnet/initializer.py.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import math
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from initlab.engine import dtypes, laws, nd, streams
from initlab.engine.init.description import Description
from initlab.engine.options import check_options
from initlab.engine.registry import (
    Registry,
    advice,
    get_alias_func,
    get_create_func,
    get_register_func,
    registry_of,
    snake_case,
)
from initlab.engine.warning import warn

NICKNAME = "initializer"
LEGACY = (
    "Calling initializer with init(str, NDArray) has been deprecated.please use "
    "init(mx.init.InitDesc(...), NDArray) instead."
)


class InitDesc(str):
    """A parameter's name, with what an initializer may know about it (MXNet: `mx.init.InitDesc`).

    `attrs['__init__']` is the parameter's own initializer, `global_init` the network's,
    `description` the parameter's description.
    """

    attrs: dict[str, Any]
    global_init: Any
    description: Description | None

    def __new__(
        cls,
        name: str,
        attrs: dict[str, Any] | None = None,
        global_init: Any = None,
        description: Description | None = None,
    ) -> InitDesc:
        made = super().__new__(cls, name)
        made.attrs = attrs or {}
        made.global_init = global_init
        made.description = description
        return made


def describe(name: str, array: nd.NDArray) -> Description:
    """Return the description that the name carries. For a plain string, make one from the name and
    the array, without roles.
    """
    carried: Description | None = getattr(name, "description", None)
    if carried is not None:
        return carried
    return Description(str(name), str(name), array.shape, dtypes.name(array.dtype))


def root_mean_square(array: nd.NDArray) -> str:
    """Return what `verbose=True` prints about a filled array."""
    return str((nd.norm(array) / math.sqrt(array.size)).asscalar())


def _custom_law(self: Initializer, description: Description) -> laws.Law:
    """Return a law whose values come from the class's own `_init_weight`."""
    return laws.Custom(type(self).__name__)


@lru_cache(maxsize=1024)
def _inherits(cls: Any, base: Any, names: tuple[str, ...]) -> bool:
    return all(getattr(cls, name) is getattr(base, name) for name in names)


class Initializer:
    """Base of all initializers. A subclass passes its options to `super().__init__`, or is a
    dataclass whose fields are its options.
    """

    _verbose: bool = False
    _fills_all: bool = False
    """Whether its class has a `__call__` of its own, which fills every parameter of a network, also
    those with an initializer of their own, as in MXNet.
    """
    _print_func: Callable[[nd.NDArray], Any] | None = None

    def __init__(self, **kwargs: Any) -> None:
        self._kwargs = kwargs

    def __post_init__(self) -> None:
        """Check the options of a dataclass by their types (see `engine.options`)."""
        check_options(self)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "law" not in cls.__dict__ and not {"_init_weight", "__call__"}.isdisjoint(cls.__dict__):
            cls.law = _custom_law  # type: ignore[method-assign]
            cls._fills_all = cls._fills_all or "__call__" in cls.__dict__

    # --- what an initializer is

    def law(self, description: Description) -> laws.Law:
        """Return the law that fills the described parameter.

        Raises ValueError or LawError if this initializer cannot fill it.
        """
        raise NotImplementedError("Must override it")

    def learning_rate_multiplier(self, description: Description) -> float:
        """Return the factor of an optimizer's learning rate for the described parameter."""
        return 1.0

    def claims(self, path: str, name: str | None = None) -> bool:
        """Return whether this initializer, given for a whole network, beats a layer's default (like
        Dense's zero bias) for a parameter.

        `path` and `name` are the parameter's structural path and Gluon name.
        """
        return False

    def claims_parameter(self, description: Description) -> bool:
        """Return whether it `claims` the described parameter."""
        return self.claims(description.path, description.name)

    def needs_network(self) -> bool:
        """Return whether it must know where parameters stand in their network."""
        return False

    def rule_for(self, path: str) -> int | None:
        """Return the number, from 0, of the rule that decides for the path; None if no rule does."""
        return None

    def check(self, paths: Iterable[str]) -> None:
        """Check the options against a network in which this initializer decides for these paths.

        Raises OptionErrors with every option that does not suit the network.
        """

    def check_parameters(self, parameters: Sequence[Description]) -> list[str]:
        """Check the options against all parameters of a network that have no initializer object of
        their own; return what a user should read about them, a line each.

        Raises OptionErrors with every option that does not suit them.
        """
        return []

    def check_network(self, parameters: Sequence[Description]) -> list[str]:
        """Like `check_parameters`, but of what `needs_network` is about only. A network that is
        initialized in a program is checked so; shapes may be unknown.
        """
        return []

    def check_own(self, parameter: Description) -> None:
        """Check that it was chosen for this very parameter with an effect.

        Raises ValueError if the parameter gets what it would get without the choice's purpose.
        """

    @property
    def _kwargs(self) -> dict[str, Any]:
        """The options by name: those given to `__init__`, or a dataclass's fields. MXNet compares
        and dumps these.
        """
        return self.__dict__["_given"] if "_given" in self.__dict__ else self._options()

    @_kwargs.setter
    def _kwargs(self, options: dict[str, Any]) -> None:
        self.__dict__["_given"] = options

    def _options(self) -> dict[str, Any]:
        """Return the fields of the dataclass. Keyword-only fields, which Gluon does not have, come
        last and are left out if they have their default.
        """
        if not dataclasses.is_dataclass(self):
            return {name: value for name, value in vars(self).items() if not name.startswith("_")}
        fields = sorted((f for f in dataclasses.fields(self) if f.init), key=lambda f: f.kw_only)
        return {
            f.name: getattr(self, f.name)
            for f in fields
            if not f.kw_only or getattr(self, f.name) != f.default
        }

    def dumps(self) -> str:
        """Name and options as JSON, from which `create` makes an equal initializer."""
        return json.dumps([type(self).__name__.lower(), self._kwargs])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Initializer):
            return NotImplemented
        return type(self) is type(other) and self._kwargs == other._kwargs

    __hash__ = None  # type: ignore[assignment]

    # --- filling an array

    def __call__(self, desc: str, arr: nd.NDArray) -> None:
        """Fill `arr` as `desc.attrs['__init__']` says, else as the name's ending does."""
        if not isinstance(desc, InitDesc):
            self._init_by_legacy_name(desc, arr)
            return
        if desc.global_init is None:
            desc.global_init = self
        own = desc.attrs.get("__init__", "")
        if own:
            choose(own, self, describe(desc, arr))._init_weight(desc, arr)
            self._verbose_print(desc, own, arr)
            return
        self._init_by_ending(desc, arr)

    def _init_weight(self, name: str, arr: nd.NDArray) -> None:
        law = self._drawable_law(describe(name, arr))
        arr[:] = law.draw_from(streams.current(), arr.shape, dtypes.name(arr.dtype))

    def _drawable_law(self, description: Description) -> laws.Law:
        """Return the law of the nearest class that defines one, so that an overriding
        `_init_weight` can call its parent's.
        """
        for cls in type(self).__mro__:
            law: Callable[[Initializer, Description], laws.Law] | None = cls.__dict__.get("law")
            if law is not None and law is not _custom_law:
                return law(self, description)
        raise NotImplementedError("Must override it")

    # --- for filling many at once

    def law_alone(
        self, own: str | Initializer, description: Description
    ) -> tuple[Initializer, laws.Law] | None:
        """Return (the initializer that fills the parameter, its law).

        This is the network's initializer, `own` the parameter's. Returns None if filling may be
        more than drawing that law: a class has its own `__call__` or `_init_weight`, or filled
        arrays are logged.
        """
        if self._verbose or not own or not self._calls_plainly():
            return None
        chosen = choose(own, self, description)
        plain = chosen._law_that_fills(description)
        return None if plain is None else (chosen, law_for(chosen, description))

    def _calls_plainly(self) -> bool:
        return self._has_methods_of(Initializer, "__call__", "_verbose_print")

    def _law_that_fills(self, description: Description) -> laws.Law | None:
        plain = self._has_methods_of(
            Initializer, "_init_weight", "_drawable_law"
        ) and "law" not in vars(self)
        return self._drawable_law(description) if plain else None

    def _has_methods_of(self, cls: Any, *names: str) -> bool:
        """Return whether neither a subclass nor this object overrides them."""
        own: Any = type(self)
        return _inherits(own, cls, names) and self.__dict__.keys().isdisjoint(names)

    def set_verbosity(
        self, verbose: bool = False, print_func: Callable[[nd.NDArray], Any] | None = None
    ) -> Initializer:
        """Log each filled array with what `print_func` gives of it (default: its root mean square);
        returns self.
        """
        self._verbose = verbose
        self._print_func = print_func or root_mean_square
        return self

    def _verbose_print(self, desc: str, init: Any, arr: nd.NDArray) -> None:
        if self._verbose and self._print_func:
            logging.info("Initialized %s as %s: %s", desc, init, self._print_func(arr))

    # --- by the ending of a name, where no initializer was chosen

    def _init_by_ending(self, desc: InitDesc, arr: nd.NDArray) -> None:
        for ending, method in ENDINGS:
            if desc.endswith(ending):
                getattr(self, method)(desc, arr)
                self._verbose_print(desc, ending, arr)
                return
        self._init_default(desc, arr)

    def _init_by_legacy_name(self, name: Any, arr: Any) -> None:
        warn(f"\x1b[91m{LEGACY}\x1b[0m", DeprecationWarning)
        if not isinstance(name, str):
            raise TypeError("name must be string")
        if not isinstance(arr, nd.NDArray):
            raise TypeError("arr must be NDArray")
        for start, ending, method in LEGACY_NAMES:
            if name.startswith(start) and name.endswith(ending):
                getattr(self, method)(name, arr)
                return
        self._init_default(name, arr)

    def _init_zero(self, name: str, arr: nd.NDArray) -> None:
        arr[:] = 0

    def _init_one(self, name: str, arr: nd.NDArray) -> None:
        arr[:] = 1

    _init_bias = _init_beta = _init_zero
    _init_gamma = _init_one

    def _init_loc_bias(self, name: str, arr: nd.NDArray) -> None:
        """Set the bias of a spatial transformer's localisation: the identity."""
        if arr.shape != (6,):
            raise ValueError(
                f"{name} must have shape (6,) to hold an affine map, it has {arr.shape}"
            )
        arr[:] = np.array([1.0, 0, 0, 0, 1.0, 0])

    def _init_bilinear(self, name: str, arr: nd.NDArray) -> None:
        kernel = (1, 1, arr.shape[2], arr.shape[3])
        arr[:] = np.broadcast_to(
            laws.Structured("bilinear").draw(laws.NOWHERE, kernel, dtypes.name(arr.dtype)),
            arr.shape,
        )

    def _init_quantized_weight(self, name: str, arr: nd.NDArray) -> None:
        arr[:] = nd.random.randint(-127, 127, shape=arr.shape).asnumpy()

    def _init_default(self, name: str, arr: nd.NDArray) -> None:
        raise ValueError(
            f"Unknown initialization pattern for {name}. Default initialization is now limited to "
            '"weight", "bias", "gamma" (1.0), and '
            '"beta" (0.0).Please use mx.sym.Variable(init=mx.init.*) to set initialization pattern'
        )


ENDINGS = (
    ("weight", "_init_weight"),
    ("bias", "_init_bias"),
    ("gamma", "_init_gamma"),
    ("beta", "_init_beta"),
    ("min", "_init_zero"),
    ("max", "_init_one"),
    ("weight_quantize", "_init_quantized_weight"),
    ("bias_quantize", "_init_zero"),
)
"""(end of a name, the method that fills it)."""

LEGACY_NAMES = (
    ("upsampling", "", "_init_bilinear"),
    ("stn_loc", "weight", "_init_zero"),
    ("stn_loc", "bias", "_init_loc_bias"),
    ("", "bias", "_init_bias"),
    ("", "gamma", "_init_gamma"),
    ("", "beta", "_init_beta"),
    ("", "weight", "_init_weight"),
    ("", "moving_mean", "_init_zero"),
    ("", "moving_var", "_init_one"),
    ("", "moving_inv_var", "_init_zero"),
    ("", "moving_avg", "_init_zero"),
    ("", "min", "_init_zero"),
    ("", "max", "_init_one"),
)
"""(start and end of a plain-text name, the method that fills it)."""


def choose(
    own: str | Initializer | None, network: Initializer, description: Description
) -> Initializer:
    """Which initializer fills a parameter: the one place that decides.

    own          decides                                       is
    None         network                                       nothing of the parameter's own
    text         network if it `claims` the parameter, else own    a layer's default: a name, or `dumps()`
    initializer  own                                           chosen for this parameter

    `Parameter.initialize(init=…)` takes the place of the parameter's own.
    """
    if own is None or (isinstance(own, str) and network.claims_parameter(description)):
        return network
    return create(own)


def law_for(initializer: Initializer, description: Description) -> laws.Law:
    """Return the law of all values of a parameter that the initializer fills, its zero rows included.
    A tensor that is loaded stays as it is in the file.
    """
    law = initializer.law(description)
    if not description.zero_rows or not isinstance(law, laws.Law) or isinstance(law, laws.Loaded):
        return law
    return laws.ZeroRows(law, description.zero_rows, description.shape[0])


def filler(
    own: str | Initializer | None, network: Initializer, description: Description
) -> Initializer:
    """Return the initializer whose law the values have: the one that `choose` gives, or the
    network's if its class has a `__call__` of its own.
    """
    return network if network._fills_all else choose(own, network, description)


REGISTRY = registry_of(Initializer, NICKNAME)
KINDS: Registry[type[Initializer]] = Registry("initializer")
"""Initializers by the names that a config uses."""
_register = get_register_func(Initializer, NICKNAME)
alias = get_alias_func(Initializer, NICKNAME)
create = get_create_func(Initializer, NICKNAME)


def register(klass: type) -> type:
    """Register a class: under its lower-case name, as in Gluon, and for configs under its `kind`,
    which is its snake-case name by default. A class with the kind '' is not available in configs.
    Use it as a decorator.
    """
    name = klass.__name__.lower()
    replaced = REGISTRY.get(name) if name in REGISTRY else None
    _register(klass)
    snake = snake_case(klass.__name__)
    if replaced is not None and snake in REGISTRY and REGISTRY.get(snake) is replaced:
        REGISTRY.add(snake, klass)  # _register has already warned of the replacement
    elif snake != name:
        _register(klass, snake)
    kind = klass.__dict__.get("kind", snake)
    if kind:
        KINDS.add(kind, klass)
    return klass


def names() -> list[str]:
    """Return the kinds of all registered initializers, one for each class, e.g. `xavier`,
    `truncated_normal`.
    """
    return sorted(KINDS.entries())


def by_name(kind: str) -> type[Initializer]:
    """Return the class of a kind, or of a Gluon name like `zeros`.

    Raises KeyError with the nearest kind.
    """
    if kind in KINDS:
        return KINDS.get(kind)
    if kind not in REGISTRY:
        raise KeyError(f"no initializer '{kind}' - {advice(kind, names())}")
    return REGISTRY.get(kind)
