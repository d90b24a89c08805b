"""What the reference says of one kind, key or command.

A docstring has its parts in paragraphs. The first says what the kind does; these are marked:

    Formula: Var = 2 / fan_in
    Source: He et al., "Delving deep into rectifiers", 2015
    Example: initlab init=he

An example of several lines is indented below `Example:`. What an option does is the string below its
field in the class.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import textwrap
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated

from initlab.engine.options import IN_CONFIG, TOLD, options_of
from initlab.runner.reference.values import in_words

MARKED = re.compile(r"(Formula|Source|Example|formula|source|example):(?=\s|$)")
RETURNS = re.compile(r"Return (?:the )?(\w)")


@dataclass(frozen=True)
class Option:
    """An option: what it may be, in words, its default as YAML, and what it does. `hint` is its type."""

    name: str
    values: str = ""
    default: str | None = None
    about: str = ""
    hint: object = None

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is None


@dataclass(frozen=True)
class Entry:
    """A kind, key, option file or command. `text` are paragraphs of the description; a paragraph
    with line breaks is shown as it is. `example` is words, or YAML in several lines.
    """

    group: str
    name: str
    text: tuple[str, ...] = ()
    formula: str = ""
    source: str = ""
    example: str = ""
    options: tuple[Option, ...] = ()
    notes: tuple[str, ...] = ()
    """More paragraphs, about the files of `conf/`."""
    cls: object = None
    """The class or function that it was made from."""

    @property
    def summary(self) -> str:
        """The first sentence of the description, or its formula."""
        first = self.text[0] if self.text else self.formula
        return re.split(r"(?<=[a-z0-9)\]`'])\. (?=[A-Z`])|\.?\n|\.$", first, maxsplit=1)[0]


def read(text: str | None) -> Entry:
    """Return the entry that a docstring describes, without group and name."""
    found = Entry("", "")
    plain: list[str] = []
    for paragraph in paragraphs(inspect.cleandoc(text or "")):
        marked = MARKED.match(paragraph)
        if marked is None:
            plain.append(joined(paragraph))
            continue
        rest = paragraph[marked.end() :]
        one_line = " ".join(rest.split())
        value = textwrap.dedent(rest.lstrip("\n")).strip() if rest[:1] == "\n" else one_line
        match marked[1].lower():
            case "formula":
                found = replace(found, formula=value)
            case "source":
                found = replace(found, source=value)
            case _:
                found = replace(found, example=value)
    return replace(found, text=tuple(plain))


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a docstring. An indented one belongs to a mark that ends a line, and
    blank lines within it stay.
    """
    found: list[str] = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        in_example = bool(found) and re.match(r"[Ee]xample:\s*\n", found[-1] + "\n") is not None
        if in_example and block.startswith("    "):
            found[-1] += f"\n\n{block}"
        elif block.strip():
            found.append(block)
    return found


def joined(paragraph: str) -> str:
    """Return a paragraph in one line, unless it is a table or has lines of its own."""
    lines = paragraph.split("\n")
    own = any(line.startswith(" ") or re.search(r"\S {2,}\S", line) for line in lines)
    return textwrap.dedent(paragraph) if own else " ".join(line.strip() for line in lines)


def of_class(group: str, name: str, cls: type, defaults: Mapping[str, str] | None = None) -> Entry:
    """Return the entry of a class. `defaults` are those of its option file, as YAML."""
    said = cls.__dict__.get("__doc__") or ""
    if said.startswith(f"{cls.__name__}("):  # what a dataclass without a docstring is given
        said = ""
    return replace(
        read(said), group=group, name=name, options=options(cls, defaults or {}), cls=cls
    )


def options(cls: type, defaults: Mapping[str, str]) -> tuple[Option, ...]:
    """Return the options of a class, those that must be given first."""
    try:
        hints = typing.get_type_hints(cls, include_extras=True)
    except (NameError, TypeError):  # types that are local to a function
        hints = {}
    said = said_of_fields(cls)
    told = {name: field.metadata.get(TOLD) for name, field in options_of(cls).items()}
    hints |= {
        name: Annotated[hints.get(name, object), one]
        for name, one in told.items()
        if one is not None
    }
    found = [
        Option(
            name,
            in_words(hints.get(name)),
            default_in(defaults.get(name) or default_of(field)),
            said.get(name, ""),
            hints.get(name),
        )
        for name, field in options_of(cls).items()
    ]
    return tuple(sorted(found, key=lambda option: not option.required))


def default_in(value: str | None) -> str | None:
    """Return a default, or None where a file has `???`: it must be given."""
    return None if value == "???" else value


def default_of(field: dataclasses.Field[typing.Any]) -> str | None:
    """Return the default of an option in a config as YAML, or None if it has none."""
    if IN_CONFIG in field.metadata:
        return as_yaml(field.metadata[IN_CONFIG])
    if field.default is not dataclasses.MISSING:
        return as_yaml(field.default)
    if field.default_factory is not dataclasses.MISSING:
        return as_yaml(field.default_factory())
    return None


def as_yaml(value: object) -> str:
    """Return a value as one line of YAML."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(as_yaml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {as_yaml(item)}' for key, item in value.items())}}}"
    return repr(value) if isinstance(value, str) and needs_quotes(value) else str(value)


def needs_quotes(text: str) -> bool:
    """Return whether a text must be quoted within a list or mapping in one line."""
    return text == "" or bool(re.search(r"[\[\]{},\s:#*&!|>'\"%@`]", text))


def said_of_fields(cls: type) -> dict[str, str]:
    """Return {field: the string below it in the class's source, in one line}, bases included."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if base.__module__ != "builtins":
            found |= fields_in(base)
    return found


@cache
def fields_in(cls: type) -> dict[str, str]:
    """Return {field: the string below it} of a class's own source, or none if that is not known."""
    try:
        file = inspect.getsourcefile(cls)
    except TypeError:
        return {}
    tree = None if file is None else parsed(file)
    node = None if tree is None else within(tree, cls.__qualname__.split("."))
    found: dict[str, str] = {}
    body = [] if node is None else node.body
    for field, after in zip(body, body[1:], strict=False):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[field.target.id] = " ".join(str(after.value.value).split())
    return found


@cache
def parsed(file: str) -> ast.Module | None:
    """Return the syntax tree of a source file, or None if it cannot be read."""
    try:
        return ast.parse(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return None


def within(tree: ast.Module | ast.ClassDef, names: list[str]) -> ast.ClassDef | None:
    """Return the class of a qualified name in a module."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == names[0]:
            return node if len(names) == 1 else within(node, names[1:])
    return None


def of_function(
    group: str, name: str, function: Callable[..., object], said: Mapping[str, str] | None = None
) -> Entry:
    """Return the entry of a function, whose arguments are its options; `said` is what they mean."""
    hints = typing.get_type_hints(function, include_extras=True)
    found = [
        Option(
            argument,
            in_words(hints.get(argument)),
            None if given.default is given.empty else as_yaml(given.default),
            (said or {}).get(argument, ""),
            hints.get(argument),
        )
        for argument, given in inspect.signature(function).parameters.items()
    ]
    text = RETURNS.sub(lambda start: start[1].upper(), function.__doc__ or "", count=1)
    return replace(read(text), group=group, name=name, options=tuple(found), cls=function)
