"""Make finished runs again, each into a folder of its own, and say whether they came out the same
(`initlab rerun`).

`verify` computes a run again in memory, on the CPU, and holds every file of its folder against that;
`rerun` makes a new run from what the manifest recorded, on the run's own device, and compares the
values and figures of the two. What is compared, and how exactly, is the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from initlab.runner.check.figures import wrong_figure
from initlab.runner.check.recompute import Measured, Recomputed, compare_within
from initlab.runner.check.verify import Answer, check_plugins, check_versions, config_of
from initlab.runner.config import plugins
from initlab.runner.config.calling import Asking, config_dir_of
from initlab.runner.config.identity import MISSING, file_digest
from initlab.runner.errors import EXIT_REFUSED, EvidenceError, RunnerError
from initlab.runner.evidence.folder import OF_CONFIG, Origin, RunFolder
from initlab.runner.evidence.manifest import Manifest
from initlab.runner.evidence.named import is_named, named
from initlab.runner.excerpt import counted
from initlab.runner.plan.validate import RunConfig
from initlab.runner.run import stages
from initlab.runner.run.repeated import cause, changed_rows, counted_of, names_of
from initlab.runner.terminal import tables

INTO = Path("outputs") / "reruns"
"""Where new runs go if no folder is given."""


def rerun_all(paths: Sequence[Path], into: Path = INTO, trust: bool = False) -> Iterator[Answer]:
    """Yield an answer for each run, and each run of a name."""
    for path in paths:
        try:
            found = _runs_of(path)
        except EvidenceError as error:
            yield Answer(EXIT_REFUSED, str(error))
            continue
        for folder in found:
            yield rerun(folder, into, trust)


def _runs_of(path: Path) -> list[Path]:
    return [run.folder for run in named(path).runs] if is_named(path) else [path]


def rerun(folder: Path, into: Path = INTO, trust: bool = False) -> Answer:
    """Make a finished run again, below `into`; return whether it came out the same.

    With `trust` the plugin files that it recorded are loaded, if they are unchanged.
    """
    try:
        run = RunFolder(folder)
        content = run.manifest
        check_versions(content, folder)
        if trust:
            _load_plugins(content, folder)
        with plugins.only(entry.sha256 for entry in content.plugins):
            check_recorded(content, folder)
            config = _config(content, folder)
            made = _make(run, config, into)
            return _compare(run, made, config)
    except RunnerError as error:
        said = "; ".join(str(error).splitlines())
        return Answer(error.exit_code, said, None if str(folder) in said else folder)


def _load_plugins(content: Manifest, folder: Path) -> None:
    """Load the plugins that a run recorded, unless they are loaded. Raises EvidenceError if a file is
    gone or has changed.
    """
    loaded = {plugin.sha256 for plugin in plugins.loaded()}
    for path, recorded in _recorded(content):
        if recorded in loaded:
            continue
        found = file_digest(path)
        if found != recorded:
            raise EvidenceError(
                f"{folder}: the run used the plugin {path}, {_changed(found, recorded)}"
            )
        plugins.load(path)


def check_recorded(content: Manifest, folder: Path) -> None:
    """Raise EvidenceError unless the plugins that a run used are loaded; it says where they were, and
    whether they are still as they were.
    """
    loaded = {plugin.sha256 for plugin in plugins.loaded()}
    for path, recorded in _recorded(content):
        if recorded not in loaded:
            found = file_digest(path)
            said = _changed(found, recorded)
            if found == recorded:
                said = "which is unchanged - add --trust to run its code, or --plugin FILE"
            raise EvidenceError(f"{folder}: the run used the plugin {path}, {said}")
    check_plugins(content, folder)


def _recorded(content: Manifest) -> list[tuple[str, str]]:
    """Return path and SHA-256 of each plugin, as far as the paths were recorded."""
    if content.provenance is None or len(content.provenance.plugins) != len(content.plugins):
        return []
    return [
        (path, entry.sha256)
        for path, entry in zip(content.provenance.plugins, content.plugins, strict=True)
    ]


def _changed(found: str, recorded: str) -> str:
    if found == MISSING:
        return "which is gone - restore it, or give a copy with --plugin FILE"
    said = f"which has changed since: SHA-256 {recorded[:16]}…, now {found[:16]}…"
    return f"{said} - restore it, or give a copy with --plugin FILE"


def _config(content: Manifest, folder: Path) -> RunConfig:
    """Return the run's config, checked again. Raises EvidenceError if it cannot be run any more."""
    try:
        config = config_of(content, folder)
    except EvidenceError as error:
        where = None if content.provenance is None else content.provenance.folder
        if content.files and where not in (None, os.getcwd()):
            raise EvidenceError(f"{error}, and run this in {where}, where it was made") from error
        raise
    declared = replace(
        config.declaration, choices=content.choices or {}, words=tuple(content.overrides)
    )
    return replace(config, declaration=declared)


