"""Values from a snapshot: by path, then by name; what the file lacks comes from a fallback."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine import formats, laws, nd
from engine.errors import FormatError, OptionError
from engine.init.base import Description, Initializer, create, register


@register
@dataclass(eq=False, repr=False)
class Load(Initializer):
    """Every parameter from `param`: a snapshot file (safetensors, npz, params) or a mapping of names to arrays.

    What is not there comes from `default_init`. Source: MXNet 1.9.1 `initializer.Load`; unlike it, this works with `net.initialize`.
    """

    param: Any
    default_init: Any = None
    verbose: bool = False

    def check_options(self) -> None:
        """A readable file or a mapping."""
        if isinstance(self.param, (str, os.PathLike)):
            self._read_file()
        elif isinstance(self.param, dict):
            self._arrays = {
                str(name).removeprefix("arg:").removeprefix("aux:"): np.asarray(value.asnumpy() if isinstance(value, nd.NDArray) else value)
                for name, value in self.param.items()
            }
            self.param = {name: nd.array(value, dtype=value.dtype) for name, value in self._arrays.items()}
        else:
            raise OptionError("param", f"must be the path of a snapshot or a mapping of arrays, got {self.param!r}")
        self._fallback = None if self.default_init is None else create(self.default_init)

    def _read_file(self) -> None:
        path = Path(self.param)
        try:
            snapshot = formats.get(path).read(path)
        except OSError as error:
            raise OptionError("param", f"cannot be read: {path} ({error.strerror})") from None
        except FormatError as error:
            raise OptionError("param", f"cannot be used: {error}") from None
        tensors = snapshot.tensors | {name: snapshot.tensors[owner] for name, owner in snapshot.aliases.items()}
        self._arrays = {name.removeprefix("arg:").removeprefix("aux:"): value for name, value in tensors.items()}
        self._stored = {name.removeprefix("arg:").removeprefix("aux:"): name for name in tensors}

    def _found(self, path: str, name: str) -> str | None:
        return next((key for key in (path, name) if key in self._arrays), None)

    def claims(self, path: str) -> bool:
        """Whether the file has the path."""
        return path in self._arrays

    def _check_shape(self, key: str, name: str, shape: tuple[int, ...]) -> None:
        loaded = self._arrays[key].shape
        if loaded != shape:
            raise AssertionError(
                f"Parameter {name} cannot be initialized from loading. Shape mismatch, target {shape} vs loaded {loaded}"
            )

    def _default(self, name: str) -> Initializer:
        if self._fallback is None:
            raise AssertionError(
                f"Cannot Initialize {name}. Not found in loaded param and no default Initializer is provided."
            )
        return self._fallback

    def law(self, description: Description) -> laws.Law:
        """Loaded, or the fallback's law."""
        key = self._found(description.path, description.name)
        if key is None:
            return self._default(description.path).law(description)
        self._check_shape(key, description.path, description.shape)
        if isinstance(self.param, dict):
            return laws.Constant(self._arrays[key].tolist())
        return laws.Loaded(str(self.param), self._stored[key])

    def __call__(self, desc: Any, arr: nd.NDArray) -> None:
        """Fill `arr` from the file; MXNet's own call takes a plain name too."""
        if getattr(desc, "attrs", {}).get("__init__"):
            super().__call__(desc, arr)
        else:
            self._init_weight(desc, arr)

    def _init_weight(self, name: Any, arr: nd.NDArray) -> None:
        description = getattr(name, "description", None)
        path = str(name) if description is None else description.path
        key = self._found(path, str(name))
        if key is None:
            fallback = self._default(str(name))
            fallback._init_weight(name, arr) if description is not None else fallback(name, arr)
            return
        self._check_shape(key, str(name), arr.shape)
        arr[:] = nd.array(self._arrays[key], ctx=arr.context, dtype=self._arrays[key].dtype).astype(arr.dtype)
        if self.verbose:
            logging.info("Initialized %s by loading", name)
