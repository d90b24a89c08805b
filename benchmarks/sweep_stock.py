"""The program that `benchmarks.sweep` compares us with: the same configs and runs under Hydra's own
sweeper and basic launcher.
"""

from __future__ import annotations

from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from initlab.runner.config.compose import register_with_hydra
from initlab.runner.config.option_files import conf_dir
from initlab.runner.evidence.folder import Origin
from initlab.runner.plan.validate import validate
from initlab.runner.run import stages
from initlab.runner.sweep.sweeper import register
from initlab.runner.terminal import tables

register()
register_with_hydra()


@hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name="config")
def main(config: DictConfig) -> None:
    """Perform one run in the folder that Hydra made."""
    stages.execute(
        validate(config),
        Path(HydraConfig.get().runtime.output_dir),
        Origin(),
        tables.quiet_console(),
    )


if __name__ == "__main__":
    main()
