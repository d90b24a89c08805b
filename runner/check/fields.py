"""A manifest held field by field against what its own config gives.

run_id, canonical, name, overrides, seed, stream, aliases, exactness, ledger, totals, shard, joined
and the digests' definition must be what the config gives. The digests themselves are for
`runner.check.verify`. `versions`, `provenance`, `seconds` and `peak_memory_bytes` say what the
machine was and did, so only their form is known.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from initlab.runner.check.composed import wrong_files
from initlab.runner.config import plugins
from initlab.runner.config.hydra_internals import assigned
from initlab.runner.config.identity import canonical_config, run_id
from initlab.runner.config.label import label_of
from initlab.runner.errors import ConfigError
from initlab.runner.evidence.manifest import DEFINITION, Manifest
from initlab.runner.evidence.run_ids import same_run
from initlab.runner.excerpt import shortened
from initlab.runner.json_values import JSON, equal
from initlab.runner.plan.validate import RunConfig

RUN_ID = re.compile(r"[\w.]{1,40}(-[\w.]{1,40}){1,3}-[0-9a-fA-F]{8,}")
"""How a folder is called that is named by a run's id, or nearly so."""
PACKAGE = re.compile(r"[A-Za-z][0-9A-Za-z._-]*")
VERSION = re.compile(r"[0-9][0-9A-Za-z.+!_-]*")
ALWAYS = ("python", "initlab", "numpy")
"""What every run uses."""
OF_A_SWEEP = ("sweep", "expect", "control")
"""Keys that a run of a sweep does not keep."""


def wrong_field(
    content: Manifest, raw: Mapping[str, Any], config: RunConfig, folder: Path
) -> str | None:
    """Return what the first field says that its config does not, or None.

    `raw` is the content of the file.
    """
    return next(_wrong_fields(content, raw, config, folder), None)


def _wrong_fields(
    content: Manifest, raw: Mapping[str, Any], config: RunConfig, folder: Path
) -> Iterator[str]:
    canonical = _canonical(content)
    identity = run_id(canonical, _label(content))
    if same_run(content.run_id, identity) and not equal(content.canonical, canonical):
        yield "the manifest's canonical config is not what its config gives"
    if not same_run(content.run_id, identity):
        yield f"the manifest's run id is {content.run_id}, its config's is {identity}"
    place = folder.resolve().name
    if RUN_ID.fullmatch(place) and not same_run(place, identity):
        yield f"the folder holds the run {identity}, whose folder has its id as name"
    for key in sorted(raw.keys() - content.to_json().keys()):
        yield f"the manifest has '{key}', which this version of initlab does not know"
    for key, recorded, expected in _compared(content, raw, config):
        if not equal(recorded, expected) and (key in raw or content.written is not None):
            yield f"the manifest's {key} is {_shown(recorded)}, its config's {_shown(expected)}"
    yield from _wrong_measures(content)
    word = wrong_word(content.overrides, content.config)
    if word is not None:
        yield f"the manifest's overrides hold {_shown(word)}, which its config does not say"
    if "overrides" in raw:
        yield from wrong_files(content, folder)
    group = _wrong_choice(content)
    if group is not None:
        yield f"the manifest's choices say {_shown(content.choices)}, its overrides another {group}"
    if content.run_id != identity:
        yield f"the manifest's run id is {content.run_id}, its choices and overrides give {identity}"


def _compared(
    content: Manifest, raw: Mapping[str, Any], config: RunConfig
) -> Iterator[tuple[str, object, object]]:
    """Yield (field, what is recorded, what the config gives)."""
    count = len(config.rows)
    yield "name", content.name, config.name
    yield "seed", content.seed, config.seed
    yield "shard", content.shard, None if config.shard is None else str(config.shard)
    yield "joined", content.joined, _joined(content)
    exactness = {r.path: r.law.exactness for r in config.rows if r.law.exactness != "bits"}
    yield "exactness", content.exactness, exactness
    yield "ledger", content.ledger, {"filled": count, "parameters": count}
    yield "totals", content.totals, config.plan.totals()
    definition = raw["digests"].get("definition", DEFINITION if content.written is None else None)
    yield "digests.definition", definition, DEFINITION


