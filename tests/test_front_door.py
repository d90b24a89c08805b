"""The public names of `import initlab`."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import initlab

ROOT = Path(__file__).parents[1]
SIGNATURES = {
    "declare": "(*words: 'str', config_dir: 'str | os.PathLike[str] | None' = None) -> 'DeclaredRun'",
    "diagnose": (
        "(net: 'gluon.Block', inputs: 'Any', labels: 'Any' = None, seed: 'int' = 0, "
        "measure: 'Sequence[str]' = ()) -> 'Diagnosis'"
    ),
    "load": "(path: 'str | os.PathLike[str]') -> 'Run'",
    "plan": (
        "(net: 'gluon.Block', init: 'str | Mapping[str, object] | Initializer', "
        "input: 'Sequence[int] | None' = None, seed: 'int' = 0) -> 'Plan'"
    ),
    "runs": "(root: 'str | os.PathLike[str] | None' = None) -> 'Runs'",
}
MEMBERS = {
    "DeclaredRun": {"advise", "begin", "checked", "config", "diagnose", "folder", "make", "plan", "run", "run_id", "words"},
    "Plan": {
        "aliases", "describe", "digest", "fill", "get", "items", "keys", "output", "owners", "remarks", "rows",
        "totals", "values",
    },
    "Run": {"config", "diagnosis", "facts", "figures", "manifest", "path", "state", "stats"},
    "Runs": {"column", "count", "index", "of", "records", "sort", "to_pandas", "where"},
}  # fmt: skip
OTHERS = {
    "ConfigError",
    "Diagnosis",
    "EvidenceError",
    "QuantityError",
    "Row",
    "__version__",
    "engine",
    "runner",
    "torch",
}


def test_these_are_the_public_names():
    assert set(initlab.__all__) == SIGNATURES.keys() | MEMBERS.keys() | OTHERS
    assert set(initlab.__all__) <= set(dir(initlab))
    for name in initlab.__all__:
        assert getattr(initlab, name) is not None


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_function_has_this_signature_and_says_what_it_raises(name):
    function = getattr(initlab, name)
    assert str(inspect.signature(function)) == SIGNATURES[name]
    assert "Error" in function.__doc__


@pytest.mark.parametrize("name", MEMBERS)
def test_a_class_has_these_members_and_says_what_each_is(name):
    cls = getattr(initlab, name)
    fields = {
        "DeclaredRun": {"checked", "folder", "words"},
        "Plan": {"rows", "output", "remarks"},
    }.get(name, set())
    assert {member for member in dir(cls) if not member.startswith("_")} | fields == MEMBERS[name]
    own = [member for member in vars(cls) if not member.startswith("_") and member not in fields]
    assert all(inspect.getdoc(getattr(cls, member)) for member in own)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'initlab' has no attribute 'plam'"):
        initlab.plam  # noqa: B018


def test_importing_initlab_imports_nothing_else():
    script = (
        "import sys; before = set(sys.modules); import initlab\n"
        "print(sorted(n for n in set(sys.modules) - before if n.partition('.')[0] in "
        "('initlab', 'hydra', 'omegaconf', 'numpy', 'rich')))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "['initlab']\n", done.stderr


def test_without_torch_its_part_says_what_to_install_and_the_rest_works():
    script = (
        "import sys; sys.modules['torch'] = None\nimport initlab\n"
        "print(sorted(set(initlab.torch.__all__) - set(dir(initlab.torch))))\n"
        "try:\n    initlab.torch.plan\nexcept ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "[]\ninitlab.torch needs PyTorch - pip install 'initlab[torch]'\n", (
        done.stderr
    )


def test_every_name_for_pytorch_is_on_its_page_and_says_what_it_raises():
    pytest.importorskip("torch", reason="torch is not installed: pip install 'initlab[torch]'")
    page = (ROOT / "docs" / "torch.md").read_text(encoding="utf-8")
    for name in initlab.torch.__all__:
        said = inspect.getdoc(getattr(initlab.torch, name))
        assert said, name
        if inspect.isfunction(getattr(initlab.torch, name)) and name not in ("lock", "watch"):
            assert "Error" in said, name
    assert {"plan", "roles", "Role", "diagnose", "watch", "lock_of", "model"} <= set(
        re.findall(r"initlab\.torch\.(\w+)", page)
    )
