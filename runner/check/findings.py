"""The diagnosis of a finished run, made again and held against `diagnosis.json`.

What a diagnosis looks for, and from which figure on it is said, changes from version to version. So
it names the code that made it, and is made again by the same code only.
"""

from __future__ import annotations

import json
import re

from initlab.engine import strict_json
from initlab.runner.diagnosis.diagnose import code
from initlab.runner.evidence.diagnosed import Diagnosis
from initlab.runner.evidence.folder import DIAGNOSIS, RunFolder
from initlab.runner.evidence.manifest import Manifest
from initlab.runner.files import json_text
from initlab.runner.flat import flatten
from initlab.runner.json_values import JSON, finite

BORDER = 1e-4
"""A finding this close to the end of its scale may be missing on another machine."""
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?|\b(?:nan|inf)\b")


def is_declared(manifest: Manifest) -> bool:
    """Return whether a run's config asks for a diagnosis. Older configs do not know of it; parts of a
    run and a run joined from them have none.
    """
    apart = manifest.shard is not None or manifest.joined is not None
    return manifest.config.get("diagnose") is True and not apart


def is_repeatable(run: RunFolder) -> bool:
    """Return whether this code can make the run's diagnosis again: it made it, or there is none and
    there should be one.
    """
    if run.diagnosis is None:
        return is_declared(run.manifest)
    return run.diagnosis.code == code()


def wrong_form(run: RunFolder) -> str | None:
    """Return that parts of `diagnosis.json` contradict each other, or None."""
    found = run.diagnosis
    if found is None:
        return None
    content = strict_json.read(run.path / DIAGNOSIS)
    for name, value in json.loads(json_text(found.to_json())).items():
        if name in content and content[name] != value:
            return f"{DIAGNOSIS}: {name} is not that of its findings"
    return None


def leaves_of(found: Diagnosis | None) -> dict[str, object]:
    """Return what a diagnosis says by its place: numbers, and texts without the numbers in them."""
    if found is None:
        return {}
    said: dict[str, JSON] = {"looked_at": list(found.looked_at)}
    for finding in found.findings:
        content: dict[str, JSON] = json.loads(json_text(finding.to_json()))
        del content["severity"]  # which follows from the place
        for name in ("measured", "expected"):
            content[name] = NUMBER.sub("#", str(content[name]))
        said[finding.id] = content
    return {f"{DIAGNOSIS}: {place}": leaf for place, leaf in flatten(said).items()}


def on_the_border(place: str, *sides: dict[str, object]) -> bool:
    """Return whether a place belongs to a finding that is hardly one, and is on one side only."""
    finding = place.rpartition(".")[0]
    places = [finite(side.get(f"{finding}.place")) for side in sides]
    known = [abs(one) for one in places if one is not None]
    return len(known) == 1 and known[0] < BORDER
