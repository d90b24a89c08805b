"""The reference is about what is shipped: kinds that tests before registered are put aside."""

from __future__ import annotations

import gc

import pytest

from initlab.engine.registry import Registry


@pytest.fixture(autouse=True)
def only_what_is_shipped():
    """Put aside what is registered by another module than one of InitLab."""
    found = [one for one in gc.get_objects() if issubclass(type(one), Registry)]
    kept = [(registry, dict(registry._entries)) for registry in found]
    for registry, entries in kept:
        for name, entry in entries.items():
            if not getattr(entry, "__module__", "initlab.").startswith("initlab."):
                del registry._entries[name]
    yield
    for registry, entries in kept:
        registry._entries.update(entries)
