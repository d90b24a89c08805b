"""What a person reads on a screen: tables, help, completion."""

from __future__ import annotations
