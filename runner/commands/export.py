"""`initlab export DIR`."""

from __future__ import annotations

import argparse
from pathlib import Path

from initlab.runner.command import Command, register


@register
class Export(Command):
    """Write the first values of a finished run under another library's names and layouts.

    --as torch writes DIR.torch.safetensors: a parameter has the path of its layer in the config and
    the name that torch's module gives it (weight, running_mean, weight_ih_l0, in_proj_weight), so
    that a module written with the same names loads it. --as transformers writes the folder
    DIR.transformers for GPT2LMHeadModel.from_pretrained. Neither library need be installed.
    docs/export.md in the source has the names of each layer.

    exit codes:
      0   the export is written, or was there with the same bytes
      2   the run did not finish, kept no values or changed; a layer has no counterpart; or the
          target is there with another content, or cannot be written

    Example:
        initlab export outputs/runs/a --as torch
    """

    usage = "DIR --as LIBRARY"
    summary = "the values of a run under the names of torch or transformers"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the folder, the library and the target."""
        parser.add_argument("folder", type=Path, metavar="DIR", help="outputs/<name>/<run id>")
        parser.add_argument(
            "--as",
            dest="library",
            choices=("torch", "transformers"),
            required=True,
            metavar="LIBRARY",
            help="torch or transformers",
        )
        parser.add_argument(
            "-o",
            "--to",
            type=Path,
            metavar="PATH",
            help="default: DIR.torch.safetensors, or the folder DIR.transformers",
        )
        parser.add_argument("--force", action="store_true", help="replace what is there")

    def perform(self, given: argparse.Namespace) -> int:
        """Write the export; print its path, its size, and the ties that a module must make."""
        from initlab.runner.excerpt import counted
        from initlab.runner.export.export import export

        done = export(given.folder, given.library, given.to, given.force)
        print(f"{counted(done.tensors, 'tensor')}, {done.bytes:,} bytes")
        for alias, owner in done.ties.items():
            print(f"tied: {alias} = {owner} - both are in the file, tie them in the module")
        print(done.path)
        return 0
