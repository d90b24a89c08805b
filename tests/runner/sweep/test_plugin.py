"""What Hydra knows of our sweeper, and of the launchers of plugins."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper

from initlab.runner.errors import ConfigError
from initlab.runner.sweep.plugin import RunnerSweeper, register, register_launcher


def test_it_can_be_chosen_and_is_found_as_a_plugin_however_often_it_is_registered():
    register()
    register()
    node = ConfigStore.instance().load("hydra/sweeper/runner.yaml").node
    assert node["_target_"] == "hydra_plugins.runner_sweeper.RunnerSweeper"
    assert Plugins.instance().discover(Sweeper).count(RunnerSweeper) == 1


def test_registering_it_imports_no_sweep():
    program = (
        "import sys; from initlab.runner.sweep.plugin import register; register();"
        "print('initlab.runner.sweep.sweeper' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


class Own(Launcher):
    """A launcher that does nothing."""

    def setup(self, **given):
        """Do nothing."""

    def launch(self, job_overrides, initial_job_idx):
        """Do nothing."""
        return []


def test_a_launcher_is_chosen_by_its_name_and_has_the_parameters_of_its_class():
    class VeryFirst(Own):
        def __init__(self, jobs=2, **others):
            self.jobs = jobs

    assert register_launcher(VeryFirst) is VeryFirst
    node = ConfigStore.instance().load("hydra/launcher/very_first.yaml").node
    target = "hydra_plugins.initlab_launchers.VeryFirst"
    assert (node["_target_"], node["jobs"]) == (target, 2)
    assert VeryFirst.__module__ == __name__
    with pytest.raises(ConfigError, match="hydra/launcher=very_first is there already"):
        register_launcher(VeryFirst)


def test_a_launcher_that_cannot_be_one_is_refused():
    class Needs(Own):
        def __init__(self, address):
            self.address = address

    class Abstract(Launcher):
        pass

    class Slurm(Own):
        pass

    for cls, said in (
        (Needs, "launcher Needs: needs a default for its option address"),
        (
            Abstract,
            "launcher Abstract: must be a class derived from hydra.plugins.launcher.Launcher",
        ),
        (str, "launcher str: must be a class derived from"),
        (Slurm, "launcher Slurm: hydra/launcher=slurm is there already - give another name"),
    ):
        with pytest.raises(ConfigError, match=re.escape(said)):
            register_launcher(cls)
