"""Output for a person at a terminal: tables, help, completion."""

from __future__ import annotations
