"""The order in which a block's elements are added; every implementation follows it.

A block's elements are distributed over 512 lanes, which are added row by row; then the lanes are
added in halves. No multiply-add is fused. All implementations therefore give the same bits on any
processor.
"""

from __future__ import annotations

BLOCK = 1 << 16
"""Elements of a block."""
LANES = 512

Moments = tuple[float, float, float, float]
"""The sum, and the sums of the second to fourth powers of the deviations from the block's mean."""
