"""The architecture: imports go down and have no cycles, some things exist in one place only, and
the tests mirror the source. Each file is parsed once; a test reports all offenders at once.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]

FLOORS = [
    # engine: knows nothing of Hydra, of run folders, of experiments
    {"engine.errors", "engine.arrays", "engine.strict_json", "engine.synonyms", "engine.warning"},
    {"engine.registry"},
    {
        "engine.dtypes",
        "engine.naming",
        "engine.device",
        "engine.options",
        "engine.base",
        "engine.native",
    },
    {
        "engine.digest",
        "engine.formats",
        "engine.context",
        "engine.name",
        "engine.runtime",
        "engine.util",
    },
    {"engine.streams"},
    {"engine.tape"},
    {"engine.autograd"},
    {"engine.ops"},
    {"engine.nd"},
    {
        "engine.ndarray",
        "engine.symbol",
        "engine.operator",
        "engine.image",
        "engine.contrib",
        "engine.io",
    },
    {"engine.sym", "engine.random", "engine.laws"},
    {"engine.init"},
    {"engine.initializer"},
    {"engine.gluon.utils", "engine.gluon.state", "engine.gluon.flow"},
    {"engine.gluon.parameter"},
    {"engine.gluon.packing", "engine.gluon.sites"},
    {"engine.gluon.parameter_dict", "engine.gluon.block_summary", "engine.gluon.model_files"},
    {"engine.gluon.block"},
    {"engine.gluon.hybrid_block"},
    {"engine.gluon.shapes", "engine.gluon.symbol_block"},
    {"engine.lr_scheduler", "engine.metric"},
    {"engine.optimizer"},
    {"engine.test_utils"},
    {"engine.gluon.nn", "engine.gluon.loss", "engine.gluon.trainer"},
    {"engine.gluon.data"},
    {"engine.gluon.rnn"},
    {"engine.gluon.contrib", "engine.gluon.model_zoo"},
    {"engine.gluon"},
    {"engine"},
    # runner
    {
        "runner.errors",
        "runner.excerpt",
        "runner.kinds",
        "runner.theory",
        "runner.flat",
        "runner.json_values",
        "runner.listing",
        "runner.progress",
    },
    {"runner.ending", "runner.files", "runner.figures"},
    {"runner.evidence"},
    {
        "runner.command",
        "runner.claims",
        "runner.layers",
        "runner.data",
        "runner.stats",
        "runner.trackers",
    },
    {"runner.probes"},
    {"runner.measures"},
    {"runner.config"},
    {"runner.plan", "runner.observation"},
    {"runner.symptoms"},
    {"runner.diagnosis", "runner.reference"},
    {"runner.terminal", "runner.expectation", "runner.report"},
    {"runner.run", "runner.tracking"},
    {"runner.sweep"},
    {"runner.advice"},
    {"runner.check", "runner.experiments", "runner.declare", "runner.keeping"},
    {"runner.audit", "runner.export"},
    {"runner.torch"},
    {"runner.launch"},
    {"runner.commands", "runner.pytest_collection"},
    {"runner.cli"},
    {"runner.__main__"},
    {"runner"},
]
"""Lowest first. A module imports from lower floors and from its own folder; a name stands for
everything below it.
"""

HYDRA_ROOMS = ("runner/config/", "runner/sweep/", "runner/launch.py")
"""Only these know Hydra and OmegaConf."""

ONLY_HERE = {
    "cupy": {"engine/device.py"},
    "pandas": {"runner/evidence/runs.py"},
    "rich": {
        "runner/declare.py",
        "runner/terminal/tables.py",
        "runner/terminal/sweeps.py",
        "runner/terminal/folding.py",
        "runner/terminal/sections.py",
        "runner/terminal/diagnosis.py",
        "runner/terminal/advice.py",
        "runner/run/showing.py",
        "runner/run/stages.py",
        "runner/progress.py",
        "runner/listing.py",
        "runner/sweep/monitor.py",
        "runner/check/comparison.py",
        "runner/audit/page.py",
        "runner/audit/lineage.py",
        "runner/check/lockcheck.py",
        "runner/expectation.py",
        "runner/experiments/judging.py",
        "runner/experiments/page.py",
        "runner/keeping/listing.py",
        "runner/keeping/showing.py",
    },
    "matplotlib": {"runner/report/drawing.py"},
    "tensorboardX": {"runner/trackers/tensorboard.py"},
    "mlflow": {"runner/trackers/mlflow.py"},
    "wandb": {"runner/trackers/wandb.py"},
    "ml_dtypes": {"engine/dtypes.py"},
    "pytest": {"runner/pytest_collection.py"},
    "PIL": {"engine/image.py"},
    "h5py": {"engine/formats/hdf5.py"},
    "xml": {"runner/check/junit.py"},
    "hydra._internal": {"runner/config/hydra_internals.py"},
    # No floor sees what importlib imports; the manifest asks it for versions only, charts and
    # trackers
    # whether a library is there.
    "importlib": {
        "engine/registry.py",
        "runner/config/plugins.py",
        "runner/sweep/plugin.py",
        "runner/evidence/manifest.py",
        "runner/report/drawing.py",
        "runner/trackers/base.py",
    },
}
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "shelve", "marshal", "cloudpickle"}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc"}
MXNETS_OWN = {"engine/gluon/utils.py", "engine/contrib/text/utils.py"}
"""MXNet has modules of these names."""


class Module(NamedTuple):
    """A source file: its path below the root, its dotted name, its parsed text and all nodes."""

    path: str
    name: str
    tree: ast.Module
    nodes: tuple[ast.AST, ...]


def module_of(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def parsed(path: str, text: str) -> Module:
    tree = ast.parse(text)
    return Module(path, module_of(Path(path)), tree, tuple(ast.walk(tree)))


@cache
def sources() -> tuple[Module, ...]:
    """Every module of engine and runner, parsed once for all tests."""
    paths = sorted(p for package in ("engine", "runner") for p in (ROOT / package).rglob("*.py"))
    return tuple(
        parsed(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for path in paths
    )


@cache
def known_modules() -> frozenset[str]:
    return frozenset(module.name for module in sources())


def floor_of(module: str) -> tuple[int, str]:
    """Return (floor, entry): the floor of a module and the longest entry that is the module or a
    folder above it.
    """
    found = [
        (i, name)
        for i, names in enumerate(FLOORS)
        for name in names
        if module == name or module.startswith(name + ".")
    ]
    return max(found, key=lambda item: len(item[1]))


def imports_of(module: Module) -> set[str]:
    """Return our own modules that a module imports anywhere, including inside functions."""
    found = set()
    for node in module.nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                known = inner.removeprefix("initlab.") in known_modules()
                found.add(inner if known else node.module)
    return {
        name.removeprefix("initlab.")
        for name in found
        if name.startswith(("initlab.engine", "initlab.runner"))
    }


def wrong_imports(module: Module) -> list[str]:
    """Return the imports that go up or sideways, or are relative."""
    floor, entry = floor_of(module.name)
    wrong = [
        f"{module.path}:{node.lineno} imports relatively: write the module's full name"
        for node in module.nodes
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    for name in sorted(imports_of(module)):
        other, other_entry = floor_of(name)
        own_folder = other_entry == entry and "." in entry
        if other >= floor and not own_folder:
            wrong.append(
                f"{module.path} (floor {floor}, {entry}) imports {name} "
                f"(floor {other}, {other_entry})"
            )
    return wrong


def offenders(found: Iterator[str]) -> str:
    """Return the offenders, one per line; empty if there are none."""
    return "\n".join(found)


def test_imports_go_down():
    assert not offenders(wrong for module in sources() for wrong in wrong_imports(module))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("engine/autograd.py", "from initlab.engine import nd"),
        ("engine/ops/linear.py", "from initlab.engine.nd import NDArray"),
        ("engine/streams/words.py", "import initlab.runner.run.stages"),
        ("engine/nd/ndarray.py", "def f():\n    from initlab.engine.gluon import nn"),
        ("runner/plan/rows.py", "from initlab.runner import run"),
        ("runner/plan/network.py", "import initlab.runner.cli"),
        ("engine/ops/linear.py", "from ..nd import NDArray"),
        ("engine/ops/linear.py", "from .. import nd"),
        ("engine/errors.py", "from initlab.engine import *"),
    ],
)
def test_the_check_fails_on_an_import_that_goes_up(path, text):
    assert wrong_imports(parsed(path, text))


def test_every_module_stands_on_a_floor_and_every_floor_holds_one():
    named = {name for names in FLOORS for name in names}
    assert named <= known_modules()
    assert not offenders(
        f"{module.path} is on no floor of its own: add it to FLOORS"
        for module in sources()
        if floor_of(module.name)[1] in ("engine", "runner")
        and module.name not in ("engine", "runner")
    )


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """Return the nodes of a cycle, or an empty list. Nodes without outgoing arrows are removed
    until none is left; the rest are on or above a cycle.
    """
    left = {node: set(targets) for node, targets in arrows.items()}
    while True:
        ends = {node for node, targets in left.items() if not targets & left.keys()}
        if not ends:
            break
        left = {node: targets for node, targets in left.items() if node not in ends}
    way: list[str] = []
    while left and (node := min(left[way[-1]] & left.keys()) if way else min(left)) not in way:
        way.append(node)
    return [*way[way.index(node) :], node] if way else []


def arrows_between(rooms: bool) -> dict[str, set[str]]:
    """Return who imports whom, as modules or as rooms. A room is a folder. Names that a folder's
    `__init__` re-exports do not count as imports of the folder.
    """
    inits = {module.name for module in sources() if module.path.endswith("__init__.py")}

    def room(name: str) -> str:
        return name if name in inits or name.count(".") < 2 else name.rsplit(".", 1)[0]

    arrows: dict[str, set[str]] = {}
    for module in sources():
        if rooms and module.name in inits:
            continue
        start = room(module.name) if rooms else module.name
        targets = {room(name) if rooms else name for name in imports_of(module)}
        arrows.setdefault(start, set()).update(targets - {start})
    return arrows


@pytest.mark.parametrize("rooms", [False, True], ids=["modules", "rooms"])
def test_no_import_goes_round_in_a_circle(rooms):
    assert circle(arrows_between(rooms)) == []


def test_the_check_finds_a_circle_and_says_the_way():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"d"}, "d": {"b", "e"}, "e": set()}) == [
        "b",
        "c",
        "d",
        "b",
    ]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def libraries_of(module: Module) -> set[str]:
    """Return the top-level names that a module imports, and `hydra._internal` if it imports from
    there.
    """
    names = [a.name for node in module.nodes if isinstance(node, ast.Import) for a in node.names]
    names += [node.module or "" for node in module.nodes if isinstance(node, ast.ImportFrom)]
    private = {"hydra._internal"} if any(n.startswith("hydra._internal") for n in names) else set()
    return {name.split(".")[0] for name in names} | private


def test_a_library_is_imported_only_where_it_belongs():
    assert not offenders(
        f"{module.path} imports {library}"
        for module in sources()
        for library in sorted(libraries_of(module) & ONLY_HERE.keys())
        if module.path not in ONLY_HERE[library]
    )


def test_only_the_room_for_pytorch_imports_torch():
    assert not offenders(
        module.path
        for module in sources()
        if "torch" in libraries_of(module) and not module.path.startswith("runner/torch/")
    )


def test_only_config_sweep_and_the_command_line_know_hydra_and_omegaconf():
    assert not offenders(
        module.path
        for module in sources()
        if libraries_of(module) & {"hydra", "omegaconf"} and not module.path.startswith(HYDRA_ROOMS)
    )


RUN_FILES = re.compile(
    r"(\S*/)?(manifest\.json|stats\.(json|csv)|plan\.json|runner\.log"
    r"|snapshot\.(\*|journal|safetensors|npz)|\.hydra|status\.json|sweep\.json"
    r"|summary\.(csv|md)|claims\.(json|svg|png)|report\.html"
    r"|model\.safetensors\.index\.json|model-\S*\.safetensors\S*)"
)
"""The names of the files in a run's or a sweep's folder, and patterns of them."""


def files_named(module: Module) -> list[str]:
    """Return the strings that name a file of a run's folder, except in messages and docstrings."""
    texts = [node.value for node in module.nodes if isinstance(node, ast.Constant)]
    return [text for text in texts if isinstance(text, str) and RUN_FILES.fullmatch(text)]


