"""Block, the base class of all layers and models (MXNet: `gluon.Block`).

A block owns parameters and child blocks. A parameter has two names. Its full name starts with the
prefixes of the blocks it was created in (`sequential0_dense0_weight`). Its structural path says how
it is reached from a root block (`0.weight`). Snapshots use the path as key; streams use the path
with the root's name in front (`engine.streams.names`).
"""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from initlab.engine import formats, naming, nd
from initlab.engine.arrays import DType
from initlab.engine.device import Devices, cpu
from initlab.engine.errors import MXNetError, ShapeRuleError
from initlab.engine.gluon import model_files
from initlab.engine.gluon.block_summary import print_summary
from initlab.engine.gluon.flow import Part
from initlab.engine.gluon.parameter import DEFAULT, Parameter
from initlab.engine.gluon.parameter_dict import ParameterDict, brief
from initlab.engine.gluon.state import InitLike
from initlab.engine.nd import NDArray
from initlab.engine.streams import Place, StreamName
from initlab.engine.warning import warn
from initlab.lazy import lazily

Shape = tuple[int, ...]


class HookHandle:
    """A handle that removes a registered hook, by `detach` or at the end of a `with` block."""

    def __init__(
        self, hooks: OrderedDict[int, Callable[..., object]], hook: Callable[..., object]
    ) -> None:
        self._hooks = hooks
        self._number = id(self)
        hooks[self._number] = hook

    def detach(self) -> None:
        """Remove the hook. Does nothing if it was removed before."""
        self._hooks.pop(self._number, None)

    def __enter__(self) -> HookHandle:
        return self

    def __exit__(self, *error: object) -> None:
        self.detach()


@contextmanager
def located(name: str) -> Iterator[None]:
    """Add the child's name `name` to the path of an engine error raised inside, and raise it again."""
    try:
        yield
    except Exception as error:
        _locate(error, name)
        raise


LOCATED = (MXNetError, ValueError, AssertionError, IndexError, TypeError)
"""The errors that name their layer in a note."""


def _locate(error: Any, name: str) -> None:
    """Put a child's name in front of the error's path, if the error has one.

    The path is shown as a note of the exception, since the message itself is MXNet's.
    """
    if hasattr(error, "path"):
        error.path = f"{name}.{error.path}" if error.path else name
        _note(error, f"in layer '{error.path}'{error.__dict__.get('given', '')}")


def _note(error: Any, place: str) -> None:
    """Note where an error was raised, in place of what was noted before."""
    before = error.__dict__.get("place")
    others = [note for note in getattr(error, "__notes__", ()) if note != before]
    error.__notes__, error.place = [place, *others], place


