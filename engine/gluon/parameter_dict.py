"""ParameterDict: parameters by full name, created by `get` and shared by name (MXNet:
`gluon.ParameterDict`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from functools import lru_cache
from typing import Any

import numpy as np

from initlab.engine import dtypes, nd
from initlab.engine import init as init_module
from initlab.engine.device import Devices
from initlab.engine.gluon.packing import packing
from initlab.engine.gluon.parameter import DEFAULT, Constant, Parameter, device_list
from initlab.engine.gluon.sites import Flowing, note_sites
from initlab.engine.gluon.state import InitLike
from initlab.engine.registry import advised
from initlab.engine.streams import Place, StreamName

NAMING = "https://mxnet.io/api/python/docs/tutorials/packages/gluon/blocks/naming.html"


class ParameterDict:
    """Parameters in the order they were created; the name of each one that `get` creates starts
    with `prefix`.

    `paths` maps parameters that a block collected to their structural paths, so that initializing
    them here gives the same values as initializing the block.
    """

    __module__ = "initlab.engine.gluon.parameter"

    def __init__(self, prefix: str = "", shared: ParameterDict | None = None) -> None:
        self._prefix = prefix
        self._params: OrderedDict[str, Parameter] = OrderedDict()
        self._shared = shared
        self.paths: dict[int, Place] = {}
        self.home: StreamName | None = None
        """The name of the block that it belongs to, if it belongs to one."""
        self.network: Flowing | None = None
        """The block whose parameters were collected here."""
        self.planned = False
        """Whether a plan was made, which has checked the initializer against the network."""

    def __repr__(self) -> str:
        lines = "\n".join(_indented(repr(parameter)) for parameter in self.values())
        return f"{self._prefix + ' ' if self._prefix else ''}(\n{lines}\n)"

    def __getitem__(self, key: str) -> Parameter:
        if key not in self._params:
            raise advised(KeyError(key), key, self._params)
        return self._params[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._params)

    def items(self) -> ItemsView[str, Parameter]:
        """(name, parameter) pairs."""
        return self._params.items()

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return self._params.keys()

    def values(self) -> ValuesView[Parameter]:
        """Return the parameters."""
        return self._params.values()

    @property
    def prefix(self) -> str:
        """The text that the names of its own parameters start with."""
        return self._prefix

    def _find(self, name: str) -> Parameter | None:
        if name in self._params:
            return self._params[name]
        if self._shared is not None and name in self._shared._params:
            self._params[name] = self._shared._params[name]
            return self._params[name]
        return None

    def get(self, name: str, **kwargs: Any) -> Parameter:
        """Return the parameter `prefix + name`, creating it with `kwargs` if it does not exist.

        An existing one keeps its axis roles, since layers of different kinds may share it: an
        embedding and the dense layer on top, say. Raises AssertionError if it disagrees with
        another one of `kwargs`.
        """
        name = self.prefix + name
        parameter = self._find(name)
        if parameter is None:
            parameter = Parameter(name, **kwargs)
            if self.home is not None:
                own = name[len(self.prefix) :]
                parameter.stream_name = StreamName(own, self.home, parameter=True)
            self._params[name] = parameter
            return parameter
        for attribute, value in kwargs.items():
            existing = getattr(parameter, attribute, None)
            if existing is None:
                setattr(parameter, attribute, value)
            elif attribute == "roles":
                continue
            elif attribute == "shape" and len(value) == len(existing) and _merged(value, existing):
                parameter._shape = _merged(value, existing)
            elif not self._agrees(attribute, value, existing):
                raise AssertionError(
                    f"Cannot retrieve Parameter '{name}' because desired attribute does not match with "
                    "stored for attribute "
                    f"'{attribute}': desired '{value}' vs stored '{existing}'."
                )
        return parameter

    @staticmethod
    def _agrees(attribute: str, value: Any, existing: Any) -> bool:
        if value is None or value == existing:
            return True
        return attribute == "dtype" and dtypes.resolve(value) == dtypes.resolve(existing)

    def get_constant(self, name: str, value: Any = None) -> Constant:
        """Return the constant `prefix + name`, creating it with `value` if it does not exist.

        Raises KeyError if it does not exist and no value is given, and AssertionError if the
        existing one is no constant or has another value.
        """
        name = self.prefix + name
        parameter = self._find(name)
        if parameter is None:
            if value is None:
                raise KeyError(
                    f"No constant named '{name}'. Please specify value if you want to create a new constant."
                )
            parameter = Constant(name, value)
            self._params[name] = parameter
        elif not isinstance(parameter, Constant):
            raise AssertionError(f"Parameter '{name}' already exists but it is not a constant.")
        elif value is not None:
            given = value.asnumpy() if isinstance(value, nd.NDArray) else np.asarray(value)
            if parameter.shape != given.shape or not (parameter.value.asnumpy() == given).all():
                raise AssertionError(
                    f"Constant '{name}' already exists but it's value doesn't match new value"
                )
        assert isinstance(parameter, Constant)
        return parameter

    def update(self, other: Any) -> None:
        """Add the parameters of another dictionary.

        Raises AssertionError if it has a different parameter of the same name.
        """
        for name, parameter in other.items():
            if name in self._params and self._params[name] is not parameter:
                raise AssertionError(
                    "Cannot update self with other because they have different Parameters with the same "
                    f"name '{name}'"
                )
        for name, parameter in other.items():
            self._params[name] = parameter
        self.paths |= {k: v for k, v in getattr(other, "paths", {}).items() if k not in self.paths}

    def replace(self, old: Parameter, new: Parameter) -> None:
        """Put `new`, under its own name, in the position of `old`."""
        pairs = [
            (new.name, new) if parameter is old else (name, parameter)
            for name, parameter in self.items()
        ]
        self._params = OrderedDict(pairs)

    def initialize(
        self,
        init: InitLike = DEFAULT,
        ctx: Devices = None,
        verbose: bool = False,
        force_reinit: bool = False,
        *,
        device: Devices = None,
    ) -> None:
        """Initialize every parameter; `init` is used for those without an initializer of their own."""
        chosen: Any = init_module.Uniform() if init is DEFAULT else init
        if verbose:
            chosen.set_verbosity(verbose=verbose)
        if self.network is not None and any(map(_asks, (chosen, *(p.init for p in self.values())))):
            note_sites(self.network)
            if not self.planned:
                init_module.create(chosen).check_network(self._described())
        devices = device_list(ctx if device is None else device)
        with packing() as pack:
            for parameter in self.values():
                pack.initialize(
                    parameter,
                    devices,
                    chosen,
                    force_reinit,
                    self.paths.get(id(parameter)),
                )

    def _described(self) -> list[init_module.Description]:
        """Return descriptions of the parameters that have no initializer object of their own, as
        far as their shapes are known.
        """
        return [
            init_module.Description(
                name,
                self.paths[id(one)].path if id(one) in self.paths else name,
                tuple(one.shape or ()),
                dtypes.name(one.dtype),
                one.roles,
                one.shuffle,
                site=one.site,
            )
            for name, one in self.items()
            if one.init is None or isinstance(one.init, str)
        ]

    def zero_grad(self) -> None:
        """Set every gradient to zero."""
        for parameter in self.values():
            parameter.zero_grad()

    def reset_ctx(self, ctx: Devices) -> None:
        """Move every parameter to other devices."""
        for parameter in self.values():
            parameter.reset_ctx(ctx)

    def list_ctx(self) -> list[Any]:
        """Return all devices that hold a parameter."""
        return list(
            dict.fromkeys(device for parameter in self.values() for device in parameter.list_ctx())
        )

    def setattr(self, name: str, value: Any) -> None:
        """Set an attribute of every parameter."""
        for parameter in self.values():
            setattr(parameter, name, value)

    def save(self, filename: str, strip_prefix: str = "") -> None:
        """Write all values to a `.params` file, by full name without `strip_prefix`.

        Raises ValueError if a name does not start with it.
        """
        arrays = {}
        for parameter in self.values():
            if not parameter.name.startswith(strip_prefix):
                raise ValueError(
                    f"Prefix '{strip_prefix}' is to be striped before saving, but Parameter's name "
                    f"'{parameter.name}' does not start "
                    f"with '{strip_prefix}'. this may be due to your Block shares parameters from other "
                    "Blocks or you forgot to use "
                    "'with name_scope()' when creating child blocks. For more info on naming, please see "
                    f"{NAMING}"
                )
            arrays[parameter.name[len(strip_prefix) :]] = parameter.list_data()[0]
        nd.save(filename, arrays)

    def load(
        self,
        filename: str,
        ctx: Devices = None,
        allow_missing: bool = False,
        ignore_extra: bool = False,
        restore_prefix: str = "",
        cast_dtype: bool = False,
        dtype_source: str = "current",
    ) -> None:
        """Read values from a `.params` file; `restore_prefix` is put in front of the names in it.

        Raises AssertionError if a parameter is missing or superfluous and the options do not allow
        it.
        """
        if restore_prefix:
            for name in self.keys():
                if not name.startswith(restore_prefix):
                    raise AssertionError(
                        f"restore_prefix is '{restore_prefix}' but Parameters name '{name}' does not start "
                        f"with '{restore_prefix}'. "
                        f"For more info on naming, please see {NAMING}"
                    )
        loaded = nd.load(filename)
        self.load_dict(
            loaded,
            ctx,
            allow_missing,
            ignore_extra,
            restore_prefix,
            filename,
            cast_dtype,
            dtype_source,
        )

    def load_dict(
        self,
        param_dict: Mapping[str, nd.NDArray],
        ctx: Devices = None,
        allow_missing: bool = False,
        ignore_extra: bool = False,
        restore_prefix: str = "",
        filename: str | None = None,
        cast_dtype: bool = False,
        dtype_source: str = "current",
    ) -> None:
        """Take values from a mapping of names to arrays.

        A prefix `arg:` or `aux:` of a name is dropped. Raises AssertionError like `load`.
        """
        given = {
            restore_prefix + name.removeprefix("arg:").removeprefix("aux:"): array
            for name, array in param_dict.items()
        }
        where = f"file: {filename}" if filename else "param_dict"
        same = "Please make sure source and target networks have the same prefix."
        if not allow_missing:
            for name in self.keys():
                if name not in given:
                    raise AssertionError(
                        f"Parameter '{name}' is missing in {where}, which contains parameters: "
                        f"{brief(given)}. {same}"
                        f"For more info on naming, please see {NAMING}"
                    )
        for name, array in given.items():
            if name not in self._params:
                if not ignore_extra:
                    raise AssertionError(
                        f"Parameter '{name}' loaded from {where} is not present in ParameterDict, choices "
                        f"are: {brief(self.keys())}. Set "
                        f"ignore_extra to True to ignore. {same}For more info on naming, please see {NAMING}"
                    )
                continue
            self[name]._load_init(array, ctx, cast_dtype=cast_dtype, dtype_source=dtype_source)


def _asks(initializer: object) -> bool:
    """Return whether an initializer, or the name of one, needs to know where parameters stand."""
    if isinstance(initializer, str):
        return _text_asks(initializer)
    return isinstance(initializer, init_module.Initializer) and initializer.needs_network()


@lru_cache(256)
def _text_asks(text: str) -> bool:
    try:
        made: init_module.Initializer = init_module.create(text)
    except (AssertionError, TypeError, ValueError):  # whoever is to be filled by it says so
        return False
    return made.needs_network()


def _merged(first: Any, second: Any) -> tuple[int, ...] | None:
    """Merge two partly known shapes. Returns None if they disagree."""
    merged = []
    for a, b in zip(first, second, strict=True):
        if a != b and a not in (0, -1) and b not in (0, -1):
            return None
        merged.append(b if a in (0, -1) else a)
    return tuple(merged)


def _indented(text: str) -> str:
    return "\n".join("  " + line for line in text.split("\n"))


def brief(names: Any, limit: int = 7) -> str:
    """Return names in quotes; the middle of a list longer than `limit` is left out."""
    names = [f"'{name}'" for name in names]
    if len(names) > limit:
        return f"{', '.join(names[: limit // 2])}, ..., {', '.join(names[-(limit + 1) // 2 :])}"
    return ", ".join(names)
