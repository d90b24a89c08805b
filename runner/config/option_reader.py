"""Reads files of options for Hydra. What is wrong with a file is found here, where its lines are known.

    bytes  ->  text  ->  header (`# @package …`)  ->  YAML, node by node  ->  keys and values

Hydra asks `OptionFiles` for an option by its name, like `init/mine`.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import yaml
from hydra.errors import HydraException
from hydra.plugins.config_source import ConfigResult
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import (
    CollectionEndEvent,
    CollectionStartEvent,
    MappingNode,
    MarkedYAMLError,
    Node,
    ScalarNode,
    SequenceNode,
    YAMLError,
)
from yaml.reader import ReaderError

from initlab.engine.registry import nearest
from initlab.runner.config import schema
from initlab.runner.config.hydra_internals import FileSource, quick_yaml_loader, yaml_loader
from initlab.runner.config.limits import MOST_BRACKETS
from initlab.runner.config.option_files import conf_dir
from initlab.runner.errors import Problem
from initlab.runner.excerpt import shortened

MOST_VALUES = 100_000
"""Values of a file, each alias replaced by what it stands for. OmegaConf copies them."""
TOO_DEEP = f"has more than {MOST_BRACKETS} values within one another, which is the limit"
SHOWN = 60
"""Characters of a value or a line that a message shows."""
MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
"""What a file may begin with that is not UTF-8."""
HEADER = re.compile(r"\s*#\s*@(\S*)(.*)")
PACKAGE = re.compile(r"[A-Za-z_][\w]*([.:][A-Za-z_]\w*)*")
TAG = "tag:yaml.org,2002:"
KNOWN = {f"{TAG}{name}" for name in ("null", "bool", "int", "float", "str", "seq", "map", "merge")}
"""The types of YAML that a config may have."""
ODD_BASE = re.compile(r"[-+]?(0[0-7_]+|[0-9_]+(:[0-9.]+)+)")
"""A number that YAML 1.1 reads to the base 8 or 60."""
NUMBERS = {f"{TAG}{name}" for name in ("bool", "int", "float")}
NEED_KEYS = (*schema.GROUPS, "model", "device")
"""The groups in which a file without keys says nothing."""


class FileError(HydraException):
    """The file of an `option`, like `init/mine`, that cannot be used; `problem` has the file, and the
    line if it is known.
    """

    def __init__(self, option: str, place: object, said: str) -> None:
        self.option = option
        self.problem = Problem(str(place), said)
        super().__init__(str(self.problem))


@dataclass(frozen=True)
class OptionFile:
    """What a file holds: keys and values, with interpolations unresolved, and the package that its
    header names.
    """

    content: dict[Any, Any]
    package: str | None


class OptionFiles(FileSource):
    """The options in a folder, for Hydra. A thing of an option's name that is no file of options is
    found too, so that choosing it says what it is.
    """

    def is_config(self, config_path: str) -> bool:
        return super().is_config(config_path) or _other(self._file(config_path)) is not None

    def load_config(self, config_path: str) -> ConfigResult:
        file = self._file(config_path)
        found = read(file, config_path)
        try:
            config = OmegaConf.create(found.content)
        except (OmegaConfBaseException, RecursionError) as error:
            said = str(error).splitlines()[0]
            raise FileError(config_path, file, f"cannot be read: {said}") from error
        header = {"package": found.package}
        return ConfigResult(self.provider, self.full_path(), config, header)

    def _file(self, config_path: str) -> Path:
        return Path(self.path) / self._normalize_file_name(config_path)


def _other(file: Path) -> Problem | None:
    """Return what there is in the place of a file of options, if it is none."""
    if file.is_file():
        return None
    if file.is_symlink() and not file.exists():
        return Problem(str(file), f"is a link to {os.readlink(file)}, where no file is")
    if file.is_dir():
        return Problem(str(file), "is a folder, not a file of options")
    if file.exists():
        return Problem(str(file), "is no plain file of options")
    named = file.with_suffix(".yml")
    said = "is not read: files of options end in .yaml - rename it"
    return Problem(str(named), said) if named.exists() else None


def read(file: Path, option: str) -> OptionFile:
    """Return what the file of an option like `init/mine` holds. Raises FileError."""
    other = _other(file)
    if other is not None:
        raise FileError(option, other.place, other.message)
    return _Reader(file, option, _text(file, option)).read()


def _text(file: Path, option: str) -> str:
    try:
        found = file.read_bytes()
    except OSError as error:
        raise FileError(option, file, f"cannot be read ({error.strerror})") from error
    for mark, name in MARKS.items():
        if found.startswith(mark):
            raise FileError(option, file, f"is {name}, not UTF-8 - save it as UTF-8")
    try:
        return found.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = found[: error.start].decode("utf-8-sig")
        said = f"is not UTF-8: byte 0x{found[error.start]:02x} - save it as UTF-8"
        raise FileError(option, f"{file}, {_at_end_of(before)}", said) from None


def _at_end_of(text: str) -> str:
    lines = text.split("\n")
    return f"line {len(lines)}, column {len(lines[-1]) + 1}"


@dataclass(frozen=True)
class _Reader:
    """Reads the text of one file."""

    file: Path
    option: str
    text: str

    def read(self) -> OptionFile:
        try:
            loader, node = self._parsed()
            self._check_size(node)
            package = self._package(node)
            if node is None:
                return OptionFile(self._without_keys(), package)
            self._check(loader, node, self._prefix(package))
            return OptionFile(loader.construct_document(node), package)
        except YAMLError as error:
            raise self._no_yaml(error) from None
        except RecursionError:
            raise self._error(self._too_deep(), TOO_DEEP) from None

    def _parsed(self) -> tuple[Any, Node | None]:
        """Return the loader and the whole of the text."""
        if self.file.is_relative_to(conf_dir()):
            with suppress(YAMLError):  # the other loader says what is wrong
                quick = quick_yaml_loader()(self.text)
                return quick, quick.get_single_node()
        loader = yaml_loader()(self.text)
        return loader, loader.get_single_node()

    def _error(self, place: Node | str, said: str) -> FileError:
        where = _mark(place.start_mark) if isinstance(place, Node) else place
        return FileError(self.option, f"{self.file}, {where}" if where else self.file, said)

    def _no_yaml(self, error: YAMLError) -> FileError:
        if isinstance(error, ReaderError):
            character = error.character
            code = ord(character) if isinstance(character, str) else character
            said = f"is not YAML: the character #x{code:04x} is not allowed"
            return self._error(_at_end_of(self.text[: error.position]), said)
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        if mark is None:
            return self._error("", f"is not YAML: {' '.join(str(error).split())}")
        parts = (getattr(error, "context", ""), getattr(error, "problem", ""))
        said = f"is not YAML: {', '.join(filter(None, parts))}"
        line = "".join(self.text.split("\n")[mark.line : mark.line + 1]).strip()
        return self._error(_mark(mark), said + (f": {shortened(line, SHOWN)!r}" if line else ""))

    def _too_deep(self) -> str:
        """Return the first place that is nested too deep, of a text that YAML cannot be read from."""
        depth = 0
        for event in yaml.parse(self.text):
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
            if depth > MOST_BRACKETS + 1:
                return _mark(event.start_mark)
        return ""

    def _check_size(self, node: Node | None) -> None:
        """Refuse a file whose aliases multiply, before anything copies what they stand for."""
        try:
            count = 0 if node is None else _size(node, {})
        except RecursionError:
            said = "is nested too deep, or an alias stands for something that holds it"
            raise self._error("", said) from None
        if count > MOST_VALUES:
            said = f"has {count:,} values with its aliases, more than {MOST_VALUES:,}"
            raise self._error("", f"{said} - use fewer aliases within one another")

    def _package(self, node: Node | None) -> str | None:
        """Return the package that the header names: comments that begin with @, at the top."""
        package, in_header = None, True
        lines = self.text.split("\n")
        for number, line in enumerate(lines[: None if node is None else node.start_mark.line], 1):
            found = HEADER.fullmatch(line.rstrip())
            if found is None:
                in_header = in_header and not line.strip()
                continue
            name, value = found[1], found[2].strip()
            quoted = repr(shortened(line.strip(), SHOWN))
            if name != "package" and nearest(name, ["package"]) is not None:
                said = f"{quoted} has no effect - write # @package {value}".rstrip()
                raise self._error(f"line {number}", said)
            if name != "package":
                continue
            if not in_header:
                said = f"{quoted} has no effect here - move it to the first line"
                raise self._error(f"line {number}", said)
            if not PACKAGE.fullmatch(value):
                said = f"{quoted} must name one package, like _global_ or init"
                raise self._error(f"line {number}", said)
            package = value
        return package

    def _prefix(self, package: str | None) -> tuple[str, ...]:
        """Return the place of the file's keys in the config."""
        group = tuple(self.option.split("/")[:-1])
        if package in (None, "_group_"):
            return group
        return tuple(part for part in str(package).split(".") if part != "_global_")

    def _without_keys(self) -> dict[Any, Any]:
        if self.option.partition("/")[0] in NEED_KEYS:
            raise self._error("", "has no keys - write them, like 'kind: …'")
        return {}

    def _check(self, loader: Any, top: Node, prefix: tuple[str, ...]) -> None:
        """Check every value, with its place in the config."""
        if not isinstance(top, MappingNode):
            raise self._error(top, f"must be keys and values, got {_shown(top)}")
        for path, node, depth in _values(top, prefix):
            if depth > MOST_BRACKETS:
                raise self._error(node, TOO_DEEP)
            if node.tag not in KNOWN and node.tag.startswith(TAG):
                said = f"a value of the type {_named(node.tag)} is refused"
                raise self._error(node, f"{said} - write a number, a text, a list or a mapping")
            if isinstance(node, ScalarNode):
                self._check_scalar(loader, node, path)
            for key, _ in node.value if isinstance(node, MappingNode) else ():
                if isinstance(key, ScalarNode) and key.tag not in (f"{TAG}str", f"{TAG}merge"):
                    said = f"the key {_shown(key)} is no text - put it in quotes"
                    raise self._error(key, said)
        for key, value in top.value:
            if key.value == "defaults":
                self._check_defaults(value)

    def _check_scalar(self, loader: Any, node: ScalarNode, path: tuple[str, ...]) -> None:
        if node.tag in NUMBERS:
            try:
                value = loader.construct_object(node)
            except (ValueError, KeyError) as error:
                said = f"{_shown(node)} is no {_named(node.tag)}: {error}"
                raise self._error(node, said) from None
            if str(value) != node.value and schema.takes_text(path):
                said = (
                    f"{'.'.join(schema.of_runs(path))} is a text, which YAML would read as {value}"
                )
                raise self._error(node, f"{said} - put it in quotes: '{node.value}'")
            plain = node.value.lstrip("+-0_") or "0"
            if ODD_BASE.fullmatch(node.value) and str(abs(value)) != plain:
                said = f"YAML would read {node.value} as {value}"
                raise self._error(
                    node, f"{said} - write {value}, or '{node.value}' if it is a text"
                )
        elif "${" in node.value:
            try:
                OmegaConf.create({"value": node.value})
            except OmegaConfBaseException:
                said = f"{_shown(node)} is no interpolation"
                said += " - write ${key}, or \\${ for the text itself"
                raise self._error(node, said) from None

    def _check_defaults(self, node: Node) -> None:
        """Check the form of a list of defaults; whether its options exist is Hydra's to say."""
        if not isinstance(node, SequenceNode):
            said = "defaults must be a list, like [/schema/init/normal@_here_, _self_]"
            raise self._error(node, f"{said}, got {_shown(node)}")
        for entry in node.value:
            if isinstance(entry, MappingNode):
                if len(entry.value) != 1:
                    groups = ", ".join(key.value for key, _ in entry.value) or "none"
                    said = f"an entry of defaults must have one group, got {groups}"
                    raise self._error(entry, f"{said} - write one entry for each")
                [(group, chosen)] = entry.value
                for one in chosen.value if isinstance(chosen, SequenceNode) else [chosen]:
                    null = one is chosen and one.tag == f"{TAG}null"
                    if one.tag != f"{TAG}str" and not null:
                        said = "must be the name of an option, or a list of names"
                        raise self._error(one, f"{group.value} {said}, got {_shown(one)}")
            elif entry.tag != f"{TAG}str":
                said = "an entry of defaults must be an option or group: option"
                raise self._error(entry, f"{said}, got {_shown(entry)}")


def _mark(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}"


def _named(tag: str) -> str:
    return tag.replace(TAG, "!!")


def _shown(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return repr(shortened(node.value, SHOWN))
    return "a list" if isinstance(node, SequenceNode) else "a mapping"


def _size(node: Node, known: dict[int, int]) -> int:
    """Return the number of values in a node; `known` has those of nodes seen before."""
    if id(node) not in known:
        inner = node.value if not isinstance(node, ScalarNode) else ()
        parts = chain.from_iterable(inner) if isinstance(node, MappingNode) else inner
        known[id(node)] = 1 + sum(_size(part, known) for part in parts)
    return known[id(node)]


def _values(top: Node, prefix: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Node, int]]:
    """Yield every value in a node, in order, with its path, in which `*` is a place in a list, and its
    depth.
    """
    left = [(prefix, top, 0)]
    while left:
        path, node, depth = left.pop()
        yield path, node, depth
        if isinstance(node, SequenceNode):
            left += [((*path, "*"), part, depth + 1) for part in reversed(node.value)]
        elif isinstance(node, MappingNode):
            for key, value in reversed(node.value):
                left.append(((*path, str(key.value)), value, depth + 1))
