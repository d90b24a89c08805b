"""The version of a file's format: `initlab-manifest-1` is the first version of a manifest.

Every file states its format. A version that this initlab cannot read is refused in one line that
names the file, the version found, the known versions, and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from initlab.runner.errors import EvidenceError


def check_version(
    place: Path, found: object, kind: str, known: Sequence[int], again: str, writer: str = ""
) -> int:
    """Return the version of the file at `place`, whose content states the format `found`.

    `kind` is `manifest` for `initlab-manifest-1`, `again` says how to make the file anew, `writer`
    is the version of initlab that wrote the file, if known. Raises EvidenceError if the version is
    not in `known` or `found` is no format of this kind.
    """
    formats = [f"initlab-{kind}-{version}" for version in known]
    if found in formats:
        return known[formats.index(str(found))]
    if isinstance(found, str) and re.fullmatch(rf"initlab-{kind}-[1-9][0-9]*", found):
        who = f"initlab {writer}, which wrote it" if writer else "a newer initlab"
        raise EvidenceError(
            f"{place}: is of format {found}, this initlab reads {', '.join(formats)} - use {who}, or "
            f"{again}"
        )
    raise EvidenceError(
        f"{place}: this is no {kind} of format {formats[-1]}, found {found!r} - {again}"
    )
