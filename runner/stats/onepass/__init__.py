"""All figures of a tensor from one pass over its elements, in blocks that may come in any order and
from any thread.

  bins          the 4096 bins of a float's top 12 bits, their edges and their order
  lanes         the order in which a block's elements are added
  record        what is kept of a block
  kernels       a block's record, histogram and zeros, in NumPy
  compiled      the same by the kernels in C, equal to the bit
  cuda          the same on a GPU, for an array that lies there
  accumulator   takes blocks, returns a `Summary`
  summary       the figures, and their JSON form
  selection     exact quantiles, in a few more passes
"""

from __future__ import annotations

from initlab.runner.stats.onepass import cuda
from initlab.runner.stats.onepass.accumulator import Accumulator, summarize
from initlab.runner.stats.onepass.lanes import BLOCK
from initlab.runner.stats.onepass.selection import quantiles
from initlab.runner.stats.onepass.summary import Summary

__all__ = ["BLOCK", "Accumulator", "Summary", "cuda", "quantiles", "summarize"]
