"""Initialization that depends on data: layers are rescaled one after the other to unit variance."""

from __future__ import annotations

import math

import numpy as np

from initlab.engine import autograd, gluon, laws, nd
from initlab.runner.errors import ConfigError
from initlab.runner.measures.base import before_activation, outputs, wide
from initlab.runner.plan.network import Network
from initlab.runner.plan.row import Row
from initlab.runner.plan.rows import Plan
from initlab.runner.probes import Subject


def rescale(network: Network, plan: Plan, subject: Subject) -> None:
    """Rescale the weights whose law depends on data, in the order of the network.

    Each weight is divided by the standard deviation of its layer's output for the batch, before the
    activation, until the law's tolerance is met. Raises ConfigError if an output's variance is 0 or
    not finite, and if a parameter is not the weight of a layer.
    """
    for row in plan.owners:
        if isinstance(row.law, laws.DataScaled):
            path = row.path.rpartition(".")[0]
            if path not in network.leaves:
                raise ConfigError.of(
                    row.rule,
                    f"'{row.path}' is not the weight of a layer, so no output variance belongs to it - "
                    "use another initializer for it",
                )
            _settle(network.owners[row.path], row, row.law, path, subject)


def _settle(
    parameter: gluon.Parameter, row: Row, law: laws.DataScaled, path: str, subject: Subject
) -> None:
    for _ in range(law.most):
        variance = variance_of(path, subject)
        if not (math.isfinite(variance) and variance > 0):
            said = (
                f"layer '{path}' gives a variance of {variance:g} for the declared data, so "
                f"'{row.path}' cannot be scaled by it"
            )
            raise ConfigError.of(row.rule, f"{said} - use other data or another initializer")
        if abs(variance - 1) < law.tolerance:
            return
        values = parameter.data().asnumpy()
        scaled = (values.astype(np.float64) / math.sqrt(variance)).astype(values.dtype)
        parameter.set_data(nd.array(scaled, ctx=subject.device, dtype=row.dtype))


def variance_of(path: str, subject: Subject) -> float:
    """Return the variance of a layer's output before its activation, over all samples and units."""
    layer = subject.layers[path]
    with outputs({path: layer}) as found, autograd.predict_mode(), np.errstate(all="ignore"):
        subject.network(subject.inputs())
    return float(wide(before_activation(found[path], layer)).var())
