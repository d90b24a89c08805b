"""The pytest plugin `initlab`: the runs of lock files, and experiment files, as tests. Off unless `--initlab`
is given. And the fixture `initlab_watch`, which is `initlab.torch.watch`.

    pytest --initlab initlab.lock            this lock only
    pytest --initlab conf/experiment         these experiment files only
    pytest --initlab -- tests                the tests in `tests`, and the locks and experiment files in it

Every pytest of an environment with InitLab in it loads this file, so it imports nothing else of InitLab
until the option is given or the fixture is used. What is collected is in
`initlab.runner.pytest_collection`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from initlab.runner.torch.watch.watching import Watch


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--initlab`, and what the runs of locks may need."""
    group = parser.getgroup("initlab")
    said = (
        "check this lock or experiment file, or those in this folder; without a value those in the "
        "collected paths"
    )
    group.addoption(
        "--initlab", action="append", nargs="?", const="", metavar="FILE_OR_DIR", help=said
    )
    group.addoption(
        "--initlab-plugin",
        action="append",
        default=[],
        metavar="FILE",
        help="a plugin that the runs use",
    )
    group.addoption(
        "--initlab-config-dir",
        metavar="DIR",
        help="the folder of options that a lock was made with",
    )


def pytest_configure(config: pytest.Config) -> None:
    """With `--initlab`, collect our files too; where only it names what to collect, nothing else."""
    given = config.getoption("initlab")
    if given is None:
        return
    named = [place for place in given if place]
    if named and config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args[:] = []
    config.args += [place for place in named if place not in config.args]

    from initlab.runner.pytest_collection import Collection

    config.pluginmanager.register(Collection(config, named), "initlab-collection")


@pytest.fixture
def initlab_watch() -> Callable[[], Watch]:
    """`initlab.torch.watch`: `with initlab_watch() as w: model = build()`, then `w.check(spec)` fails the
    test with what is found. Raises ImportError if torch is not installed.
    """
    from initlab.runner.torch.watch.watching import watch

    return watch
