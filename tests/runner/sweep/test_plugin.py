"""What Hydra knows of our sweeper."""

from __future__ import annotations

import subprocess
import sys

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper

from initlab.runner.sweep.plugin import RunnerSweeper, register


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
