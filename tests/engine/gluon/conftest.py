"""`recorded`: each layer that MXNet was asked about and the module of a test file's name defines."""

from __future__ import annotations

import pytest
from recorded_layers import rows_of

from initlab.engine import streams


def pytest_generate_tests(metafunc):
    if "recorded" in metafunc.fixturenames:
        rows = rows_of(metafunc.module.__name__.rpartition("test_")[2])
        assert rows, f"no recorded layer is defined in the module of {metafunc.module.__name__}"
        ids = [f"{row['name']}-{row['options']}" for _, row in rows]
        metafunc.parametrize("recorded", rows, ids=ids)


@pytest.fixture
def fresh_seed():
    streams.seed(0)
