"""Schemas of config files: every shipped file and whatever the runner accepts is valid; a wrong key, type
or kind is not.
"""

from __future__ import annotations

import dataclasses
import functools
import typing
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from initlab.engine.errors import OptionError
from initlab.engine.init import Initializer
from initlab.engine.init.base import KINDS
from initlab.engine.options import Choice, options_of
from initlab.runner.config import schema
from initlab.runner.config.identity import resolve
from initlab.runner.config.option_reader import read
from initlab.runner.declare import composed
from initlab.runner.errors import ConfigError
from initlab.runner.layers import REGISTRY as LAYERS
from initlab.runner.plan.model import HOLDING, parse_initializer, parse_layers
from initlab.runner.plan.parts import parse_group
from initlab.runner.reference.files import file_schemas
from initlab.runner.reference.modelines import OF_ROOT
from initlab.runner.reference.values import checks_in, optional
from initlab.runner.sweep.plugin import register

CONF = Path(__file__).parents[3] / "conf"
FILES = sorted(file.relative_to(CONF) for file in CONF.rglob("*.yaml"))


@functools.cache
def validator(name: str) -> Draft7Validator:
    body = _schemas()[name]
    Draft7Validator.check_schema(body)
    return Draft7Validator(body)


@functools.cache
def _schemas() -> dict[str, dict[str, object]]:
    return file_schemas()


def name_of(file: Path) -> str:
    group = file.parent.name or "config"
    return "config" if group in OF_ROOT else group


@pytest.mark.parametrize("file", FILES, ids=str)
def test_a_shipped_file_is_valid_and_with_a_wrong_key_it_is_not(file):
    content = read(CONF / file, file.with_suffix("").as_posix()).content
    validator(name_of(file)).validate(content)
    assert not validator(name_of(file)).is_valid({**content, "no_such_key": 1})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model", {"layers": [{"kind": "dense", "units": 3, "unts": 3}]}),
        ("model", {"layers": [{"kind": "dense"}]}),
        ("model", {"layers": [{"units": 3}]}),
        ("model", {"layers": [{"kind": "dnse", "units": 3}]}),
        ("model", {"layers": [{"kind": "dense", "units": "many"}]}),
        ("model", {"layers": [{"kind": "dense", "units": 0}]}),
        ("model", {"layers": [{"kind": "dense", "units": 3, "activation": "rleu"}]}),
        ("model", {"layers": [{"kind": "dense", "units": 3, "weight_initializer": "hee"}]}),
        ("model", {"layers": [{"kind": "dense", "units": 3, "trainable": "no"}]}),
        ("model", {"layers": [{"kind": "repeat", "times": 2, "layers": [{"kind": "dens"}]}]}),
        ("model", {"layers": [{"kind": "repeat", "times": 2, "layers": []}]}),
        ("model", {"layers": []}),
        ("model", {"input": [0]}),
        ("model", {"share": {"a": ["1"]}}),
        ("init", {"kind": "he", "slop": 1}),
        ("init", {"defaults": ["/schema/init/he@_here_", "_self_"], "mode": "inn"}),
        ("init", {"defaults": ["/schema/init/he@_here_", "_self_"], "sigma": 1}),
        ("init", {"kind": "hee"}),
        ("init", {"kind": "mixed", "rules": [{"match": ".*"}]}),
        ("init", {"kind": "mixed", "rules": [{"match": ".*", "init": {"kind": "normal", "std": 1}}]}),
        ("stats", {"kind": "histogram", "quantiles": ["a"]}),
        ("probe", {"kind": "train", "steps": 0}),
        ("config", {"sed": 1}),
        ("config", {"seed": -1}),
        ("config", {"dtype": "float8"}),
        ("config", {"resume": 3}),
        ("config", {"probe": {"stps": 3}}),
        ("config", {"stats": {"law": {"kind": "lw"}}}),
        ("config", {"model": {"layer": []}}),
        ("config", {"sweep": {"grd": {}}}),
        ("config", {"sweep": {"union": [{"retries": 1}]}}),
        ("config", {"objective": {"target": 1}}),
        ("config", {"expect": [{"id": "a", "cite": "b", "quantity": "c"}]}),
        ("config", {"expect": [{"id": "a", "cite": "b", "quantity": "c", "predicted": {"form": "gai"}}]}),
        ("config", {"expect": [{"id": "a", "cite": "b", "quantity": "c", "predicted": {"form": "gain"}}]}),
        ("launcher", {"n_job": 1}),
        ("device", {"kind": "tpu"}),
    ],
)  # fmt: skip
def test_a_wrong_key_type_value_or_kind_is_not_valid(name, content):
    assert not validator(name).is_valid(content)


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "dense", "units": "${vars.width}", "weight_initializer": "zeros"},
        {"kind": "dense", "units": 3, "name": 1, "trainable": None, "activation": None},
        {"kind": "dense", "units": 3, "weight_initializer": {"kind": "normal", "sigma": 0.1}},
        {"kind": "${vars.kind}", "units": 3},
        {"kind": "conv2d", "channels": 4, "kernel_size": [3, 3]},
    ],
)
def test_interpolations_names_and_null_are_valid_where_the_runner_takes_them(content):
    assert validator("model").is_valid({"layers": [content]})


