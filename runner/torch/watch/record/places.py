"""Who writes: the frames of the Python stack from an operation outwards.

Code is of one of four kinds, by its file:

    init    functions that fill a given tensor: `torch.nn.init`, and the same of transformers and timm
    layers  the rest of `torch.nn`: constructors, `reset_parameters`, `load_state_dict`
    skipped the rest of torch, Python's standard library, and this room
    user    everything else: the model's code

The writer of a value is the nearest function of the model's code. Where a layer of torch writes in its
own constructor, it is the function of that layer.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from functools import cache
from types import CodeType, FrameType
from typing import Any, NamedTuple

import torch

INIT, LAYERS, SKIPPED, USER = "init", "layers", "skipped", "user"
TORCH = os.path.dirname(torch.__file__) + os.sep
HERE = os.path.dirname(os.path.dirname(__file__)) + os.sep
LIBRARY = tuple(sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib"))
INSTALLED = tuple({sysconfig.get_path(name) + os.sep for name in ("purelib", "platlib")})
FILLING = (
    os.path.join("torch", "nn", "init.py"),
    os.path.join("transformers", "initialization.py"),
    os.path.join("timm", "layers", "weight_init.py"),
    os.path.join("timm", "models", "layers", "weight_init.py"),
)
RESETS = ("reset_parameters", "_reset_parameters")
"""What torch calls the functions by which a layer fills its own parameters."""
LOADS = ("load_state_dict", "_load_from_state_dict")
DEPTH = 3
"""Functions of the model's code by which two places are told apart."""


class Call(NamedTuple):
    """A call of a function that fills a tensor, with the numbers and words it was given."""

    name: str
    arguments: tuple[tuple[str, object], ...]

    def __str__(self) -> str:
        given = ", ".join(f"{name}={text(value)}" for name, value in self.arguments)
        return f"{self.name}({given})"


class Place(NamedTuple):
    """Where an operation was called from.

    `chain` has the file, function and line of the nearest functions of the model's code, the nearest
    first. `layer` is the function of torch's layers on the way, if there is one. `calls` are those of
    functions that fill tensors, the nearest to the operation first. `maker` is the id of the object
    whose `__init__` is the nearest function, else None.
    """

    chain: tuple[tuple[str, str, int], ...]
    layer: tuple[str, str] | None
    constructing: bool
    """Whether it is part of a constructor of torch's layers, or a layer's own `reset_parameters` in
    its constructor.
    """
    loading: bool
    calls: tuple[Call, ...]
    maker: int | None

    @property
    def writer(self) -> tuple[str, str]:
        """(file, function)."""
        if self.layer is not None and self.constructing:
            return self.layer
        return self.chain[0][:2] if self.chain else ("?", "?")

    def __str__(self) -> str:
        """Return file, line and function in a few words."""
        if not self.chain:
            return "?"
        path, function, line = self.chain[0]
        text = f"{path}:{line} {function}"
        return text if self.layer is None else f"{text}, by {self.layer[0]} {self.layer[1]}"


def text(value: object) -> str:
    """Return a number in at most six digits, anything else as Python writes it."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


@cache
def shown(path: str) -> str:
    """Return a file's path from its package on: `torch/nn/init.py`; else its last two parts."""
    for root in INSTALLED:
        if path.startswith(root):
            return path[len(root) :].replace(os.sep, "/")
    package = os.path.dirname(path)
    parts = [os.path.basename(path)]
    while os.path.isfile(os.path.join(package, "__init__.py")):
        parts.insert(0, os.path.basename(package))
        package = os.path.dirname(package)
    return "/".join(parts)


@cache
def known(code: CodeType) -> tuple[str, str, str]:
    """Return (kind, file, function) of a function's code."""
    path, name = code.co_filename, code.co_name
    if path.endswith(FILLING):
        kind = INIT
    elif path.startswith(TORCH):
        kind = LAYERS if path.startswith(os.path.join(TORCH, "nn") + os.sep) else SKIPPED
    elif (
        path.startswith((HERE, "<frozen"))
        or path.startswith(LIBRARY)
        and not path.startswith(INSTALLED)
    ):
        kind = SKIPPED
    else:
        kind = USER
    return kind, shown(path), name


def _called(frame: FrameType) -> Call:
    code = frame.f_code
    values: dict[str, Any] = frame.f_locals
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    given = [
        (name, values[name]) for name in names if isinstance(values.get(name), (int, float, str))
    ]
    return Call(code.co_name, tuple(given))


def place(depth: int) -> Place:
    """Return the place of the operation that is `depth` frames above this function."""
    frame: FrameType | None = sys._getframe(depth)
    layer: tuple[str, str] | None = None
    constructing = loading = False
    calls: list[Call] = []
    maker: int | None = None
    while frame is not None:
        kind, file, name = known(frame.f_code)
        if kind is USER:
            break
        if kind is INIT:
            calls.append(_called(frame))
        elif kind is LAYERS:
            loading = loading or name in LOADS
            constructing = constructing or name == "__init__"
            if layer is None:
                layer = (file, name)
        frame = frame.f_back
    if frame is not None:
        if name == "__init__":
            maker = id(frame.f_locals.get("self"))
        elif name in RESETS and frame.f_back is not None:
            constructing = constructing or frame.f_back.f_code.co_name == "__init__"
    return Place(_chain(frame), layer, constructing, loading, tuple(calls), maker)


def _chain(frame: FrameType | None) -> tuple[tuple[str, str, int], ...]:
    """Return the nearest functions of the model's code from a frame outwards."""
    chain: list[tuple[str, str, int]] = []
    while frame is not None and len(chain) < DEPTH:
        kind, file, name = known(frame.f_code)
        if kind is USER:
            here = (file, name, frame.f_lineno)
            if here not in chain:
                chain.append(here)
        frame = frame.f_back
    return tuple(chain)
