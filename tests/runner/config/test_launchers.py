"""Which launchers may be chosen, and by whom: those that Hydra's registry found, by a typed word."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from initlab.runner.config.launchers import found_launchers, shipped_options_of, stored_launchers
from initlab.runner.config.permitted import BASIC, LAUNCHERS

NUMBERS = count()
PLUGIN = """
import threading
from hydra.core.utils import run_job
from hydra.plugins.launcher import Launcher
from omegaconf import open_dict
from initlab.runner.sweep.plugin import register_launcher


@register_launcher
class NAME(Launcher):
    def __init__(self, said: str = "nothing", **others):
        self.said = said

    def setup(self, *, hydra_context, task_function, config):
        self.context, self.task, self.config = hydra_context, task_function, config

    def launch(self, job_overrides, initial_job_idx):
        print("it says", self.said)
        made = []
        thread = threading.Thread(target=self.work, args=(job_overrides, initial_job_idx, made))
        thread.start()
        thread.join()
        return made

    def work(self, jobs, first, made):
        for number, words in enumerate(jobs, first):
            config = self.context.config_loader.load_sweep_config(self.config, list(words))
            with open_dict(config):
                config.hydra.job.id, config.hydra.job.num = str(number), number
            made.append(
                run_job(
                    hydra_context=self.context,
                    task_function=self.task,
                    config=config,
                    job_dir_key="hydra.sweep.dir",
                    job_subdir_key="hydra.sweep.subdir",
                )
            )
"""


@pytest.fixture
def launcher(tmp_path):
    """A plugin with a launcher of its own: its path, and the name by which it is chosen."""
    number = next(NUMBERS)
    path = tmp_path / f"mine{number}.py"
    path.write_text(PLUGIN.replace("NAME", f"InThread{number}"))
    return str(path), f"in_thread{number}"


def test_the_launchers_that_are_installed_are_found():
    assert BASIC in found_launchers()
    for target, (name, _) in LAUNCHERS.items():
        if name in stored_launchers() and target != BASIC:
            assert target in found_launchers()
            assert [options["_target_"] for options in shipped_options_of(target)] == [target]


def test_a_launcher_of_a_plugin_performs_a_sweep_with_the_same_ids_and_bits(
    launcher, command, tmp_path
):
    path, name = launcher
    words = ("-m", "init=normal,he", "seed=0")
    done = command("--plugin", path, *words, f"hydra/launcher={name}", "hydra.launcher.said=it")
    assert done.code == 0, done.err
    assert "it says it\n" in done.out
    assert "2 of 2 runs completed" in done.out
    roots = sorted(path.parent.name for path in tmp_path.glob("outputs/runs/*/manifest.json"))
    assert "normal-seed0-046dba22b31ff360" in roots
    again = command(*words, "resume=true")
    assert (again.code, again.out.count("finished before")) == (0, 2)
    assert command("verify", "outputs/runs").code == 0


def test_the_example_launches_a_sweep(command, tmp_path):
    path = Path(__file__).parents[3] / "examples" / "in_turn.py"
    words = ("-m", "init=normal,he", "hydra/launcher=in_turn", "hydra.launcher.said=true")
    done = command("--plugin", str(path), *words)
    assert (done.code, "2 of 2 runs completed" in done.out) == (0, True), done.err
    assert "begins: init=normal\n" in done.out
    assert (tmp_path / "outputs/runs/normal-seed0-046dba22b31ff360/manifest.json").exists()


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # ended between two lines
def test_a_run_that_takes_too_long_in_a_thread_of_a_launcher_times_out(launcher, command, tmp_path):
    path, name = launcher
    words = ("-m", "init=normal", f"hydra/launcher={name}", "timeout=1e-6")
    done = command("--plugin", path, *words)
    assert done.code == 1
    assert "timed out  normal-seed0" in done.out
    assert not list(tmp_path.glob("outputs/runs/*/manifest.json"))


def test_a_file_can_neither_choose_it_nor_set_its_options(launcher, command, tmp_path):
    path, name = launcher
    options = {
        "experiment/chosen.yaml": "# @package _global_\n"
        f"defaults:\n  - override /hydra/launcher: {name}\n",
        "experiment/set.yaml": "# @package _global_\nhydra:\n  launcher:\n    said: file\n",
        "hydra/launcher/preset.yaml": f"defaults:\n  - {name}\n  - _self_\nsaid: file\n",
    }
    for file, text in options.items():
        (tmp_path / "mine" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / file).write_text(text)
    given = ("--plugin", path, "--config-dir", "mine", "-m", "init=normal,he")
    chosen = command(*given, "experiment=chosen")
    assert (chosen.code, "type hydra/launcher=… on the command line" in chosen.err) == (2, True)
    for words in (
        ("experiment=set", f"hydra/launcher={name}"),
        ("hydra/launcher=preset",),
    ):
        done = command(*given, *words)
        said = "error: hydra.launcher.said: 'file' is refused in a file: it must be typed"
        assert (done.code, said in done.err) == (2, True), done.err
    assert not (tmp_path / "outputs").exists()


def test_without_its_plugin_there_is_no_such_launcher(command):
    done = command("-m", "init=normal,he", "hydra/launcher=nobodys")
    assert (done.code, "no option 'nobodys' - Known: basic, " in done.err) == (2, True), done.err
