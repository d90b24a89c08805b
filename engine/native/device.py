"""The text of the kernels for a GPU, for NVIDIA's run-time compiler."""

from __future__ import annotations

import re
from functools import cache

from initlab.engine.native.library import FOLDER

INCLUDED = re.compile(r'^#include "(.+)"\n', re.MULTILINE)


@cache
def device_text(name: str = "device.cu") -> str:
    """Return the text of a file of this folder, CUDA C++, with the texts of the files it includes in
    the places of their names.
    """
    text = (FOLDER / name).read_text(encoding="utf-8")
    return INCLUDED.sub(lambda found: device_text(found[1]), text)
