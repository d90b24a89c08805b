"""The plan of a network made in Python: no config is involved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext

import numpy as np

from initlab.engine import gluon
from initlab.engine.gluon.shapes import inferred
from initlab.engine.gluon.utils import shape_is_known
from initlab.engine.init import Initializer, by_name
from initlab.engine.init.base import REGISTRY
from initlab.engine.streams.key import check_seed
from initlab.runner.errors import ConfigError, Problems
from initlab.runner.plan.filling import check_block
from initlab.runner.plan.model import parse_initializer
from initlab.runner.plan.network import network_of
from initlab.runner.plan.rows import Plan, make_plan


def plan(
    net: gluon.Block,
    init: str | Mapping[str, object] | Initializer,
    input: Sequence[int] | None = None,
    seed: int = 0,
) -> Plan:
    """Return the plan of `net.collect_params().initialize(init)` under `seed`, without drawing
    anything.

    `net` is not changed. `init` is an initializer, its name, or a mapping of name and options:
    `{"kind": "normal", "sigma": 0.1}`. A name means what it means to `initialize`, so `orthogonal`
    is Gluon's `Orthogonal`; the `orthogonal` of a config is `haar` here. Kinds of configs that Gluon
    has no name for can be used as well. `input` is the shape of one sample, without the batch axis; unknown
    shapes of parameters follow from it, for a batch of one. It may be left out if all shapes are
    known. A network with a block that does not define `output_shape` is called once on zeros.

    The keys of streams contain the network's name and the paths (`engine.streams.names`). The plan
    is that of the first network of its kind, or of its prefix, that is initialized after `seed`.

    Raises TypeError if `net` is no block or `input` no shape; ConfigError if the initializer does
    not exist or cannot fill a parameter, or if a shape stays unknown; ValueError if the seed is
    outside 0 to 2^64-1; and MXNetError, or what the network's own code raises, if the network
    cannot take the input.
    """
    check_block(net)
    seed = check_seed(seed)
    problems = Problems()
    with problems.under("init"):
        given = dict(init) if isinstance(init, Mapping) else init
        initializer = parse_initializer(given, _gluons_class)
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
        return make_plan(
            network_of(net), output or (), initializer, seed, f"{net.stream_name.first()}/"
        )


def _gluons_class(name: str) -> type[Initializer]:
    """Return the initializer that Gluon calls by a name, or a config where Gluon has no such name.

    Raises KeyError with the nearest name.
    """
    return REGISTRY.get(name) if name in REGISTRY else by_name(name)


def _sample(input: Sequence[int]) -> tuple[int, ...]:
    """Return the shape of one sample as a tuple. Raises TypeError if it is no shape."""
    sizes = tuple(input) if isinstance(input, (tuple, list, np.ndarray)) else (None,)
    if not all(
        isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n > 0 for n in sizes
    ):
        raise TypeError(
            f"input must be the shape of one sample, positive whole numbers like (3, 32, 32), got {input!r}"
        )
    return tuple(map(int, sizes))