class Block:
    """Base class of all layers and models.

    A subclass defines `forward`. It also defines `output_shape` if its parameters' shapes depend on
    the input and it is to be initialized before the first call.
    """

    def __init__(self, prefix: str | None = None, params: ParameterDict | None = None) -> None:
        if not (prefix is None or isinstance(prefix, str)):
            raise TypeError(
                f"{type(self).__name__}: prefix must be text, got {prefix!r} - blocks are added to a "
                "container by add()"
            )
        own, scope, counted = naming.new_name(prefix, self._alias())
        above = "" if scope is None else scope.block.prefix
        self._stream_name = (
            StreamName(self._alias(), numbered=True)
            if counted
            else StreamName(own, None if scope is None else scope.block.stream_name)
        )
        if params is not None:
            made = ParameterDict(params.prefix, params)
        elif scope is None:
            made = ParameterDict(own)
        else:
            made = ParameterDict(scope.block.params.prefix + own, scope.block.params._shared)
        made.home = self._stream_name if params is None else params.home
        self._empty_prefix = prefix == ""
        self._prefix = above + own
        self._params = made
        self._name = self._prefix.removesuffix("_")
        self._scope = naming.NameScope(self)
        self._children: OrderedDict[str, Block] = OrderedDict()
        self._reg_params: dict[str, Parameter] = {}
        self._forward_hooks: OrderedDict[int, Callable[..., object]] = OrderedDict()
        self._forward_pre_hooks: OrderedDict[int, Callable[..., object]] = OrderedDict()

    def _alias(self) -> str:
        return type(self).__name__.lower()

    def __repr__(self) -> str:
        children = [
            (key, child) for key, child in self.__dict__.items() if isinstance(child, Block)
        ]
        return _listing(type(self).__name__, children)

    def __setattr__(self, name: str, value: object) -> None:
        existing = getattr(self, name, None) if name in self.__dict__ else None
        if isinstance(existing, (Parameter, Block)) and not isinstance(value, type(existing)):
            raise TypeError(
                f"Changing attribute type for {name} from {type(existing)} to {type(value)}is not allowed."
            )
        if isinstance(value, Block):
            self.register_child(value, name)
        elif isinstance(value, Parameter):
            if name in self._reg_params:
                raise AssertionError(
                    f"Overriding Parameter attribute {name} is not allowed. If you want to share "
                    "parameters between blocks, please set "
                    "'params' at Block construction instead."
                )
            self._reg_params[name] = value
        super().__setattr__(name, value)

    @property
    def prefix(self) -> str:
        """The text that the names of all its parameters and children start with."""
        return self._prefix

    @property
    def name(self) -> str:
        """The prefix without its last underscore."""
        return self._name

    @property
    def stream_name(self) -> StreamName:
        """The name that the paths of its parameters' streams start with, if it is initialized."""
        return self._stream_name

    @property
    def params(self) -> ParameterDict:
        """Its own parameters, without those of its children."""
        return self._params

    def name_scope(self) -> naming.NameScope:
        """Return a context in which the names of new blocks start with this block's prefix."""
        return self._scope

    # --- structure

    def register_child(self, block: Block, name: str | None = None) -> None:
        """Add a child under `name`, or under its number if no name is given.

        The name becomes part of the structural paths of its parameters. Raises ValueError if it is
        not text or contains a '.'.
        """
        name = str(len(self._children)) if name is None else name
        if not name or "." in name:
            raise ValueError(
                f"{type(self).__name__}: a child's name is text without '.', which separates names in "
                f"paths, got {name!r}"
            )
        self._children[name] = block

    def tie(self, name: str, parameter: Parameter) -> None:
        """Replace this block's own parameter `name` by `parameter`, as `params=` does at
        construction.

        If one of them has unknown axes in its shape, they are taken from the other. Raises
        AssertionError if shape or dtype disagree.
        """
        mine = self._reg_params[name]
        shape = tuple(
            b if a in (0, -1) else a for a, b in zip(mine.shape, parameter.shape, strict=False)
        )
        if len(mine.shape) != len(parameter.shape) or str(mine.dtype) != str(parameter.dtype):
            raise AssertionError(
                f"'{mine.name}' cannot be tied to '{parameter.name}': {mine} and {parameter} disagree"
            )
        parameter.shape = shape
        self._params.replace(mine, parameter)
        self._reg_params[name] = parameter
        object.__setattr__(self, name, parameter)

    def structural_params(self) -> dict[str, Parameter]:
        """Return {structural path: parameter}: own parameters first, then those of the children in
        order.

        A shared parameter appears under each of its paths.
        """
        return self._collect_params_with_prefix()

    def _collect_params_with_prefix(self, prefix: str = "") -> dict[str, Parameter]:
        start = prefix + "." if prefix else ""
        found = {start + key: parameter for key, parameter in self._reg_params.items()}
        for name, child in self._children.items():
            found.update(child._collect_params_with_prefix(start + name))
        return found

    def collect_params(self, select: str | None = None) -> ParameterDict:
        """Return all parameters, or those whose full name matches the regular expression `select`.

        The expression is matched from the start of the name.
        """
        collected = self._collected(select)
        collected.network = self
        paths = self._stream_paths(None)
        collected.paths = {
            id(parameter): paths[id(parameter)]
            for parameter in collected.values()
            if id(parameter) in paths
        }
        return collected

    def _collected(self, select: str | None = None) -> ParameterDict:
        """Return the result of `collect_params`, without paths."""
        self._warn_of_containers()
        collected = ParameterDict(self._params.prefix)
        self._collect_into(collected, re.compile(select) if select else None)
        return collected

    def _collect_into(self, collected: ParameterDict, pattern: re.Pattern[str] | None) -> None:
        collected.update(
            {k: v for k, v in self.params.items() if pattern is None or pattern.match(k)}
        )
        for child in self._children.values():
            child._warn_of_containers()
            child._collect_into(collected, pattern)

    def _stream_paths(self, root: str | None) -> dict[int, Place]:
        """Return {id of a parameter: the path that keys its stream}.

        A shared parameter has the path of its first owner. Every path starts with `root`, or with
        the block's stream name and '/' if that is None.
        """
        start = self._stream_name if root is None else root
        paths: dict[int, list[str]] = {}
        for path, parameter in self.structural_params().items():
            paths.setdefault(id(parameter), []).append(path)
        return {one: Place(start, first, others) for one, (first, *others) in paths.items()}

    def _warn_of_containers(self) -> None:
        """Warn if an attribute is a plain list, tuple or dict of blocks, since these are no
        children.
        """
        children: set[int] | None = None
        for key, value in self.__dict__.items():
            if (
                not isinstance(value, (list, tuple, dict))
                or not value
                or key in KNOWN
                or key.startswith("__")
            ):
                continue
            children = (
                {id(child) for child in self._children.values()} if children is None else children
            )
            if _holds_strangers(value, children):
                warn(
                    f'"{type(self).__name__}.{key}" is an unregistered container with Blocks. Note that '
                    "Blocks inside the list, tuple or "
                    "dict will not be registered automatically. Make sure to register them using "
                    "register_child() or switching to "
                    "nn.Sequential/nn.HybridSequential instead. "
                )

    def apply(self, fn: Callable[[Block], object]) -> Block:
        """Call `fn` on every descendant, children first, then on itself."""
        for child in self._children.values():
            child.apply(fn)
        fn(self)
        return self

    # --- parameters

    def initialize(
        self,
        init: InitLike = DEFAULT,
        ctx: Devices = None,
        verbose: bool = False,
        force_reinit: bool = False,
        *,
        device: Devices = None,
        root: str | None = None,
    ) -> None:
        """Initialize all parameters, as `Parameter.initialize` describes.

        `root` is the start of the paths that key their streams; if it is None, they start with the
        network's name and '/' (see `engine.streams.names`). It is given for a network that has a
        plan.
        """
        collected = self._collected()
        collected.network, collected.planned = self, root is not None
        collected.paths = self._stream_paths(root)
        collected.initialize(init, ctx, verbose, force_reinit, device=device)

    def hybridize(self, active: bool = True, **kwargs: object) -> None:
        """Accept the call for compatibility with Gluon; it does not change the computation."""
        for child in self._children.values():
            child.hybridize(active, **kwargs)

    def cast(self, dtype: DType) -> None:
        """Change the element type of all parameters."""
        for child in self._children.values():
            child.cast(dtype)
        for parameter in self.params.values():
            parameter.cast(dtype)

    def zero_grad(self) -> None:
        """Set every gradient to zero."""
        self.collect_params().zero_grad()

    def reset_ctx(self, ctx: Devices) -> None:
        """Move all parameters to other devices."""
        self.collect_params().reset_ctx(ctx)

    def save_parameters(self, filename: str | os.PathLike[str], deduplicate: bool = False) -> None:
        """Write all values by structural path.

        The suffix of the file name chooses the format: `.safetensors`, `.npz`, or MXNet's own for
        any other. With `deduplicate` a shared parameter is written once, under the last of its
        paths.
        """
        found = self.structural_params()
        if deduplicate:
            last = {id(parameter): path for path, parameter in found.items()}
            found = {
                path: parameter for path, parameter in found.items() if last[id(parameter)] == path
            }
        arrays = {path: parameter.list_data()[0] for path, parameter in found.items()}
        if Path(filename).suffix in (".safetensors", ".npz"):
            snapshot = formats.Snapshot({path: array.asnumpy() for path, array in arrays.items()})
            formats.get(filename).write(filename, snapshot)
        else:
            nd.save(filename, arrays)

    def save_params(self, filename: str) -> None:
        """Save by full name without the prefix: MXNet's deprecated form of `save_parameters`."""
        warn(
            "save_params is deprecated. Please use save_parameters. Note that if you want load from "
            "SymbolBlock later, please use export "
            "instead. For details, see https://mxnet.apache.org/tutorials/gluon/save_load_params.html"
        )
        self.collect_params().save(filename, strip_prefix=self.prefix)

    def load_params(
        self,
        filename: str,
        ctx: Devices = None,
        allow_missing: bool = False,
        ignore_extra: bool = False,
    ) -> None:
        """Call `load_parameters`: MXNet's deprecated name of it."""
        warn("load_params is deprecated. Please use load_parameters.")
        self.load_parameters(filename, ctx, allow_missing, ignore_extra)

    def save(self, prefix: str) -> None:
        """Write the names of all blocks to `<prefix>-model.json`, the values to
        `<prefix>-model.params`.
        """
        model_files.write(self, prefix)

    def load(self, prefix: str) -> None:
        """Read what `save` wrote into the same blocks, which were made in the same order.

        Raises ValueError if they are others.
        """
        model_files.read(self, prefix)

    def load_parameters(
        self,
        filename: str | os.PathLike[str],
        ctx: Devices = None,
        allow_missing: bool = False,
        ignore_extra: bool = False,
        cast_dtype: bool = False,
        dtype_source: str = "current",
    ) -> None:
        """Read a file written by `save_parameters` or `ParameterDict.save`.

        Parameters without values become initialized. Raises AssertionError if a parameter is
        missing in the file and `allow_missing` is false, and ValueError if the file has one more
        and `ignore_extra` is false.
        """
        params = self.structural_params()
        loaded = _read(filename)
        if not loaded and not params:
            return
        if not any("." in name for name in loaded) and not set(loaded) <= set(params):
            self.collect_params().load(
                os.fspath(filename),
                ctx,
                allow_missing,
                ignore_extra,
                self.prefix,
                cast_dtype,
                dtype_source,
            )
            return
        if not allow_missing:
            self._check_missing(params, loaded, filename)
        for name, array in loaded.items():
            if name not in params:
                if not ignore_extra:
                    raise ValueError(
                        f"Parameter '{name}' loaded from file '{os.fspath(filename)}' is not present in "
                        "ParameterDict, which contains "
                        f"parameters {brief(self._params.keys())}. Set ignore_extra=True to ignore. "
                    )
                continue
            params[name]._load_init(array, ctx, cast_dtype=cast_dtype, dtype_source=dtype_source)

    @staticmethod
    def _check_missing(
        params: dict[str, Parameter], loaded: dict[str, NDArray], filename: str | os.PathLike[str]
    ) -> None:
        present = {id(parameter) for name, parameter in params.items() if name in loaded}
        for name, parameter in params.items():
            if id(parameter) not in present:
                raise AssertionError(
                    f"Parameter '{name}' is missing in file '{os.fspath(filename)}', which contains "
                    f"parameters: {brief(loaded)}. Set "
                    "allow_missing=True to ignore missing parameters."
                )

    # --- computing

    def register_forward_hook(self, hook: Callable[[Block, Any, Any], object]) -> HookHandle:
        """Call `hook(block, inputs, output)` after every forward."""
        return HookHandle(self._forward_hooks, hook)

    def register_forward_pre_hook(self, hook: Callable[[Block, Any], object]) -> HookHandle:
        """Call `hook(block, inputs)` before every forward."""
        return HookHandle(self._forward_pre_hooks, hook)

    def __call__(self, *args: Any) -> Any:
        for hook in tuple(self._forward_pre_hooks.values()):
            hook(self, args)
        try:
            out = self.forward(*args)
        except Exception as error:
            self._say_where(error, args)
            raise
        for hook in tuple(self._forward_hooks.values()):
            hook(self, args, out)
        return out

    def _say_where(self, error: Any, args: tuple[object, ...]) -> None:
        """Note in an error which layer raised it and the shapes that the layer received.

        If a child raised it, the child's name is put in front of the error's path. A layer that is in
        no other has its own name.
        """
        if not isinstance(error, LOCATED):
            return
        below = error.__dict__.get("block")
        if below is None:
            shapes = " and ".join(str(arg.shape) for arg in args if isinstance(arg, NDArray))
            located: Any = error
            located.path = getattr(error, "path", "")
            located.given = f" ({type(self).__name__}), which was given {shapes or 'no arrays'}"
            _note(error, f"in layer '{located.path or self.name}'{located.given}")
        for name, child in self._children.items():
            if child is below:
                _locate(error, name)
        error.__dict__["block"] = self

    def _no_forward(self, *args: Any) -> Any:
        """Compute the output for these inputs. A subclass must define it."""
        raise NotImplementedError

    forward: Callable[..., Any] = _no_forward

    def __init_subclass__(cls, **options: Any) -> None:
        """Withdraw an inherited `output_shape` and `data_flow` from a subclass with a computation of
        its own.
        """
        super().__init_subclass__(**options)
        owners = {
            name: next(i for i, one in enumerate(cls.__mro__) if name in one.__dict__)
            for name in ("output_shape", "data_flow", "forward", "hybrid_forward")
            if hasattr(cls, name)
        }
        computes = min(owners["forward"], owners.get("hybrid_forward", 1 << 20))
        if owners["output_shape"] > computes:
            cls.output_shape = cls._no_shape
        if owners["data_flow"] > computes:
            cls.data_flow = cls._no_flow

    def _no_flow(self) -> Part | None:
        """Return the layers and children in the order in which data passes them
        (`engine.gluon.flow`), or None if that is not known.
        """
        return None

    data_flow: Callable[..., Part | None] = _no_flow

    def _no_shape(self, *shapes: Shape) -> Any:
        """Set the parameters' unknown shapes from the shapes of the inputs; return the output's
        shape.

        Allocates nothing. Raises ShapeRuleError unless the class that defines the computation, or
        one below it, defines it.
        """
        raise ShapeRuleError(
            f"block '{self.name}' ({type(self).__name__}) does not say how its output's shape follows from "
            "its input's - define "
            "output_shape(self, shape), which gives the output's shape"
        )

    output_shape: Callable[..., Any] = _no_shape

    def summary(self, *inputs: NDArray) -> None:
        """Print a table of layers, output shapes and parameter counts for these inputs."""
        print_summary(self, inputs)


