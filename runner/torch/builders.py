"""A function that builds a module, as a model that configs choose."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import typing
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Annotated, ClassVar

import torch
from torch import nn

from initlab.engine import gluon
from initlab.engine.options import finite, text, truth, whole
from initlab.engine.registry import snake_case
from initlab.runner.config.option_files import shipped_options
from initlab.runner.errors import ConfigError
from initlab.runner.layers import REGISTRY, Context, Layer, register
from initlab.runner.torch.body import Body
from initlab.runner.torch.flow import flows_of
from initlab.runner.torch.memory import torch_dtype
from initlab.runner.torch.mirror import mirrored

Builder = Callable[..., nn.Module]
CHECKED: dict[object, object] = {
    int: Annotated[int, whole(None)],
    float: Annotated[float, finite],
    bool: Annotated[bool, truth],
    str: Annotated[str, text],
}
"""Annotation of a function's parameter -> type of the option, with its check."""
SEED = 0
"""Torch's seed while a module is built, so that buffers that a constructor draws are the same."""


@dataclasses.dataclass
class TorchModel(Layer):
    """Base of the layer kinds that `model` makes: the module that a function builds."""

    builder: ClassVar[Builder]

    def build(self, context: Context) -> gluon.Block:
        """Return the module's block, with the module on meta; it is built with values when it is
        first called.
        """

        def made() -> nn.Module:
            return self.make(context.dtype)

        try:
            with torch.device("meta"):
                module, later = made(), made
        except (RuntimeError, NotImplementedError):  # code that needs values
            module, later = made(), None
        body = Body(module, later, bool(self.tokens))
        if self.sample is not None:
            kind = torch.int64 if self.tokens else torch_dtype(context.dtype)
            where = next((one.device for one in module.parameters()), None)
            # A module that cannot take this input says so when its shapes are inferred.
            with suppress(Exception):
                body.flows = flows_of(
                    module, [torch.zeros(2, *self.sample, dtype=kind, device=where)]
                )
        return mirrored(body, context.dtype)

    def make(self, dtype: str) -> nn.Module:
        """Return the module that the function builds with these options, in a dtype.

        Raises ConfigError if it returns something else. Torch's random state is as before.
        """
        options = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)
            module = type(self).builder(**options)
        if not isinstance(module, nn.Module):
            said = f"must return a torch.nn.Module, got {type(module).__name__}"
            raise ConfigError.of("", f"{self.kind} {said}")
        return module.to(torch_dtype(dtype))


def model(
    input: Sequence[int] | None = None, *, tokens: bool = False, name: str | None = None
) -> Callable[[Builder], Builder]:
    """Make a function that builds a module a model: `model=` its name; the result decorates it.

    `input` is the shape of one sample, without the batch; None if the data decides. `tokens` says that
    samples are token numbers. The function's parameters are options; each needs a default or is
    required, and an annotation (bool, int, float, str) checks it. `name` replaces the function's.

        @initlab.torch.model(input=(64,))
        def my_net(hidden: int = 32):
            return nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))

    The function must build an equal module each time. It is used in a plugin:
    `initlab --plugin my_net.py model=my_net model.layers.0.hidden=64 init=he`.

    Raises TypeError for a function whose parameters cannot be options.
    """
    if callable(input) or isinstance(input, int | str):
        said = "write @initlab.torch.model(input=(…)) with the shape of one sample, like (64,)"
        raise TypeError(f"{said}, got {input!r}")
    shape = None if input is None else tuple(input)

    def registered(builder: Builder) -> Builder:
        kind = name or builder.__name__
        _check_name(kind, builder)
        hints = typing.get_type_hints(builder)
        options: list[tuple[str, object] | tuple[str, object, object]] = []
        for parameter in inspect.signature(builder).parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                said = f"{kind}: *{parameter.name} can be no option - give each parameter a name"
                raise TypeError(said)
            hint = hints.get(parameter.name, object)
            hint = CHECKED.get(hint, hint)
            if parameter.default is parameter.empty:
                options.append((parameter.name, hint))
            else:
                options.append((parameter.name, hint, _field(parameter.default)))
        made = dataclasses.make_dataclass(
            "".join(part.capitalize() for part in kind.split("_")),
            options,
            bases=(TorchModel,),
            namespace={
                "builder": staticmethod(builder),
                "tokens": tokens,
                "model": True,
                "sample": shape,
                "__doc__": builder.__doc__,
                "__module__": builder.__module__,
            },
            kw_only=True,
        )
        if snake_case(made.__name__) != kind:
            raise TypeError(f"{kind}: the name of a model is like my_net, in lower case")
        register(made)
        return builder

    return registered


def _check_name(kind: str, builder: Builder) -> None:
    """Raise TypeError if something that InitLab ships, or another plugin, has the name of a model."""
    known = REGISTRY.entries().get(kind)
    own = str(builder.__module__)  # code that `exec` runs has none
    home = own if known is None else str(known.__module__)
    if home.startswith("initlab.") or kind in shipped_options()["model"]:
        raise TypeError(f"{kind}: InitLab has a model or layer of this name - choose another")
    if home != own:
        raise TypeError(f"{kind}: {home} has a model or layer of this name - choose another")


def _field(default: object) -> object:
    if isinstance(default, list | dict | set):
        return dataclasses.field(default_factory=lambda: copy.deepcopy(default))
    return default
