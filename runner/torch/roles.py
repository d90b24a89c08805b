"""What the axes of a module's parameters are, by the module's type: the table behind every plan.

Roles are those of `initlab.engine.init.Description`. A parameter of a type that is not in the table has
no role until `roles` declares it: nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import torch
from torch import nn
from torch.nn.utils import parametrize

from initlab.engine.init import Constant, create
from initlab.engine.init.description import ROLES
from initlab.engine.registry import advice
from initlab.engine.streams import Stream
from initlab.runner.errors import Problems
from initlab.runner.torch.memory import dtype_name

M = TypeVar("M", bound=type[nn.Module])


@dataclass(frozen=True)
class Role:
    """What one parameter is.

    `axes` says what each axis runs over: `out`, `in`, `spatial`, `group`, or `out*3` for three blocks
    that are stacked. `init` names the initializer that the parameter has unless one is given for it
    by name: `zeros` for a bias, `ones` for a scale; None for one that the network's initializer
    fills. `zero_rows` are rows that are 0 in any case, like that of a padding token.

    Raises ValueError for axes or an initializer that do not exist.
    """

    axes: tuple[str, ...]
    init: str | None = None
    zero_rows: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", tuple(self.axes))
        for axis in self.axes:
            name, star, blocks = axis.partition("*")
            if name not in ROLES or (star and not (blocks.isdecimal() and int(blocks))):
                raise ValueError(f"no axis role '{axis}' - {advice(name, ROLES)}")
        if self.init is not None:
            try:
                create(self.init)
            except (KeyError, AssertionError, ValueError) as error:
                raise ValueError(f"no initializer '{self.init}': {error}") from None


Rule = Callable[[nn.Module], Mapping[str, Role]]
_role = cache(Role)
"""A role is made and checked once, not for every module."""
BIAS = Role(("out",), "zeros")
SCALE = Role(("out",), "ones")
ZERO_SCALE = Role(("out",), "zeros")
"""The scale of a norm that multiplies by 1 + weight."""


def _linear(module: nn.Module) -> Mapping[str, Role]:
    return {"weight": _role(("out", "in")), "bias": BIAS}


def _bilinear(module: nn.Module) -> Mapping[str, Role]:
    return {"weight": _role(("out", "in", "in")), "bias": BIAS}


def _convolution(module: nn.Module) -> Mapping[str, Role]:
    groups, kernel = module.groups, ("spatial",) * len(module.kernel_size)
    if module.transposed:
        first = "in" if groups == 1 else f"in*{groups}"
        return {"weight": _role((first, "out", *kernel)), "bias": BIAS}
    first = "out" if groups == 1 else f"out*{groups}"
    return {"weight": _role((first, "in", *kernel)), "bias": BIAS}


def _embedding(module: nn.Module) -> Mapping[str, Role]:
    padding = module.padding_idx
    rows = () if padding is None else (padding % module.num_embeddings,)
    return {"weight": _role(("group", "out"), None, rows)}


def _recurrent(module: nn.RNNBase) -> Mapping[str, Role]:
    gates = {"LSTM": 4, "GRU": 3}.get(module.mode, 1)
    out = f"out*{gates}" if gates > 1 else "out"
    found = {}
    for name, _ in module.named_parameters(recurse=False):
        if name.startswith("bias"):
            found[name] = _role((out,), "zeros")
        else:
            found[name] = _role(("out" if "_hr_" in name else out, "in"))
    return found


def _cell(module: nn.RNNCellBase) -> Mapping[str, Role]:
    gates = len(module.weight_hh) // module.hidden_size
    out = f"out*{gates}" if gates > 1 else "out"
    weight, bias = _role((out, "in")), _role((out,), "zeros")
    return {"weight_ih": weight, "weight_hh": weight, "bias_ih": bias, "bias_hh": bias}


def _attention(module: nn.MultiheadAttention) -> Mapping[str, Role]:
    apart = _role(("out", "in"))
    return {
        "in_proj_weight": _role(("out*3", "in")),
        "in_proj_bias": _role(("out*3",), "zeros"),
        "q_proj_weight": apart,
        "k_proj_weight": apart,
        "v_proj_weight": apart,
        "bias_k": _role(("group", "group", "out"), "zeros"),
        "bias_v": _role(("group", "group", "out"), "zeros"),
    }


def _norm(module: nn.Module) -> Mapping[str, Role]:
    return {
        **{
            name: _role(("out",) * parameter.ndim, "ones" if name == "weight" else "zeros")
            for name, parameter in module.named_parameters(recurse=False)
        },
        "running_mean": _role(("out",), "zeros"),
        "running_var": _role(("out",), "ones"),
    }


def _zero_centred_norm(module: nn.Module) -> Mapping[str, Role]:
    return {"weight": ZERO_SCALE}


def _scale_norm(module: nn.Module) -> Mapping[str, Role]:
    return {"weight": SCALE}


def _prelu(module: nn.Module) -> Mapping[str, Role]:
    return {"weight": _role(("out",), Constant(0.25).dumps())}


def _input_by_output(module: nn.Module) -> Mapping[str, Role]:
    return {"weight": _role(("in", "out")), "bias": BIAS}


RULES: dict[type[nn.Module], Rule] = {
    nn.Linear: _linear,
    nn.Bilinear: _bilinear,
    nn.modules.conv._ConvNd: _convolution,
    nn.Embedding: _embedding,
    nn.EmbeddingBag: _embedding,
    nn.RNNBase: _recurrent,
    nn.RNNCellBase: _cell,
    nn.MultiheadAttention: _attention,
    nn.modules.batchnorm._NormBase: _norm,
    nn.LayerNorm: _norm,
    nn.GroupNorm: _norm,
    nn.RMSNorm: _norm,
    nn.PReLU: _prelu,
}
"""Module type -> its roles; a class derived from it has them too."""
NAMED: dict[str, Rule] = {
    "transformers.pytorch_utils.Conv1D": _input_by_output,
    "transformers.models.t5.modeling_t5.T5LayerNorm": _scale_norm,
    "transformers.models.llama.modeling_llama.LlamaRMSNorm": _scale_norm,
    "transformers.models.mistral.modeling_mistral.MistralRMSNorm": _scale_norm,
    "transformers.models.qwen2.modeling_qwen2.Qwen2RMSNorm": _scale_norm,
    "transformers.models.qwen3.modeling_qwen3.Qwen3RMSNorm": _scale_norm,
    "transformers.models.phi3.modeling_phi3.Phi3RMSNorm": _scale_norm,
    "transformers.models.gemma.modeling_gemma.GemmaRMSNorm": _zero_centred_norm,
    "transformers.models.gemma2.modeling_gemma2.Gemma2RMSNorm": _zero_centred_norm,
    "transformers.models.gemma3.modeling_gemma3.Gemma3RMSNorm": _zero_centred_norm,
}
"""The same for types of libraries that are not imported, by their full names."""
DECLARED: dict[type[nn.Module], Mapping[str, Role]] = {}


def roles(**parameters: Role | Iterable[str]) -> Callable[[M], M]:
    """Declare what the parameters of a module class are; the result decorates the class.

    Each is a `Role`, or its axes alone, for a parameter that the network's initializer fills. What is
    declared for a class goes before the table. A parameter that is not named is as before.
    The name of an `nn.ParameterList` or `nn.ParameterDict` declares every parameter in it.

        @initlab.torch.roles(table=("group", "out"), gate=initlab.torch.Role(("out",), "ones"))
        class Mixer(nn.Module): ...

        initlab.torch.roles(weight=initlab.torch.Role(("out",), "ones"))(their_library.Norm)

    Raises ValueError for axes that do not exist, and TypeError for what is no module class.
    """
    declared = {
        name: given if isinstance(given, Role) else Role(_axes(name, given))
        for name, given in parameters.items()
    }

    def declare(cls: M) -> M:
        if not (isinstance(cls, type) and issubclass(cls, nn.Module)):
            raise TypeError(f"roles are declared for a class of modules, got {cls!r}")
        DECLARED[cls] = {**DECLARED.get(cls, {}), **declared}
        return cls

    return declare


def _axes(name: str, given: Iterable[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        raise ValueError(
            f'the axes of \'{name}\' must be a tuple like ("out", "in"), got {given!r}'
        )
    return tuple(given)


def roles_of(module: nn.Module) -> dict[str, Role]:
    """Return the known roles of a module's own parameters and buffers, by name."""
    found: dict[str, Role] = {}
    for cls in reversed(type(module).__mro__):
        rule = RULES.get(cls) or NAMED.get(f"{cls.__module__}.{cls.__qualname__}")
        if rule is not None:
            found = dict(rule(module))
        found |= DECLARED.get(cls, {})
    return found