def test_the_files_of_a_run_are_named_in_the_room_of_evidence_alone():
    assert not offenders(
        f"{module.path} names {name}"
        for module in sources()
        if not module.path.startswith("runner/evidence/")
        for name in files_named(module)
    )


@pytest.mark.parametrize(
    "source",
    [
        'folder / "manifest.json"',
        'STATS = "stats.json"',
        'folder.glob("snapshot.*")',
        'write(folder / "snapshot.npz")',
        '(folder / ".hydra").mkdir()',
        'open(f"{folder}/plan.json")',
    ],
)
def test_the_check_fails_on_a_reader_beside_the_room_of_evidence(source):
    assert files_named(parsed("runner/cli.py", source))


def unsafe(module: Module) -> list[str]:
    """Return what a module uses that could let a file or a config run code."""
    found = []
    for node in module.nodes:
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
    """Return what is unsafe in a call: eval, exec and __import__, bare or through `builtins`;
    NumPy's load without a literal allow_pickle=False; instantiate.
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


def test_nothing_is_unpickled_evaluated_or_instantiated_from_config():
    assert not offenders(f"{module.path} {what}" for module in sources() for what in unsafe(module))


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
    assert unsafe(parsed("runner/cli.py", source))


def meaningless(path: str) -> set[str]:
    """Return the parts of a module's path that say nothing about its contents."""
    parts = set(Path(path).with_suffix("").parts)
    return set() if path in MXNETS_OWN else parts & FORBIDDEN_NAMES


