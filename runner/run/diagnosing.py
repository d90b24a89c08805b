"""The diagnosis of a run, made before the probe on a network of its own.

The network is built anew with the values of the run's, so that a block that changes when it is called
is called as often by the probe as without a diagnosis. Nor does a diagnosis end a run: a network that
cannot be sent through on the tape, like one that assigns in place, has none, and the log says why.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np

from initlab.runner.evidence.diagnosed import Diagnosis
from initlab.runner.excerpt import on_one_line
from initlab.runner.plan.network import Network, build_twin
from initlab.runner.plan.validate import RunConfig
from initlab.runner.probes import Subject, Trace
from initlab.runner.probes.base import is_state
from initlab.runner.run.streamed import shaped

if TYPE_CHECKING:
    from initlab.runner.observation.passes import Observation

LOG = logging.getLogger("runner")
T = TypeVar("T")
Sections: TypeAlias = Mapping[str, Sequence[Mapping[str, object]]]
"""Name of a section -> its rows."""


def subject_of(config: RunConfig, network: Network) -> Subject:
    """Return the network with the declared data for it."""
    return Subject(
        network=network.root,
        layers=network.measured,
        parameters=network.owners,
        batch=config.data.load(config.sample_shape, config.seed),
        training=config.data.training(config.sample_shape, config.seed),
        device=config.device,
        dtype=config.dtype,
        seed=config.seed,
        mode=config.probe.mode,
        dropout=config.probe.dropout,
    )


def is_wanted(config: RunConfig) -> bool:
    """Return whether a run makes a diagnosis: nothing is sent through the network with `probe=none`."""
    return config.diagnose and config.probe.kind != "none"


def observed(config: RunConfig, network: Network) -> Observation | None:
    """Return what a diagnosis is made from; None if it is not wanted, or fails. The network is as
    before. What the data raises ends the run, as it would in the probe.
    """
    if not is_wanted(config):
        return None
    from initlab.runner.observation.passes import observe

    given = subject_of(config, network)

    def look() -> Observation:
        own = _again(config, network)
        subject = replace(given, network=own.root, layers=own.measured, parameters=own.owners)
        return observe(subject)

    return _attempted(look)


def judged(
    config: RunConfig, seen: Observation | None, trace: Trace, sections: Sections
) -> Diagnosis | None:
    """Return the diagnosis of what was observed, None without."""
    return None if seen is None else _attempted(lambda: diagnosed(config, seen, trace, sections))


def diagnosed(config: RunConfig, seen: Observation, trace: Trace, sections: Sections) -> Diagnosis:
    """Return the diagnosis; `trace` has the first update by the declared optimizer, if any, and
    `sections` what the chosen measurements found.
    """
    from initlab.runner.diagnosis.cure import can_draw
    from initlab.runner.diagnosis.diagnose import diagnosis_of

    rows = {row.path: row for row in config.plan.rows}
    rate = getattr(config.probe, "learning_rate", None)

    def usable(words: str) -> bool:
        shape = (config.data.batch, *config.sample_shape)
        twin, _ = build_twin(config.model, config.dtype, shape)
        return can_draw(twin, words, config.seed, seen.tensors)

    return diagnosis_of(
        seen, usable, rows=rows, updates=trace.updates, rate=rate, sections=sections
    )


def _attempted(make: Callable[[], T]) -> T | None:
    """Return what `make` returns, or log why it fails and return None."""
    try:
        return make()
    except Exception as error:  # code of a plugin's blocks, on a tape that it may not know
        name, said = type(error).__name__, on_one_line(str(error))
        named = said if said.startswith(name) else f"{name}: {said}"
        LOG.warning("no diagnosis, as the network cannot be looked at: %s", named)
        LOG.info("where it failed", exc_info=True)
        return None


def _again(config: RunConfig, network: Network) -> Network:
    """Return the network built anew, with the same values.

    On the CPU it shares the memory of those that learn, read-only. Running statistics, which change
    in train mode, are its own.
    """
    again = shaped(config)
    for path, parameter in again.owners.items():
        array = network.owners[path].data()
        if is_state(parameter) or not array.device.is_host:
            values = array.asnumpy()
        else:
            values = np.asarray(array.__array__(copy=False)).view()
            values.flags.writeable = False
        parameter.adopt(values, config.device)
    return again
