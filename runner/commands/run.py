"""`initlab run WORD …`, and `initlab WORD …`."""

from __future__ import annotations

from collections.abc import Sequence

from initlab.runner.command import Command, register


@register
class Run(Command):
    """Make the run, or with -m the sweep, that the words declare."""

    usage = "GROUP=OPTION KEY=VALUE ..."
    summary = "one run; `run` may be left out"

    def main(self, words: Sequence[str]) -> int:
        """Overrides and flags, Hydra's and ours."""
        from initlab.runner.launch import launch

        return launch(list(words))