def test_every_module_says_what_it_is_for_and_has_a_name_that_says_something():
    assert not offenders(
        module.path
        for module in sources()
        if not ast.get_docstring(module.tree) or meaningless(module.path)
    )


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
    assert meaningless(name)


def test_every_public_function_and_class_says_what_its_signature_cannot():
    assert not offenders(
        f"{module.path}:{node.lineno} {node.name} has no docstring"
        for module in sources()
        for node in module.tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        and not node.name.startswith("_")
        and not any(ast.unparse(decorator) == "overload" for decorator in node.decorator_list)
        and not ast.get_docstring(node)
    )


def declares_only(module: Module) -> bool:
    """Return whether no function of a module does anything: all bodies are docstrings, `...`,
    `pass` or raise NotImplementedError.
    """

    def idle(statement: ast.stmt) -> bool:
        match statement:
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                return True
            case ast.Raise():
                return "NotImplementedError" in ast.unparse(statement)
        return False

    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return not any(
        isinstance(node, ast.Lambda)
        or (isinstance(node, functions) and not all(idle(statement) for statement in node.body))
        for node in module.nodes
    )


def home_of_tests(path: str) -> str:
    """Return the file of a module's tests."""
    file = Path(path)
    return f"tests/{file.parent.as_posix()}/test_{file.stem}.py"


