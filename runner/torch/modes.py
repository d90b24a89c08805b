"""How a module behaves during one call: train or predict mode, dropout, random numbers, counters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from initlab.engine import gluon, streams

DROPPING = (
    functional.dropout,
    functional.dropout1d,
    functional.dropout2d,
    functional.dropout3d,
    functional.alpha_dropout,
    functional.feature_alpha_dropout,
)


class WithoutDropout(TorchFunctionMode):
    """Lets dropout drop nothing."""

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        options = dict(kwargs or {})
        if func in DROPPING:
            return args[0] if args else options["input"]
        if func is functional.scaled_dot_product_attention:
            args, options = (
                args[:4] + (0.0,) * (len(args) > 4) + args[5:],
                options | {name: 0.0 for name in ("dropout_p",) if name in options},
            )
        return func(*args, **options)


@contextmanager
def mode_of(module: nn.Module, training: bool, dropping: bool) -> Iterator[None]:
    """Put a module into train or predict mode, inside a `with`; recurrent layers drop between layers
    and attention within only if `dropping`.
    """
    before = [(one, one.training) for one in module.modules()]
    dropouts = [
        (one, one.dropout)
        for one in module.modules()
        if isinstance(one, nn.RNNBase | nn.MultiheadAttention) and not dropping
    ]
    module.train(training)
    for one, _ in dropouts:
        one.dropout = 0.0
    try:
        yield
    finally:
        for one, mode in before:
            one.training = mode
        for one, rate in dropouts:
            one.dropout = rate


@contextmanager
def seeded() -> Iterator[None]:
    """Let torch draw, inside a `with`, what follows from the engine's stream; its own generator is as
    before afterwards.
    """
    seed = int(streams.current().integers(0, 2**31, 1)[0])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@contextmanager
def restoring(module: nn.Module, block: gluon.Block) -> Iterator[None]:
    """Restore, at exit, the buffers that are no parameters of the block, like counters of batches."""
    known = block.structural_params()
    kept = [
        (owner, name, buffer, buffer._version, buffer.clone())
        for path, owner in module.named_modules()
        for name, buffer in owner._buffers.items()
        if buffer is not None and (f"{path}.{name}" if path else name) not in known
    ]
    try:
        yield
    finally:
        for owner, name, buffer, version, values in kept:
            if owner._buffers[name] is not buffer or buffer._version != version:
                owner._buffers[name] = values
