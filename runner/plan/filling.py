"""Writes planned values into the parameters of a network."""

from __future__ import annotations

from collections.abc import Mapping

from initlab.engine import dtypes, gluon
from initlab.engine.device import current_device
from initlab.engine.gluon.utils import shape_is_known
from initlab.engine.registry import advice
from initlab.runner.plan.row import Row


def fill(plan: Mapping[str, Row], net: gluon.Block) -> None:
    """Write the values of all rows that are no aliases into the parameters of `net`. See
    `Plan.fill`.
    """
    check_block(net)
    found = net.structural_params()
    _check_paths(plan, found)
    for path, row in plan.items():
        _check_parameter(row, found[path], found[row.alias_of or path])
    _check_ties(plan, found)
    for path, row in plan.items():
        if row.alias_of is None:
            _write(row, found[path])


def check_block(net: object) -> None:
    """Raise TypeError unless `net` is a block."""
    if not isinstance(net, gluon.Block):
        raise TypeError(f"net must be a Block of initlab.engine.gluon, got {type(net).__name__}")


def _check_paths(plan: Mapping[str, Row], found: Mapping[str, gluon.Parameter]) -> None:
    for path in plan:
        if path not in found:
            raise KeyError(f"the network has no parameter '{path}' - {advice(path, found)}")
    for path in found:
        if path not in plan:
            raise KeyError(f"the plan has no parameter '{path}' - {advice(path, plan)}")


def _check_parameter(row: Row, parameter: gluon.Parameter, owner: gluon.Parameter) -> None:
    known = tuple(parameter.shape or ())
    fits = not known or (
        len(known) == len(row.shape)
        and all(a in (0, -1, b) for a, b in zip(known, row.shape, strict=True))
    )
    if not fits:
        raise ValueError(f"'{row.path}' has shape {known} in the network, planned {row.shape}")
    dtype = dtypes.name(parameter.dtype)
    if dtype != row.dtype:
        raise ValueError(f"'{row.path}' has dtype {dtype} in the network, planned {row.dtype}")
    if parameter is not owner:
        raise ValueError(f"'{row.path}' is planned as '{row.alias_of}', but is not tied to it")


def _check_ties(plan: Mapping[str, Row], found: Mapping[str, gluon.Parameter]) -> None:
    owners: dict[int, str] = {}
    for path, row in plan.items():
        if row.alias_of is None:
            other = owners.setdefault(id(found[path]), path)
            if other != path:
                raise ValueError(f"'{path}' is tied to '{other}', but planned with its own values")


def _write(row: Row, parameter: gluon.Parameter) -> None:
    """Write the row's values into one parameter, on every device that it is on or waits for."""
    values = row.draw()
    if not shape_is_known(parameter.shape):
        parameter.shape = row.shape
    try:
        devices = parameter.list_ctx()
    except RuntimeError:  # never initialized
        devices = [current_device()]
    parameter.adopt(values, devices[0])
    if len(devices) > 1:
        parameter.reset_ctx(devices)
