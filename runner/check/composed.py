"""The files of `.hydra` in a run's folder, held against the manifest.

config.yaml      the composed config: the manifest's, but for interpolations
overrides.yaml   the words: the manifest's
hydra.yaml       Hydra's part, of a single run: its words and version are the manifest's, and it has
                 no key that neither Hydra, nor InitLab, nor a word of it sets
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from initlab.runner.config.compose import read_option
from initlab.runner.config.identity import completed
from initlab.runner.config.permissions import unknown_key
from initlab.runner.evidence.folder import HYDRA
from initlab.runner.evidence.manifest import Manifest
from initlab.runner.evidence.sound import is_text, list_of
from initlab.runner.excerpt import shortened
from initlab.runner.flat import flatten
from initlab.runner.json_values import equal

OVERRIDES, COMPOSED, TASK = "overrides.yaml", "hydra.yaml", "config.yaml"


def wrong_files(content: Manifest, folder: Path) -> Iterator[str]:
    """Yield what a file of `.hydra`, if it is there, says that the manifest does not."""
    if _yaml(folder / HYDRA / OVERRIDES) not in (None, content.overrides):
        yield f"the manifest's overrides are not those of {HYDRA}/{OVERRIDES}"
    place = _wrong_place(folder / HYDRA / TASK, content.config)
    if place is not None:
        yield f"{HYDRA}/{TASK}: {place} is not as in the manifest's config"
    if content.written is not None:
        yield from _wrong_hydra(folder / HYDRA / COMPOSED, content)


def _wrong_place(path: Path, config: Mapping[str, Any]) -> str | None:
    """Return the first key that `config.yaml`, if there is one, gives in another way than the
    config, or None. An interpolation is not compared, nor is an option that neither has, which was
    added after the run.
    """
    if not path.is_file():
        return None
    try:
        composed = read_option(path)
        given, found = flatten(composed), flatten(completed(composed))
    except (OSError, ValueError, RecursionError):
        return "content"
    known = flatten(config)
    unresolved = [place for place, value in found.items() if "${" in str(value)]
    hidden = {place for place in known for one in unresolved if _is_in(place, one)}
    hidden |= {one for one in unresolved for place in known if _is_in(place, one)}
    for place in sorted((given.keys() | known.keys()) - hidden):
        if place not in found or place not in known or not _equal(found[place], known[place]):
            return place
    return None


def _is_in(place: str, whole: str) -> bool:
    """Return whether a place is `whole` or below it."""
    return place == whole or place.startswith((f"{whole}.", f"{whole}["))


def _equal(composed: object, recorded: object) -> bool:
    """Return whether a value in YAML is that of a manifest, where NaN and infinities are texts."""
    return equal(composed, recorded) or (isinstance(composed, float) and str(composed) == recorded)


def _wrong_hydra(path: Path, content: Manifest) -> Iterator[str]:
    found = _yaml(path)
    if found is None:
        return
    node = found.get("hydra") if isinstance(found, dict) else None
    if not isinstance(node, dict) or len(found) != 1:
        yield f"{HYDRA}/{COMPOSED} is no config of Hydra"
        return
    ours, named = content.versions.get("hydra-core"), _at(node, "runtime", "version")
    if ours != named:
        yield f"the manifest's versions say Hydra {ours}, {HYDRA}/{COMPOSED} says {named}"
    if _at(node, "overrides", "task") != content.overrides:
        yield f"{HYDRA}/{COMPOSED}: hydra.overrides.task is not as the manifest's overrides"
    words = _at(node, "overrides", "hydra")
    key = unknown_key(node, words) if list_of(is_text)(words) else "hydra.overrides.hydra"
    if key is not None:
        yield f"{HYDRA}/{COMPOSED} has {shortened(key, 60)}, which nothing sets"


def _at(node: Any, *keys: str) -> Any:
    for key in keys:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _yaml(path: Path) -> Any:
    """Return a file of YAML with all values as texts; None if it cannot be opened, and False if it
    is no YAML.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)
    except OSError:
        return None
    except (ValueError, RecursionError, yaml.YAMLError):
        return False
