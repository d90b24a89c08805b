"""Every open set takes a new member from one new file: in the tree, and as a plugin. The files are
the examples of docs/extending.md.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"```(?:python|yaml)\n# (\S+)\n(.*?)```", re.DOTALL)
EXAMPLES = dict(BLOCK.findall((ROOT / "docs" / "extending.md").read_text(encoding="utf-8")))
"""Path in the tree -> the text of the file."""
MODULES = {path: text for path, text in EXAMPLES.items() if path.endswith(".py")}
SETS = {
    "engine/init",
    "engine/laws",
    "engine/formats",
    "runner/layers",
    "runner/data",
    "runner/probes",
    "runner/stats",
    "runner/measures",
    "runner/trackers",
    "runner/theory",
    "runner/commands",
}
"""The folders that are open sets."""
WORDS = [
    "init=halves",
    "init.scale=4",
    "model.input=[5]",
    "model.layers=[{kind: dense, units: 3}, {kind: doubled, name: twice, factor: 3}]",
    "data=ramp",
    "probe=largest",
    "stats=[extent]",
    "measure=[output_size]",
    "snapshot=hexadecimal",
    "tracker=listing",
    "report=none",
    "expect=[{id: small, cite: nobody, quantity: figures.largest, predicted: {form: half, value: 3}, within: 9}]",
]
LAW = """
import sys
from initlab.runner.config import plugins
for path in sys.argv[1:]:
    plugins.load(path)
from initlab.engine import laws
law = laws.from_description({"kind": "alternating", "value": 2})
print(law.draw(laws.NOWHERE, (3,)).tolist())
"""


def python(tree: Path, folder: Path, *words: str) -> str:
    """What Python prints, run in `folder` with the packages of a tree; it must end well."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(tree), "INITLAB_PLUGINS": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 3), done.stdout + done.stderr
    return done.stdout


def write(folder: Path, files: dict[str, str]) -> list[Path]:
    """Write files below a folder."""
    paths = []
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert not path.exists(), f"{name} is there already: an example adds, it changes nothing"
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def check_run(folder: Path, kept: str = ".hex") -> None:
    """The one run below a folder used a new member of every set."""
    [manifest] = (folder / "outputs").rglob("manifest.json")
    run = manifest.parent
    stats = json.loads((run / "stats.json").read_text())
    assert stats["figures"].keys() == {"largest"}
    assert [row["path"] for row in stats["sizes"]] == ["output"]
    assert stats["sizes"][0]["elements"] == 6
    assert all(0 <= row["extent"] <= 4 for row in stats["parameters"])
    assert (run / f"snapshot{kept}").is_file()
    assert (folder / "listing.txt").read_text() == f"{run.name}\n"


def test_every_open_set_has_an_example():
    assert {str(Path(path).parent) for path in MODULES} >= SETS
    for folder in SETS:
        assert len([path for path in MODULES if str(Path(path).parent) == folder]) == 1
    assert set(EXAMPLES) - set(MODULES) == {"conf/init/wide_halves.yaml"}


def test_an_example_is_short():
    for path, text in EXAMPLES.items():
        code = [line for line in text.splitlines() if line and "import" not in line]
        assert len(code) <= 20, f"{path} takes {len(code)} lines"


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """A copy of the tree with the examples added to it."""
    tree = tmp_path_factory.mktemp("copy")
    for name in ("engine", "runner", "conf", "initlab"):
        shutil.copytree(
            ROOT / name, tree / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__")
        )
    write(tree, EXAMPLES)
    return tree


def test_a_file_dropped_into_its_folder_is_all_that_a_new_member_takes(copy, tmp_path):
    python(copy, tmp_path, "-m", "initlab.runner", *WORDS)
    check_run(tmp_path)
    assert python(copy, tmp_path, "-m", "initlab.runner", "count", "outputs") == "1\n"
    assert python(copy, tmp_path, "-c", LAW) == "[2.0, -2.0, 2.0]\n"


def test_an_option_file_gives_a_choice_a_name(copy, tmp_path):
    out = python(copy, tmp_path, "-m", "initlab.runner", "init=wide_halves", "task=plan")
    assert "Uniform(-4, 4)" in out


def test_the_same_files_work_as_plugins(tmp_path):
    paths = write(tmp_path / "mine", {Path(path).name: text for path, text in MODULES.items()})
    flags = [word for path in paths for word in ("--plugin", str(path))]
    python(ROOT, tmp_path, "-m", "initlab.runner", *flags, *WORDS)
    check_run(tmp_path)
    words = ("-m", "initlab.runner", *flags, "count", "outputs")
    assert python(ROOT, tmp_path, *words) == "1\n"
    assert python(ROOT, tmp_path, "-c", LAW, *map(str, paths)) == "[2.0, -2.0, 2.0]\n"
