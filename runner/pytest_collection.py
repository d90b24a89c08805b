"""The tests that `pytest --initlab` collects: runs of lock files, and experiment files.

Each run of a lock is a test, named by its run id and overrides; it fails with what changed and why,
like `initlab verify --lock`. A lock of laws with the words of its model is a test. A file in a folder
`experiment` or `sweep` is a test: it is composed, every run of it is checked, made in a temporary
folder, and verified. If an experiment declares claims, each claim is a test instead and fails with its
row of the table. A damaged lock, or one whose words declare nothing any more, is an error of collection
in one line.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from initlab.runner.check.lockfile import Lock, LockedRun
    from initlab.runner.claims.claim import Claim
    from initlab.runner.claims.judge import Judged
    from initlab.runner.sweep.declared import DeclaredMember
    from initlab.runner.sweep.job import Job

GROUPS = ("experiment", "sweep")
"""Folders whose YAML files are tests."""
NOTHING = "none"
"""The option of both that declares nothing."""
LOCK_NAME, SUFFIX = "initlab.lock", ".lock"
MARK = b'"initlab-lock-'
"""What a lock of any name says near its beginning."""
LAWS_SUFFIX, LAWS_MARK = ".laws", b'"initlab-laws-'


class Collection:
    """Collects our files; it exists only if `--initlab` was given. The files in `named` must be
    ours.
    """

    def __init__(self, config: pytest.Config, named: list[str]) -> None:
        self._named = {(config.invocation_params.dir / place).resolve() for place in named}

    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> pytest.Collector | None:
        """Return the collector of a file if it is ours."""
        named = file_path.resolve() in self._named
        if file_path.suffix == ".yaml" and file_path.parent.name in GROUPS:
            return (
                None
                if file_path.stem == NOTHING
                else ExperimentFile.from_parent(parent, path=file_path)
            )
        if (
            file_path.name == LOCK_NAME
            or (named and file_path.suffix == SUFFIX)
            or _says(file_path, SUFFIX, MARK)
        ):
            return LockFile.from_parent(parent, path=file_path)
        if _says(file_path, LAWS_SUFFIX, LAWS_MARK):
            return LawsFile.from_parent(parent, path=file_path)
        return OtherFile.from_parent(parent, path=file_path) if named else None


def _says(path: Path, suffix: str, mark: bytes) -> bool:
    """Return whether a file with this suffix has the mark near its beginning."""
    if path.suffix != suffix:
        return False
    try:
        with open(path, "rb") as file:
            return mark in file.read(200)
    except OSError:
        # A file that cannot be read is taken for another tool's.
        return False


class NotAsExpected(Exception):
    """Raised by a test; its message is what the test found."""


class Item(pytest.Item):
    """Base class of our tests, whose findings are shown without a traceback."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the lines that say what changed; a traceback only if the test itself failed."""
        from initlab.runner.errors import RunnerError

        if isinstance(excinfo.value, (NotAsExpected, RunnerError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return file and name of the test.

        The name is not given alone, since pytest would take its dots for those of a Python module.
        """
        return self.path, None, f"{_shown(self.config, self.path)}: {self.name}"


class OtherFile(pytest.File):
    """A file that was named but is none of ours."""

    def collect(self) -> Iterator[pytest.Item]:
        """Raise CollectError."""
        said = (
            f"is neither a lock ({SUFFIX}) nor a YAML file in a folder called {' or '.join(GROUPS)} - "
            "give one of these, or a folder"
        )
        raise self.CollectError(f"{_shown(self.config, self.path)}: {said}")


class LockFile(pytest.File):
    """A lock: one test for each run that it holds or that its words declare."""

    def collect(self) -> Iterator[pytest.Item]:
        """Return the tests. Raises CollectError, one line per problem, if the lock cannot be used."""
        from initlab.runner.check import lockcheck
        from initlab.runner.declare import leaving_no_trace
        from initlab.runner.errors import RunnerError

        shown = _shown(self.config, self.path)
        try:
            with leaving_no_trace():
                _load_plugins(self.config)
                lock = lockcheck.open_lock(shown)
                found = list(
                    lockcheck.pairs(lock, shown, self.config.getoption("initlab_config_dir"))
                )
        except RunnerError as error:
            raise self.CollectError(str(error)) from None
        for locked, run in found:
            name = lockcheck.name_of(locked, run)
            yield LockItem.from_parent(self, name=name, lock=lock, locked=locked, run=run)


class LockItem(Item):
    """One run of a lock."""

    def __init__(
        self, *, lock: Lock, locked: LockedRun | None, run: DeclaredMember | None, **options: Any
    ) -> None:
        super().__init__(**options)
        self._lock, self._locked, self._run = lock, locked, run

    def runtest(self) -> None:
        """Draw the run again and compare."""
        from initlab.runner.check import lockcheck
        from initlab.runner.config.compose import start
        from initlab.runner.declare import leaving_no_trace
        from initlab.runner.sweep.plugin import register

        with leaving_no_trace():
            register()
            # Another test may have left Hydra in any state.
            start([], self.config.getoption("initlab_config_dir"))
            found = lockcheck.check(self._lock, self._locked, self._run)
        if found.findings:
            raise NotAsExpected("\n".join(found.lines))


class LawsFile(pytest.File):
    """A lock of laws: one test, if it has the words that declare its model."""

    def collect(self) -> Iterator[pytest.Item]:
        """Return the test; none for a lock that Python code checks."""
        from initlab.runner.errors import RunnerError
        from initlab.runner.torch.watch.locking import read_laws

        try:
            locked = read_laws(_shown(self.config, self.path))
        except RunnerError as error:
            raise self.CollectError(str(error)) from None
        if locked.words:
            yield LawsItem.from_parent(self, name=" ".join(locked.words))


class LawsItem(Item):
    """The model of a lock of laws."""

    def runtest(self) -> None:
        """Build the module again and compare who writes what."""
        from initlab.runner.declare import leaving_no_trace
        from initlab.runner.torch.watch.declared_laws import changes_of

        with leaving_no_trace():
            _load_plugins(self.config)
            found = changes_of(
                _shown(self.config, self.path), self.config.getoption("initlab_config_dir")
            )
        if found:
            raise NotAsExpected("\n".join(found))


class ExperimentFile(pytest.File):
    """A file in a folder `experiment` or `sweep`: one test, or one for each claim."""

    def collect(self) -> Iterator[pytest.Item]:
        """Return the tests. Raises CollectError if the runner has a file of the same name, which
        hides it.
        """
        from initlab.runner.config.option_files import conf_dir
        from initlab.runner.errors import RunnerError

        group, root = self.path.parent.name, self.path.parent.parent.resolve()
        try:
            _load_plugins(self.config)
            ours = conf_dir().resolve()
        except RunnerError as error:
            raise self.CollectError(str(error)) from None
        if root != ours and (ours / group / self.path.name).exists():
            said = (
                f"initlab has {group}={self.path.stem} of its own, which would be run - give the file "
                "another name"
            )
            raise self.CollectError(f"{_shown(self.config, self.path)}: {said}")
        name = f"{group}={self.path.stem}"
        config_dir = None if root == ours else str(root)
        if group == GROUPS[0] and _expects(self.path):
            try:
                claimed = _Claimed(name, config_dir)
            except RunnerError as error:
                raise self.CollectError(str(error)) from None
            for claim in claimed.claims:
                yield ClaimItem.from_parent(
                    self, name=f"{name}: {claim.id}", claimed=claimed, claim=claim
                )
            return
        yield ExperimentItem.from_parent(self, name=name, config_dir=config_dir)


class ExperimentItem(Item):
    """A test of every run that an experiment or a sweep declares."""

    def __init__(self, *, config_dir: str | None, **options: Any) -> None:
        super().__init__(**options)
        self._config_dir = config_dir

    def runtest(self) -> None:
        """Make all runs in a temporary folder and verify them. A search is skipped: its runs are
        not known.
        """
        from initlab.runner.check.lock import runs_of
        from initlab.runner.declare import leaving_no_trace
        from initlab.runner.errors import ConfigError

        with leaving_no_trace(), tempfile.TemporaryDirectory() as folder:
            try:
                wrong = [
                    said
                    for run in runs_of([self.name], self._config_dir)
                    for said in _problems(run, Path(folder))
                ]
            except ConfigError as error:
                if not all(problem.search for problem in error.problems):
                    raise
                pytest.skip(
                    "a search, whose runs are not known before it is made - run it with hydra/sweeper=optuna"
                )
        if wrong:
            raise NotAsExpected("\n".join(wrong))


def _make(job: Job, place: Path) -> None:
    """Make a run into a folder, which then holds what every run's does."""
    from initlab.runner.run.stages import execute
    from initlab.runner.sweep.job import origin
    from initlab.runner.terminal.tables import quiet_console

    execute(job.run, place, origin(job), quiet_console())


def _problems(run: DeclaredMember, folder: Path) -> list[str]:
    """Make a run and verify it; return a line for each problem, with the run's words."""
    from initlab.runner.check.verify import verify
    from initlab.runner.errors import RunnerError

    place, words = folder / run.member.run_id, " ".join(run.member.overrides)
    try:
        _make(run.declaration.job_of(run.member), place)
        answer = verify(place)
    except RunnerError as error:
        return [f"{words}: {line}" for line in str(error).splitlines()]
    return [f"{words}: {answer.said}"] if answer.code else []


def _expects(path: Path) -> bool:
    """Return whether an experiment file has claims."""
    from initlab.runner.experiments.catalogue import claims_in

    return claims_in(path)


class _Claimed:
    """The claims of an experiment and their verdicts; its runs are made once, for the first test."""

    def __init__(self, name: str, config_dir: str | None) -> None:
        from initlab.runner.declare import leaving_no_trace
        from initlab.runner.experiments.performing import checked_sweep

        self._name, self._config_dir = name, config_dir
        with leaving_no_trace():
            self.claims = checked_sweep([name], config_dir).claims
        self._judged: dict[str, Judged] | None = None

    def judged(self, claim: Claim) -> Judged:
        """Return the verdict of a claim, judged together with the experiment's others."""
        if self._judged is None:
            self._judged = self._judge()
        return self._judged[claim.id]

    def _judge(self) -> dict[str, Judged]:
        from initlab.runner.claims.judge import judge
        from initlab.runner.declare import leaving_no_trace
        from initlab.runner.expectation import estimates
        from initlab.runner.experiments.performing import checked_sweep

        with leaving_no_trace(), tempfile.TemporaryDirectory() as folder:
            checked = checked_sweep([self._name], self._config_dir)
            made = []
            for member in checked.members:
                place = Path(folder) / member.run_id
                _make(checked.declaration.pop_job(member), place)
                made.append((member.overrides, place))
            return {
                one.claim.id: one for one in judge(checked.claims, estimates(checked.claims, made))
            }


class ClaimItem(Item):
    """A test of one claim of an experiment."""

    def __init__(self, *, claimed: _Claimed, claim: Claim, **options: Any) -> None:
        super().__init__(**options)
        self._claimed, self._claim = claimed, claim

    def runtest(self) -> None:
        """Judge the claim. It fails unless reproduced, with its row of the table and the reason."""
        from initlab.runner.claims.judge import REPRODUCED
        from initlab.runner.expectation import HEADINGS, cells

        judged = self._claimed.judged(self._claim)
        if judged.verdict != REPRODUCED:
            row = "  ".join(
                f"{name} {cell}" for name, cell in zip(HEADINGS, cells(judged), strict=True)
            )
            raise NotAsExpected(
                f"{row}\n{judged.reason}\n{self._claim.quantity}: {self._claim.cite}"
            )


def _load_plugins(config: pytest.Config) -> None:
    from initlab.runner.config import plugins

    for path in config.getoption("initlab_plugin"):
        plugins.load(path)


def _shown(config: pytest.Config, path: Path) -> Path:
    """Return the path in its shortest form."""
    here = config.invocation_params.dir
    return path.relative_to(here) if path.is_relative_to(here) else path
