"""Descriptions of parameters as initializers receive them, and the law that an initializer chooses."""

from __future__ import annotations

from initlab.engine import init, laws
from initlab.engine.init import Description


def described(path: str, *shape: int, roles: tuple[str, ...] | None = None) -> Description:
    usual = ("out", "in", *["spatial"] * (len(shape) - 2)) if len(shape) > 1 else ("out",)
    return Description(path, path, shape, "float32", roles or usual)


def law(kind: str, description: Description, **options) -> laws.Law:
    return init.by_name(kind)(**options).law(description)
