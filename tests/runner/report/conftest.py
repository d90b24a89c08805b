"""Evidence to report on, and a browser to open reports in."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from laid_out import GPT2

from initlab.runner.cli import run_command
from initlab.runner.evidence.members import Member, write_members

OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--hide-scrollbars",
)


@pytest.fixture(scope="session")
def evidence(tmp_path_factory) -> Path:
    """A working folder with one run of every statistic, and a sweep of six runs of which one
    failed.
    """
    folder = tmp_path_factory.mktemp("evidence")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert (
            run_command(
                ["experiment=digits", "init=he", "model=deep_mlp", "stats=[moments,law,histogram]"]
            )
            == 0
        )
        assert (
            run_command(
                [
                    "-m",
                    "name=swept",
                    "init=normal",
                    "init.sigma=0.1,-1,0.02",
                    "seed=0,1",
                    "probe=backward",
                ]
            )
            == 1
        )
    return folder


@pytest.fixture(scope="session")
def shown(tmp_path_factory) -> tuple[Path, Path]:
    """The folders of a GPT-2 of 24 blocks, and of an experiment with claims and a training."""
    folder = tmp_path_factory.mktemp("shown")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        words = [*GPT2, "name=deep", "init=he", "probe=backward", "measure=spectrum"]
        assert run_command(words) == 0
        few = ["-m", "experiment=he_stall", "probe.steps=3", "sweep.grid.seed=[0,1]"]
        assert run_command(few) == 3, "so few steps show nothing"
    [deep] = (folder / "outputs" / "deep").iterdir()
    return deep, folder / "outputs" / "he_stall"


@pytest.fixture
def run_folder(evidence, tmp_path) -> Path:
    """A copy of the run's folder."""
    [found] = (evidence / "outputs" / "digits").glob("deep_mlp-he-*")
    return Path(shutil.copytree(found, tmp_path / found.name))


@pytest.fixture
def sweep_folder(evidence, tmp_path) -> Path:
    """A copy of the sweep's folder, moved from where it was written."""
    return Path(shutil.copytree(evidence / "outputs" / "swept", tmp_path / "swept"))


@pytest.fixture
def many(sweep_folder, tmp_path) -> Callable[[int], Path]:
    """`many(n)` is the folder of a sweep of n runs, made from copies of one."""

    def call(count: int) -> Path:
        source = next(path for path in sweep_folder.iterdir() if (path / "manifest.json").exists())
        texts = {
            name: (source / name).read_text()
            for name in ("manifest.json", "stats.json", "plan.json", "status.json")
        }
        folder = tmp_path / "many"
        members = []
        for number in range(count):
            name = f"normal-seed{number}-{number:016x}"
            run = folder / name
            run.mkdir(parents=True)
            for file, text in texts.items():
                content = json.loads(text)
                if file == "manifest.json":
                    content["canonical"]["seed"] = content["config"]["seed"] = number
                    content["run_id"] = name
                if file == "stats.json":
                    content["figures"]["loss"] = 2 + ((number * 7919) % count) / count
                (run / file).write_text(json.dumps(content))
            members.append(
                Member(
                    name,
                    str(run),
                    ["init=normal", f"init.sigma={0.01 * (1 + number % 5):g}", f"seed={number}"],
                )
            )
        write_members(folder, ["seed=…"], members)
        return folder

    return call


@pytest.fixture(scope="session")
def browser(tmp_path_factory) -> Iterator:
    """Chromium, without a window and without a network."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    binary, driver = (
        shutil.which("chromium") or shutil.which("google-chrome"),
        shutil.which("chromedriver"),
    )
    if binary is None or driver is None:
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for option in (*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    made = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield made
    made.quit()
