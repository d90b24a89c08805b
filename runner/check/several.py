"""What a person gives to `initlab verify`: runs, folders of names, and files that lie beside runs.

A name is verified run by run: those that its last sweep lists, and every other run in its folder.
`outputs/<name>/*` also names a sweep's own files and seals: those are skipped in one line. Any other
file is refused, as it is no run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from initlab.runner.check import seal
from initlab.runner.check.contents import listed
from initlab.runner.check.verify import Answer, verify
from initlab.runner.errors import EXIT_REFUSED, EvidenceError
from initlab.runner.evidence import members
from initlab.runner.evidence.folder import GIVE_FOLDER, HYDRA, SWEEP, RunFolder
from initlab.runner.evidence.named import NamedRun, is_named, named
from initlab.runner.evidence.run_ids import same_run
from initlab.runner.excerpt import counted

WORDS = {0: "verified", 1: "different", EXIT_REFUSED: "that cannot be used"}


def verify_all(paths: Sequence[Path], figures: bool = True, last: bool = False) -> Iterator[Answer]:
    """Yield an answer for each run, and one for each name after its runs; without `figures`,
    nothing is measured again. With `last`, of a name only the runs of its last sweep.
    """
    left, skipped = beside_runs(paths)
    for path in left:
        if is_named(path):
            yield from _verify_named(path, figures, last)
        elif last and path.is_dir():
            yield Answer(EXIT_REFUSED, "is no folder of a sweep - leave out --last", path)
        else:
            yield verify(path, figures)
    if skipped:
        names = listed([path.name for path in skipped], len(members.OWN))
        if not left:
            yield Answer(EXIT_REFUSED, f"{names}: no run is among these - {GIVE_FOLDER}")
        else:
            yield Answer(0, f"skipped, no runs: {names}")


def beside_runs(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Return the paths without a sweep's own files and the seals of runs, and those files."""
    skipped = [path for path in paths if _is_beside_runs(path)]
    return [path for path in paths if path not in skipped], skipped


def _is_beside_runs(path: Path) -> bool:
    """Return whether this is a file of a sweep, or the seal of the folder beside it."""
    if path.name in (*members.OWN, HYDRA) and members.is_sweep(path.parent):
        return path.exists()
    sealed = path.name.removesuffix(seal.SUFFIX)
    return sealed != path.name and path.is_file() and (path.parent / sealed).is_dir()


def _verify_named(folder: Path, figures: bool, last: bool) -> Iterator[Answer]:
    """Yield an answer for each run of a name, and one that counts them."""
    try:
        found = named(folder)
    except EvidenceError as error:
        yield Answer(EXIT_REFUSED, str(error))
        return
    if last and not found.last:
        yield Answer(EXIT_REFUSED, "no sweep was run into this folder - leave out --last", folder)
        return
    runs = found.last if last else found.runs
    codes: list[int] = []
    for run in runs:
        answer = _verify_member(run, figures)
        codes.append(answer.code)
        yield answer
    bad = [f"{codes.count(code)} {WORDS[code]}" for code in sorted({*codes} - {0})]
    count = f"{codes.count(0)} of {counted(len(runs), 'run')} verified"
    others = _uncovered(folder, runs)
    aside = f"; not covered: {listed(others, len(members.OWN))}" if others else ""
    yield Answer(0 if runs else EXIT_REFUSED, ", ".join([count, *bad]) + aside, folder)


def _verify_member(run: NamedRun, figures: bool) -> Answer:
    """Return the answer for one run of a name."""
    place = run.folder
    if not RunFolder(place).finished:
        found = run.status(RunFolder(place), over=False)
        reason = (found.error or "").split("\n")[0]
        said = f"did not finish, it is {found.state}" + (f" ({reason})" if reason else "")
        again = "run the sweep" if run.sweep is not None else "run it"
        return Answer(EXIT_REFUSED, f"{said} - {again} again with resume=true", place)
    answer = verify(place, figures)
    listed_as = run.member.run_id
    if answer.code == 0 and not same_run(RunFolder(place).manifest.run_id, listed_as):
        return Answer(1, f"holds another run than the sweep's list says, {listed_as}", place)
    return answer


def _uncovered(folder: Path, found: Sequence[NamedRun]) -> list[str]:
    """Return the names in a folder that are of none of these runs: other runs first, then files."""
    runs = {run.folder.name for run in found}
    seals = {f"{name}{seal.SUFFIX}" for name in runs}
    names = {entry.name: entry.is_file() for entry in os.scandir(folder)}
    others = names.keys() - runs - seals - {SWEEP}
    return sorted((n for n in others if not n.startswith(".")), key=lambda n: (names[n], n))
