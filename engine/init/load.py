"""Values from a snapshot, or from a mapping of arrays."""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from initlab.engine import autograd, formats, laws, nd
from initlab.engine.errors import BESIDE, FormatError, MXNetError, OptionError, OptionErrors
from initlab.engine.formats import pages
from initlab.engine.init.base import InitDesc, Initializer, create, describe, register
from initlab.engine.init.description import Description
from initlab.engine.options import LATER, told
from initlab.engine.registry import nearest

PREFIXES = ("arg:", "aux:")
COUNTERS = ("num_batches_tracked",)
"""Tensors in torch's files that count steps: no parameters, and no sign of another network."""
MOST = 8
"""Names that an error lists."""


@register
@dataclass(eq=False, repr=False)
class Load(Initializer):
    """The tensors of a snapshot, each for the parameter that it belongs to.

    Names may begin with `arg:` or `aux:`, as in MXNet's checkpoints. A tensor is found by the
    parameter's path, or by another path of a tied parameter, else by its Gluon name, and must have
    the parameter's shape; its values are cast to the parameter's dtype. Tensors of several paths of
    one parameter must be equal. If Load is given for a network, it takes precedence over a layer's
    default, like a Dense layer's zero bias, but not over an initializer object that was given to
    the layer. MXNet: `Load`.

    A plan, so every run, refuses a snapshot with tensors that no parameter takes, and, without
    `default_init`, one that lacks parameters. With `partial` both are allowed, and listed.
    `initialize` of a block ignores what it does not use, as MXNet does.

    Source: MXNet 1.9.1, python/mxnet/initializer.py.

    Example: initlab init=load init.param=values.safetensors
    """

    param: Any = field(metadata=told("the name of a file"))
    """A file in any snapshot format; in Python a dict of arrays too."""
    default_init: Any = field(
        default=None,
        metadata=told("an initializer: its name, or {kind: …, and its options}, or null"),
    )
    """An initializer for the parameters that the snapshot does not have; null: they are refused."""
    verbose: bool = False
    """Whether each parameter that is loaded is logged."""
    partial: bool = field(default=False, kw_only=True, metadata={LATER: True})
    """Whether tensors without a parameter, and parameters without a tensor, are allowed and listed.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.default_init is not None:
            try:
                self.default_init = create(self.default_init)
            except AssertionError as error:
                raise OptionError(
                    "default_init", f"must be an initializer or the name of one: {error}"
                ) from None
        self.file: str | None = None
        self._snapshot: formats.Snapshot | None = None
        if isinstance(self.param, (str, os.PathLike)):
            self.file = os.fspath(self.param)
            self._snapshot, tensors = _read(self.file)
        elif isinstance(self.param, dict):
            tensors = {str(name): _as_numpy(name, value) for name, value in self.param.items()}
        else:
            raise OptionError(
                "param",
                f"must be the path of a snapshot or a mapping of arrays, got {type(self.param).__name__}",
            )
        self._stored: dict[str, str] = {}
        for name in tensors:
            other = self._stored.setdefault(_without_prefix(name), name)
            if other != name:
                raise OptionError(
                    "param", f"{self._of}has both '{other}' and '{name}', which are one name here"
                )
        self.param = {_without_prefix(name): values for name, values in tensors.items()}
        unread = {} if self._snapshot is None else self._snapshot.unread
        self._unread = {_without_prefix(name): why for name, why in unread.items()}
        self._compared: dict[tuple[str, str], bool] = {}

    def _options(self) -> dict[str, Any]:
        param: Any = self.file
        if self.file is None:
            param = {name: values.tolist() for name, values in self.param.items()}
        options = {"param": param, "default_init": self.default_init, "verbose": self.verbose}
        return options | ({"partial": True} if self.partial else {})

    def dumps(self) -> str:
        """Return the file's path, or the values, and the fallback, as JSON."""
        options = self._options()
        options["default_init"] = None if self.default_init is None else self.default_init.dumps()
        return json.dumps([type(self).__name__.lower(), options])

    def tensor_for(
        self, path: str, name: str | None = None, aliases: Sequence[str] = ()
    ) -> str | None:
        """Return the tensor that a parameter is loaded from; None if there is none."""
        candidates = (path.rpartition("/")[2], *aliases, path, name)
        return next((key for key in candidates if key is not None and key in self.param), None)

    def claims_parameter(self, description: Description) -> bool:
        """Return whether the snapshot has a tensor for one of the parameter's names."""
        return self.tensor_for(description.path, description.name, description.aliases) is not None

    def check_parameters(self, parameters: Sequence[Description]) -> list[str]:
        """Return the lists of tensors that no parameter takes, and of parameters that have none.

        Raises OptionErrors with these lists, unless `partial` or `default_init` allows them.
        """
        found = {one.structural_path: self._found(one) for one in parameters}
        lacking = [path for path, name in found.items() if name is None]
        used = {self._tensors[name] for name in found.values() if name is not None}
        used |= {
            self._tensors[name]
            for one in parameters
            for name in (one.structural_path, *one.aliases)
            if name in self._tensors
        }
        unused = [
            name
            for name, tensor in self._tensors.items()
            if tensor not in used and name.rpartition(".")[2] not in COUNTERS
        ]
        prefix = _prefix(unused, lacking) if len(lacking) == len(parameters) else ""
        if prefix:
            there = f"has every name with '{prefix}' in front: '{prefix}{lacking[0]}' for '{lacking[0]}'"
            raise OptionError("param", f"{self._who} {there} - write a file without it")
        wrong, said = [], []
        if unused:
            line = f"{self._who} has {_counted(unused, 'tensor')} that no parameter takes: "
            close = nearest(unused[0], lacking)
            hint = f"did you mean '{close}'? " if close else ""
            allow = f" - {hint}{BESIDE}partial=true allows it"
            wrong.append(OptionError("param", line + _listed(unused, MOST) + allow))
            said.append(line + _listed(unused))
        if lacking:
            line = f"{self._who} lacks {len(lacking)} of {_counted(parameters, 'parameter')}: "
            if self.default_init is None:
                allow = (
                    f" - give {BESIDE}default_init for them, or {BESIDE}partial=true to keep their "
                    "layers' defaults"
                )
                wrong.append(OptionError("param", line + _listed(lacking, MOST) + allow))
            said.append(line + _listed(lacking))
        if self.partial:
            wrong = []
        OptionErrors.raise_any(wrong + self._misshapen(parameters))
        return said

    def _misshapen(self, parameters: Sequence[Description]) -> list[OptionError]:
        """Return the error that lists the tensors of another shape than their parameters', if there
        are any.
        """
        wrong = []
        for one in parameters:
            name = self._found(one)
            if name is not None and self.param[name].shape != tuple(one.shape):
                wrong.append(_shapes(name, self.param[name].shape, tuple(one.shape)))
        if not wrong:
            return []
        several = len(wrong) > 1
        more = [f"{len(wrong) - MOST} more"] if len(wrong) > MOST else []
        return [
            OptionError(
                "param",
                f"{self._who} has {_counted(wrong, 'tensor')} of another shape than "
                f"{'their parameters' if several else 'its parameter'}: "
                f"{', '.join(wrong[:MOST] + more)} - change the model, or write the file with "
                f"{'these shapes' if several else 'this shape'}",
            )
        ]

    @property
    def _who(self) -> str:
        return self.file or "the mapping"

    @property
    def _of(self) -> str:
        return f"{self.file} " if self.file is not None else ""

    def needs_network(self) -> bool:
        """Return whether `default_init` does."""
        return isinstance(self.default_init, Initializer) and self.default_init.needs_network()

    def claims(self, path: str, name: str | None = None) -> bool:
        """Return whether the snapshot has a tensor for the parameter."""
        return self.tensor_for(path, name) is not None

    def law(self, description: Description) -> laws.Law:
        """Return Loaded (from a file) or Constant (from a mapping), else the fallback's law.

        Raises AssertionError, as MXNet does, if neither has the parameter.
        """
        found = self._tensor(description)
        if found is None:
            return self._fallback(description).law(description)
        return self._law_of(found)

    def _law_of(self, found: str) -> laws.Law:
        """Return the law of a tensor's values."""
        if self.file is None or self._snapshot is None:
            return laws.Constant(self.param[found])
        return laws.Loaded.of(self.file, self._stored[found], self._snapshot)

    def _init_weight(self, name: str, arr: nd.NDArray) -> None:
        description = describe(name, arr)
        found = self._tensor(description)
        if found is None:
            self._fallback(description)._init_weight(name, arr)
        elif self.file is None:
            arr[:] = self.param[found]
        else:
            _fill(arr, self._law_of(found))
        self._report(name, found)

    def _calls_plainly(self) -> bool:
        return self._has_methods_of(Load, "__call__", "_report", "_verbose_print")

    def _law_that_fills(self, description: Description) -> laws.Law | None:
        """Return the law of a tensor in a file, or the fallback's."""
        plain = not self.verbose and self._has_methods_of(Load, "_init_weight", "law")
        found = self._tensor(description) if plain else None
        if found is not None:
            return None if self.file is None else self._law_of(found)
        return self._fallback(description)._law_that_fills(description) if plain else None

    def __call__(self, desc: str, arr: nd.NDArray) -> None:
        """Fill `arr`, which a plain name describes, as MXNet does: a tensor that the snapshot lacks is
        left to the fallback, which goes by the ending of the name.
        """
        description = describe(desc, arr)
        if isinstance(desc, InitDesc) and desc.attrs.get("__init__"):
            super().__call__(desc, arr)
        elif self._tensor(description) is not None:
            self._init_weight(desc, arr)
        else:
            self._fallback(description)(desc, arr)
            self._report(desc, None)

    def _report(self, name: str, found: str | None) -> None:
        if self.verbose:
            logging.info("Initialized %s by %s", name, "default" if found is None else "loading")

    def _tensor(self, description: Description) -> str | None:
        """Return the tensor's name, or None if there is none. Raises AssertionError if its shape
        differs.
        """
        found = self._found(description)
        if found is not None and self.param[found].shape != tuple(description.shape):
            raise AssertionError(
                f"Parameter {description.name} cannot be initialized from loading. Shape mismatch, target "
                f"{tuple(description.shape)} vs "
                f"loaded {self.param[found].shape}"
            )
        return found

    def _found(self, description: Description) -> str | None:
        """Return the tensor's name, or None. Raises OptionError if several paths of the parameter
        have tensors that differ, or the file has one that cannot be given as an array.
        """
        paths = (description.structural_path, *description.aliases)
        for name in (*paths, description.path, description.name):
            if name in self._unread:
                said = f"{self._of}has '{name}', which cannot be loaded: {self._unread[name]}"
                raise OptionError("param", f"{said} - write it in a type that NumPy has")
        names = [name for name in paths if name in self.param]
        for other in names[1:]:
            if not self._are_same(names[0], other):
                raise OptionError(
                    "param",
                    f"{self._of}has other values for '{names[0]}' than for '{other}', which are one "
                    "parameter here - untie them, or take one of them out",
                )
        return self.tensor_for(description.path, description.name, description.aliases)

    def _are_same(self, name: str, other: str) -> bool:
        """Return whether two tensors have the same values. Those of a file are compared once."""
        first, second = self.param[name], self.param[other]
        if first is second or self.file is None:
            return first is second or _same(first, second)
        if (name, other) not in self._compared:
            self._compared[name, other] = _same(first, second)
            pages.release(first)
            pages.release(second)
        return self._compared[name, other]

    @cached_property
    def _tensors(self) -> dict[str, str]:
        """Name -> the tensor that it stands for, which has several names if the snapshot has aliases."""
        aliases = self._snapshot.aliases if self._snapshot is not None else {}
        return {short: aliases.get(name, name) for short, name in self._stored.items()}

    def _fallback(self, description: Description) -> Initializer:
        if self.default_init is None:
            close = nearest(description.structural_path, self.param)
            raise AssertionError(
                f"Cannot Initialize {description.name}. Not found in loaded param and no default "
                "Initializer is provided." + (f" Did you mean '{close}'?" if close else "")
            )
        default: Initializer = self.default_init
        return default


