"""InitLab's runner: declared networks, built, initialized, probed and documented by `python -m
runner`.
"""

from __future__ import annotations

if __name__ == "runner":  # in a checkout: `import runner`, `python -m runner`
    from initlab.doorway import open_doorway

    open_doorway(__name__)
