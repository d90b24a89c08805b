"""What is relied on of Hydra beyond what it documents, for every Hydra that is installed with us."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from hydra._internal.callbacks import Callbacks
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.types import HydraContext
from omegaconf import OmegaConf

from initlab.runner.config import hydra_internals as internals
from initlab.runner.config.compose import compose_once, start
from initlab.runner.sweep.plugin import register


def names(function) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_the_parser_reads_the_flags_that_the_command_line_acts_on():
    given = internals.arguments_parser().parse_args(["-m", "init=normal", "--config-dir", "x"])
    assert given.multirun is True
    assert given.overrides == ["init=normal"]
    assert given.config_dir == "x"
    flags = [
        "config_path",
        "config_name",
        "experimental_rerun",
        "shell_completion",
        "hydra_help",
        "help",
        "cfg",
        "info",
    ]
    assert not any(getattr(given, flag) for flag in flags)


def test_a_context_holds_the_loader_and_calls_nothing():
    start([], None)
    context = internals.hydra_context(["logging.StreamHandler"])
    assert isinstance(context, HydraContext)
    assert context.config_loader is internals.hydra_loader()
    assert isinstance(context.callbacks, Callbacks)
    assert context.callbacks.callbacks == []


def test_words_are_set_in_place_by_a_function_of_overrides_and_config():
    assert names(ConfigLoaderImpl._apply_overrides_to_config) == ["overrides", "cfg"]
    config = OmegaConf.create({"a": {"b": 1}, "c": "x"})
    OmegaConf.set_struct(config, True)
    words = ["a.b=2", "+a.d=[1,2]", "~c"]
    assert internals.apply_words([internals.parse_word(word) for word in words], config) is None
    assert config == {"a": {"b": 2, "d": [1, 2]}}
    with pytest.raises(HydraException):
        internals.apply_words([internals.parse_word("nothing=1")], config)


@pytest.mark.parametrize(("key", "is_group"), [("init", True), ("seed", False), ("hydra", True)])
def test_the_loader_knows_which_keys_are_groups(key, is_group):
    start([], None)
    assert internals.group_exists(key) is is_group


@pytest.mark.parametrize(
    "word",
    [
        "seed=0",
        "seed=1",
        "seed=17",
        "seed=-1",
        "seed=007",
        "seed=1_000",
        "a.b=12",
        "+seed=3",
        "~seed=3",
        "seed=1.0",
        "seed=1e3",
        "seed=999999999999999999",
        "seed=18446744073709551615",
        "init@x=3",
        "a=1,2",
    ],
)
def test_a_word_with_a_whole_number_is_what_the_parser_makes_of_it(word):
    parsed, ours = OverridesParser.create().parse_override(word), internals.parse_word(word)
    assert ours == parsed
    assert vars(ours).keys() == vars(parsed).keys()
    if not parsed.is_sweep_override():
        assert (ours.value(), type(ours.value())) == (parsed.value(), type(parsed.value()))
    assert ours.input_line == word


def test_making_hydra_ready_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        start([], None)


def test_a_config_without_hydra_keeps_the_types_of_its_keys():
    register()
    start([], None)
    config = compose_once([])
    alone = internals.without_hydra(config)
    assert "hydra" not in alone
    assert "hydra" in config
    alone.name = 3
    assert alone.name == "3"


CALLER = """
import sys, threading
from pathlib import Path
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.search_path_plugin import SearchPathPlugin
import initlab

own = Path("own").absolute()
(own / "init").mkdir(parents=True)
(own / "mine.yaml").write_text("a: 1")
(own / "init" / "he.yaml").write_text("kind: zero")
expected = initlab.declare("init=he").run_id

class Own(SearchPathPlugin):
    def manipulate_search_path(self, search_path):
        search_path.prepend("own", own.as_uri())

Plugins.instance().register(Own)
store = ConfigStore.instance().store
store(name="config", node={"batch": 1})
store(group="model", name="mlp", node={"size": 5})
store(group="init", name="mine", node={"kind": "he"})
store(group="hydra", name="config", node={"job": {"name": "x"}})
assert initlab.declare("init=he").run_id == expected
try:
    initlab.declare("init=mine")
except initlab.ConfigError as error:
    assert "no option 'mine'" in str(error)
else:
    raise AssertionError

del ConfigStore.instance().repo["hydra"]["config.yaml"], ConfigStore.instance().repo["config.yaml"]
from hydra.conf import HydraConf
store(group="hydra", name="config", node=HydraConf, provider="hydra")
with initialize_config_dir(str(own), version_base=None, job_name="mine"):
    threads = [threading.Thread(target=initlab.declare, args=(f"seed={n}",)) for n in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    composed = compose("mine", return_hydra_config=True)
    assert (composed.a, composed.hydra.job.name) == (1, "mine")
    assert "mlp.yaml" in ConfigStore.instance().repo["model"]
print("undisturbed")
"""


def test_a_caller_with_a_use_of_hydra_and_a_declared_run_do_not_disturb_each_other(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", CALLER],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "undisturbed\n", done.stderr
