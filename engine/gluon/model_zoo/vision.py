"""The names of MXNet's networks for images: each call is one error that says what to do instead."""

from __future__ import annotations

from typing import NoReturn

from initlab.engine.errors import MXNetError

ABSENT = (
    "MXNet's networks are not here - write the network as a gluon.HybridBlock (a file of "
    "mxnet/gluon/model_zoo/vision works unchanged), then net.load_parameters for weights"
)


def get_model(name: str, **options: object) -> NoReturn:
    """Raise MXNetError: there are no ready networks."""
    raise MXNetError(f"model_zoo.vision.get_model({name!r}): {ABSENT}")


def __getattr__(name: str) -> NoReturn:
    raise AttributeError(f"model_zoo.vision.{name}: {ABSENT}")
