"""From words and files to one resolved, searched and identified declaration."""

from __future__ import annotations
