"""`initlab advise WORD …`."""

from __future__ import annotations

import argparse
from pathlib import Path

from initlab.runner.command import Command, add_words, register
from initlab.runner.commands.plan import check_words


@register
class Advise(Command):
    """Say which initializer to use for the network that the words declare.

    The declared initializer and all that are known to suit such a network are tried: the gain that
    theory, or quadrature, gives for its activation in the normal, the uniform and the orthogonal form;
    he, glorot, lecun, orthogonal, lsuv and the defaults of frameworks; for residual networks and
    transformers fixup, skipinit, deepnorm, t_fixup, residual_scaled and gpt2 too. For each the
    parameters are drawn, one batch is sent through the network and back, and six steps of gradient
    descent are made on it, at the best of a few rates. The table has the best first: of those whose
    loss is then about the lowest, what theory prefers for such a network; then by this loss; what has
    a harmful finding comes last. Initializers that draw the same are tried once; those that the
    network refuses are listed at the end. Model, data, dtype and seed are those of the words.
    task=advise prints the same table. docs/advice.md in the source has the study behind the order.

    columns:
      worst finding      as initlab diagnose says it
      first loss         before the first step
      after 6 steps      the loss of the same batch, at the best of a few learning rates
      signal a block     factor of the signal's rms with each block, 1 is best
      gradient a block   factor of the gradient's length with each block on its way back
      cosine             of two inputs after the last hidden block; near 1 they are alike
      dead               units that are 0 for every sample, in the worst layer
      trained to         with --train: loss after 60 steps at the best of five rates

    exit codes:
      0   the table is printed, and the file is written if asked for
      2   a word, a file or the plan itself is refused; nothing is written

    Example:
        initlab advise model=deep_mlp --train
    """

    usage = "GROUP=OPTION KEY=VALUE ... [--train] [--write FILE]"
    summary = "which initializer to use for a network, ranked"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the words and the flags."""
        add_words(parser, sweeps=False)
        parser.add_argument(
            "--train",
            action="store_true",
            help="train the best three for a short time by plain sgd",
        )
        parser.add_argument(
            "--write",
            type=Path,
            metavar="FILE",
            help="write the best as a new option, like my_conf/init/my_net.yaml",
        )

    def perform(self, given: argparse.Namespace) -> int:
        """Print the table, and write the best. Raises ConfigError for what is refused."""
        from initlab.runner.errors import ConfigError
        from initlab.runner.launch import give_advice

        check_words("advise", given.words)
        if given.multirun:
            raise ConfigError.of(
                "-m", "is for a sweep, and advice is for one network - leave it out"
            )
        give_advice(given.words, given.config_dir, given.train, given.write)
        return 0
