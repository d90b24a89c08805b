"""A seal of a finished run or sweep: a detached list of its files with their SHA-256 (`initlab seal`).

It has the form of the statement that the tool `model-signing` (OpenSSF) makes of a folder: in-toto's
Statement v1 with the predicate `https://model_signing/signature/v1.0`. Nothing is signed here. The
list is one small file, which `model-signing`, or any other tool that signs files, signs and checks;
a signature that `model-signing` makes of the folder itself has the same digests.

    subject      the run id, or for a sweep how many runs it has, and the SHA-256 over the digests of
                 all files, in the order of the list
    predicate    `resources`: name and SHA-256 of each file, by name; `serialization`: how it was read

Sealed is every file of a run's folder but those of `LATER`, which are written, or written again,
after the run. Of a sweep these are the files of its runs, its list and its summary.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from initlab.engine import strict_json
from initlab.runner.check.contents import changed_file, check_contents, listed
from initlab.runner.config.identity import MISSING, file_digest
from initlab.runner.errors import EvidenceError
from initlab.runner.evidence import judged, members, status
from initlab.runner.evidence.folder import GIVE_FOLDER, LOG, REPORT, SWEEP, RunFolder
from initlab.runner.evidence.sound import is_digest
from initlab.runner.evidence.written import is_inside
from initlab.runner.excerpt import counted
from initlab.runner.files import check_target, write_json
from initlab.runner.json_values import JSON

SUFFIX = ".seal.json"
LATER = (LOG, REPORT, status.NAME, *judged.FILES)
OF_SWEEP = (SWEEP, members.TABLE, members.SUMMARY)
"""The files of a sweep, beside those of its runs, that its seal covers."""
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://model_signing/signature/v1.0"
OF_GIT = (".git", ".gitattributes", ".github", ".gitignore")
"""What the tool leaves out of every folder."""
SEAL_AGAIN = "write it again with initlab seal"


def seal(folder: Path, target: Path | None = None) -> Path:
    """Write the seal of a finished run or sweep, beside its folder if no `target` is given; return
    its path.

    Raises EvidenceError if a run did not finish, or if a file is not as its manifest says, and
    StorageError if the seal cannot be written.
    """
    runs = _runs_of(folder) if _is_sweep(folder) else [folder]
    for run in map(RunFolder, runs):
        _ = run.manifest
        check_contents(run)
        wrong = changed_file(run, values=False) or changed_file(run, values=True)
        if wrong is not None:
            raise EvidenceError(f"{run.path}: {wrong} - initlab verify says more")
    place = folder.resolve()
    path = place.parent / f"{place.name}{SUFFIX}" if target is None else target
    if path.resolve().is_relative_to(place):
        raise EvidenceError(f"{path}: a seal cannot be in the folder that it seals")
    check_target(path)
    write_json(path, statement(_name(folder), digests_of(folder)))
    return path


def _is_sweep(folder: Path) -> bool:
    return members.is_sweep(folder) and not RunFolder(folder).finished


def _runs_of(sweep: Path) -> list[Path]:
    """Return the folders of a sweep's runs. Raises EvidenceError if one lies in another folder."""
    places = members.places_of(members.read_members(sweep), sweep)
    for place in places:
        if place.resolve().parent != sweep.resolve():
            raise EvidenceError(f"{sweep}: its run {place} is in another folder - seal each run")
    return [sweep / place.name for place in places]


def _name(folder: Path) -> str:
    """Return the name of the subject: a run's id, or how many runs a sweep has."""
    if _is_sweep(folder):
        return f"a sweep of {counted(len(members.read_members(folder)), 'run')}"
    return RunFolder(folder).manifest.run_id


def statement(name: str, digests: Mapping[str, str]) -> dict[str, JSON]:
    """Return the statement about a run's files, {name: SHA-256 in hex}."""
    resources = [
        {"name": file, "algorithm": "sha256", "digest": digest}
        for file, digest in sorted(digests.items())
    ]
    return {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": _whole(digests)}}],
        "predicateType": PREDICATE,
        "predicate": {
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": sorted({*OF_GIT, *LATER}),
            },
            "resources": resources,
        },
    }


def _whole(digests: Mapping[str, str]) -> str:
    return hashlib.sha256(
        b"".join(bytes.fromhex(digest) for _, digest in sorted(digests.items()))
    ).hexdigest()


def digests_of(folder: Path) -> dict[str, str]:
    """Return {name: SHA-256 in hex} of the files that a seal covers.

    Raises EvidenceError if there is no such folder, or a file is a link or cannot be read.
    """
    if not folder.is_dir():
        raise EvidenceError(f"{folder}: no such folder - {GIVE_FOLDER}")
    if not _is_sweep(folder):
        return {path.relative_to(folder).as_posix(): _digest(path) for path in _files(folder)}
    paths = [folder / name for name in OF_SWEEP if (folder / name).exists()]
    paths += [path for run in _runs_of(folder) for path in _files(run)]
    return {path.relative_to(folder).as_posix(): _digest(path) for path in paths}


def _files(run: Path) -> Iterator[Path]:
    """Yield the files of a run's folder that a seal covers, links included."""
    for path in sorted(run.rglob("*")):
        later = path.relative_to(run).as_posix() in LATER
        if not later and (path.is_symlink() or not path.is_dir()):
            yield path


def _digest(path: Path) -> str:
    if path.is_symlink():
        raise EvidenceError(f"{path}: is a link, which no seal covers - put the file there")
    digest = file_digest(str(path))
    if digest == MISSING:
        raise EvidenceError(f"{path}: cannot be read")
    return digest


def compare(folder: Path, path: Path) -> str | None:
    """Return how a folder differs from a seal, or None.

    Raises EvidenceError if the seal, or the folder, cannot be read.
    """
    subject, sealed = read(path)
    found = digests_of(folder)
    try:
        name = _name(folder)
    except EvidenceError:
        if not sealed.keys() & found.keys():
            raise
    else:
        if name != subject:
            return f"holds {name}, and {path} is the seal of {subject}"
    for one, several, names in (
        ("is missing", "are missing", sealed.keys() - found.keys()),
        ("is not sealed", "are not sealed", found.keys() - sealed.keys()),
        ("differs", "differ", {n for n in sealed.keys() & found if sealed[n] != found[n]}),
    ):
        if names:
            return f"{listed(sorted(names))} {one if len(names) == 1 else several}"
    return None


def read(path: Path) -> tuple[str, dict[str, str]]:
    """Return the subject's name and {name: SHA-256 in hex} of a seal. Raises EvidenceError if it is
    missing or damaged.
    """
    try:
        content = strict_json.read(path)
        return str(content["subject"][0]["name"]), _resources(content)
    except FileNotFoundError:
        raise EvidenceError(f"{path}: no such file - {SEAL_AGAIN}") from None
    except (OSError, ValueError) as error:
        raise EvidenceError(f"{path}: is damaged ({error}) - {SEAL_AGAIN}") from error
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise EvidenceError(f"{path}: is no seal of a run - {SEAL_AGAIN}") from error


def _resources(content: Any) -> dict[str, str]:
    if (content["_type"], content["predicateType"]) != (STATEMENT, PREDICATE):
        raise TypeError("another statement")
    digests: dict[str, str] = {}
    for entry in content["predicate"]["resources"]:
        name, digest = entry["name"], entry["digest"]
        if not is_inside(name) or not is_digest(digest) or name in digests:
            raise ValueError("a file in it is not as written")
        digests[name] = digest
    if content["subject"][0]["digest"]["sha256"] != _whole(digests):
        raise ValueError("its digests are not those of its subject")
    return digests
