"""What this installation can do, by MXNet's names of features (MXNet: `mx.runtime`)."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from initlab.engine.device import num_gpus

NAMES = (
    "CUDA",
    "CUDNN",
    "NCCL",
    "CUDA_RTC",
    "TENSORRT",
    "CPU_SSE",
    "CPU_SSE2",
    "CPU_SSE3",
    "CPU_SSE4_1",
    "CPU_SSE4_2",
    "CPU_SSE4A",
    "CPU_AVX",
    "CPU_AVX2",
    "OPENMP",
    "SSE",
    "F16C",
    "JEMALLOC",
    "BLAS_OPEN",
    "BLAS_ATLAS",
    "BLAS_MKL",
    "BLAS_APPLE",
    "LAPACK",
    "MKLDNN",
    "OPENCV",
    "CAFFE",
    "PROFILER",
    "DIST_KVSTORE",
    "CXX14",
    "INT64_TENSOR_SIZE",
    "SIGNAL_HANDLER",
    "DEBUG",
    "TVM_OP",
)
"""The features that MXNet 1.9.1 lists, in its order."""
ON_A_GPU = ("CUDA", "CUDA_RTC")
ALWAYS = ("LAPACK", "INT64_TENSOR_SIZE")
"""The features that NumPy gives. Those of MXNet's own build (MKLDNN, OPENCV, …) are off."""


class Feature(NamedTuple):
    """A feature and whether it is there."""

    name: str
    enabled: bool

    def __repr__(self) -> str:
        return f"{'✔' if self.enabled else '✖'} {self.name}"


def feature_list() -> list[Feature]:
    """Return every feature that MXNet names."""
    on = ALWAYS + (ON_A_GPU if num_gpus() else ())
    return [Feature(name, name in on) for name in NAMES]


class Features(dict[str, Feature]):
    """The features by name; there is one object of this class."""

    instance: ClassVar[Features | None] = None

    def __new__(cls) -> Features:
        if cls.instance is None:
            cls.instance = super().__new__(cls)
        return cls.instance

    def __init__(self) -> None:
        super().__init__((feature.name, feature) for feature in feature_list())

    def __repr__(self) -> str:
        return str(list(self.values()))

    def is_enabled(self, feature_name: str) -> bool:
        """Return whether a feature is there. Raises RuntimeError if MXNet has none of that name."""
        name = feature_name.upper()
        if name not in self:
            raise RuntimeError(
                f"Feature '{name}' is unknown, known features are: {list(self.keys())}"
            )
        return self[name].enabled
