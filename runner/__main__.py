"""`python -m runner …` in a checkout: the same as the command `initlab`."""

from __future__ import annotations

from initlab.__main__ import main

if __name__ == "__main__":
    main()
