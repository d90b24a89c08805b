"""The `nd` namespace: arrays on devices and the functions on them (MXNet: `mx.nd`)."""

from __future__ import annotations

from collections.abc import Callable

from initlab.engine.nd import _internal as _internal
from initlab.engine.nd import (
    arithmetic,
    contrib,
    functions,
    gathering,
    image,
    layers,
    linalg,
    methods,
    ordering,
    outputs,
    random,
    reduction,
    sequence,
    sequence_loss,
    shaping,
    softmax_family,
    spatial,
    unary,
    updates,
    warping,
)
from initlab.engine.nd.creation import (
    arange,
    array,
    empty,
    eye,
    full,
    full_like,
    linspace,
    ones,
    zeros,
)
from initlab.engine.nd.custom import Custom
from initlab.engine.nd.exchange import (
    from_dlpack,
    from_numpy,
    to_dlpack_for_read,
    to_dlpack_for_write,
)
from initlab.engine.nd.files import load, load_frombuffer, save
from initlab.engine.nd.gathering import onehot_encode
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import OPERATORS
from initlab.engine.nd.random import gamma as random_gamma
from initlab.engine.nd.random import (
    generalized_negative_binomial as random_generalized_negative_binomial,
)
from initlab.engine.nd.random import multinomial as sample_multinomial
from initlab.engine.nd.random import negative_binomial as random_negative_binomial
from initlab.engine.nd.random import normal, shuffle, uniform
from initlab.engine.nd.random import poisson as random_poisson
from initlab.engine.nd.random import randint as random_randint
from initlab.engine.nd.sampling import SAMPLERS
from initlab.engine.nd.shaping import concatenate
from initlab.lazy import no_attribute

random_normal, random_uniform = normal, uniform

FAMILIES = (
    arithmetic,
    functions,
    gathering,
    layers,
    methods,
    ordering,
    outputs,
    reduction,
    sequence,
    sequence_loss,
    shaping,
    softmax_family,
    spatial,
    unary,
    updates,
    warping,
)
"""The modules that declare operators; importing them fills `OPERATORS`."""

globals().update(OPERATORS)
NAMED = {f"linalg_{function.__name__}": function for function in linalg.FUNCTIONS} | {
    function.__name__: function for function in SAMPLERS
}
"""Functions that are no operators: they take no `name=`."""
globals().update(NAMED)


def waitall() -> None:
    """Do nothing: operations are synchronous here, so every value is ready (MXNet's API)."""


def __getattr__(name: str) -> Callable[..., NDArray]:
    raise no_attribute(__name__, name, __all__)


__all__ = [
    "Custom",
    "NDArray",
    "arange",
    "array",
    "concatenate",
    "contrib",
    "empty",
    "eye",
    "from_dlpack",
    "from_numpy",
    "full",
    "full_like",
    "image",
    "linalg",
    "linspace",
    "load",
    "load_frombuffer",
    "normal",
    "onehot_encode",
    "ones",
    "random",
    "random_gamma",
    "random_generalized_negative_binomial",
    "random_negative_binomial",
    "random_normal",
    "random_poisson",
    "random_randint",
    "random_uniform",
    "sample_multinomial",
    "save",
    "shuffle",
    "to_dlpack_for_read",
    "to_dlpack_for_write",
    "uniform",
    "waitall",
    "zeros",
    *OPERATORS,
    *NAMED,
]
