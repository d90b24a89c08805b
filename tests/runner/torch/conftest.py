"""Tests of PyTorch modules; without torch they are skipped, and say so."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install 'initlab[torch]'")