def _canonical(content: Manifest) -> dict[str, JSON]:
    """Return the canonical config of the manifest's config, plugins and input files."""
    given = [plugins.Plugin(entry.file, entry.sha256) for entry in content.plugins]
    written = canonical_config(
        content.config, content.stream, given, content.files, as_written=True
    )
    if content.canonical == written:
        return written
    return canonical_config(content.config, content.stream, given, content.files)


def _joined(content: Manifest) -> list[str] | None:
    """Return the ids of the parts that the run was joined from, as its config gives them."""
    if content.joined is None:
        return None
    count = len(content.joined)
    whole = _canonical(content)
    label = _label(content)
    parts = [{**whole, "shard": f"{number}/{count}"} for number in range(1, count + 1)]
    expected = [run_id(part, label) for part in parts]
    alike = all(map(same_run, content.joined, expected))  # a part may have been run by other words
    return content.joined if alike else expected


def _label(content: Manifest) -> str | None:
    """Return the label of the manifest's run id; None for that of an older version."""
    if content.choices is None:
        return None
    return label_of(content.config, content.choices, content.overrides)


def _wrong_measures(content: Manifest) -> Iterator[str]:
    """Yield what the fields about the machine cannot be."""
    for package, version in content.versions.items():
        if not PACKAGE.fullmatch(package) or not VERSION.fullmatch(version):
            yield f"the manifest's versions hold {_shown(package)}: {_shown(version)}, which is none"
    for package in ALWAYS if content.written is not None else ():
        if package not in content.versions:
            yield f"the manifest's versions do not say that of {package}"
    if not (math.isfinite(content.seconds) and content.seconds >= 0):
        yield f"the manifest's seconds are {content.seconds}"
    named = [] if content.provenance is None else content.provenance.plugins
    if content.provenance is not None and [Path(one).name for one in named] != [
        one.file for one in content.plugins
    ]:
        yield "the manifest's provenance names other plugins than its plugins"
    if content.peak_memory_bytes < 0:
        yield f"the manifest's peak_memory_bytes are {content.peak_memory_bytes}"


def _wrong_choice(content: Manifest) -> str | None:
    """Return the first group of which a word chooses another option than the choices say, or None."""
    given = dict(word.partition("=")[::2] for word in content.overrides)
    known = content.choices or {}
    return next((group for group in known if given.get(group, known[group]) != known[group]), None)


def wrong_word(words: list[str], config: Mapping[str, Any]) -> str | None:
    """Return the first word that assigns a plain value which the config does not have, or None.

    The last word for a key counts. A word that chooses an option, deletes, or holds an
    interpolation says nothing that can be compared.
    """
    try:
        values = assigned(words)
    except ConfigError as error:
        return error.problems[0].place
    for key, (word, value) in values.items():
        if key.partition(".")[0] not in OF_A_SWEEP and not _may_be(value, _at(config, key)):
            return word
    return None


def _at(config: Mapping[str, Any], key: str) -> object:
    """Return the value at a dotted key; a mapping if there is none."""
    found: Any = config
    for part in key.split("."):
        if isinstance(found, list) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        elif isinstance(found, Mapping) and part in found:
            found = found[part]
        else:
            return {}
    return found


def _may_be(value: object, found: object) -> bool:
    """Return whether a config can hold `found` after a word gave `value`."""
    numbers = all(isinstance(one, (int, float)) for one in (value, found))
    texts = isinstance(value, str) and isinstance(found, str)
    plain = numbers or (texts and "${" not in str(value))
    return not plain or value == found or value != value  # NaN


def _shown(value: object) -> str:
    return shortened(str(value) if isinstance(value, dict) else repr(value), 60)
