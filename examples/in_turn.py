"""A launcher as a plugin: the runs of a sweep one after the other, each told before it begins.

initlab --plugin examples/in_turn.py -m init=normal,he hydra/launcher=in_turn
"""

from hydra.core.utils import run_job
from hydra.plugins.launcher import Launcher
from omegaconf import open_dict

from initlab.runner.sweep.plugin import register_launcher


@register_launcher
class InTurn(Launcher):
    """One run after the other."""

    def __init__(self, said: bool = True) -> None:
        self.said = said

    def setup(self, *, hydra_context, task_function, config):
        """Keep what the jobs need."""
        self.context, self.task, self.config = hydra_context, task_function, config

    def launch(self, job_overrides, initial_job_idx):
        """Perform the job of each list of words; return what the jobs return."""
        made = []
        for number, words in enumerate(job_overrides, initial_job_idx):
            config = self.context.config_loader.load_sweep_config(self.config, list(words))
            with open_dict(config):
                config.hydra.job.id, config.hydra.job.num = str(number), number
            if self.said:
                print("begins:", *words)
            made.append(
                run_job(
                    task_function=self.task,
                    config=config,
                    job_dir_key="hydra.sweep.dir",
                    job_subdir_key="hydra.sweep.subdir",
                    hydra_context=self.context,
                )
            )
        return made
