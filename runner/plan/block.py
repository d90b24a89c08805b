"""The plan of a network made in Python: no config is involved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from initlab.engine import gluon
from initlab.engine.gluon.shapes import inferred
from initlab.engine.gluon.utils import shape_is_known
from initlab.engine.init import Initializer
from initlab.engine.streams.key import check_seed
from initlab.runner.errors import ConfigError, Problems
from initlab.runner.plan.model import parse_initializer
from initlab.runner.plan.network import network_of
from initlab.runner.plan.rows import Plan, make_plan


def plan(
    net: gluon.Block,
    init: str | Mapping[str, Any] | Initializer,
    input: Sequence[int] | None = None,
    seed: int = 0,
) -> Plan:
    """What `net.collect_params().initialize(init)` would draw under `seed`, as a plan. Nothing is
    drawn, and `net` stays as it is.

    `init` is an initializer, its name, or a mapping as in YAML: `{"kind": "normal", "sigma": 0.1}`.
    `input` is the shape of one sample, without the batch axis; shapes that the parameters do not have
    yet follow from it, as for a batch of one. It may be left out where all are known. A network with a
    block that does not define `infer_shape` is called once on zeros.

    Streams are keyed by the network's prefix and the paths, as everywhere in Gluon: give the network a
    `prefix` if another process is to draw the same.

    TypeError for what is no block or no shape; ConfigError for an initializer that does not exist or
    cannot fill a parameter, and for a shape that stays unknown; ValueError for a seed that is not from
    0 to 2^64-1; MXNetError, or what the network's own code raises, for an input that it cannot take.
    """
    if not isinstance(net, gluon.Block):
        raise TypeError(f"net must be a Block of initlab.engine.gluon, got {type(net).__name__}")
    check_seed(seed)
    problems = Problems()
    with problems.under("init"):
        initializer = parse_initializer(dict(init) if isinstance(init, Mapping) else init)
    problems.raise_any()
    shape = None if input is None else _sample(input)
    with nullcontext(()) if shape is None else inferred(net, (1, *shape)) as output:
        unknown = [p for p, one in net.structural_params().items() if not shape_is_known(one.shape)]
        if unknown:
            more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
            wanted = (
                "give input=, the shape of one sample"
                if input is None
                else f"an input of shape {shape} does not reach it"
            )
            raise ConfigError.of("", f"the shape of '{unknown[0]}'{more} is not known - {wanted}")
        return make_plan(network_of(net), output or (), initializer, seed, f"{net.prefix}/")


def _sample(input: Sequence[int]) -> tuple[int, ...]:
    """The shape of one sample. TypeError for what is none."""
    sizes = tuple(input) if isinstance(input, (tuple, list)) else (None,)
    if not all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in sizes):
        raise TypeError(
            f"input must be the shape of one sample, positive whole numbers like (3, 32, 32), got {input!r}"
        )
    return sizes
