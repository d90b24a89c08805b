"""The network and one row for each parameter, before any value exists. Knows nothing of Hydra."""

from __future__ import annotations
