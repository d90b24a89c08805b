"""`initlab plan WORD …`."""

from __future__ import annotations

from collections.abc import Sequence

from initlab.runner.command import Command, register


@register
class Plan(Command):
    """Show what a run of the words would draw, and why; nothing is allocated and nothing written."""

    usage = "GROUP=OPTION KEY=VALUE ..."
    summary = "what a run would draw, and why; writes nothing"

    def main(self, words: Sequence[str]) -> int:
        """Run the words with `task=plan`, like `initlab run`."""
        from initlab.runner.launch import launch

        return launch([*words, "task=plan"])