def axes_of(module: nn.Module) -> dict[str, tuple[str, ...]]:
    """Return {path: axes} of the parameters and buffers of a module whose roles are known."""
    return {
        f"{path}.{name}" if path else name: role.axes
        for path, part in module.named_modules(remove_duplicate=False)
        for name, role in roles_of(part).items()
    }


@dataclass(frozen=True, eq=False)
class Place:
    """A parameter, or a buffer with a role, at its path in a module."""

    path: str
    owner: nn.Module
    name: str
    tensor: torch.Tensor
    role: Role
    learned: bool
    """Whether it is a parameter; else a buffer, like a running mean."""
    parametrized: bool
    """Whether it is computed from other parameters; these are set by setting it."""

    @property
    def key(self) -> object:
        """What tied parameters have in common."""
        return self.path if self.parametrized else id(self.tensor)


def places_of(module: nn.Module) -> list[Place]:
    """Return the parameters of a module, and the buffers that have roles, in the module's order; a tied
    one at each of its paths.

    A parameter of `torch.nn.utils.parametrize` stands for those that it is computed from. Raises
    ConfigError with every parameter whose role is not known or does not fit its shape.
    """
    found: list[Place] = []
    problems = Problems()
    unknown: dict[tuple[type, str], tuple[str, str, int]] = {}
    for path, owner in module.named_modules(remove_duplicate=False):
        if ".parametrizations" in f".{path}":
            continue
        known, declares, attribute = roles_of(owner), owner, None
        if isinstance(owner, nn.ParameterList | nn.ParameterDict) and path:
            above, _, attribute = path.rpartition(".")
            declares = module.get_submodule(above)
            known = dict.fromkeys(owner._parameters, roles_of(declares).get(attribute))
        for name, tensor, learned, parametrized in _own(owner, known):
            full = f"{path}.{name}" if path else name
            role = known.get(name)
            if role is None or isinstance(tensor, nn.parameter.UninitializedTensorMixin):
                called = attribute or name
                first, said, count = unknown.get((type(declares), called), (full, "", 0))
                said = said or _unknown(declares, called, tensor)
                unknown[type(declares), called] = first, said, count + 1
            elif len(role.axes) != tensor.ndim:
                said = f"has shape {tuple(tensor.shape)}, but the roles {role.axes} of its axes"
                problems.add(full, f"{said} - declare them again with initlab.torch.roles")
            elif dtype_name(tensor.dtype) not in Stream.dtypes:
                said = f"has dtype {dtype_name(tensor.dtype)}, for which there are no laws"
                problems.add(full, f"{said} - known: {', '.join(Stream.dtypes)}")
            else:
                found.append(Place(full, owner, name, tensor, role, learned, parametrized))
    for first, said, count in unknown.values():
        problems.add(first, said + (f" (and {count - 1} more like it)" if count > 1 else ""))
    problems.raise_any()
    return found


