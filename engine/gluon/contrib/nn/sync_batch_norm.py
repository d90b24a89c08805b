"""Batch normalization synchronized over devices (MXNet: gluon/contrib/nn/basic_layers.py)."""

from __future__ import annotations

from initlab.engine.gluon.nn.norm import BatchNorm
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.gluon.state import InitLike
from initlab.engine.warning import warn


class SyncBatchNorm(BatchNorm):
    """BatchNorm over the whole batch.

    A batch is on a single device here, so this is BatchNorm. Raises ValueError if `num_devices` is
    more than 1.
    """

    def __init__(
        self,
        in_channels: int = 0,
        num_devices: int | None = None,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        center: bool = True,
        scale: bool = True,
        use_global_stats: bool = False,
        beta_initializer: InitLike = "zeros",
        gamma_initializer: InitLike = "ones",
        running_mean_initializer: InitLike = "zeros",
        running_variance_initializer: InitLike = "ones",
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        if num_devices is None:
            warn(
                "Caution using SyncBatchNorm: if not using all the GPUs, please mannually set num_devices",
                UserWarning,
            )
        elif num_devices != 1:
            raise ValueError(
                f"SyncBatchNorm: num_devices must be 1, since a batch is on one device, got {num_devices!r}"
            )
        super().__init__(
            1,
            momentum,
            epsilon,
            center,
            scale,
            use_global_stats,
            beta_initializer,
            gamma_initializer,
            running_mean_initializer,
            running_variance_initializer,
            in_channels,
            prefix,
            params,
        )

    def __repr__(self) -> str:
        said = ", ".join(
            f"{name}={value}" for name, value in self._kwargs.items() if name != "axis"
        )
        return (
            f"SyncBatchNorm({said}, ndev=1, key={self.prefix!r}, "
            f"in_channels={self.gamma.shape[0] or None})"
        )
