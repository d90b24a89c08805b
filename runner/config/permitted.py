"""Lists of what may be set under `hydra`, and what InitLab and Hydra set there themselves.

`permissions` judges a config by these lists. A place ends with `.*` for all keys below.
"""

from __future__ import annotations

from initlab.runner.json_values import JSON

BASIC = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
JOBLIB = "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher"
LOCAL = "hydra_plugins.hydra_submitit_launcher.submitit_launcher.LocalLauncher"
SLURM = "hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher"
RAY = "hydra_plugins.hydra_ray_launcher.ray_launcher.RayLauncher"
RUNNER = "hydra_plugins.runner_sweeper.RunnerSweeper"
OPTUNA = "hydra_plugins.hydra_optuna_sweeper.optuna_sweeper.OptunaSweeper"
QUEUE = "timeout_min cpus_per_task gpus_per_node tasks_per_node mem_gb nodes name stderr_to_stdout"
LAUNCHERS: dict[str, tuple[str, str]] = {
    BASIC: ("basic", ""),
    JOBLIB: ("joblib", "n_jobs prefer require verbose timeout batch_size max_nbytes"),
    LOCAL: ("submitit_local", QUEUE),
    SLURM: (
        "submitit_slurm",
        f"{QUEUE} partition qos comment constraint exclude gres cpus_per_gpu gpus_per_task "
        "mem_per_gpu mem_per_cpu account signal_delay_s max_num_timeout array_parallelism",
    ),
    RAY: (
        "ray",
        "ray.init.include_dashboard ray.init.log_to_driver ray.init.logging_level "
        "ray.init.num_cpus ray.init.num_gpus ray.init.object_store_memory "
        "ray.remote.num_cpus ray.remote.num_gpus ray.remote.memory ray.remote.max_retries",
    ),
}
"""Permitted launchers -> the option of Hydra's that configures each, and what a file may set of it."""
SWEEPERS = {RUNNER, OPTUNA}
"""The permitted sweepers: ours, and the one that `runner.sweep.optuna` uses with its own launcher.
Any other would launch jobs whose values have not been searched.
"""
SAMPLERS = {
    f"optuna.samplers.{name}Sampler" for name in ("TPE", "Random", "CmaEs", "NSGAII", "Grid")
}
REFUSED_OF_OPTUNA = {
    "custom_search_space": "is refused: a config cannot name code to run - give the space as words",
    "storage": "is refused: Optuna unpickles what it finds there - resume=true with a seed of the sampler "
    "continues a search",
}
ANYWHERE = ("hydra.mode", "hydra.job.chdir")
TYPED = (
    *("hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir"),
    *("hydra.job.name", "hydra.job.env_set.*", "hydra.job.env_copy"),
    *("hydra.launcher.*", "hydra.job_logging.*", "hydra.hydra_logging.*"),
)
"""Keys that only the command line may set, besides those of ANYWHERE and of launchers and sweepers."""
COMPUTED = (
    *("hydra.runtime.version", "hydra.runtime.version_base", "hydra.runtime.cwd"),
    *("hydra.runtime.config_sources", "hydra.runtime.choices.*", "hydra.overrides.task"),
    *("hydra.job.override_dirname", "hydra.job.config_name", "hydra.searchpath"),
)
OURS: dict[str, JSON] = {
    "hydra.run.dir": "${run_dir:}",
    "hydra.sweep.dir": "${sweep_dir:}",
    "hydra.sweep.subdir": "${sweep_subdir:}",
    "hydra.job.name": "runner",
    "hydra.job.chdir": False,
    "hydra.output_subdir": None,
}
"""What `conf/config.yaml` sets under `hydra`."""
LOGGING: dict[str, dict[str, JSON]] = {
    "job_logging": {
        "version": 1,
        "formatters": {"plain": {"format": "%(levelname)s %(name)s: %(message)s"}},
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "plain",
                "level": "WARNING",
                "stream": "ext://sys.stderr",
            }
        },
        "root": {"level": "INFO", "handlers": ["console"]},
        "disable_existing_loggers": False,
    }
}
"""Warnings to the terminal. A run's own log file, runner.log, is opened by the run itself."""
LOGGING["hydra_logging"] = {
    **LOGGING["job_logging"],
    "formatters": {"plain": {"format": "%(message)s"}},
}
HELP: dict[str, dict[str, JSON]] = {
    "help": {
        "app_name": "initlab",
        "header": "",
        "footer": "",
        "template": "initlab --help shows the options and groups.\n",
    },
    "hydra_help": {
        "hydra_help": "???",
        "template": "$FLAGS_HELP\n\nGroups of Hydra:\n\n$HYDRA_CONFIG_GROUPS",
    },
}
"""What `--hydra-help` prints; `initlab --help` is ours."""
SHIPPED: dict[str, JSON] = {
    **OURS,
    **{
        f"hydra.{group}.{key}": value for group, node in HELP.items() for key, value in node.items()
    },
    "hydra.env": {},
    "hydra.aliases": {},  # of Hydra 1.4
    "hydra.verbose": False,
    "hydra.job.id": "???",
    "hydra.job.num": "???",
    "hydra.job.env_set": {},
    "hydra.job.env_copy": [],
    "hydra.job.config.override_dirname.kv_sep": "=",
    "hydra.job.config.override_dirname.item_sep": ",",
    "hydra.job.config.override_dirname.exclude_keys": [],
    "hydra.runtime.output_dir": "???",
    "hydra.runtime.choices": {},
}
"""The values that Hydra and InitLab give to keys of their own."""
JUDGED = {"launcher", "sweeper", "callbacks", "job_logging", "hydra_logging"}
"""Parts of `hydra` that have a rule of their own."""

LOGGING_CLASSES = {"logging.StreamHandler", "logging.FileHandler", "colorlog.ColoredFormatter"}
STREAMS = {"ext://sys.stdout", "ext://sys.stderr"}
CODE_KEYS = ("_target_", "()", "class")
