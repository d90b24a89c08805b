"""Stages of the trunk that end in a normalization, which sets the size of the signal anew."""

from __future__ import annotations

from initlab.runner.observation.passes import Observation


def normalized(seen: Observation) -> set[str]:
    """Return the paths of the hidden stages to which a normalization on the trunk was joined.

    A layer that lies in no stage of the trunk was joined to the stage before it.
    """
    found: set[str] = set()
    stages = [stage.path for stage in seen.trunk]
    current = None
    for leaf in seen.leaves:
        inside = next((p for p in stages if leaf.path == p or leaf.path.startswith(f"{p}.")), None)
        current = inside or current
        if inside is None and current is not None and "Norm" in leaf.kind:
            found.add(current)
    return found


def last_normalized(seen: Observation) -> int | None:
    """Return the number of the last hidden stage that ends in a normalization; None without any."""
    ends = normalized(seen)
    return max((n for n, stage in enumerate(seen.hidden) if stage.path in ends), default=None)
