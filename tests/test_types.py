"""The share of annotations that contain `Any`: a limit for each package."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIMITS = {"engine": 0.075, "runner": 0.04}
"""The share of annotations that may hold `Any`. These numbers only fall."""


def annotations(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield the annotations of parameters, results, variables and fields."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.returns:
            yield node.returns
        elif isinstance(node, (ast.arg, ast.AnnAssign)) and node.annotation:
            yield node.annotation


def holds_any(annotation: ast.expr) -> bool:
    """Return whether an annotation contains `Any`, also inside another type or in quotes."""
    return any(
        (isinstance(node, ast.Name) and node.id == "Any")
        or (isinstance(node, ast.Attribute) and node.attr == "Any")
        or (isinstance(node, ast.Constant) and "Any" in str(node.value))
        for node in ast.walk(annotation)
    )


def alias_of_any(tree: ast.AST) -> list[str]:
    """Return names that are aliases of `Any`, which would not be counted otherwise."""
    return [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        and isinstance(node.value, (ast.Name, ast.Attribute))
        and holds_any(node.value)
    ]


@pytest.mark.parametrize("package", LIMITS)
def test_few_annotations_hold_any(package):
    trees = [ast.parse(p.read_text(encoding="utf-8")) for p in (ROOT / package).rglob("*.py")]
    found = [holds_any(annotation) for tree in trees for annotation in annotations(tree)]
    assert len(found) > 1000
    assert sum(found) / len(found) < LIMITS[package]
    assert [alias for tree in trees for alias in alias_of_any(tree)] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(x: int, *y: dict[str, Any]) -> None: ...", [False, False, True]),
        ("class A:\n    x: typing.Any = 3\n    y: 'list[Any]'", [True, True]),
        ("async def f(x, y: Many) -> Any: ...", [True, False]),
    ],
)
def test_the_check_sees_any_wherever_it_stands(text, expected):
    assert [holds_any(found) for found in annotations(ast.parse(text))] == expected


def test_the_check_sees_a_name_for_any():
    assert alias_of_any(ast.parse("Array: TypeAlias = Any\nx = y\nRow = dict[str, Any]")) == [
        "Array: TypeAlias = Any"
    ]
