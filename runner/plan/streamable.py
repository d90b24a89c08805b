"""Checks of what a streamed run does not support, because the network is never whole in memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from initlab.engine import laws, streams
from initlab.runner.errors import ConfigError, Problems
from initlab.runner.plan.row import Row
from initlab.runner.plan.rows import Plan
from initlab.runner.stats import Statistic
from initlab.runner.stats.meter import needs_whole_tensor


def check_streamed(resolved: Mapping[str, Any]) -> None:
    """Raise ConfigError for options that a streamed run does not support.

    These are streams that depend on the order of draws, other file formats, and a probe or
    measurements if no values are stored or the run is a shard.
    """
    problems = Problems()
    kept, probed = ((resolved.get(key) or {}).get("kind") for key in ("snapshot", "probe"))
    if resolved.get("measure") and (kept == "none" or resolved.get("shard") is not None):
        what = (
            "a shard holds a part of the network only"
            if resolved.get("shard") is not None
            else "a streamed run without a snapshot keeps no values"
        )
        problems.add(
            "measure",
            f"{what}, so nothing can be measured of it - leave measure out, or keep the whole in a "
            "snapshot",
        )
    if resolved.get("stream") in streams.VERSIONS and resolved["stream"] != streams.VERSION:
        said = f"{resolved['stream']} is drawn from in order, a streamed run draws in any"
        problems.add("stream", f"{said} - use {streams.VERSION}, or init_mode=deferred")
    if kept not in ("safetensors", "none"):
        problems.add("snapshot.kind", f"a streamed run writes safetensors or none, got {kept!r}")
    if kept == "none" and probed != "none":
        said = "a streamed run without a snapshot keeps no values that could be probed"
        problems.add("probe", f"{said} - use snapshot=safetensors, or probe=none")
    if resolved.get("shard") is not None and probed != "none":
        problems.add(
            "probe",
            "a shard holds a part of the network only, which cannot be probed - use probe=none",
        )
    problems.raise_any()


def scaled_by_data(plan: Plan) -> Row | None:
    """Return the first row whose values depend on the network's output for the data, or None."""
    return next((row for row in plan.owners if isinstance(row.law, laws.DataScaled)), None)


def check_data_scaled(plan: Plan, init_mode: str) -> None:
    """Raise ConfigError if a streamed run has values that depend on data, which need the whole
    network.
    """
    waiting = scaled_by_data(plan)
    if waiting is not None and init_mode == "streamed":
        said = (
            f"'{waiting.path}' is scaled by the network's output for the data, but a streamed run "
            "never has the whole network"
        )
        raise ConfigError.of("init_mode", f"{said} - use init_mode=eager or deferred")


def check_one_pass(plan: Plan, stats: dict[str, Statistic]) -> None:
    """Raise ConfigError for statistics that need all values of a large tensor if none are stored."""
    problems = Problems()
    for name, statistic in stats.items():
        large = next((row for row in plan.owners if needs_whole_tensor([statistic], row)), None)
        if large is not None:
            said = (
                f"needs all {math.prod(large.shape)} values of '{large.path}' at once, which a streamed "
                "run without a snapshot never has"
            )
            problems.add(f"stats.{name}", f"{said} - use snapshot=safetensors")
    problems.raise_any()
