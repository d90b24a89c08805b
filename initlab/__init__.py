"""InitLab: what a neural network is before its first training step.

    initlab.engine   MXNet Gluon's parameter system on NumPy and CuPy
    initlab.runner   declared networks: built, initialized, probed and documented by the command `initlab`

In a checkout `engine`, `runner` and `conf` are links to the folders beside this one; an installed
package holds them itself.
"""

from __future__ import annotations

__version__ = "0.1.0"
