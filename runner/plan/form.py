"""The form of a network: its layers in order, the containers around them, and how each weight is drawn.

It is what the plan and the declared blocks show, without a pass. A pass shows it too
(`runner.symptoms.form`), and more of it where a block computes in a way of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from initlab.engine import gluon
from initlab.engine.gluon.flow import Factor
from initlab.engine.gluon.nn.containers import is_chain
from initlab.engine.gluon.nn.joining import Joining
from initlab.runner.measures.base import own_activation
from initlab.runner.plan.network import Network
from initlab.runner.plan.row import Row
from initlab.runner.probes.following import blocks_by_path
from initlab.runner.probes.roles import holds_layers


@dataclass(frozen=True)
class Link:
    """One layer: the kind of its block, whether it has weights, its activation, and the factor that it
    is; None for what it is not.
    """

    path: str
    kind: str
    weighted: bool
    activation: str | None
    factor: float | None = None


@dataclass(frozen=True)
class Form:
    """The layers in the order of the data; the containers with an output of their own, and those that
    add what they compute to what enters them; the plan's rows by path.
    """

    links: tuple[Link, ...]
    containers: tuple[str, ...]
    adding: tuple[str, ...]
    rows: Mapping[str, Row]


def form_declared(network: Network, rows: Mapping[str, Row]) -> Form:
    """Return the form of a network that is declared; its layers are in the order of the declaration.

    A block with a `forward` of its own may arrange its children in any way, and is a container.
    """
    blocks = blocks_by_path(network.root)
    inner = {path: block for path, block in blocks.items() if _is_container(block)}
    return Form(
        tuple(_links(network.root, "", rows)),
        tuple(path for path, block in inner.items() if not is_chain(block)),
        tuple(path for path, block in inner.items() if isinstance(block, Joining)),
        rows,
    )


def _is_container(block: gluon.Block) -> bool:
    return holds_layers(block) and not block._reg_params


def _links(block: gluon.Block, path: str, rows: Mapping[str, Row]) -> Iterator[Link]:
    """Yield the layers of a block."""
    if not _is_container(block):
        weighted = any(len(p.shape or (0, 0)) > 1 for p in block.structural_params().values())
        kind, factor = type(block).__name__, _factor(block, path, rows)
        yield Link(path, kind, weighted, own_activation(block), factor)
        return
    for name, child in block._children.items():
        yield from _links(child, f"{path}.{name}" if path else name, rows)


def _factor(block: gluon.Block, path: str, rows: Mapping[str, Row]) -> float | None:
    """Return by what a block multiplies its input, None if it does something else or draws the number."""
    part = type(block).data_flow(block)
    if not isinstance(part, Factor):
        return None
    row = rows.get(f"{path}.{part.parameter}")
    if row is None:
        return part.value
    return float(row.law.mean) if row.law.std == 0 and row.law.mean is not None else None
