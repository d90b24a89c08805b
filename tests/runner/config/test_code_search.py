"""What the search for code finds in a config tree, whoever wrote it: the command line or a file of
a user's own.
"""

from __future__ import annotations

import pytest

from initlab.runner.config.code_search import check
from initlab.runner.errors import ConfigError

REFUSED = [
    ({"a": [{"b": {"_target_": "x.y"}}]}, "a[0].b._target_: 'x.y' is refused"),
    ({"hydra": {"launcher": {"_target_": "x.y"}}}, "hydra.launcher._target_: 'x.y' is refused"),
    (
        {"hydra": {"job_logging": {"handlers": {"x": {"()": "os.system"}}}}},
        "hydra.job_logging.handlers.x.(): 'os.system' is refused",
    ),
    (
        {"hydra": {"job_logging": {"handlers": {"x": {"class": "os.y"}}}}},
        "hydra.job_logging.handlers.x.class: 'os.y' is refused",
    ),
    (
        {"hydra": {"job_logging": {"x": "ext://sys.stderr.write"}}},
        "a config cannot name code to import",
    ),
    (
        {"hydra": {"launcher": {"x": "${oc.decode:y}"}}},
        "a node made by an interpolation is refused under hydra",
    ),
    (
        {"hydra": {"hydra_logging": {"handlers": {"x": {"filename": "${a}${b}"}}}}},
        "an interpolation is refused in a logging config",
    ),
    ({"hydra": {"sweeper": "${mine}"}}, "hydra.sweeper: must be a mapping of its own"),
    ({"hydra": {"callbacks": "${mine}"}}, "hydra.callbacks: callbacks are refused"),
    ({"hydra": {"job": {"env_set": "${mine}"}}}, "hydra.job.env_set: INITLAB_PLUGINS is refused"),
]

ALLOWED = [
    {
        "hydra": {
            "launcher": {"_target_": "hydra._internal.core_plugins.basic_launcher.BasicLauncher"},
            "callbacks": {},
        }
    },
    {
        "hydra": {
            "job_logging": {
                "handlers": {"x": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"}}
            }
        }
    },
    {
        "hydra": {
            "job_logging": {
                "handlers": {"x": {"filename": "${hydra.runtime.output_dir}/${hydra.job.name}.log"}}
            }
        }
    },
    {
        "hydra": {
            "overrides": {"task": ["a='${oc.decode:b}'"]},
            "job": {"env_set": {"OMP_NUM_THREADS": "1"}},
        }
    },
    {"model": {"layers": [{"class": "wide"}]}},
]


@pytest.mark.parametrize(("tree", "message"), REFUSED)
def test_code_is_found_and_its_place_named(tree, message):
    with pytest.raises(ConfigError) as error:
        check(tree)
    [problem] = error.value.problems
    assert message in str(problem)


@pytest.mark.parametrize("tree", ALLOWED)
def test_what_names_no_code_of_the_users_is_let_through(tree):
    check(tree)


def test_a_file_of_the_users_own_is_searched_like_the_command_line(command, tmp_path):
    folder = tmp_path / "mine" / "init"
    folder.mkdir(parents=True)
    (folder / "wide.yaml").write_text(
        "# @package _global_\nhydra:\n  callbacks:\n    x: {_target_: os.system}\n"
    )
    for flags in ([], ["-m"], ["--cfg", "job"]):
        done = command(*flags, "--config-dir", str(tmp_path / "mine"), "init=wide")
        assert done.code == 2
        assert "error: hydra.callbacks.x._target_: 'os.system' is refused" in done.err


@pytest.mark.parametrize(
    "words",
    [["init=he,wide"], ["init=wide", "seed=0,1"], ["sweep.cases=[{init: he}, {init: wide}]"]],
    ids=" ".join,
)
def test_no_run_of_a_sweep_brings_code_of_its_own(words, command, tmp_path):
    folder = tmp_path / "mine" / "init"
    folder.mkdir(parents=True)
    text = "# @package _global_\ndefaults: [/schema/init/he@init, _self_]\nhydra:\n  callbacks:\n    x: {_target_: os.system}\n"
    (folder / "wide.yaml").write_text(text)
    done = command("-m", "--config-dir", str(tmp_path / "mine"), *words)
    assert done.code == 2
    assert "hydra.callbacks.x._target_: 'os.system' is refused" in done.err
    assert not (tmp_path / "outputs").exists()
