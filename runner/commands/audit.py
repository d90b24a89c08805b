"""`initlab audit FILE …`."""

from __future__ import annotations

import argparse
from pathlib import Path

from initlab.runner.command import Command, register


@register
class Audit(Command):
    """Say which law of initialization each tensor of a file of weights follows, from its values alone.

    Files are .safetensors (an .index.json too), .npz, .params, torch's .pth, .pt, .bin and .ckpt, .onnx
    and .h5, or the folder of a run. Files of torch are read without unpickling: nothing in them runs.
    For each tensor: the law, its standard deviation, and every rule that gives this spread for the
    shape; trained values, unset memory, zero rows, blocks, and tensors with the same noise are said.
    That is what --infer asks for, and what is done without --against.

    With --against SPEC.yaml: what contradicts a declaration, and the likely cause. A declaration has the
    rules of init=mixed for the tensors' names, and may have facts, tied, zero_rows, blocks and allow;
    initlab plan ... --write-spec FILE writes that of a run.
    With --descends-from A: how far each tensor has moved from its values in the file A, and which show no
    trace of them. docs/audit.md in the source says what can be told apart, and how often that fails.

    exit codes:
      0   every file was read and is as declared
      1   a tensor contradicts the declaration, holds NaN, infinities or unset memory, or cannot
          descend from that of A
      2   a file, a tensor or the declaration cannot be read, or a tensor cannot be judged

    Example:
        initlab audit values.safetensors
    """

    usage = "FILE ..."
    summary = "which law the tensors of a file follow, or what contradicts a declared one"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the files and the output."""
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a file of weights")
        parser.add_argument(
            "--against", type=Path, metavar="SPEC.yaml", help="hold the files against a declaration"
        )
        parser.add_argument(
            "--infer", action="store_true", help="say the law of each tensor, as without --against"
        )
        parser.add_argument(
            "--descends-from",
            type=Path,
            metavar="A",
            help="the file that the files were trained from",
        )
        parser.add_argument(
            "--layers", type=int, metavar="L", help="layers of the network, for std/sqrt(2L)"
        )
        parser.add_argument(
            "--hidden", type=int, metavar="D", help="width of its stream, for 1/sqrt(D)"
        )
        parser.add_argument(
            "--std", type=float, metavar="S", help="the std that is declared for it"
        )
        parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
        parser.add_argument("--junit", type=Path, metavar="FILE", help="write a JUnit report")

    def perform(self, given: argparse.Namespace) -> int:
        """Print the audits; return the worst exit code."""
        from initlab.runner.audit.lineage import lineage_all
        from initlab.runner.audit.scales import Facts
        from initlab.runner.audit.several import audit_all
        from initlab.runner.audit.spec import read_spec
        from initlab.runner.errors import Problems

        problems = Problems()
        for word in ("layers", "hidden", "std"):
            value = getattr(given, word)
            if value is not None and not 0 < value < 1e9:
                problems.add(f"--{word}", f"must be a positive number, got {value}")
            if value is not None and given.against is not None:
                problems.add(
                    f"--{word}", f"is in the declaration: write facts: {{{word}: {value}}}"
                )
        other = "--against" if given.against else "--descends-from" if given.descends_from else None
        if given.infer and other is not None:
            problems.add("--infer", f"has no meaning beside {other} - leave one of the two out")
        if given.descends_from is not None:
            for word in ("layers", "hidden", "std", "against", "junit"):
                if getattr(given, word) is not None:
                    problems.add(
                        f"--{word}", "has no meaning beside --descends-from - leave it out"
                    )
        problems.raise_any()
        if given.descends_from is not None:
            return lineage_all(given.descends_from, given.files, given.json)
        if given.against is not None:
            return audit_all(given.files, read_spec(given.against), given.json, given.junit)
        facts = Facts(given.layers, given.hidden, given.std)
        return audit_all(given.files, facts, given.json, given.junit)
