"""The house: imports go down, one table says what is below what, and a few things live in one place
only.
"""

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
    {"engine.gluon.packing"},
    {"engine.gluon.parameter_dict", "engine.gluon.block_summary"},
    {"engine.gluon.block"},
    {"engine.lr_scheduler", "engine.metric"},
    {"engine.optimizer"},
    {"engine.gluon.nn", "engine.gluon.loss", "engine.gluon.trainer", "engine.gluon.data"},
    {"engine.gluon.contrib", "engine.gluon.rnn"},
    {"engine.gluon"},
    {"engine"},
    # runner
    {"runner.errors", "runner.kinds", "runner.theory", "runner.flat", "runner.progress"},
    {
        "runner.files",
        "runner.claims",
        "runner.layers",
        "runner.data",
        "runner.stats",
        "runner.trackers",
    },
    {"runner.probes"},
    {"runner.measures"},
    {"runner.config"},
    {"runner.plan"},
    {"runner.terminal", "runner.expectation"},
    {"runner.evidence"},
    {"runner.run", "runner.report"},
    {"runner.tracking"},
    {"runner.sweep"},
    {"runner.check", "runner.experiments", "runner.cli", "runner.declare"},
    {"runner.__main__", "runner.pytest_plugin"},
    {"runner"},
]
"""Lowest first. A module imports from lower floors and from its own folder; a name stands for
everything below it.
"""

ONLY_HERE = {
    "cupy": {"engine/device.py"},
    "hydra": {
        "runner/config/schema.py",
        "runner/config/compose.py",
        "runner/cli.py",
        "runner/sweep/job.py",
        "runner/sweep/sweeper.py",
        "runner/sweep/space.py",
        "runner/sweep/composer.py",
        "runner/sweep/declared.py",
        "runner/sweep/launching.py",
        "runner/sweep/searching.py",
        "runner/sweep/optuna.py",
    },
    "omegaconf": {
        "runner/config/schema.py",
        "runner/config/identity.py",
        "runner/plan/validate.py",
        "runner/check/verify.py",
        "runner/config/compose.py",
        "runner/cli.py",
        "runner/terminal/completion.py",
        "runner/sweep/job.py",
        "runner/sweep/sweeper.py",
        "runner/sweep/composer.py",
        "runner/sweep/declared.py",
        "runner/sweep/launching.py",
        "runner/sweep/optuna.py",
        "runner/experiments/catalogue.py",
    },
    "rich": {
        "runner/terminal/tables.py",
        "runner/run/stages.py",
        "runner/progress.py",
        "runner/sweep/progress.py",
        "runner/check/compare.py",
        "runner/check/lockcheck.py",
        "runner/expectation.py",
        "runner/experiments/__main__.py",
        "runner/experiments/page.py",
    },
    "numba": {"engine/streams/compiled.py", "runner/stats/onepass/compiled.py"},
    "matplotlib": {"runner/report/drawing.py"},
    "llvmlite": {"engine/streams/compiled.py"},
    "tensorboardX": {"runner/trackers/tensorboard.py"},
    "mlflow": {"runner/trackers/mlflow.py"},
    "wandb": {"runner/trackers/wandb.py"},
    "ml_dtypes": {"engine/dtypes.py"},
    "pytest": {"runner/pytest_plugin.py"},
    "xml": {"runner/check/junit.py"},
    # No floor sees what importlib imports; the manifest asks it for versions only, charts and
    # trackers
    # whether a library is there.
    "importlib": {
        "runner/kinds.py",
        "runner/config/plugins.py",
        "runner/sweep/sweeper.py",
        "runner/evidence/manifest.py",
        "runner/report/drawing.py",
        "runner/trackers/base.py",
    },
}
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "shelve", "marshal", "cloudpickle"}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc"}


def sources() -> list[Path]:
    return sorted(
        p
        for package in ("engine", "runner")
        for p in (ROOT / package).rglob("*.py")
        if "conf" not in p.parts
    )


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def floor_of(module: str) -> tuple[int, str]:
    """(floor, the entry that names it): the longest entry that is the module or a folder above it."""
    found = [
        (i, name)
        for i, names in enumerate(FLOORS)
        for name in names
        if module == name or module.startswith(name + ".")
    ]
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
                found.add(inner if inner.removeprefix("initlab.") in known else node.module)
    return {
        name.removeprefix("initlab.")
        for name in found
        if name.startswith(("initlab.engine", "initlab.runner"))
    }


def wrong_imports(module: str, tree: ast.AST, known: set[str]) -> list[str]:
    floor, entry = floor_of(module)
    relative = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
    wrong = [
        f"{module}:{node.lineno} imports relatively: write the module's full name"
        for node in relative
    ]
    for name in sorted(imports_of(tree, known)):
        other, other_entry = floor_of(name)
        own_folder = other_entry == entry and "." in entry
        if other >= floor and not own_folder:
            wrong.append(
                f"{module} (floor {floor}, {entry}) imports {name} (floor {other}, {other_entry})"
            )
    return wrong


