"""Words and files become one resolved, searched and identified declaration."""

from __future__ import annotations
