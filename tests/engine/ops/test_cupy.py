"""What the engine and the statistics ask of an array library is there in CuPy itself, by name and by keyword. Needs
CuPy, but no GPU.
"""

from __future__ import annotations

import ast
import inspect
from collections import defaultdict
from pathlib import Path

import pytest
from op_cases import cases, joined
from standin import counting_device

from initlab.engine import autograd, nd
from initlab.engine.device import is_shortage

pytest.importorskip("array_api_strict")
from strict import BEYOND, MAKERS, RENAMED  # noqa: E402

cupy = pytest.importorskip(
    "cupy",
    reason="CuPy is not installed - install the extra gpu-cuda12 or gpu-cuda13; no GPU is needed",
)
ROOT = Path(__file__).parents[3]
ASKING = [*(ROOT / "engine").rglob("*.py"), *(ROOT / "runner" / "stats").rglob("*.py")]


def is_library(node: ast.AST) -> bool:
    """Whether an expression is `xp` or `….use()`."""
    return (isinstance(node, ast.Name) and node.id == "xp") or (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "use"
    )


def asked() -> dict[str, set[str]]:
    """Function -> the keywords it is ever called with, read from the source."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in ASKING:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and is_library(node.value):
                found[node.attr] |= set()
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and is_library(node.func.value)
            ):
                found[node.func.attr] |= {keyword.arg for keyword in node.keywords if keyword.arg}
    return found


ASKED = asked()


def lacking(name: str, keywords: set[str]) -> set[str]:
    """The keywords that CuPy's function does not take."""
    function = getattr(cupy, name)
    if isinstance(function, cupy.ufunc):
        return keywords - {"out", "dtype", "casting"}
    parameters = inspect.signature(function).parameters.values() if keywords else ()
    if name == "pad":  # takes **kwargs; these are of its mode 'constant'
        return keywords - {"mode", "constant_values"}
    return keywords - {p.name for p in parameters}


@pytest.mark.parametrize("name", sorted(ASKED))
def test_a_function_that_the_source_names_is_there_with_its_keywords(name):
    assert len(ASKED) > 60
    assert callable(getattr(cupy, name))
    assert lacking(name, ASKED[name]) == set()


def test_functions_that_are_called_by_computed_names_are_there():
    with counting_device() as (device, calls):
        for case in cases():
            name, args, attributes = case.values if hasattr(case, "values") else case
            moved = {
                k: nd.array(v, ctx=device, dtype=v.dtype)._raw if hasattr(v, "dtype") else v
                for k, v in attributes.items()
            }
            boxes = [
                nd.array(a, ctx=device, dtype="float64") if hasattr(a, "dtype") else a for a in args
            ]
            with autograd.record():
                joined(name)(*boxes, **moved)
    names = {name.partition(".")[0] for name in calls}
    assert names - set(ASKED), "nothing is called by a computed name any more, so this test can go"
    assert {name for name in names if not hasattr(cupy, name)} == set()


def test_what_the_strict_library_allows_beyond_the_standard_is_there():
    assert {name for name in {*BEYOND, *RENAMED, *MAKERS} if not hasattr(cupy, name)} == set()
    assert {
        name: lacking(name, set(keywords))
        for name, keywords in BEYOND.items()
        if lacking(name, set(keywords))
    } == {}


def test_the_check_fails_on_what_cupy_lacks():
    assert not hasattr(cupy, "nan_to_numb")
    assert lacking("sum", {"axis", "where"}) == {"where"}
    assert lacking("exp", {"where"}) == {"where"}
    assert lacking("transpose", {"order"}) == {"order"}


def test_add_at_is_a_method_of_cupys_add():
    assert callable(cupy.add.at)


def test_cupys_own_errors_say_which_of_them_is_a_lack_of_memory():
    runtime = cupy.cuda.runtime
    assert is_shortage(cupy.cuda.memory.OutOfMemoryError(20480, 10, 0))
    assert is_shortage(runtime.CUDARuntimeError(2)) and not is_shortage(
        runtime.CUDARuntimeError(700)
    )