def known_modules() -> set[str]:
    return {module_of(path) for path in sources()}


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_down(path):
    assert (
        wrong_imports(module_of(path), ast.parse(path.read_text(encoding="utf-8")), known_modules())
        == []
    )


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("engine.autograd", "from initlab.engine import nd"),
        ("engine.ops.linear", "from initlab.engine.nd import NDArray"),
        ("engine.streams.words", "import initlab.runner.run.stages"),
        ("engine.nd.ndarray", "def f():\n    from initlab.engine.gluon import nn"),
        ("runner.plan.rows", "from initlab.runner import run"),
        ("runner.plan.network", "import initlab.runner.cli"),
        ("engine.ops.linear", "from ..nd import NDArray"),
        ("engine.ops.linear", "from .. import nd"),
        ("engine.errors", "from initlab.engine import *"),
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
        assert entry not in ("engine", "runner") or module == entry, (
            f"{module} is on no floor of its own: add it to FLOORS"
        )


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


def unsafe(tree: ast.AST) -> list[str]:
    """What a module does that lets a file or a config run code."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [
                f"imports {a.name}" for a in node.names if a.name.split(".")[0] in FORBIDDEN_MODULES
            ]
        elif isinstance(node, ast.ImportFrom):
            names = {a.name for a in node.names}
            found += (
                [f"imports {node.module}"]
                if (node.module or "").split(".")[0] in FORBIDDEN_MODULES
                else []
            )
            found += ["imports instantiate"] if "instantiate" in names else []
            found += (
                ["imports numpy's load by name"]
                if node.module == "numpy" and "load" in names
                else []
            )
        elif isinstance(node, ast.Call):
            found += unsafe_call(node)
    return found


def unsafe_call(call: ast.Call) -> list[str]:
    """eval, exec and __import__, bare or through `builtins`; NumPy's load without a literal
    allow_pickle=False; instantiate.
    """
    target = call.func
    owner = getattr(getattr(target, "value", None), "id", "")
    name = target.id if isinstance(target, ast.Name) else getattr(target, "attr", "")
    found = (
        [f"calls {name}"]
        if name in ("eval", "exec", "__import__") and owner in ("", "builtins")
        else []
    )
    found += ["calls instantiate"] if name == "instantiate" else []
    pickle = [keyword.value for keyword in call.keywords if keyword.arg == "allow_pickle"]
    if any(not (isinstance(value, ast.Constant) and value.value is False) for value in pickle):
        found.append("allows pickles")
    if name == "load" and owner in ("np", "numpy") and not pickle:
        found.append("loads without saying allow_pickle=False")
    return found


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_is_unpickled_evaluated_or_instantiated_from_config(path):
    assert unsafe(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import os, pickle as p",
        "def f():\n    from pickle import loads",
        "eval('1')",
        "import builtins\nbuiltins.exec('1')",
        "__import__('os')",
        "import numpy as np\nnp.load('a')",
        "import numpy\nnumpy.load('a')",
        "from numpy import load",
        "import numpy as np\nnp.load('a', allow_pickle=True)",
        "import numpy as np\nnp.load('a', allow_pickle=flag)",
        "from hydra.utils import instantiate",
        "import hydra\nhydra.utils.instantiate(cfg)",
    ],
)
def test_the_check_fails_on_code_that_runs_what_it_reads(source):
    assert unsafe(ast.parse(source))


def meaningless(path: Path) -> set[str]:
    """Parts of a module's path that say nothing about what is in it."""
    inside = path.relative_to(ROOT).with_suffix("")
    return set() if inside == Path("engine/gluon/utils") else set(inside.parts) & FORBIDDEN_NAMES


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_says_what_it_is_for_and_has_a_name_that_says_something(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert not meaningless(path)


@pytest.mark.parametrize(
    "name",
    [
        "runner/helpers.py",
        "engine/common/__init__.py",
        "engine/misc/thing.py",
        "engine/nd/utils.py",
    ],
)
def test_the_check_fails_on_a_file_or_folder_whose_name_says_nothing(name):
    assert meaningless(ROOT / name)


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_public_function_and_class_says_what_its_signature_cannot(path):
    module = ast.parse(path.read_text(encoding="utf-8"))
    for node in module.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), (
                f"{path.name}:{node.lineno} {node.name} has no docstring"
            )


def test_importing_the_engine_brings_in_neither_hydra_nor_cupy_nor_numba():
    script = "import initlab.engine, sys; print([m for m in ('hydra', 'omegaconf', 'rich', 'cupy', 'numba', 'initlab.runner') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
