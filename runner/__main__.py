"""`python -m runner …`: the same as the console script `initlab`."""

from __future__ import annotations

from initlab.runner.cli import main

if __name__ == "__main__":
    main()
