"""The command `initlab`: declared networks, built, initialized, probed and documented."""

from __future__ import annotations

if __name__ == "runner":  # in a checkout: `import runner`, `python -m runner`
    from initlab.doorway import open_doorway

    open_doorway(__name__)
