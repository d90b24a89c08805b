"""The wheel contains all it needs, the console script works from any folder, and the checkout names
no machine.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest

from initlab.runner.config.hydra_internals import parse_arguments

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-cache-dir",
        "-w",
        str(folder),
        str(ROOT),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    [path] = folder.glob("initlab-*.whl")
    return path


@pytest.mark.slow
def test_the_wheel_holds_the_config_the_digits_and_the_licence(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {
        "initlab/conf/config.yaml",
        "initlab/conf/init/normal.yaml",
        "initlab/conf/experiment/article.yaml",
    } <= set(names)
    assert {
        "initlab/runner/data/optdigits/optdigits.npz",
        "initlab/runner/data/optdigits/README.md",
    } <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not any(
        name.startswith(("tests/", "conf/", "outputs/", "benchmarks/")) for name in names
    )


@pytest.mark.slow
def test_a_wheel_with_kernels_is_for_a_platform_and_any_python(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {
        f"initlab/engine/native/{name}"
        for name in ("device.cu", "drawing.cu", "statistics.cu", "transforms.h", "block.h")
    } <= set(names)
    if shutil.which("cc") is None:
        assert wheel.name.endswith("-py3-none-any.whl")
        return
    assert "initlab/engine/native/kernels.native.so" in names
    assert "-py3-none-" in wheel.name and not wheel.name.endswith("-any.whl")


@pytest.mark.slow
def test_the_source_distribution_has_the_c_text_and_makes_the_same_wheel(wheel, tmp_path):
    builder = "from hatchling.build import build_sdist; import sys; print(build_sdist(sys.argv[1]))"
    subprocess.run(
        [sys.executable, "-c", builder, str(tmp_path)], cwd=ROOT, check=True, capture_output=True
    )
    [archive] = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
        opened.extractall(tmp_path, filter="data")
    assert {"hatch_build.py", "initlab/engine/native/host.c"} <= names
    assert not [name for name in names if name.endswith(".so")]
    [source] = [path for path in tmp_path.iterdir() if path.is_dir()]
    words = ["wheel", "-q", "--no-deps", "--no-build-isolation", "--no-cache-dir", "-w", "made"]
    subprocess.run(
        [sys.executable, "-m", "pip", *words, str(source)],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    [made] = (tmp_path / "made").glob("*.whl")
    assert made.name == wheel.name
    one, two = (zipfile.ZipFile(path) for path in (wheel, made))
    assert sorted(one.namelist()) == sorted(two.namelist())
    for name in one.namelist():
        if name.endswith(".so"):
            assert one.read(name) == two.read(name)


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory) -> Path:
    """Return a folder that the wheel is installed into."""
    folder = tmp_path_factory.mktemp("site")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, "--target", str(folder), str(wheel)], check=True, capture_output=True)
    return folder


@pytest.mark.slow
def test_the_wheel_brings_one_top_level_name(wheel):
    names = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"initlab"}


@pytest.mark.slow
def test_the_installed_command_runs_from_any_folder(site, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(site)}
    script = [sys.executable, str(site / "bin" / "initlab")]
    done = subprocess.run(
        [*script, "experiment=digits", "init=normal"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "loss 2.3026" in done.stdout
    where = "import initlab.runner; print(initlab.runner.__file__)"
    used = subprocess.run(
        [sys.executable, "-c", where],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert used.stdout.startswith(str(site))


MINE = {
    "modules": {"engine.py": "MINE = 1\n", "runner.py": "MINE = 2\n"},
    "packages": {"engine/__init__.py": "MINE = 1\n", "runner/__init__.py": "MINE = 2\n"},
}
OWN_TEST = """
import engine
import runner


def test_mine():
    assert (engine.MINE, runner.MINE) == (1, 2)
