"""The order in which a block's elements are added, which every implementation keeps.

A block's elements are dealt to 512 lanes, which are added row by row; then the lanes are folded in
halves. No product is fused into a sum. So all implementations give the same bits on any processor.
"""

from __future__ import annotations

BLOCK = 1 << 16
"""Elements a block."""
LANES = 512

Moments = tuple[float, float, float, float]
"""The sum, and the sums of the second to fourth powers of the distances from the block's mean."""
