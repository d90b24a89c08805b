"""The manifest of a run, written last: a folder that has one holds a finished run.

format       "initlab-manifest-2"; one of initlab-manifest-1 may lack what later versions added
run_id, name, config (resolved), canonical
overrides    the words of the command line, as typed
choices      group -> name of the chosen option; missing in older ones
seed, stream the version of the streams the values came from
digests      tensor-v1 by path, root-v1
aliases      path -> owner
exactness    path -> "bits" or "tolerance", for those that are not exact to the bit
snapshot     file name or null
ledger, shard, joined (for a run joined from parts), totals
frozen       paths of the parameters that are not trained, if there are any
plugins, versions, seconds, peak_memory_bytes
provenance   who called for the run, where and when (`runner.evidence.provenance`); missing in older ones
written      size and digest of every file of the folder that was written before the manifest
"""

from __future__ import annotations

import platform
import resource
import sys
from dataclasses import MISSING, Field, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.provenance import Provenance, is_provenance
from initlab.runner.evidence.sound import (
    Sound,
    is_digest,
    is_mapping,
    is_number,
    is_text,
    is_whole,
    list_of,
    mapping_of,
    or_none,
)
from initlab.runner.evidence.version import check_version
from initlab.runner.evidence.written import Written, are_written
from initlab.runner.excerpt import counted

FORMAT, OLD_FORMAT = "initlab-manifest-2", "initlab-manifest-1"
VERSIONS = (1, 2)
RUN_AGAIN = "run its config again"
OPTIONAL = ("joined", "provenance", "frozen", "choices")
"""Fields that a manifest of every version may lack."""
DEFINITION = "tensor-v1, root-v1"
USED = {
    "initlab": "initlab",
    "numpy": "numpy",
    "hydra-core": "hydra",
    "omegaconf": "omegaconf",
    "ml_dtypes": "ml_dtypes",
    "cupy": "cupy",
    "torch": "torch",
    "transformers": "transformers",
    "scipy": "scipy",
    "joblib": "joblib",
    "ray": "ray",
    "submitit": "submitit",
    "optuna": "optuna",
}
"""The packages whose versions a manifest names, and what they are imported as."""


def used_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that this process has used."""
    modules = {package: sys.modules.get(name) for package, name in USED.items()}
    found = {package: getattr(module, "__version__", None) for package, module in modules.items()}
    return {"python": platform.python_version()} | {
        package: str(version) for package, version in found.items() if version is not None
    }


def peak_memory_bytes() -> int:
    """Return the largest resident size of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@dataclass(frozen=True, repr=False)
class Digests:
    """`tensor-v1` digests by owner's path and the `root-v1` digest of all, in hex."""

    tensors: dict[str, str]
    root: str

    def __repr__(self) -> str:
        return f"Digests({counted(len(self.tensors), 'tensor')}, root {self.root[:16]})"


@dataclass(frozen=True)
class UsedPlugin:
    """A plugin that a run used: its file's name (no folder) and the SHA-256 of its bytes in hex."""

    file: str
    sha256: str


def _are_digests(value: object) -> bool:
    return (
        isinstance(value, dict)
        and mapping_of(is_digest)(value.get("tensors"))
        and is_digest(value.get("root"))
    )


def _is_canonical(value: object) -> bool:
    return isinstance(value, dict) and mapping_of(is_text)(value.get("files", {}))


def _is_plugin(value: object) -> bool:
    return isinstance(value, dict) and is_text(value.get("file")) and is_digest(value.get("sha256"))


def _entry(sound: Sound, **default: Any) -> Any:
    """Declare a field and what its value in a file must be. A field with a default may be missing."""
    return field(metadata={"sound": sound}, **default)


