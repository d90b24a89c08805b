"""The form of a network that was sent through; `runner.plan.form` has that of one that is declared."""

from __future__ import annotations

from collections.abc import Mapping

from initlab.engine import gluon
from initlab.runner.observation.passes import Observation
from initlab.runner.plan.form import Form, Link
from initlab.runner.plan.row import Row


def form_seen(seen: Observation, rows: Mapping[str, Row]) -> Form:
    """Return the form of a network that was sent through."""
    return Form(
        tuple(
            Link(
                stage.path,
                stage.kind,
                stage.weighted,
                stage.activation,
                stage.gain if stage.kind == gluon.nn.Scale.__name__ else None,
            )
            for stage in seen.leaves
        ),
        tuple(stage.path for stage in seen.trunk if stage.container),
        tuple(stage.path for stage in seen.trunk if stage.branch is not None),
        rows,
    )
