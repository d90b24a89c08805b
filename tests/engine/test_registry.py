"""Names for classes: registering, finding, and advice for a wrong name."""

from __future__ import annotations

import sys

import pytest

from initlab.engine.registry import (
    Registry,
    advice,
    get_alias_func,
    get_create_func,
    get_register_func,
    get_registry,
    nearest,
    snake_case,
)


@pytest.mark.parametrize(
    ("written", "expected"),
    [("MSRAPrelu", "msra_prelu"), ("TruncatedNormal", "truncated_normal"), ("Conv2D", "conv2d")],
)
def test_a_class_name_becomes_words(written, expected):
    assert snake_case(written) == expected


def test_advice_names_the_nearest_and_lists_the_known():
    assert nearest("Normaal", ["normal", "uniform"]) == "normal"
    assert nearest("zzz", ["normal"]) is None
    assert advice("normaal", ["uniform", "normal"]) == (
        "did you mean 'normal'? Known: normal, uniform."
    )
    assert advice("zzz", []) == "Known: none."


def test_an_entry_is_found_in_any_case_until_it_is_removed():
    known: Registry[int] = Registry("number")
    known.add("One", 1)
    assert ("ONE" in known, known.get("one"), list(known)) == (True, 1, ["one"])
    known.add("one", 2)
    copied = known.entries()
    known.remove("One")
    assert (copied, list(known)) == ({"one": 2}, [])
    with pytest.raises(KeyError, match="no number 'one' - Known: none"):
        known.get("one")


@pytest.fixture
def shapes(tmp_path, monkeypatch):
    """A package with a registry and two modules that register classes."""
    names = {
        "__init__": "from initlab.engine.registry import Registry\nREGISTRY = Registry('shape', __name__)",
        "round": "from shapes import REGISTRY\n@lambda c: REGISTRY.add('round', c)\nclass Round: ...",
        "corners": (
            "from shapes import REGISTRY\nclass Square: ...\nREGISTRY.add('square', Square)\n"
            "REGISTRY.add('oblong', Square)"
        ),
    }
    (tmp_path / "shapes").mkdir()
    for name, text in names.items():
        (tmp_path / "shapes" / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    import shapes

    yield shapes
    for name in [name for name in sys.modules if name.partition(".")[0] == "shapes"]:
        del sys.modules[name]


def test_a_module_is_imported_when_a_name_is_asked_for(shapes):
    assert not [name for name in sys.modules if name.startswith("shapes.")]
    assert shapes.REGISTRY.get("Round").__module__ == "shapes.round"
    assert "shapes.corners" not in sys.modules
    assert "square" in shapes.REGISTRY and "triangle" not in shapes.REGISTRY
    assert list(shapes.REGISTRY) == ["oblong", "round", "square"]


def test_a_module_is_known_by_the_class_in_its_text(shapes):
    assert shapes.REGISTRY.get("square").__module__ == "shapes.corners"
    assert "shapes.round" not in sys.modules


def test_what_is_imported_can_leave_out_modules_of_some_names(shapes):
    assert shapes.REGISTRY.imported(but={"round"}).keys() == {"oblong", "square"}


def test_an_entry_of_the_package_takes_no_other_entrys_place(shapes):
    class Square: ...

    shapes.REGISTRY.add("square", Square)
    assert shapes.REGISTRY.entries()["square"] is Square
    assert shapes.REGISTRY.get("oblong").__module__ == "shapes.corners"


def test_mxnets_functions_register_alias_and_create():
    class Base:
        def __init__(self, size=0):
            self.size = size

    register, alias = get_register_func(Base, "thing"), get_alias_func(Base, "thing")
    create = get_create_func(Base, "thing")

    @register
    @alias("other")
    class Thing(Base):
        pass

    assert get_registry(Base) == {"thing": Thing, "other": Thing}
    assert create("other", size=3).size == create('["thing", {"size": 3}]').size == 3
    made = Thing(4)
    assert create(made) is made
    with pytest.raises(AssertionError, match="Can only register subclass of Base"):
        register(int)
    with pytest.warns(UserWarning, match="overriding existing thing"):
        register(type("Thing", (Base,), {}))
