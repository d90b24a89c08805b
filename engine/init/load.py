"""Values from a snapshot, or from a mapping of arrays."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from initlab.engine import formats, laws, nd
from initlab.engine.errors import FormatError, MXNetError, OptionError
from initlab.engine.init.base import InitDesc, Initializer, create, describe, register
from initlab.engine.init.description import Description
from initlab.engine.registry import nearest

PREFIXES = ("arg:", "aux:")


@register
@dataclass(eq=False, repr=False)
class Load(Initializer):
    """The tensor of a snapshot that belongs to the parameter. `default_init` fills parameters that
    the snapshot does not have.

    `param` is a file in any snapshot format, or a dict of arrays. Names may begin with `arg:` or
    `aux:`, as in MXNet's checkpoints. A tensor is found by the parameter's path, else by its Gluon
    name, and must have the parameter's shape; its values are cast to the parameter's dtype. If Load
    is given for a network, it takes precedence over a layer's default, like a Dense layer's zero
    bias, but not over an initializer object that was given to the layer. MXNet: `Load`.
    """

    param: Any
    default_init: Any = None
    verbose: bool = False

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
        if isinstance(self.param, (str, os.PathLike)):
            self.file = os.fspath(self.param)
            tensors = _read(self.file)
        elif isinstance(self.param, dict):
            tensors = {str(name): _as_numpy(name, value) for name, value in self.param.items()}
        else:
            raise OptionError(
                "param",
                f"must be the path of a snapshot or a mapping of arrays, got {type(self.param).__name__}",
            )
        self._stored = {_without_prefix(name): name for name in tensors}
        self.param = {_without_prefix(name): values for name, values in tensors.items()}

    def _options(self) -> dict[str, Any]:
        param: Any = self.file
        if self.file is None:
            param = {name: values.tolist() for name, values in self.param.items()}
        return {"param": param, "default_init": self.default_init, "verbose": self.verbose}

    def dumps(self) -> str:
        """Return the file's path, or the values, and the fallback, as JSON."""
        options = self._options()
        options["default_init"] = None if self.default_init is None else self.default_init.dumps()
        return json.dumps([type(self).__name__.lower(), options])

    def tensor_for(self, path: str, name: str | None = None) -> str | None:
        """Return the tensor that a parameter is loaded from; None if there is none."""
        candidates = (path.rpartition("/")[2], path, name)
        return next((key for key in candidates if key is not None and key in self.param), None)

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
        if self.file is not None:
            return laws.Loaded(self.file, self._stored[found])
        return laws.Constant(self.param[found])

    def _init_weight(self, name: str, arr: nd.NDArray) -> None:
        description = describe(name, arr)
        found = self._tensor(description)
        if found is None:
            self._fallback(description)._init_weight(name, arr)
        else:
            arr[:] = self.param[found]
        self._report(name, found)

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
        found = self.tensor_for(description.path, description.name)
        if found is not None and self.param[found].shape != tuple(description.shape):
            raise AssertionError(
                f"Parameter {description.name} cannot be initialized from loading. Shape mismatch, target "
                f"{tuple(description.shape)} vs "
                f"loaded {self.param[found].shape}"
            )
        return found

    def _fallback(self, description: Description) -> Initializer:
        if self.default_init is None:
            close = nearest(description.structural_path, self.param)
            raise AssertionError(
                f"Cannot Initialize {description.name}. Not found in loaded param and no default "
                "Initializer is provided." + (f" Did you mean '{close}'?" if close else "")
            )
        default: Initializer = self.default_init
        return default


def _without_prefix(name: str) -> str:
    return next((name[len(prefix) :] for prefix in PREFIXES if name.startswith(prefix)), name)


def _read(file: str) -> dict[str, np.ndarray]:
    """Return all tensors of a snapshot, including aliases under their own names."""
    try:
        snapshot = formats.get(file).read(file)
    except FileNotFoundError:
        raise OptionError("param", f"names a file that does not exist: {file}") from None
    except (FormatError, MXNetError, OSError) as error:
        raise OptionError("param", f"cannot be read: {error}") from error
    return snapshot.tensors | {
        name: snapshot.tensors[owner] for name, owner in snapshot.aliases.items()
    }


def _as_numpy(name: Any, value: Any) -> np.ndarray:
    array = value.asnumpy() if isinstance(value, nd.NDArray) else np.asarray(value)
    if array.dtype.kind not in "biufV":
        raise OptionError(
            "param", f"must map names to arrays of numbers, got {type(value).__name__} for {name!r}"
        )
    return array
