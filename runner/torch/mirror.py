"""A module as a block of the engine: parameters with their roles, and the same tree of layers.

So plans, probes, measurements, the diagnosis and reports see a module as they see a declared network.
The computation stays torch's: `runner.torch.bridge` sends arrays through it.
"""

from __future__ import annotations

from torch import nn

from initlab.engine import gluon
from initlab.engine.device import cpu
from initlab.engine.gluon.flow import Chain, Layer, Part
from initlab.runner.errors import ConfigError
from initlab.runner.torch import bridge
from initlab.runner.torch.body import Body, is_sequence
from initlab.runner.torch.memory import array_over, dtype_name
from initlab.runner.torch.roles import Place, places_of

ON_META = "is on meta, where there are no values - move it first: module.to_empty(device='cpu')"

ACTIVATIONS: dict[type[nn.Module], str] = {
    nn.ReLU: "relu",
    nn.Tanh: "tanh",
    nn.Sigmoid: "sigmoid",
    nn.SELU: "selu",
    nn.SiLU: "silu",
    nn.Softplus: "softrelu",
    nn.Softsign: "softsign",
    nn.ELU: "elu",
    nn.LeakyReLU: "leaky",
}
"""Activations that the engine has under these names, with torch's default options."""
STANDARD: dict[type[nn.Module], dict[str, object]] = {
    nn.Softplus: {"beta": 1.0, "threshold": 20.0},
    nn.ELU: {"alpha": 1.0},
    nn.LeakyReLU: {"negative_slope": 0.01},
}
DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)


class Mirror(gluon.HybridBlock):
    """The block of a module. It is called like any block, and computes what the module does."""

    def __init__(self, body: Body, path: str) -> None:
        gluon.HybridBlock.__init__(self, prefix=f"{path}." if path else "")
        self._body, self._path = body, path
        self._inferred: object = None
        """The shape of the output, while shapes are inferred through a module above."""

    def __repr__(self) -> str:
        return repr(self._body.at(self._path))

    def forward(self, *args: object) -> object:
        """Return what the module returns, as arrays."""
        return bridge.sent(self, self._body, self._path, args)

    def output_shape(self, *shapes: tuple[int, ...]) -> object:
        """Return the shape of the output, without values where the module can do that."""
        return (
            self._inferred
            if self._inferred is not None
            else bridge.shape_after(self, self._body, self._path, shapes)
        )

    def data_flow(self) -> Part | None:
        """What was found by sending a batch through it; without that, a module that holds no other is a
        layer if a parameter has two axes.
        """
        if self._path in self._body.flows:
            return self._body.flows[self._path]
        names = list(self._reg_params)
        wide = any(len(parameter.shape) > 1 for parameter in self._reg_params.values())
        return Layer(names) if wide and not self._children else None


class _Sequence(gluon.nn.HybridSequential):
    """The block of modules that run one after the other, or that are only held."""

    def __init__(self, body: Body, path: str) -> None:
        super().__init__(prefix=f"{path}." if path else "")
        self._body, self._path = body, path

    def __repr__(self) -> str:
        return repr(self._body.at(self._path))

    def data_flow(self) -> Part | None:
        """Its children, unless it only holds them."""
        held = not isinstance(self._body.at(self._path), nn.Sequential)
        return None if held else Chain(list(self._children))


def mirrored(body: Body, dtype: str | None = None, called: bool = True) -> gluon.Block:
    """Return the block of a module, with parameters that have roles and shapes and no values.

    `dtype` replaces that of its floating-point parameters. Raises ConfigError with every parameter
    whose role is not known, or, if the block is to be `called`, that is computed from others.
    """
    module = body.module
    places = places_of(module)
    first = next((place for place in places if place.parametrized), None)
    if called and first is not None:
        said = "is computed from other parameters (torch.nn.utils.parametrize)"
        raise ConfigError.of(first.path, f"{said}: initlab.torch.plan takes it, a run does not")
    blocks: dict[str, gluon.Block] = {}
    made: dict[int, gluon.Block] = {}
    for path, part in module.named_modules(remove_duplicate=False):
        above, _, name = path.rpartition(".")
        if id(part) not in made:
            made[id(part)] = _block(part, body, path)
        blocks[path] = made[id(part)]
        if path and name not in blocks[above]._children:
            blocks[above].register_child(blocks[path], name)
    owners: dict[object, gluon.Parameter] = {}
    for place in places:
        block = blocks[place.path.rpartition(".")[0]]
        if place.name not in block._reg_params:
            _add(block, place, owners, dtype)
    return blocks[""]


def _block(part: nn.Module, body: Body, path: str) -> gluon.Block:
    if isinstance(part, nn.ModuleList | nn.ModuleDict) or is_sequence(part):
        made = type(type(part).__name__, (_Sequence,), {"data_flow": _Sequence.data_flow})
        return made(body, path)
    bases, attributes = _counterpart(part)
    own = {name: vars(Mirror)[name] for name in ("forward", "output_shape", "data_flow")}
    made = type(type(part).__name__, (Mirror, *bases), own | attributes)
    block: gluon.Block = made(body, path)
    return block


def _counterpart(part: nn.Module) -> tuple[tuple[type[gluon.Block], ...], dict[str, object]]:
    """Return the engine's class of a layer, by which others know it, with attributes of it."""
    for cls, name in ACTIVATIONS.items():
        standard = STANDARD.get(cls, {})
        if type(part) is cls and all(getattr(part, k) == v for k, v in standard.items()):
            return (gluon.nn.Activation,), {"_act_type": name}
    if type(part) is nn.GELU:
        name = "gelu" if part.approximate == "none" else "gelu_tanh"
        return (gluon.nn.Activation,), {"_act_type": name}
    if isinstance(part, DROPOUTS):
        return (gluon.nn.Dropout,), {"_rate": part.p, "_axes": ()}
    if isinstance(part, nn.modules.batchnorm._BatchNorm):
        return (gluon.nn.BatchNorm,), {"_kwargs": {"use_global_stats": False}}
    if isinstance(part, nn.Embedding):
        return (gluon.nn.Embedding,), {}
    return (), {}


def _add(
    block: gluon.Block, place: Place, owners: dict[object, gluon.Parameter], dtype: str | None
) -> None:
    """Register the parameter of a place in its block."""
    own = dtype_name(place.tensor.dtype)
    kind = dtype if dtype is not None and place.tensor.dtype.is_floating_point else own
    learned = place.learned and place.tensor.requires_grad
    parameter = block.params.get(
        place.name,
        shape=tuple(place.tensor.shape),
        dtype=kind,
        init=place.role.init,
        roles=place.role.axes,
        grad_req="write" if learned else "null",
        differentiable=place.learned,
    )
    parameter.zero_rows = place.role.zero_rows
    block._reg_params[place.name] = parameter
    if place.name in ("weight", "bias"):
        object.__setattr__(block, place.name, parameter)
    owner = owners.setdefault(place.key, parameter)
    if owner is not parameter:
        block.tie(place.name, owner)
        owner.zero_rows = tuple(sorted({*owner.zero_rows, *place.role.zero_rows}))


def adopt(root: gluon.Block, module: nn.Module) -> None:
    """Let the parameters of a module's block have the values of the module, in its memory.

    Raises ConfigError if a parameter is on meta.
    """
    tensors = {place.path: place.tensor for place in places_of(module)}
    for path, parameter in root.structural_params().items():
        tensor = tensors[path]
        if tensor.is_meta:
            raise ConfigError.of(path, ON_META)
        parameter.adopt(array_over(tensor.cpu()), cpu())
