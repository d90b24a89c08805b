"""What a person gives to `initlab verify`: runs, sweeps, and files that lie beside runs.

A sweep is verified run by run, as its list says. `outputs/<name>/*` also names a sweep's own files
and seals: those are skipped in one line. Any other file is refused, as it is no run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from initlab.runner.check import seal
from initlab.runner.check.contents import listed
from initlab.runner.check.verify import Answer, verify
from initlab.runner.errors import EXIT_REFUSED, EvidenceError
from initlab.runner.evidence import members, status
from initlab.runner.evidence.folder import GIVE_FOLDER, HYDRA, SWEEP, RunFolder
from initlab.runner.evidence.members import Member
from initlab.runner.excerpt import counted

WORDS = {0: "verified", 1: "different", EXIT_REFUSED: "that cannot be used"}


def verify_all(paths: Sequence[Path], figures: bool = True) -> Iterator[Answer]:
    """Yield an answer for each run, and one for each sweep after its runs; without `figures`,
    nothing is measured again.
    """
    skipped = [path for path in paths if _is_beside_runs(path)]
    for path in paths:
        if members.is_sweep(path) and not RunFolder(path).finished:
            yield from _verify_sweep(path, figures)
        elif path not in skipped:
            yield verify(path, figures)
    if skipped:
        names = listed([path.name for path in skipped], len(members.OWN))
        if len(skipped) == len(paths):
            yield Answer(EXIT_REFUSED, f"{names}: no run is among these - {GIVE_FOLDER}")
        else:
            yield Answer(0, f"skipped, no runs: {names}")


def _is_beside_runs(path: Path) -> bool:
    """Return whether this is a file of a sweep, or the seal of the folder beside it."""
    if path.name in (*members.OWN, HYDRA) and members.is_sweep(path.parent):
        return path.exists()
    sealed = path.name.removesuffix(seal.SUFFIX)
    return sealed != path.name and path.is_file() and (path.parent / sealed).is_dir()


def _verify_sweep(folder: Path, figures: bool) -> Iterator[Answer]:
    """Yield an answer for each run of a sweep, and one that counts them."""
    try:
        found = members.read_members(folder)
    except EvidenceError as error:
        yield Answer(EXIT_REFUSED, str(error))
        return
    codes: list[int] = []
    places = members.places_of(found, folder)
    for member, place in zip(found, places, strict=True):
        answer = _verify_member(member, place, figures)
        codes.append(answer.code)
        yield answer
    bad = [f"{codes.count(code)} {WORDS[code]}" for code in sorted({*codes} - {0})]
    count = f"{codes.count(0)} of {counted(len(found), 'run')} verified"
    others = _uncovered(folder, found)
    aside = f"; not covered: {listed(others, len(members.OWN))}" if others else ""
    yield Answer(0 if found else EXIT_REFUSED, ", ".join([count, *bad]) + aside, folder)


def _verify_member(member: Member, place: Path, figures: bool) -> Answer:
    """Return the answer for one run of a sweep."""
    if not RunFolder(place).finished:
        found = status.read(place)
        reason = (found.error or "").split("\n")[0]
        said = f"did not finish, it is {found.state}" + (f" ({reason})" if reason else "")
        return Answer(EXIT_REFUSED, f"{said} - run the sweep again with resume=true", place)
    answer = verify(place, figures)
    if answer.code == 0 and RunFolder(place).manifest.run_id != member.run_id:
        return Answer(1, f"holds another run than the sweep's list says, {member.run_id}", place)
    return answer


def _uncovered(folder: Path, found: Sequence[Member]) -> list[str]:
    """Return the names in a sweep's folder that are of none of its runs: other runs first, then
    files.
    """
    runs = {place.name for place in members.places_of(found, folder)}
    seals = {f"{name}{seal.SUFFIX}" for name in runs}
    names = {entry.name: entry.is_file() for entry in os.scandir(folder)}
    others = names.keys() - runs - seals - {SWEEP}
    return sorted((n for n in others if not n.startswith(".")), key=lambda n: (names[n], n))