def _fill(arr: nd.NDArray, law: laws.Law) -> None:
    """Write the values of a law that is not random into an array: in its own memory on the host."""
    autograd.check_writable(arr)
    raw = arr.__array__(copy=False) if arr.device.is_host else None
    if raw is not None and raw.flags.c_contiguous:
        law.fill(laws.NOWHERE, arr.shape, 0, raw.reshape(-1))
    else:
        arr[:] = law.draw(laws.NOWHERE, arr.shape, arr.dtype)


def _without_prefix(name: str) -> str:
    return next((name[len(prefix) :] for prefix in PREFIXES if name.startswith(prefix)), name)


def _same(first: np.ndarray, second: np.ndarray) -> bool:
    """Return whether two arrays have the same dtype, shape and bytes."""
    return (
        first.dtype == second.dtype
        and first.shape == second.shape
        and all(
            a.tobytes() == b.tobytes()
            for a, b in zip(pages.blocks(first), pages.blocks(second), strict=True)
        )
    )


def _counted(things: Sequence[object], what: str) -> str:
    return f"{len(things)} {what}{'s' * (len(things) != 1)}"


def _listed(names: Sequence[str], most: int | None = None) -> str:
    more = len(names) - most if most is not None and len(names) > most else 0
    shown = ", ".join(f"'{name}'" for name in names[: len(names) - more])
    return f"{shown} and {more} more" if more else shown


