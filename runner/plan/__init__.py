"""The network and the plan: one row for each parameter, before any value exists. Independent of
Hydra.
"""

from __future__ import annotations