@dataclass(frozen=True, kw_only=True, repr=False)
class Manifest:
    """The content of a manifest, in the order of the file."""

    run_id: str = _entry(is_text)
    name: str = _entry(is_text, default="")
    config: dict[str, Any] = _entry(is_mapping)
    """The resolved config."""
    canonical: dict[str, Any] = _entry(_is_canonical)
    """The part of the config that identifies the run, with the versions and files it depends on."""
    overrides: list[str] = _entry(list_of(is_text), default_factory=list)
    choices: dict[str, str] | None = _entry(or_none(mapping_of(is_text)), default=None)
    """The chosen option of each group, like {"model": "gpt2"}; None in a manifest of an older version."""
    seed: int | None = _entry(or_none(is_whole), default=None)
    stream: str = _entry(is_text)
    digests: Digests = _entry(_are_digests)
    aliases: dict[str, str] = _entry(mapping_of(is_text))
    exactness: dict[str, str] = _entry(mapping_of(is_text), default_factory=dict)
    snapshot: str | None = _entry(or_none(is_text))
    ledger: dict[str, int] = _entry(mapping_of(is_whole), default_factory=dict)
    shard: str | None = _entry(or_none(is_text), default=None)
    """`i/n` of a part of a run."""
    joined: list[str] | None = _entry(or_none(list_of(is_text)), default=None)
    """The ids of the parts from which a run was joined."""
    totals: dict[str, int] = _entry(mapping_of(is_whole), default_factory=dict)
    frozen: list[str] = _entry(list_of(is_text), default_factory=list)
    """Paths of the parameters that are not trained though they could be."""
    plugins: list[UsedPlugin] = _entry(list_of(_is_plugin))
    versions: dict[str, str] = _entry(mapping_of(is_text))
    seconds: float = _entry(is_number, default=0.0)
    peak_memory_bytes: int = _entry(is_whole, default=0)
    provenance: Provenance | None = _entry(or_none(is_provenance), default=None)
    """Who called for the run, where and when; None in a manifest of an older version."""
    written: dict[str, Written] | None = _entry(or_none(are_written), default=None)
    """What the run wrote before, by file name; None in a manifest of an older version."""

    @property
    def files(self) -> dict[str, str]:
        """Config path -> SHA-256 in hex of each input file that the values depend on."""
        return self.canonical.get("files", {})  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        said = f"seed {self.seed}, {counted(len(self.digests.tensors), 'tensor')}"
        return f"Manifest({self.run_id}: {said}, root {self.digests.root[:16]})"

    def to_json(self) -> dict[str, Any]:
        """Return the content of the file; `from_json` restores the manifest."""
        version = OLD_FORMAT if self.written is None else FORMAT
        content = {"format": version} | {one.name: getattr(self, one.name) for one in fields(self)}
        content["digests"] = {"definition": DEFINITION, **asdict(self.digests)}
        content["plugins"] = [asdict(plugin) for plugin in self.plugins]
        for name in OPTIONAL:
            if not content[name]:
                del content[name]
        if self.provenance is not None:
            content["provenance"] = self.provenance.to_json()
        if self.written is None:
            del content["written"]
        else:
            content["written"] = {name: one.to_json() for name, one in self.written.items()}
        return content

    @classmethod
    def from_json(cls, content: Any, place: Path) -> Manifest:
        """Return the manifest from the content of the file at `place`.

        Raises EvidenceError if it is of another version, damaged or incomplete.
        """
        found = content.get("format") if isinstance(content, dict) else type(content).__name__
        version = check_version(place, found, "manifest", VERSIONS, RUN_AGAIN, _writer(content))
        parts = fields(cls)
        required = [one.name for one in parts if version > 1 or _is_required(one)]
        required = [name for name in required if name not in OPTIONAL]
        missing = [name for name in required if name not in content]
        if missing:
            raise EvidenceError(
                f"{place}: the manifest is damaged, it lacks {', '.join(missing)} - {RUN_AGAIN}"
            )
        given = {one.name: content[one.name] for one in parts if one.name in content}
        wrong = [one.name for one in parts if not one.metadata["sound"](given.get(one.name))]
        wrong = [name for name in wrong if name in given]
        if version > 1 and content["written"] is None:
            wrong.append("written")
        if wrong:
            raise EvidenceError(
                f"{place}: the manifest is damaged, its {wrong[0]} is not as written - {RUN_AGAIN}"
            )
        digests, plugins = given["digests"], given["plugins"]
        given["digests"] = Digests(digests["tensors"], digests["root"])
        given["plugins"] = [UsedPlugin(entry["file"], entry["sha256"]) for entry in plugins]
        if given.get("provenance") is not None:
            given["provenance"] = Provenance.from_json(given["provenance"])
        if given.get("written") is not None:
            given["written"] = {name: Written(**one) for name, one in given["written"].items()}
        given["overrides"] = words(given.get("overrides", []))
        return cls(**given)


def _is_required(one: Field[Any]) -> bool:
    """Return whether a manifest of every version has a field."""
    return one.default is MISSING and one.default_factory is MISSING


def words(overrides: list[str]) -> list[str]:
    """Return the words in a manifest's `overrides`.

    Older versions of initlab stored the lines of a YAML list of the words; these are joined and
    parsed.
    """
    if not overrides or not (overrides == ["[]"] or overrides[0].startswith("- ")):
        return overrides
    try:
        found = yaml.load("\n".join(overrides), yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError):
        found = None
    if isinstance(found, list) and all(isinstance(word, str) for word in found):
        return found
    return [line.removeprefix("- ") for line in overrides]


def _writer(content: object) -> str:
    """Return the version of initlab that wrote a manifest, or '' if it does not say."""
    named = content.get("versions") if isinstance(content, dict) else None
    found = named.get("initlab") if isinstance(named, dict) else None
    return found if isinstance(found, str) else ""
