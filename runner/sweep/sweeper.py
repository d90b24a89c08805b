"""Sweeps, started by `-m`: all jobs are checked before the first one runs, and each different run
is made once.

Results are collected from disk. `RunnerSweeper` is the sweeper named in Hydra's configs; it is
registered by hand, because the project has no `hydra_plugins` folder. Jobs run in this process or
through the configured launcher.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from initlab.runner import expectation
from initlab.runner.claims.claim import Claim, parse_claims
from initlab.runner.claims.results import read_result
from initlab.runner.config.compose import check_permitted
from initlab.runner.config.hydra_internals import configure_logging
from initlab.runner.config.permitted import LOGGING_CLASSES
from initlab.runner.errors import (
    EXIT_FAILED,
    EXIT_REFUSED,
    ConfigError,
    Problems,
    RunnerError,
)
from initlab.runner.evidence.folder import write_hydra as write_hydra_files
from initlab.runner.evidence.judged import CHARTS
from initlab.runner.evidence.members import (
    SUMMARY,
    Member,
    swept_keys,
    swept_values,
    write_members,
)
from initlab.runner.evidence.status import FAILED, TIMED_OUT
from initlab.runner.evidence.summary import write_summary
from initlab.runner.excerpt import counted
from initlab.runner.files import locked, storage_errors
from initlab.runner.report.claim_charts import write_claim_charts
from initlab.runner.report.drawing import available, check_report
from initlab.runner.report.sweep_page import write_sweep_report
from initlab.runner.report.writing import renew_report
from initlab.runner.sweep.declared import DeclaredSweep, Tally, declare_sweep
from initlab.runner.sweep.job import STOP, finished, perform, print_task
from initlab.runner.sweep.launching import is_in_process, launch_all
from initlab.runner.sweep.monitor import Monitor, following, watching
from initlab.runner.sweep.optuna import Study, check_search, describe, maximizes
from initlab.runner.terminal import sweeps, tables

BUSY = "another sweep is at work in this folder - wait for it to end, or give name=… for a folder of its own"


def sweep(words: list[str], config_dir: str | None) -> int:
    """Run the sweep that the command line declares; return its exit code.

    Raises ConfigError with all problems, before anything starts.
    """
    declaration = declare_sweep(words, config_dir)
    if declaration.search is not None:
        return search(words, declaration)
    if declaration.config.get("dry_run") is True and not declaration.problems:
        return dry_run(declaration)
    members = declaration.check()
    claims = declared_claims(declaration, members)
    for entry in declaration.unmatched():
        print(f"warning: {entry.place} leaves out no run", file=sys.stderr)
    check_report(str(declaration.config.report))
    configure_logging(declaration.config, LOGGING_CLASSES)
    if declaration.config.task != "run":
        for member in members:
            print_task(declaration.pop_job(member).run)
        return 0
    code = run(words, declaration, members)
    return code or judge_claims(declaration, members, claims)


def declared_claims(declaration: DeclaredSweep, members: list[Member]) -> list[Claim]:
    """Return the claims that the sweep declares about its runs. Raises ConfigError with all
    problems.
    """
    node = declaration.config.get("expect")
    expect = OmegaConf.to_container(node, resolve=False) if OmegaConf.is_config(node) else node
    if not expect:
        return []
    problems = Problems()
    with problems.under("expect"):
        expectation.check_interpolations(expect, swept_keys(members))
    with problems.under("expect"):
        claims = parse_claims(_resolved(node))
    problems.raise_any()
    runs = [(member.overrides, declaration.job_of(member).run) for member in members]
    expectation.check(claims, runs)
    return claims


def _resolved(node: object) -> object:
    """Return a node of the config with its interpolations resolved. Raises ConfigError if one
    fails.
    """
    try:
        return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node
    except OmegaConfBaseException as error:
        raise ConfigError.of("", str(error).splitlines()[0]) from error


def judge_claims(declaration: DeclaredSweep, members: list[Member], claims: list[Claim]) -> int:
    """Judge the claims by the finished runs; return the exit code."""
    if not claims:
        return 0
    folder = Path(str(declaration.config.hydra.sweep.dir))
    made = [(member.overrides, Path(member.folder)) for member in members]
    return conclude(claims, made, folder, str(declaration.config.report) != "none")


def conclude(
    claims: list[Claim], made: Sequence[expectation.Made], folder: Path, drawn: bool
) -> int:
    """Judge claims, print and write the verdicts; return the exit code.

    With `drawn`, and if matplotlib is installed, charts of the claims are written too.
    """
    judged = expectation.conclude(claims, made, folder, tables.console())
    if drawn and available():
        results = [read_result(place, words) for words, place in made]
        for path in write_claim_charts(folder, CHARTS, judged, results):
            print(f"chart: {path}", flush=True)
    renew_report(folder)
    return expectation.exit_code(judged)


def search(words: list[str], declaration: DeclaredSweep) -> int:
    """Search with Optuna for the best value of the objective."""
    check_search(declaration)
    check_report(str(declaration.config.report))
    if declaration.config.dry_run:
        print(describe(declaration))
        return 0
    study = Study(declaration, perform_all)
    configure_logging(declaration.config, LOGGING_CLASSES)
    return study.conclude(run(words, declaration, study.members, study.perform))


def run(
    words: list[str],
    declaration: DeclaredSweep,
    members: list[Member],
    perform: Callable[..., None] | None = None,
) -> int:
    """Perform the runs, summarize their results from disk, and return the exit code.

    `perform` is `perform_all` by default; a search passes a function that finds the members as it
    goes.
    """
    folder = Path(str(declaration.config.hydra.sweep.dir))
    declaration.calling.begin()
    make_folders(folder, members)
    with ExitStack() as held:
        held.enter_context(storage_errors(folder))
        for one in sorted({folder, *(Path(member.folder).parent for member in members)}):
            held.enter_context(locked(one, BUSY))
        for one in {Path(member.folder).parent for member in members}:
            (one / STOP).unlink(missing_ok=True)
        write_members(folder, words, members)
        write_hydra(folder, declaration.config)
        try:
            with following(members) as monitor:
                (perform or perform_all)(declaration, members, monitor)
            if monitor.changed > 1:
                said = f"{monitor.changed} runs are not as the ones that were here before"
                print(f"warning: {said}", file=sys.stderr, flush=True)
        finally:
            summary = write_summary(folder, members, largest=maximizes(declaration.config))
            sweeps.print_summary(tables.console(), summary)
            if summary.others:
                count = counted(summary.others, "more run")
                print(f"{folder} holds {count}, which summary and report have too", flush=True)
            write_report(folder, str(declaration.config.report))
            print(
                f"{summary.done} of {len(members)} runs completed: {folder / SUMMARY}", flush=True
            )
    return 0 if summary.done == len(members) else EXIT_FAILED


def write_report(folder: Path, report: str) -> None:
    """Write the sweep's `report.html` unless `report` is none. A failure is a warning only."""
    if report == "none":
        return
    try:
        print(f"report: {write_sweep_report(folder, over=True)}", flush=True)
    except (RunnerError, OSError) as error:
        print(f"warning: no report.html: {error}", file=sys.stderr)