def test_each_module_has_its_tests_in_the_file_of_its_name():
    """Packages' `__init__` and `__main__`, and modules that only declare, may do without."""
    assert not offenders(
        f"{module.path} has no {home_of_tests(module.path)}"
        for module in sources()
        if Path(module.path).stem not in ("__init__", "__main__")
        and not declares_only(module)
        and not (ROOT / home_of_tests(module.path)).exists()
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("class A:\n    x: int = 3\n    def f(self) -> int:\n        'Says it.'\n", True),
        ("def f():\n    raise NotImplementedError\n", True),
        ("class A:\n    def f(self):\n        return 3\n", False),
        ("f = lambda: 3\n", False),
    ],
)
def test_a_module_that_only_declares_is_told_from_one_that_does_something(text, expected):
    assert declares_only(parsed("engine/a.py", text)) is expected


def test_importing_the_engine_brings_in_neither_hydra_nor_cupy():
    script = "import initlab.engine, sys; print([m for m in ('hydra', 'omegaconf', 'rich', 'cupy', 'initlab.runner') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_no_message_of_the_engine_stands_in_an_assert():
    """pytest rewrites the asserts of a plugin's package, and `python -O` leaves them out: what a user
    may see is raised.
    """
    assert not offenders(
        f"{module.path}:{node.lineno} asserts with a message: raise AssertionError"
        for module in sources()
        for node in module.nodes
        if isinstance(node, ast.Assert) and node.msg is not None
    )