"""
ROOT_DIGEST = "dfb99da95943c7c2c7e516496bee8cae0f1a4b3be8603e7e2a1f6c380b3a433e"


@pytest.fixture(params=MINE)
def project(request, tmp_path) -> Path:
    """Return a foreign project that has its own `engine`, `runner` and `conf`."""
    (tmp_path / "conf").mkdir()
    files = {**MINE[request.param], "conf/config.yaml": "someone: else\n", "test_mine.py": OWN_TEST}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def installed(site, project):
    """`installed(word, …)` runs Python with the wheel installed, in the foreign project."""

    def call(*words: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(site), "INITLAB_REPORT": "none"}
        command = [sys.executable, *words]
        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return call


@pytest.mark.slow
def test_a_project_with_modules_of_our_old_names_is_left_alone(installed, project, site):
    pytest_words = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "1 passed" in installed(*pytest_words)
    command = str(site / "bin" / "initlab")
    assert f"root {ROOT_DIGEST}" in installed(command, "init=normal")
    assert f"root {ROOT_DIGEST}" in installed("-m", "initlab", "init=normal")
    installed(command, "lock", "init=normal,he", "probe=none")
    assert "2 passed" in installed(*pytest_words, "--initlab", "initlab.lock")
    assert "3 passed" in installed(*pytest_words, ".", "--initlab")


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["processes", "ray_local"])
def test_a_sweep_in_such_a_project_runs_under_every_launcher(launcher, installed, site):
    plugin = {"processes": "hydra_joblib_launcher", "ray_local": "hydra_ray_launcher"}[launcher]
    pytest.importorskip(f"hydra_plugins.{plugin}", reason=f"{plugin} is not installed")
    command = str(site / "bin" / "initlab")
    words = (f"hydra/launcher={launcher}", "init=normal,he", "probe=none")
    assert "2 of 2 runs completed" in installed(command, "-m", *words)


def test_the_digits_are_the_uci_ones():
    with np.load(
        ROOT / "runner" / "data" / "optdigits" / "optdigits.npz", allow_pickle=False
    ) as file:
        images, labels = file["images"], file["labels"]
    assert (images.shape, labels.shape, images.max()) == ((1797, 64), (1797,), 16)
    digest = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    assert digest in (ROOT / "runner" / "data" / "optdigits" / "README.md").read_text(
        encoding="utf-8"
    )


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is no git checkout, so there is no list of tracked files")
    return [ROOT / line for line in listed.stdout.splitlines()]


MACHINE_PATH = re.compile(r"(?<![\w.])/(?:root|home|work|tmp|opt)/[A-Za-z]")
INDEX = re.compile(r"index-url|find-links|pypi\.org|pythonhosted|npmjs|debian\.org", re.IGNORECASE)


def names_of_machines(text: str) -> list[str]:
    return [found.group() for pattern in (MACHINE_PATH, INDEX) for found in pattern.finditer(text)]


def test_no_file_names_a_machine_or_an_index():
    for file in tracked_files():
        if (
            file.suffix
            in (
                ".npz",
                ".params",
                ".safetensors",
            )
            or file == Path(__file__)
            or not file.is_file()
        ):
            continue
        assert names_of_machines(file.read_text(encoding="utf-8", errors="replace")) == [], (
            file.relative_to(ROOT)
        )


@pytest.mark.parametrize(
    "text",
    [
        "open('/root/x')",
        "cd /work/main",
        "/home/someone",
        "--index-url x",
        "https://files.PythonHosted.org",
    ],
)
def test_the_check_fails_on_a_machine_or_an_index(text):
    assert names_of_machines(text)


def test_the_check_lets_web_addresses_and_relative_folders_pass():
    assert names_of_machines("https://example.org/work/x ../work/x outputs/home/x") == []


def test_every_dependency_is_pinned_for_ci():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]

    def required(extra: str) -> list[str]:
        """What an extra asks for, itself and by other extras of ours."""
        found = []
        for requirement in extras[extra]:
            if requirement.startswith("initlab["):
                others = requirement.removeprefix("initlab[").removesuffix("]").split(",")
                found += [one for other in others for one in required(other)]
            else:
                found.append(requirement)
        return found

    wanted = [*project["dependencies"], *required("test-all"), *required("dev")]
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    names = {
        re.split(r"[<>=]", requirement)[0].strip().lower().replace("_", "-")
        for requirement in wanted
    }
    assert names <= pinned


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(
    ("given", "overrides", "multirun"),
    [
        ("", ["init=normal"], False),
        ("seed=3", ["init=normal", "seed=3"], False),
        ("init=xavier model=shared seed=3", ["init=xavier", "model=shared", "seed=3"], False),
        (
            "init_mode=eager init.sigma=0.1",
            ["init=normal", "init_mode=eager", "init.sigma=0.1"],
            False,
        ),
        ("-m 'seed=range(0,2)'", ["init=normal", "seed=range(0,2)"], True),
        ("-m 'model.input=[2, 3]'", ["init=normal", "model.input=[2, 3]"], True),
        ("seed=1,2 -m", ["init=normal", "seed=1,2"], True),
        (
            "-m init=normal,xavier 'seed=range(0,2)'",
            ["init=normal,xavier", "seed=range(0,2)"],
            True,
        ),
    ],
)
def test_make_run_hands_on_its_words_with_an_initializer(given, overrides, multirun):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "--dry-run", "--no-print-directory", "run", f"ARGS={given}"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    words = shlex.split(done.stdout.splitlines()[-1])
    assert words[1:3] == ["-m", "runner"]
    parsed, _ = parse_arguments(words[3:])
    assert (parsed.overrides, parsed.multirun) == (overrides, multirun)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_run_hands_on_a_command_as_it_is():
    command = ["make", "--dry-run", "--no-print-directory", "run", "ARGS=verify outputs/runs/x"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert shlex.split(done.stdout.splitlines()[-1])[1:] == [
        "-m",
        "runner",
        "verify",
        "outputs/runs/x",
    ]