def perform_all(
    declaration: DeclaredSweep, members: list[Member], monitor: Monitor, first: int = 0
) -> None:
    """Perform the runs, in this process or through the configured launcher.

    `first` is the number of the first run within the sweep.
    """
    options = declaration.config.sweep
    if not is_in_process(declaration.config):
        with watching(monitor):
            launch_all(declaration.config, members, options.retries, declaration.calling())
        return
    for number, member in enumerate(members, first):
        status = perform(declaration.pop_job(member), monitor.of_run)
        monitor.ended(number, status)
        if status.state in (FAILED, TIMED_OUT) and options.on_error == "stop":
            return


def dry_run(declaration: DeclaredSweep) -> int:
    """Print the runs, and which are finished or refused; write nothing.

    Returns exit code 2 if any run is refused.
    """
    refused = Tally()
    found: dict[tuple[str, str], tuple[Member | None, list[str], str]] = {}
    duplicates = excluded = 0
    for job in declaration.examine():
        if job.excluded:
            excluded += 1
            continue
        refused.add(job.words, job.refused)
        key = job.member.key if job.member is not None else ("", " ".join(job.words))
        duplicates += key in found
        state = "refused" if job.refused else _state(declaration, job.member)
        found.setdefault(key, (job.member, job.words, state))
    members = [member or Member("-", "-", list(words)) for member, words, _ in found.values()]
    states = [state for _, _, state in found.values()]
    sweeps.print_runs(tables.console(), [m.run_id for m in members], swept_values(members), states)
    counts = [
        f"{states.count(state)} {state}"
        for state in ("finished", "to run", "refused")
        if state in states
    ]
    counts += [f"{counted(duplicates, 'duplicate')} removed"] * bool(duplicates) + [
        f"{excluded} excluded"
    ] * bool(excluded)
    print(f"\n{counted(len(states), 'run')}: {', '.join(counts)}; nothing was written")
    for entry in declaration.unmatched():
        print(f"warning: {entry.place} leaves out no run", file=sys.stderr)
    problems = Problems([*refused.problems(), *declaration.unknown])
    with problems.under():
        check_permitted(declaration.config, declaration.words)
    if not problems:
        with problems.under():
            declared_claims(declaration, members)
    for problem in dict.fromkeys(problems.found):
        print(f"error: {problem}", file=sys.stderr)
    return EXIT_REFUSED if problems else 0


def _state(declaration: DeclaredSweep, member: Member | None) -> str:
    """Return whether a valid run is finished already."""
    assert member is not None
    job = declaration.job_of(member)
    return "to run" if finished(job.declaration, job.folder) is None else "finished"


def write_hydra(folder: Path, config: DictConfig) -> None:
    """Write the `hydra` node of the sweep's config to `.hydra/` in its folder."""
    text = OmegaConf.to_yaml(OmegaConf.masked_copy(config, "hydra"))
    write_hydra_files(folder, {"hydra.yaml": text})


def make_folders(folder: Path, members: list[Member]) -> None:
    """Create the folders of the sweep and its runs. Raises ConfigError if one cannot be written."""
    problems = Problems()
    for path in dict.fromkeys([folder, *(Path(member.folder).parent for member in members)]):
        try:
            path.mkdir(parents=True, exist_ok=True)
            if not os.access(path, os.W_OK | os.X_OK):
                raise PermissionError(13, "Permission denied")
        except OSError as error:
            problems.add(f"output folder {path}", f"cannot be written ({error.strerror})")
    for member in members:
        if Path(member.folder).exists() and not Path(member.folder).is_dir():
            problems.add(f"output folder {member.folder}", "cannot be written (it is no folder)")
    problems.raise_any()
