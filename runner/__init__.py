"""Declared networks, built, initialized, probed and documented by the command `initlab`."""

from __future__ import annotations

if __name__ == "runner":  # in a checkout: `import runner`, `python -m runner`
    from initlab.doorway import open_doorway

    open_doorway(__name__)
