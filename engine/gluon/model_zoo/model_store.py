"""Files of weights that MXNet would download: found where they are, or one error (MXNet:
`gluon.model_zoo.model_store`).
"""

from __future__ import annotations

import os
from pathlib import Path

from initlab.engine.errors import MXNetError

_model_sha1: dict[str, str] = {}
"""MXNet's table of what can be downloaded, by name, to which other packages add: nothing here."""


def get_model_file(name: str, root: str | os.PathLike[str] = "~/.mxnet/models") -> str:
    """Return the path of the weights `name` in the folder `root`: name.params or name-….params.

    Raises MXNetError if there is no such file, because nothing is downloaded.
    """
    folder = Path(root).expanduser()
    for file in sorted([*folder.glob(f"{name}.params"), *folder.glob(f"{name}-*.params")]):
        return str(file)
    raise MXNetError(f"nothing is downloaded here - get {name}.params and put it in {folder}")


def purge(root: str | os.PathLike[str] = "~/.mxnet/models") -> None:
    """Raise MXNetError: files that were not downloaded here are not deleted here."""
    raise MXNetError(f"model_store.purge: nothing is deleted here - delete the files in {root}")
