"""A seal of a finished run: a detached list of its files with their SHA-256 (`initlab seal`).

It has the form of the statement that the tool `model-signing` (OpenSSF) makes of a folder: in-toto's
Statement v1 with the predicate `https://model_signing/signature/v1.0`. Nothing is signed here. The
list is one small file, which `model-signing`, or any other tool that signs files, signs and checks;
a signature that `model-signing` makes of the folder itself has the same digests.

    subject      the run id, and the SHA-256 over the digests of all files, in the order of the list
    predicate    `resources`: name and SHA-256 of each file, by name; `serialization`: how it was read

Sealed is every file of the folder but those of `LATER`, which are written, or written again, after
the run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from initlab.engine import strict_json
from initlab.runner.check.contents import changed_file, check_contents, listed
from initlab.runner.config.identity import MISSING, file_digest
from initlab.runner.errors import EvidenceError
from initlab.runner.evidence import judged, status
from initlab.runner.evidence.folder import GIVE_FOLDER, LOG, REPORT, RunFolder
from initlab.runner.evidence.sound import is_digest
from initlab.runner.evidence.written import is_inside
from initlab.runner.files import write_json
from initlab.runner.json_values import JSON

SUFFIX = ".seal.json"
LATER = (LOG, REPORT, status.NAME, *judged.FILES)
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://model_signing/signature/v1.0"
OF_GIT = (".git", ".gitattributes", ".github", ".gitignore")
"""What the tool leaves out of every folder."""
SEAL_AGAIN = "write it again with initlab seal"


def seal(folder: Path, target: Path | None = None) -> Path:
    """Write the seal of a finished run, beside its folder if no `target` is given; return its path.

    Raises EvidenceError if the run did not finish, or if a file is not as its manifest says.
    """
    run = RunFolder(folder)
    name = run.manifest.run_id
    check_contents(run)
    wrong = changed_file(run, values=False) or changed_file(run, values=True)
    if wrong is not None:
        raise EvidenceError(f"{folder}: {wrong} - initlab verify says more")
    place = folder.resolve()
    path = place.parent / f"{place.name}{SUFFIX}" if target is None else target
    if path.resolve().is_relative_to(place):
        raise EvidenceError(f"{path}: a seal cannot be in the folder that it seals")
    write_json(path, statement(name, digests_of(run)))
    return path


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


def digests_of(run: RunFolder) -> dict[str, str]:
    """Return {name: SHA-256 in hex} of the files that a seal covers.

    Raises EvidenceError if there is no such folder, or a file is a link or cannot be read.
    """
    if not run.path.is_dir():
        raise EvidenceError(f"{run.path}: no such folder - {GIVE_FOLDER}")
    found: dict[str, str] = {}
    for path in sorted(run.path.rglob("*")):
        name = path.relative_to(run.path).as_posix()
        if name in LATER or (path.is_dir() and not path.is_symlink()):
            continue
        if path.is_symlink():
            raise EvidenceError(f"{path}: is a link, which no seal covers - put the file there")
        found[name] = file_digest(str(path))
        if found[name] == MISSING:
            raise EvidenceError(f"{path}: cannot be read")
    return found


def compare(folder: Path, path: Path) -> str | None:
    """Return how a run's folder differs from a seal, or None.

    Raises EvidenceError if the seal, or the folder, cannot be read.
    """
    sealed = read(path)
    found = digests_of(RunFolder(folder))
    for said, names in (
        ("is missing", sealed.keys() - found.keys()),
        ("is not sealed", found.keys() - sealed.keys()),
        ("differs", {name for name in sealed.keys() & found if sealed[name] != found[name]}),
    ):
        if names:
            return f"{listed(sorted(names))} {said}"
    return None


def read(path: Path) -> dict[str, str]:
    """Return {name: SHA-256 in hex} of a seal. Raises EvidenceError if it is missing or damaged."""
    try:
        content = strict_json.read(path)
        return _resources(content)
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