def words() -> list[list[str]]:
    """Words that choose every option of every group once, without what needs a library."""
    chosen = [[]]
    for group in ("init", "data", "probe", "snapshot", "stats", "measure", "model", "experiment"):
        for file in sorted((CONF / group).glob("*.yaml")):
            several = group in schema.SEVERAL
            chosen.append([f"{group}=[{file.stem}]" if several else f"{group}={file.stem}"])
    given = {"init=constant": "init.value=1", "init=load": "init.param=x"}
    return [[*one, *([given[one[0]]] if one and one[0] in given else [])] for one in chosen]


@pytest.mark.parametrize("given", words(), ids=" ".join)
def test_the_config_that_words_declare_is_valid(given):
    register()
    config = resolve(composed(given, None))
    validator("config").validate({key: value for key, value in config.items() if key != "hydra"})


NUMBERS = st.integers(-2, 9) | st.floats(-2, 3, allow_nan=False)
ANY = NUMBERS | st.booleans() | st.none() | st.lists(st.integers(0, 4), max_size=3)


def values(name: str, hint: object) -> st.SearchStrategy[object]:
    """Values that an option of this type may take, some of them refused."""
    inner, null = optional(hint)
    plain, checks = checks_in(inner)
    choices = [check.names for check in checks if isinstance(check, Choice)]
    if choices:
        found: st.SearchStrategy[object] = st.sampled_from(sorted(choices[0]))
    elif plain is Initializer or name in HOLDING:
        found = st.sampled_from([*KINDS, "zeros"]) | initializers()
    elif plain is bool:
        found = st.booleans()
    elif plain is int:
        found = st.integers(-2, 9)
    elif plain is float:
        found = NUMBERS
    elif plain is str:
        found = st.sampled_from(["a", "b/c", ""])
    elif typing.get_origin(plain) is list and name in ("layers", "shortcut"):
        found = st.lists(layers(), min_size=1, max_size=2)
    elif typing.get_origin(plain) is list:
        [part] = typing.get_args(plain) or (object,)
        texts = st.just(".*") if part is str else values("", part)
        found = st.lists(texts, max_size=3)
    else:
        found = ANY
    return st.none() | found if null else found


def options(cls: type) -> st.SearchStrategy[dict[str, object]]:
    hints = typing.get_type_hints(cls, include_extras=True)
    given = {name: values(name, hints[name]) for name in options_of(cls)}
    needed = {
        name
        for name, field in options_of(cls).items()
        if field.default is field.default_factory is dataclasses.MISSING
    }
    rest = {name: value for name, value in given.items() if name not in needed}
    return st.fixed_dictionaries({name: given[name] for name in needed}, optional=rest)


@functools.cache
def initializers() -> st.SearchStrategy[dict[str, object]]:
    plain = [kind for kind in KINDS if kind not in ("load", "mixed", "icnr")]
    one = st.sampled_from(plain).flatmap(
        lambda kind: options(KINDS.get(kind)).map(lambda found: {"kind": kind, **found})
    )
    rule = st.fixed_dictionaries(
        {"match": st.just(".*"), "init": one | st.sampled_from(plain)},
        optional={"optional": st.booleans()},
    )
    rules = st.lists(rule, min_size=1, max_size=2)
    return one | rules.map(lambda found: {"kind": "mixed", "rules": found})


@functools.cache
def layers() -> st.SearchStrategy[dict[str, object]]:
    nested = {kind for kind, cls in LAYERS.entries().items() if cls.nested}
    beside = st.fixed_dictionaries(
        {}, optional={"name": st.sampled_from(["a", "b", 3]), "trainable": st.booleans()}
    )

    def of(kinds: set[str]) -> st.SearchStrategy[dict[str, object]]:
        return st.sampled_from(sorted(kinds)).flatmap(
            lambda kind: st.tuples(options(LAYERS.get(kind)), beside).map(
                lambda found: {"kind": kind, **found[0], **found[1]}
            )
        )

    return of(set(LAYERS) - nested) | st.deferred(lambda: of(nested))


@settings(max_examples=150, deadline=None)
@given(layers())
def test_a_layer_that_the_runner_accepts_is_valid(layer):
    try:
        parse_layers([layer], "model.layers")
    except ConfigError:
        assume(False)
    validator("model").validate({"layers": [layer]})


@settings(max_examples=100, deadline=None)
@given(initializers())
def test_an_initializer_that_the_runner_accepts_is_valid(chosen):
    try:
        parse_initializer(chosen)
    except (ConfigError, OptionError):
        assume(False)
    validator("init").validate(chosen)
    validator("config").validate({"init": chosen})


@settings(max_examples=100, deadline=None)
@given(st.data(), st.sampled_from(["data", "probe", "stats", "measure", "tracker", "snapshot"]))
def test_a_choice_of_a_group_that_the_runner_accepts_is_valid(data, group):
    kind = data.draw(st.sampled_from(sorted(schema.kinds(group))))
    chosen = {"kind": kind, **data.draw(options(schema.kinds(group).get(kind)))}
    try:
        parse_group(group, chosen)
    except ConfigError:
        assume(False)
    validator(group).validate(chosen)
    part = {kind: chosen} if group in schema.SEVERAL else chosen
    validator("config").validate({group: part})
