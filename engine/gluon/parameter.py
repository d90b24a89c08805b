"""Parameters: named arrays that are learned. `engine.gluon.state` shows the states of a parameter.

A change of state builds the next state completely and then assigns it, so an initializer that fails
leaves the parameter unchanged. Messages are MXNet's. Source: MXNet 1.9.1
python/mxnet/gluon/parameter.py.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from initlab.engine import autograd, dtypes, laws, nd, streams
from initlab.engine import init as init_module
from initlab.engine.arrays import DType
from initlab.engine.device import (
    Device,
    Devices,
    cpu,
    current_device,
    from_host,
    is_shortage,
    runs_kernels,
)
from initlab.engine.errors import DeferredInitializationError
from initlab.engine.gluon.state import (
    Filled,
    InitLike,
    Pending,
    Ready,
    Source,
    State,
    Unset,
    announce,
)
from initlab.engine.gluon.state import observe as observe
from initlab.engine.gluon.utils import shape_is_known
from initlab.engine.init.site import Site
from initlab.engine.nd.ndarray import GRAD_REQS
from initlab.engine.streams import Key, Place, Stream, StreamName
from initlab.engine.symbol import Symbol
from initlab.engine.warning import warn
from initlab.lazy import lazily

DEFAULT: Any = object()
"""Stands for Gluon's default initializer, Uniform(0.07). None cannot stand for it, because MXNet
refuses a None there.
"""
STYPES = ("default", "row_sparse", "csr")
NOT_INITIALIZED = (
    "Parameter '{}' has not been initialized. Note that you should initialize parameters and create "
    "Trainer with "
    "Block.collect_params() instead of Block.params because the later does not include Parameters of "
    "nested child Blocks"
)
DEFERRED = (
    "Parameter '{}' has not been initialized yet because initialization was deferred. Actual "
    "initialization happens during the first "
    "forward pass. Please pass one batch of data through the network before accessing Parameters. You can "
    "also avoid deferred "
    "initialization by specifying in_units, num_features, etc., for network layers."
)


def device_list(ctx: Devices) -> tuple[Device, ...]:
    """Return devices, given as None (the current one), one device or several, as a tuple."""
    if ctx is None:
        return (current_device(),)
    return (ctx,) if isinstance(ctx, Device) else tuple(ctx)


class Parameter:
    """A named array that is learned. `roles` names the meaning of each axis, from which fans
    follow.

    See `init.Description` for the roles.
    """

    def __init__(
        self,
        name: str,
        grad_req: str = "write",
        shape: Any = None,
        dtype: DType = np.float32,
        lr_mult: float = 1.0,
        wd_mult: float = 1.0,
        init: InitLike = None,
        allow_deferred_init: bool = False,
        differentiable: bool = True,
        stype: str = "default",
        grad_stype: str = "default",
        *,
        roles: tuple[str, ...] | None = None,
    ) -> None:
        self._state: State = Unset()
        self._differentiable = differentiable
        self._grad_req = "null"
        self._shape = (shape,) if isinstance(shape, int) else shape
        self.name = name
        self._dtype = dtype
        self.lr_mult = lr_mult
        self.wd_mult = wd_mult
        self.init = init
        self._allow_deferred_init = allow_deferred_init
        self.roles = roles
        for what, chosen in (("stype", stype), ("grad_stype", grad_stype)):
            if chosen not in STYPES:
                raise AssertionError(
                    f"{what} for Parameter '{name}' must be one of 'default', 'row_sparse', or 'csr', but "
                    f"got '{chosen}'"
                )
        self._stype, self._grad_stype = stype, grad_stype
        self._generation = (-1, 0)
        self.stream_name = StreamName(name, parameter=True)
        """The path that keys its stream if it is initialized alone."""
        self.shuffle: tuple[int, ...] | None = None
        """The factors of the pixel shuffle that its layer's output goes into, () for none; None
        where the network is not known."""
        self.site: Site | None = None
        """Where it stands in its network, where that is known."""
        self.zero_rows: tuple[int, ...] = ()
        """Rows of axis 0 that are 0 in any case, like that of a padding token."""
        self.grad_req = grad_req

    def __repr__(self) -> str:
        return f"Parameter {self.name} (shape={self.shape}, dtype={self.dtype})"

    # --- attributes

    @property
    def grad_req(self) -> str:
        """How a backward pass treats the gradient: write, add, or null for none."""
        return self._grad_req

    @grad_req.setter
    def grad_req(self, req: str) -> None:
        if req not in GRAD_REQS:
            raise AssertionError(
                f"grad_req must be one of 'write', 'add', or 'null', but got '{req}'"
            )
        if not self._differentiable:
            req = "null"
        if self._grad_req == req:
            return
        self._grad_req = req
        state = self._state
        if isinstance(state, Ready):
            data = (
                {device: array.detach() for device, array in state.data.items()}
                if req == "null"
                else state.data
            )
            self._state = self._ready(data, state.key, state.origin)

    @property
    def frozen(self) -> bool:
        """Whether it would be learned if `grad_req` were not null. Running statistics never would."""
        return self._differentiable and self.grad_req == "null"

    @property
    def dtype(self) -> Any:
        """The element type, in the form it was given."""
        return self._dtype

    @dtype.setter
    def dtype(self, dtype: DType) -> None:
        self.cast(dtype)

    @property
    def shape(self) -> Any:
        """The length of each axis, 0 if unknown; None if even the number of axes is unknown."""
        return self._shape

    @shape.setter
    def shape(self, new_shape: Any) -> None:
        wrong = [n for n in new_shape or () if not isinstance(n, (int, np.integer))]
        if wrong:
            raise TypeError(
                f"Parameter '{self.name}': a shape is made of whole numbers, got {type(wrong[0]).__name__} "
                "- infer_shape receives the inputs themselves, output_shape their shapes"
            )
        if self._shape is None:
            self._shape = new_shape
            return
        fits = len(self._shape) == len(new_shape) and all(
            j in (-1, 0, i) for i, j in zip(new_shape, self._shape, strict=True)
        )
        if not fits:
            raise AssertionError(
                f"Expected shape {new_shape} is incompatible with given shape {self._shape}."
            )
        self._shape = new_shape

    @property
    def stype(self) -> str:
        """The storage type of the values."""
        return self._stype

    @property
    def grad_stype(self) -> str:
        """The storage type of the gradient."""
        return self._grad_stype

    @property
    def origin(self) -> Filled | None:
        """The record of how the first values were drawn; None before that, or if they were loaded."""
        return self._state.origin if isinstance(self._state, Ready) else None

    @property
    def key(self) -> Key | None:
        """The key of the stream, fixed by `initialize`; None before."""
        match self._state:
            case Pending(source=source):
                return source.key
            case Ready(key=key):
                return key
        return None

    def _description(self, source: Source) -> init_module.Description:
        return init_module.Description(
            self.name,
            source.key.path,
            tuple(self.shape),
            dtypes.name(self.dtype),
            self.roles,
            self.shuffle,
            source.aliases,
            self.site,
            self.zero_rows,
        )

    # --- initialization

    def initialize(
        self,
        init: InitLike = None,
        ctx: Devices = None,
        default_init: InitLike = DEFAULT,
        force_reinit: bool = False,
        *,
        device: Devices = None,
        path: str | Place | None = None,
    ) -> None:
        """Fill the parameter, or, if its shape is unknown, store how to fill it later.

        `init` is used if given, else the parameter's own `init`, else `default_init` (by default
        Uniform(0.07)). The key of the stream is fixed here: the current seed, `path` (by default
        `stream_name`), and the generation, which counts forced re-initializations since the seed
        was set. Raises ValueError if the shape is unknown and deferred initialization is not
        allowed. If the parameter has values, warns and keeps them unless `force_reinit`.
        """
        pending = self._pending_for(
            init, ctx if device is None else device, default_init, force_reinit, path
        )
        if pending is not None:
            self._assign(pending, self._fill(pending))

    def _pending_for(
        self,
        init: InitLike,
        ctx: Devices,
        default_init: InitLike,
        force_reinit: bool,
        path: str | Place | None,
    ) -> Pending | None:
        """Decide how the parameter is to be filled now, and return that as a Pending state.

        Returns None if the parameter keeps its values, or if its shape is unknown; then the Pending
        state is stored in the parameter.
        """
        state = self._state
        if isinstance(state, Ready) and not force_reinit:
            warn(
                f"Parameter '{self.name}' is already initialized, ignoring. Set force_reinit=True to "
                "re-initialize."
            )
            return None
        given = init if init is not None else self.init
        source = Source(
            given,
            init_module.Uniform() if default_init is DEFAULT else default_init,
            self._next_key(path, force_reinit),
            aliases=path.aliases if isinstance(path, Place) else (),
        )
        pending = Pending(source, device_list(ctx))
        if shape_is_known(self.shape):
            return pending
        if not self._allow_deferred_init:
            raise ValueError(
                f"Cannot initialize Parameter '{self.name}' because it has invalid shape: {self.shape}."
            )
        self._assign(pending, pending)
        return None

    def _assign(self, pending: Pending, state: State) -> None:
        """Store the next state, and the generation that `_pending_for` chose."""
        self._state = state
        self._generation = (streams.epoch(), pending.source.key.generation)

    def _next_key(self, path: str | Place | None, force_reinit: bool) -> Key:
        epoch, generation = self._generation
        if epoch != streams.epoch():
            generation = 0
        elif force_reinit and not isinstance(self._state, Unset):
            generation += 1
        full = str(path) if path else self.stream_name.claimed()
        return Key(streams.current_seed(), full, generation)

    def _fill(self, pending: Pending) -> Ready:
        """Draw the values of a pending parameter of known shape and return the Ready state.

        An out-of-memory error gets a note with the parameter's path, shape and size in bytes.
        """
        try:
            return self._filled(pending)
        except (MemoryError, RuntimeError) as error:
            if is_shortage(error):
                size = math.prod(self.shape) * dtypes.resolve(self.dtype).itemsize
                error.add_note(
                    f"filling parameter '{pending.source.key.path}' of shape {tuple(self.shape)}, "
                    f"{size:,} bytes"
                )
            raise

    def _filled(self, pending: Pending) -> Ready:
        source, first = pending.source, pending.devices[0]
        if source.data is not None:
            values, filled = source.data.astype(self.dtype), None
        else:
            values, filled = self._draw(source, first)
        drawn_there = values.device == first and runs_kernels(first)
        with autograd.pause():
            data = {
                device: values.copyto(device) if device != values.device else values.copy()
                for device in pending.devices[drawn_there:]
            }
        ready = self._ready({first: values} | data if drawn_there else data, source.key, filled)
        if filled is not None:
            announce(self, filled)
        return ready

    def _draw(self, source: Source, device: Device) -> tuple[nd.NDArray, Filled]:
        """Return the values and the record of how they were drawn.

        The device draws them if it can, else the host.
        """
        description = self._description(source)
        own = source.own if source.own is not None else source.default
        network = init_module.create(source.default)
        chosen = init_module.filler(own, network, description)
        filled = Filled(
            source.key.path,
            source.key,
            type(chosen).__name__,
            init_module.law_for(chosen, description),
            description.shape,
        )
        found = (
            network.law_alone(own, description)
            if runs_kernels(device)
            and streams.version() == streams.VERSION
            and not description.zero_rows
            else None
        )
        raw = (
            None
            if found is None
            else found[1].draw_on(device, source.key, description.shape, self.dtype)
        )
        if raw is not None:
            return nd.NDArray(raw, device), filled
        values = nd.zeros(description.shape, ctx=cpu(), dtype=self.dtype)
        desc = init_module.InitDesc(self.name, {"__init__": own}, description=description)
        with autograd.pause(), streams.scope(Stream(source.key)):
            network(desc, values)
            if description.zero_rows and not isinstance(filled.law, laws.Loaded):
                values[list(description.zero_rows)] = 0
        return values, filled

    def _ready(
        self, data: dict[Device, nd.NDArray], key: Key | None, origin: Filled | None
    ) -> Ready:
        """Return the Ready state with these values, and with gradients if `grad_req` asks for them."""
        if self._grad_req == "null":
            for array in data.values():
                array._mark(None, "null")
            return Ready(data, None, key, origin)
        gradients = {
            device: nd.NDArray(device.use().zeros(array.shape, array._raw.dtype), device)
            for device, array in data.items()
        }
        for device, array in data.items():
            array._mark(gradients[device], self._grad_req)
        return Ready(data, gradients, key, origin)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a copy; its arrays are variables with their gradients again."""
        self.__dict__.update(state)
        ready = self._state
        if isinstance(ready, Ready):
            for device, gradient in (ready.grad or {}).items():
                ready.data[device]._mark(gradient, self._grad_req)

    def _finish_deferred_init(self) -> None:
        """Fill a pending parameter whose shape is now known. Raises AssertionError if it is not."""
        state = self._state
        if not isinstance(state, Pending):
            return
        if not shape_is_known(self.shape):
            self._state = Unset()
            raise AssertionError(
                f"Cannot initialize Parameter '{self.name}' because it has invalid shape: {self.shape}. "
                "Please specify in_units, "
                "in_channels, etc for `Block`s."
            )
        self._state = self._fill(state)

    def _load_init(
        self,
        data: nd.NDArray,
        ctx: Devices,
        cast_dtype: bool = False,
        dtype_source: str = "current",
    ) -> None:
        """Take values from a file: become ready, or overwrite the present values.

        Raises AssertionError if shape, dtype or devices do not fit.
        """
        if dtype_source not in ("current", "saved"):
            raise ValueError("dtype_source must be one of 'current' or 'saved'")
        if self.shape:
            same = len(self.shape) == len(data.shape) and all(
                i in (0, j) for i, j in zip(self.shape, data.shape, strict=True)
            )
            if not same:
                raise AssertionError(
                    f"Failed loading Parameter '{self.name}' from saved params: shape incompatible "
                    f"expected {self.shape} vs saved "
                    f"{data.shape}"
                )
            self.shape = tuple(
                j if i == 0 else i for i, j in zip(self.shape, data.shape, strict=True)
            )
        self._check_loaded_dtype(data, cast_dtype)
        if cast_dtype and dtype_source == "current":
            data = data.astype(self.dtype)
        elif cast_dtype:
            self.cast(data.dtype)
        state = self._state
        devices = (
            device_list(ctx)
            if ctx is not None
            else self.list_ctx()
            if not isinstance(state, Unset)
            else (cpu(),)
        )
        if (
            not isinstance(state, Unset)
            and ctx is not None
            and set(devices) != set(self.list_ctx())
        ):
            raise AssertionError(
                f"Failed to load Parameter '{self.name}' on {list(devices)} because it was previous "
                f"initialized on {list(self.list_ctx())}."
            )
        if isinstance(state, Ready):
            self.set_data(data)
            return
        with autograd.pause():
            self._state = self._ready(
                {device: data.copyto(device) for device in devices}, None, None
            )

    def adopt(self, values: np.ndarray, device: Device) -> None:
        """Become ready with these values; they are not copied if the device is the host.

        Raises AssertionError if their shape or dtype is not the parameter's.
        """
        self._check_loaded_dtype(nd.NDArray(values, cpu()), False)
        if tuple(values.shape) != tuple(self.shape):
            raise AssertionError(
                f"Parameter '{self.name}' has shape {tuple(self.shape)}, the values {values.shape}"
            )
        self._state = self._ready(
            {device: nd.NDArray(from_host(values, device), device)}, None, None
        )

    def _check_loaded_dtype(self, data: nd.NDArray, cast_dtype: bool) -> None:
        if not cast_dtype and dtypes.resolve(self.dtype) != dtypes.resolve(data.dtype):
            raise AssertionError(
                f"Failed loading Parameter '{self.name}' from saved params: dtype incompatible expected "
                f"{self.dtype} vs saved "
                f"{data.dtype}. Set cast_dtype=True to cast the dtype of saved params."
            )

    # --- access

    def _check_ready(self) -> Ready:
        match self._state:
            case Ready() as ready:
                return ready
            case Pending():
                raise DeferredInitializationError(DEFERRED.format(self.name))
            case Unset():
                raise RuntimeError(NOT_INITIALIZED.format(self.name))

    def _on(self, arrays: dict[Device, nd.NDArray], ctx: Device | None) -> nd.NDArray:
        """Return the array on device `ctx`; if None, the only array, or that on the current device."""
        if ctx is None:
            if len(arrays) == 1:
                return next(iter(arrays.values()))
            ctx = current_device()
        if ctx not in arrays:
            raise RuntimeError(
                f"Parameter '{self.name}' was not initialized on context {ctx}. It was only initialized on "
                f"{list(arrays)}."
            )
        return arrays[ctx]

    def data(self, ctx: Device | None = None) -> nd.NDArray:
        """Return the array itself, not a copy, on device `ctx` or on the only device.

        Raises RuntimeError if the parameter is not initialized, or DeferredInitializationError if
        its shape is not known yet.
        """
        return self._on(self._check_ready().data, ctx)

    def list_data(self) -> list[nd.NDArray]:
        """Return the arrays on all devices."""
        return list(self._check_ready().data.values())

    def _gradients(self) -> dict[Device, nd.NDArray]:
        state = self._state
        if isinstance(state, Ready) and state.grad is None:
            raise RuntimeError(
                f"Cannot get gradient array for Parameter '{self.name}' because grad_req='null'"
            )
        gradients = self._check_ready().grad
        assert gradients is not None
        return gradients

    def grad(self, ctx: Device | None = None) -> nd.NDArray:
        """Return the gradient on device `ctx` or on the only device.

        Raises RuntimeError if `grad_req` is null or the parameter is not initialized.
        """
        return self._on(self._gradients(), ctx)

    def list_grad(self) -> list[nd.NDArray]:
        """Return the gradients on all devices."""
        return list(self._gradients().values())

    @property
    def _grad(self) -> list[nd.NDArray] | None:
        state = self._state
        return (
            list(state.grad.values())
            if isinstance(state, Ready) and state.grad is not None
            else None
        )

    @property
    def _data(self) -> list[nd.NDArray] | None:
        """The arrays on all devices, None without values: what code for MXNet reads."""
        state = self._state
        return list(state.data.values()) if isinstance(state, Ready) else None

    @property
    def _deferred_init(self) -> tuple[Any, ...]:
        """(initializer, devices, default initializer, data) while the initialization is deferred,
        else (): what code for MXNet reads.
        """
        state = self._state
        if not isinstance(state, Pending):
            return ()
        source = state.source
        return source.own, list(state.devices), source.default, source.data

    @property
    def _ctx_list(self) -> list[Device] | None:
        """The devices of the values, None without values: what code for MXNet reads."""
        return list(self._state.data) if isinstance(self._state, Ready) else None

    def _reduce(self) -> nd.NDArray:
        """Return the mean of the arrays of all devices, on the CPU."""
        arrays = [array.as_in_context(cpu()) for array in self.list_data()]
        return arrays[0].copy() if len(arrays) == 1 else nd.add_n(*arrays) / len(arrays)

    def list_ctx(self) -> list[Device]:
        """Return the devices of the arrays; for a pending parameter, the devices they will be on.

        Raises RuntimeError if the parameter is not initialized.
        """
        match self._state:
            case Ready(data=data):
                return list(data)
            case Pending(devices=devices):
                return list(devices)
        raise RuntimeError(f"Parameter '{self.name}' has not been initialized")

    list_device = list_ctx

    def zero_grad(self) -> None:
        """Set the gradient to zero. Does nothing if there is no gradient."""
        for gradient in self._grad or ():
            gradient[:] = 0

    def set_data(self, data: Any) -> None:
        """Write values into the arrays of all devices.

        A pending parameter will be filled with them. Raises AssertionError if it is not
        initialized.
        """
        self.shape = data.shape
        match self._state:
            case Unset():
                raise AssertionError(f"Parameter '{self.name}' has not been initialized")
            case Pending(source=source, devices=devices):
                array = data.copy() if isinstance(data, nd.NDArray) else nd.array(data, ctx=cpu())
                self._state = Pending(
                    Source(source.own, source.default, source.key, array), devices
                )
            case Ready(data=arrays):
                for array in arrays.values():
                    with autograd.pause():
                        array[:] = (
                            data.astype(array.dtype) if isinstance(data, nd.NDArray) else data
                        )

    def row_sparse_data(self, row_id: nd.NDArray) -> nd.NDArray:
        """Raise RuntimeError: parameters are dense here, and this is MXNet's access to sparse ones."""
        raise RuntimeError(
            f"Cannot return a copy of Parameter {self.name} via row_sparse_data() because its storage type "
            f"is {self._stype}. Please use "
            "data() instead."
        )

    def list_row_sparse_data(self, row_id: nd.NDArray) -> list[nd.NDArray]:
        """Raise RuntimeError, like `row_sparse_data`."""
        return [self.row_sparse_data(row_id)]

    def reset_ctx(self, ctx: Devices) -> None:
        """Move to other devices (None: the current one). Raises ValueError if it is not
        initialized.
        """
        devices = device_list(ctx)
        match self._state:
            case Ready() as ready:
                values = next(iter(ready.data.values()))
                with autograd.pause():
                    moved = {device: values.detach().copyto(device) for device in devices}
                self._state = self._ready(moved, ready.key, ready.origin)
            case Pending(source=source):
                self._state = Pending(source, devices)
            case Unset():
                raise ValueError(
                    f"Cannot reset context for Parameter '{self.name}' because it has not been initialized."
                )

    reset_device = reset_ctx

    def cast(self, dtype: DType) -> None:
        """Change the element type, and that of the values if there are any."""
        dtypes.resolve(dtype)
        self._dtype = dtype
        state = self._state
        if isinstance(state, Ready):
            with autograd.pause():
                data = {device: array.astype(dtype) for device, array in state.data.items()}
            self._state = self._ready(data, state.key, state.origin)

    def var(self) -> Symbol:
        """Return the symbol of the parameter (MXNet's symbolic interface)."""
        if not hasattr(self, "_symbol"):
            self._symbol = Symbol.named(self.name)
        return self._symbol


