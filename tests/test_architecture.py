"""The house: imports go down, one table says what is below what, and a few things live in one place only."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FLOORS = [
    # engine: knows nothing of Hydra, of run folders, of experiments
    {"engine.errors"},
    {"engine.registry"},
    {"engine.dtypes", "engine.naming", "engine.device"},
    {"engine.digest", "engine.formats"},
    {"engine.streams"},
    {"engine.autograd"},
    {"engine.ops"},
    {"engine.nd"},
    {"engine.random", "engine.laws"},
    {"engine.init"},
    {"engine.initializer"},
    {"engine.gluon.utils", "engine.gluon.state"},
    {"engine.gluon.parameter"},
    {"engine.gluon.parameter_dict", "engine.gluon.block_summary"},
    {"engine.gluon.block"},
    {"engine.gluon.nn"},
    {"engine.gluon"},
    {"engine"},
    # runner
    {"runner.errors", "runner.kinds", "runner.files"},
    {"runner.plugins"},
    {"runner.layers", "runner.data", "runner.stats"},
    {"runner.probes"},
    {"runner.schema"},
    {"runner.identity", "runner.model"},
    {"runner.build"},
    {"runner.plan"},
    {"runner.ledger", "runner.verdict"},
    {"runner.validate"},
    {"runner.snapshot", "runner.manifest"},
    {"runner.summary"},
    {"runner.compose"},
    {"runner.run"},
    {"runner.verify", "runner.sweep"},
    {"runner.cli"},
    {"runner.__main__"},
    {"runner"},
]
"""Lowest first. A module imports from lower floors and from its own folder; a name stands for everything below it."""

ONLY_HERE = {
    "cupy": {"engine/device.py"},
    "hydra": {"runner/schema.py", "runner/compose.py", "runner/cli.py", "runner/sweep/job.py", "runner/sweep/sweeper.py"},
    "omegaconf": {
        "runner/schema.py", "runner/identity.py", "runner/validate.py", "runner/verify.py", "runner/compose.py", "runner/cli.py",
        "runner/sweep/job.py", "runner/sweep/sweeper.py",
    },
    "rich": {"runner/summary.py", "runner/run.py"},
    "ml_dtypes": {"engine/dtypes.py"},
}  # fmt: skip
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "shelve", "marshal", "cloudpickle"}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc"}


def sources() -> list[Path]:
    return sorted(p for package in ("engine", "runner") for p in (ROOT / package).rglob("*.py") if "conf" not in p.parts)


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def floor_of(module: str) -> tuple[int, str]:
    """(floor, the entry that names it): the longest entry that is the module or a folder above it."""
    found = [(i, name) for i, names in enumerate(FLOORS) for name in names if module == name or module.startswith(name + ".")]
    return max(found, key=lambda item: len(item[1]))


def imports_of(tree: ast.AST, known: set[str]) -> set[str]:
    """Our own modules that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in known else node.module)
    return {name for name in found if name.split(".")[0] in ("engine", "runner")}


def wrong_imports(module: str, tree: ast.AST, known: set[str]) -> list[str]:
    floor, entry = floor_of(module)
    wrong = []
    for name in sorted(imports_of(tree, known)):
        other, other_entry = floor_of(name)
        own_folder = other_entry == entry and "." in entry
        if other >= floor and not own_folder:
            wrong.append(f"{module} (floor {floor}, {entry}) imports {name} (floor {other}, {other_entry})")
    return wrong


def known_modules() -> set[str]:
    return {module_of(path) for path in sources()}


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_down(path):
    assert wrong_imports(module_of(path), ast.parse(path.read_text(encoding="utf-8")), known_modules()) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("engine.autograd", "from engine import nd"),
        ("engine.ops.linear", "from engine.nd import NDArray"),
        ("engine.streams.words", "import runner.run"),
        ("engine.nd.ndarray", "def f():\n    from engine.gluon import nn"),
        ("runner.plan", "from runner import run"),
        ("runner.build", "import runner.cli"),
    ],
)
def test_the_check_fails_on_an_import_that_goes_up(module, source):
    assert wrong_imports(module, ast.parse(source), known_modules())


def test_every_module_stands_on_a_floor_and_every_floor_holds_one():
    known = known_modules()
    named = {name for names in FLOORS for name in names}
    assert named <= known
    for module in known:
        entry = floor_of(module)[1]
        assert entry not in ("engine", "runner") or module == entry, f"{module} is on no floor of its own: add it to FLOORS"


@pytest.mark.parametrize("library", ONLY_HERE)
def test_a_library_is_imported_only_where_it_belongs(library):
    users = set()
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] == library for name in names):
                users.add(str(path.relative_to(ROOT)))
    assert users <= ONLY_HERE[library]


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_is_unpickled_evaluated_or_instantiated_from_config(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not {a.name for a in node.names} & FORBIDDEN_MODULES
        if isinstance(node, ast.ImportFrom):
            assert node.module not in FORBIDDEN_MODULES
            assert not {a.name for a in node.names} & {"instantiate"}
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            assert not (isinstance(node.func, ast.Name) and name in ("eval", "exec", "__import__"))
            for keyword in node.keywords:
                if keyword.arg == "allow_pickle":
                    assert isinstance(keyword.value, ast.Constant) and keyword.value.value is False
            if name == "load" and getattr(getattr(node.func, "value", None), "id", "") == "np":
                assert any(k.arg == "allow_pickle" for k in node.keywords)


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_says_what_it_is_for_and_has_a_name_that_says_something(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert path.stem not in FORBIDDEN_NAMES or path == ROOT / "engine/gluon/utils.py"


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_public_function_and_class_says_what_its_signature_cannot(path):
    module = ast.parse(path.read_text(encoding="utf-8"))
    for node in module.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path.name}:{node.lineno} {node.name} has no docstring"


def test_importing_the_engine_brings_in_neither_hydra_nor_cupy():
    script = "import engine, sys; print([m for m in ('hydra', 'omegaconf', 'rich', 'cupy', 'runner') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