def _own(
    owner: nn.Module, known: Mapping[str, Role | None]
) -> Iterable[tuple[str, torch.Tensor, bool, bool]]:
    """Yield (name, tensor, whether it is a parameter, whether it is parametrized) of a module's own."""
    if parametrize.is_parametrized(owner):
        for name in owner.parametrizations:
            with torch.no_grad():
                yield name, getattr(owner, name), True, True
    for name, parameter in owner._parameters.items():
        if parameter is not None:
            yield name, parameter, True, False
    for name, buffer in owner._buffers.items():
        if buffer is not None and name in known:
            yield name, buffer, False, False


def _unknown(owner: nn.Module, name: str, tensor: torch.Tensor) -> str:
    cls = type(owner).__name__
    if (
        name[-2:] in ("_g", "_v")
        and {f"{name[:-2]}_g", f"{name[:-2]}_v"} <= owner._parameters.keys()
    ):
        said = "is part of torch.nn.utils.weight_norm, which torch has replaced"
        return f"of {cls} {said} - use torch.nn.utils.parametrizations.weight_norm"
    if isinstance(tensor, nn.parameter.UninitializedTensorMixin):
        return f"of {cls} has no shape yet - send one batch through the module first"
    shape = tuple(tensor.shape)
    axes = ("out", "in") if len(shape) == 2 else ("group",) * (len(shape) - 1) + ("out",)
    axes = axes if shape else ()
    example = "(" + ", ".join(f'"{axis}"' for axis in axes) + ("," if len(axes) == 1 else "") + ")"
    said = f"of {cls}, shape {shape}: it is not known what its axes are"
    write = f"initlab.torch.roles({name}=initlab.torch.Role({example}))({cls})"
    return f"{said} - declare them, like {write}"