class Constant(Parameter):
    """A parameter whose values are given and never learned."""

    def __init__(self, name: str, value: Any) -> None:
        self.value = value if isinstance(value, nd.NDArray) else nd.array(value)
        super().__init__(
            name,
            grad_req="null",
            shape=self.value.shape,
            dtype=self.value.dtype,
            init=_ConstantInit(self.value),
        )

    def __repr__(self) -> str:
        return f"Constant {self.name} (shape={self.shape}, dtype={self.dtype})"

    @property
    def frozen(self) -> bool:
        """Always false: it is never learned."""
        return False

    @property
    def grad_req(self) -> str:
        """Always null; setting something else warns and changes nothing."""
        return "null"

    @grad_req.setter
    def grad_req(self, req: str) -> None:
        if req != "null":
            warn(
                f'Constant parameter "{self.name}" does not support grad_req other than "null", and new '
                f'value "{req}" is ignored.'
            )


class _ConstantInit(init_module.Initializer):
    """The initializer of a `Constant`; it ignores the parameter's name."""

    def __init__(self, value: nd.NDArray) -> None:
        super().__init__(value=value)
        self.value = value

    def law(self, description: init_module.Description) -> laws.Law:
        return laws.Constant(self.value.tolist())


if not TYPE_CHECKING:  # MXNet's module of this name has these as well
    __getattr__, __dir__ = lazily(
        __name__,
        (),
        {
            "ParameterDict": "initlab.engine.gluon.parameter_dict",
            "tensor_types": "initlab.engine.gluon.utils",
        },
    )