def _make(run: RunFolder, config: RunConfig, into: Path) -> RunFolder:
    """Make the run into a new folder below `into`."""
    overrides = run.manifest.overrides
    made = {
        OF_CONFIG[0]: yaml.safe_dump(run.config, allow_unicode=True, sort_keys=False),
        OF_CONFIG[1]: yaml.safe_dump(overrides, allow_unicode=True),
    }
    asking = Asking()
    asking.begin()
    origin = Origin(overrides, made | run.hydra_files(), asking)
    target = _free(into / config.run_id)
    stages.execute(config, target, origin, tables.quiet_console())
    return RunFolder(target)


def _free(folder: Path) -> Path:
    """Return the folder, or the first of FOLDER.2, FOLDER.3, … that is not there."""
    number, found = 1, folder
    while found.exists():
        number += 1
        found = folder.with_name(f"{folder.name}.{number}")
    return found


@dataclass(frozen=True)
class _MadeAgain:
    """What was measured of the new run. What another rounding makes of it is measured on demand."""

    run: RunFolder
    config: RunConfig

    def measured(self, snapshot: Path | None) -> Measured:
        """Return what the new run measured."""
        return Measured(self.run.stats, self.run.diagnosis)

    def disturbed(self, snapshot: Path | None, number: int) -> Measured:
        """Return it for values with other rounding errors."""
        return Recomputed(self.config, True).disturbed(self.run.snapshot_path, number)


def _compare(run: RunFolder, made: RunFolder, config: RunConfig) -> Answer:
    """Compare the values and figures of two runs of one config."""
    content = run.manifest
    rows = changed_rows(content, config, made.manifest.digests)
    where = f"made again in {made.path}, and different"
    if rows:
        said = f"{counted_of(rows, config)} differ: {names_of(rows)} - {cause(rows, content)}"
        return Answer(1, f"{where}: {said}", run.path)
    wrong = _wrong_within(run, made, config)
    with_figures = content.written is not None
    if wrong is None and with_figures:
        wrong = wrong_figure(run, _MadeAgain(made, config))
    if wrong is not None:
        return Answer(1, f"{where}: {wrong}", run.path)
    same = "values and figures are the same" if with_figures else "values are the same"
    count = counted(len(content.digests.tensors), "parameter")
    said = f"made again, {same}: {count}, root {made.manifest.digests.root[:16]}, in {made.path}"
    return Answer(0, said + _aside(content), run.path)


def _wrong_within(run: RunFolder, made: RunFolder, config: RunConfig) -> str | None:
    """Return how a parameter differs by more than its law's tolerance, or None. Raises EvidenceError
    if the values were not kept.
    """
    loose = [row for row in config.rows if row.law.exactness != "bits"]
    recorded, found = run.manifest.digests.tensors, made.manifest.digests.tensors
    for row in loose:
        if recorded[row.path] == found[row.path]:
            continue
        if run.snapshot is None or made.snapshot is None:
            said = f"parameter '{row.path}' is exact to a tolerance only, and no snapshot was kept"
            raise EvidenceError(f"{run.path}: {said}")
        values, kept = made.snapshot.tensors[row.path], run.snapshot.tensors[row.path]
        wrong, _ = compare_within(row.path, values, kept, row.law.invariants(values))
        if wrong is not None:
            return wrong
    return None


def _aside(content: Manifest) -> str:
    """Return what is to be said of the folder of options that the run was composed with."""
    options = None if content.provenance is None else content.provenance.config_dir
    if options is None:
        return ""
    path = Path(options.path)
    if path.is_dir() and config_dir_of(path).sha256 == options.sha256:
        return ""
    how = "has changed" if path.is_dir() else "is gone"
    return f"; its folder of options {path} {how} since, and was not needed"