KNOWN = {"_children", "_reg_params"}
"""Attributes that hold registered children and parameters."""


def _listing(name: str, children: list[tuple[str, Block]]) -> str:
    lines = []
    for key, child in children:
        first, *rest = repr(child).split("\n")
        lines.append("\n".join([f"  ({key}): {first}", *("  " + line for line in rest)]))
    return f"{name}(\n" + "\n".join(lines) + "\n)"


def _holds_strangers(value: object, children: set[int]) -> bool:
    """Return whether a container holds a block whose id is not among those of the children."""
    if isinstance(value, Block):
        return id(value) not in children
    if isinstance(value, (list, tuple)):
        return any(_holds_strangers(item, children) for item in value)
    if isinstance(value, dict):
        return any(_holds_strangers(item, children) for item in value.values())
    return False


def _read(filename: str | os.PathLike[str]) -> dict[str, NDArray]:
    """Return a file's arrays by name; a shared array appears under each of its names."""
    if Path(filename).suffix in (".safetensors", ".npz"):
        snapshot = formats.get(filename).read(filename)
        tensors = snapshot.tensors | {
            name: snapshot.tensors[owner] for name, owner in snapshot.aliases.items()
        }
        return {
            name: nd.array(value, ctx=cpu(), dtype=value.dtype) for name, value in tensors.items()
        }
    arrays: dict[str, NDArray] = nd.load(filename)
    return arrays


if not TYPE_CHECKING:  # MXNet has both classes in one module
    __getattr__, __dir__ = lazily(
        __name__, set(), {"HybridBlock": "initlab.engine.gluon.hybrid_block"}
    )


def _flatten(args: Any, inout_str: str) -> tuple[list[Any], Any]:
    """Return the arrays of a nested list and its form, which code written for MXNet asks for.

    The form has 0 for an array, -1 for None and a list for a list. Raises ValueError, which names
    `inout_str`, for anything else.
    """
    if isinstance(args, nd.NDArray):
        return [args], 0
    if args is None:
        return [None], -1
    if not isinstance(args, (list, tuple)):
        raise ValueError(
            f"HybridBlock {inout_str} must be (nested) list of Symbol or NDArray, but got {args} of "
            f"type {type(args)}"
        )
    parts = [_flatten(arg, inout_str) for arg in args]
    return [array for flat, _ in parts for array in flat], [form for _, form in parts]
