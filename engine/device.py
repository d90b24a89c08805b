"""Devices: the place of an array, and the array library that computes there.

This is the only module that imports CuPy, and only when a GPU is used. `cpu(1)` is a second logical
device in the same memory, so that replicas can be tested without a GPU. MXNet calls a device a
context; both names exist here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, TypeAlias, cast

import numpy as np

from initlab.engine.arrays import Array, Library
from initlab.engine.errors import DeviceError, MXNetError

TYPE_IDS = {"cpu": 1, "gpu": 2, "cpu_pinned": 3, "cpu_shared": 5}
HOSTS = ("cpu", "cpu_pinned", "cpu_shared")
TYPE_NAMES = {number: name for name, number in TYPE_IDS.items()}
NO_GPU = "GPU is not enabled"
CUPY = ("cupy", "cupy_backends")
"""The packages that define the classes of CuPy's errors."""
SHORTAGES = ("cudaErrorMemoryAllocation", "CUDA_ERROR_OUT_OF_MEMORY", "ALLOC_FAILED")
"""Words in the messages of CUDA's runtime, driver and libraries when memory is exhausted."""

_scopes = threading.local()


class Device:
    """A place for arrays, like `cpu(0)`. Inside a `with`, it is the default for new arrays."""

    def __init__(self, device_type: str | Device, device_id: int = 0) -> None:
        if isinstance(device_type, Device):
            other = device_type
            device_type, device_id = other.device_type, other.device_id
        if device_type not in TYPE_IDS and device_type not in _NAMESPACES:
            known = ", ".join([*TYPE_IDS, *(name for name in _NAMESPACES if name not in TYPE_IDS)])
            raise DeviceError(f"no device type '{device_type}' - known: {known}")
        self.device_type: str = device_type
        self.device_id: int = device_id
        self.is_host: bool = device_type in HOSTS

    @property
    def device_typeid(self) -> int:
        """The device type as MXNet numbers it."""
        return TYPE_IDS.get(self.device_type, 0)

    def use(self) -> Library:
        """Make this the current device of its library in this thread, and return the library.

        The library is NumPy, or CuPy for a GPU. CuPy's arrays can be used only after this call.
        Raises MXNetError if the library or the GPU is missing; `check_gpu` says why.
        """
        return _NAMESPACES[self.device_type].library(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and (self.device_type, self.device_id) == (
            other.device_type,
            other.device_id,
        )

    def __hash__(self) -> int:
        return hash((self.device_type, self.device_id))

    def __repr__(self) -> str:
        return f"{self.device_type}({self.device_id})"

    def __enter__(self) -> Device:
        if not hasattr(_scopes, "stack"):
            _scopes.stack = []
        _scopes.stack.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        _scopes.stack.pop()


@contextmanager
def kept() -> Iterator[None]:
    """Afterwards this thread's default device is as it was, however what is inside the `with` ended."""
    before = list(getattr(_scopes, "stack", []))
    try:
        yield
    finally:
        _scopes.stack = before


Launch = Callable[[str, int, int, Sequence[object]], None]
"""(kernel's name, blocks, threads in a block, arguments) -> None: runs a kernel; arrays among the
arguments are on the device.
"""
Compile = Callable[[str], Launch]
"""The text of kernels -> a function that launches them."""


class Namespace:
    """The functions of a type of device.

    `library(device)` makes the device current and returns its array library; `to_host(raw)` and
    `from_host(array, device)` copy arrays; `compiler(device)` exists for devices that run kernels;
    `check_dtype(dtype name)` raises DeviceError if arrays cannot have the dtype.
    """

    def __init__(
        self,
        library: Callable[[Device], Library],
        to_host: Callable[[Array], np.ndarray],
        from_host: Callable[[np.ndarray, Device], Array],
        compiler: Callable[[Device], Compile] | None = None,
        check_dtype: Callable[[str], None] = lambda dtype: None,
    ) -> None:
        self.library = library
        self.to_host = to_host
        self.from_host = from_host
        self.compiler = compiler
        self.check_dtype = check_dtype


def _numpy(device: Device) -> Library:
    return cast(Library, np)


def check_gpu(device_id: int) -> None:
    """Raise DeviceError if GPU `device_id` cannot be used; one sentence says why and what to do."""
    try:
        import cupy  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name == "cupy":
            raise DeviceError(
                "CuPy is not installed - install the extra gpu-cuda12 or gpu-cuda13, or use the cpu"
            ) from error
        raise DeviceError(
            f"CuPy lacks the module {error.name} - install the extra gpu-cuda12 or gpu-cuda13 again, or "
            "use the cpu"
        ) from error
    except ImportError as error:
        said = " ".join(str(error).split())
        raise DeviceError(
            f"CuPy is installed but cannot be loaded ({said}) - install the one for this machine's "
            "CUDA, or use the cpu"
        ) from error
    found = num_gpus()
    if device_id >= found:
        raise DeviceError(f"there is no gpu({device_id}), {found} found - use the cpu")


def _cupy(device: Device) -> ModuleType:
    try:
        check_gpu(device.device_id)
    except DeviceError as error:
        raise MXNetError.checked(NO_GPU) from error
    import cupy

    cupy.cuda.Device(device.device_id).use()
    library: ModuleType = cupy
    return library


def _cupy_to_host(raw: Any) -> np.ndarray:
    return np.asarray(raw.get())


def _check_cupys_dtype(dtype: str) -> None:
    import cupy

    if dtype == "bfloat16" and int(cupy.__version__.partition(".")[0]) < FIRST_WITH_BFLOAT16:
        raise DeviceError(
            f"CuPy {cupy.__version__} has no bfloat16 - install CuPy {FIRST_WITH_BFLOAT16} or later, or "
            "use float16 or the cpu"
        )


def _cupy_compiler(device: Device) -> Compile:
    return lambda text: _cupy_module(device, text)


KERNEL_OPTIONS = ("--fmad=false", "--std=c++11")
"""Options of NVRTC. The kernels use intrinsics, which are never fused; the first option prevents
fusing of all other operations."""


@cache
def _cupy_module(device: Device, text: str) -> Launch:
    """Return the kernels compiled for a GPU, once for each process."""
    cupy = _cupy(device)
    module = cupy.RawModule(code=text, options=KERNEL_OPTIONS)

    def launch(name: str, blocks: int, threads: int, arguments: Sequence[object]) -> None:
        with cupy.cuda.Device(device.device_id):
            module.get_function(name)((blocks,), (threads,), tuple(arguments))

    return launch


@dataclass(frozen=True)
class _External:
    """A stream of another library, in the protocol of CUDA's Python libraries."""

    address: int

    def __cuda_stream__(self) -> tuple[int, int]:
        return 0, self.address


@contextmanager
def on_stream(device: Device, address: int) -> Iterator[None]:
    """Let CuPy work on another library's CUDA stream, inside a `with`, so that what both do there is
    done in order. At the end the memory that CuPy keeps for later is given back.
    """
    streams = _cupy(device).cuda
    if not address:
        stream = streams.Stream.null
    elif hasattr(streams.Stream, "from_external"):  # from CuPy 14 on
        stream = streams.Stream.from_external(_External(address))
    else:
        stream = streams.ExternalStream(address, device.device_id)
    with stream:
        try:
            yield
        finally:
            _cupy(device).get_default_memory_pool().free_all_blocks()


FIRST_WITH_BFLOAT16 = 14
"""The first version of CuPy that computes with bfloat16. Earlier ones can only hold such arrays."""
_HOST = Namespace(
    _numpy, lambda raw: cast(np.ndarray, raw), lambda array, device: cast(Array, array)
)
_NAMESPACES: dict[str, Namespace] = {
    **dict.fromkeys(HOSTS, _HOST),
    "gpu": Namespace(
        lambda device: cast(Library, _cupy(device)),
        _cupy_to_host,
        lambda array, device: cast(Array, _cupy(device).asarray(array)),
        _cupy_compiler,
        _check_cupys_dtype,
    ),
}


@contextmanager
def namespace(device_type: str, provider: Namespace) -> Iterator[None]:
    """Let `Device(device_type)` compute with `provider`, inside a `with`.

    Tests use it to substitute an array library.
    """
    before = _NAMESPACES.get(device_type)
    _NAMESPACES[device_type] = provider
    try:
        yield
    finally:
        if before is None:
            del _NAMESPACES[device_type]
        else:
            _NAMESPACES[device_type] = before


def launcher(device: Device) -> Compile:
    """Return the function that compiles kernels for this device.

    Raises DeviceError if the device runs no kernels (see `runs_kernels`).
    """
    compiler = _NAMESPACES[device.device_type].compiler
    if compiler is None:
        raise DeviceError(f"{device} runs no kernels")
    return compiler(device)


def runs_kernels(device: Device) -> bool:
    """Return whether values can be drawn on the device itself."""
    return _NAMESPACES[device.device_type].compiler is not None


def check_dtype(device: Device, dtype: str) -> None:
    """Raise DeviceError if arrays on the device cannot have the dtype; one sentence says why."""
    _NAMESPACES[device.device_type].check_dtype(dtype)


def is_shortage(error: BaseException) -> bool:
    """Return whether an error means that memory is exhausted.

    That is a MemoryError (CuPy's own is one), or an error of CUDA's libraries with one of the words
    in SHORTAGES.
    """
    if isinstance(error, MemoryError):
        return True
    return type(error).__module__.partition(".")[0] in CUPY and any(
        word in str(error) for word in SHORTAGES
    )


def to_host(raw: Array, device: Device) -> np.ndarray:
    """Return a device's raw array as a NumPy array; on the CPU it shares memory."""
    return _NAMESPACES[device.device_type].to_host(raw)


def from_host(array: np.ndarray, device: Device) -> Array:
    """Return a NumPy array as a device's raw array; on the CPU it shares memory."""
    return _NAMESPACES[device.device_type].from_host(array, device)


def cpu(device_id: int = 0) -> Device:
    """Return the CPU. Each id is a separate device in the same memory."""
    return Device("cpu", device_id)


def cpu_pinned(device_id: int = 0) -> Device:
    """Return host memory under MXNet's name for pinned memory."""
    return Device("cpu_pinned", device_id)


def gpu(device_id: int = 0) -> Device:
    """Return a GPU. Whether it exists is checked when an array is created on it."""
    return Device("gpu", device_id)


def num_gpus() -> int:
    """Return the number of GPUs that CuPy finds; 0 without CuPy."""
    try:
        import cupy

        return int(cupy.cuda.runtime.getDeviceCount())
    except ImportError:
        return 0
    except cupy.cuda.runtime.CUDARuntimeError:
        return 0


def gpu_memory_info(device_id: int = 0) -> tuple[int, int]:
    """Return (free, total) bytes of a GPU's memory. Raises MXNetError if there is no such GPU."""
    free, total = _cupy(Device("gpu", device_id)).cuda.runtime.memGetInfo()
    return int(free), int(total)


def current_device() -> Device:
    """Return the device of the innermost `with device:`, else the thread's default, else cpu(0)."""
    stack = getattr(_scopes, "stack", None)
    return stack[-1] if stack else getattr(_scopes, "default", None) or Device("cpu", 0)


def set_default(device: Device | None) -> None:
    """Set the device of new arrays outside any `with device:`, in this thread; None: cpu(0)."""
    _scopes.default = device


Devices: TypeAlias = Device | Sequence[Device] | None
"""One device, several, or the current one."""
Context = Device
current_context = current_device
