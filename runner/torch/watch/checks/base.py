"""Base class of checks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from initlab.engine.registry import Registry
from initlab.runner.torch.watch.record.found import Examined, Finding, Held

REGISTRY: Registry[type[Check]] = Registry("check", __package__)


class Check:
    """Base class of checks. A subclass has an `id`, and says in `says` what a finding means."""

    id: ClassVar[str]
    says: ClassVar[str]

    def look(self, given: Examined) -> Iterator[Finding]:
        """Yield what is wrong."""
        raise NotImplementedError(f"check '{self.id}' defines no look")

    def of(self, held: Held, said: str) -> Finding:
        """Return a finding about one tensor."""
        return Finding(self.id, (held.name,), said)


def register(cls: type[Check]) -> type[Check]:
    """Register a check under its `id` (a decorator)."""
    return REGISTRY.add(cls.id, cls)
