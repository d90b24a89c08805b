"""Checks are an open set."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from initlab.runner.torch.watch.checks import REGISTRY, Check  # noqa: E402


def test_every_check_has_its_id_and_says_what_it_means():
    assert set(REGISTRY) == {
        "never-written", "not-by-scheme", "overridden", "not-wired", "law", "missing-key",
        "zero-row", "block", "tie", "copy", "scaled-copy",
    }  # fmt: skip
    for name in REGISTRY:
        cls = REGISTRY.get(name)
        assert issubclass(cls, Check) and cls.id == name and cls.says


def test_a_check_without_a_look_says_so():
    class Half(Check):
        id = "half"

    with pytest.raises(NotImplementedError, match="check 'half' defines no look"):
        Half().look(None)
