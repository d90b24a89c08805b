"""The kernels in C, compiled ahead: which of their cores can be used here, and calling them.

  transforms.h   from words to values, and
  block.h        the statistics of a block: the one text for the host's compiler and NVIDIA's
  lanes.h        words of many blocks at once
  host.c         drawing and measuring; compiled once for each instruction set
  arrays.h       where NumPy arrays lie
  statistics.h   the passes of measuring
  buckets.h      elements in equal parts of their range
  sha256.c       two digests at once
  cores.c        which sets a processor has
  device.cu      the kernels of a GPU:
  drawing.cu     drawing, and
  statistics.cu  measuring

`hatch_build.py` compiles them into `kernels.native.so` when the package is built or installed.
"""

from __future__ import annotations

from initlab.engine.native.device import device_text
from initlab.engine.native.library import FOLDER, NAMES, Core, core, cores, pair_hasher, why_not

__all__ = ["FOLDER", "NAMES", "Core", "core", "cores", "device_text", "pair_hasher", "why_not"]
