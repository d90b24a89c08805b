"""Runs from Python: what the command line's words declare, planned."""

from __future__ import annotations

from initlab.runner.config.compose import compose
from initlab.runner.config.identity import declaration_of
from initlab.runner.plan.validate import RunConfig, validate
from initlab.runner.sweep.sweeper import register


def declare(*words: str) -> RunConfig:
    """The run that command line words declare, checked and planned; nothing is drawn and nothing
    written.

    `declare("init=he", "model=mlp").plan["0.weight"].draw(slice(0, 10))` draws ten rows.
    ConfigError with everything that is wrong.
    """
    register()
    return validate(declaration_of(compose(list(words))))