def _read(file: str) -> tuple[formats.Snapshot, dict[str, np.ndarray]]:
    """Return a snapshot, and all its tensors, including aliases under their own names."""
    if not os.path.exists(file):
        raise OptionError(
            "param", f"names a file that does not exist: {file}{_instead(Path(file))}"
        )
    try:
        snapshot = formats.open_shared(file)
    except (FormatError, MXNetError, OSError) as error:
        raise OptionError("param", f"cannot be read: {error}") from error
    aliases = {name: snapshot.tensors[owner] for name, owner in snapshot.aliases.items()}
    return snapshot, snapshot.tensors | aliases


def _instead(file: Path) -> str:
    """Return what may be meant by a file that does not exist, as the end of a message."""
    if file.parts[:1] == ("~",):
        return f" - '~' is not expanded here, write {file.expanduser()}"
    folder = file.parent
    beside = {one.stem: one for one in folder.iterdir()} if folder.is_dir() else {}
    close = nearest(file.stem, beside)
    return f" - did you mean '{beside[close]}'?" if close else ""


def _prefix(unused: Sequence[str], lacking: Sequence[str]) -> str:
    """Return what stands before every parameter's name in a file; '' if there is no such text."""
    if not lacking:
        return ""
    found = next((name for name in unused if name.endswith(f".{lacking[0]}")), "")
    prefix = found.removesuffix(lacking[0])
    return prefix if prefix and {prefix + path for path in lacking} <= set(unused) else ""


def _shapes(name: str, found: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """Return a tensor's shape and its parameter's, with how they are related."""
    relation = ""
    if len(found) > 1 and found == wanted[::-1]:
        relation = ": transposed"
    elif sorted(found) == sorted(wanted):
        relation = ": axes in another order"
    elif [size for size in found if size != 1] == [size for size in wanted if size != 1]:
        relation = ": axes of length 1"
    elif math.prod(found) == math.prod(wanted):
        relation = ": as many elements"
    sizes = ("x".join(map(str, shape)) or "scalar" for shape in (found, wanted))
    return f"'{name}' ({', its parameter '.join(sizes)}{relation})"


def _as_numpy(name: Any, value: Any) -> np.ndarray:
    array = value.asnumpy() if isinstance(value, nd.NDArray) else np.asarray(value)
    if array.dtype.kind not in "biufV":
        raise OptionError(
            "param", f"must map names to arrays of numbers, got {type(value).__name__} for {name!r}"
        )
    return array
