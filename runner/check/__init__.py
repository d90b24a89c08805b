"""Finished runs held against something: a recomputation, another run, a lock."""

from __future__ import annotations
