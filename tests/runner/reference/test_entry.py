"""A docstring has its parts in paragraphs; what an option does is the string below its field."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

import pytest

from initlab.engine.options import Count, default_in_config
from initlab.runner.reference.entry import as_yaml, of_class, of_function, read


@dataclass
class Base:
    size: Count = 3
    """How large
    it is."""
    plain: bool = True


@dataclass
class Kind(Base):
    """Makes a thing. It is e.g. 3 wide (He et al. 2015, eq. 1). Then more.

    A second paragraph
    in two lines.

        one   own line
        two   another

    Formula: y = a x
        + b

    Source: Somebody, "A paper",
    2015.

    Example:
        input: [3]

        layers:
          - {kind: kind}
    """

    needed: str = field(kw_only=True)
    """Must be there."""
    other: Optional[float] = field(default=1.0, kw_only=True, metadata=default_in_config(2.0))
    hidden: int = field(default=0, init=False)


@dataclass
class Silent:
    x: int = 1


def test_a_docstring_is_read_in_its_parts():
    found = of_class("layers", "kind", Kind)
    assert found.text == (
        "Makes a thing. It is e.g. 3 wide (He et al. 2015, eq. 1). Then more.",
        "A second paragraph in two lines.",
        "one   own line\ntwo   another",
    )
    assert found.summary == "Makes a thing"
    assert found.formula == "y = a x + b"
    assert found.source == 'Somebody, "A paper", 2015.'
    assert found.example == "input: [3]\n\nlayers:\n  - {kind: kind}"


def test_options_have_values_defaults_and_what_the_string_below_the_field_says():
    needed, *others = of_class("layers", "kind", Kind, {"size": "7"}).options
    assert (needed.name, needed.required, needed.about) == ("needed", True, "Must be there.")
    assert [(one.name, one.values, one.default, one.about) for one in others] == [
        ("size", "a whole number of at least 1", "7", "How large it is."),
        ("plain", "true or false", "true", ""),
        ("other", "a number, or null", "2.0", ""),
    ]


def test_a_default_of_three_question_marks_must_be_given():
    [option, *_] = of_class("init", "kind", Base, {"size": "???"}).options
    assert option.required


def test_a_dataclass_without_a_docstring_says_nothing():
    assert of_class("layers", "silent", Silent).text == ()


def test_the_arguments_of_a_function_are_its_options():
    def form(x: float, n: int = 2) -> float:
        """Return the power of x.

        Example: {form: form, x: 2}
        """
        return x**n

    found = of_function("forms", "form", form)
    assert found.summary == "Power of x"
    assert [(one.name, one.required, one.default) for one in found.options] == [
        ("x", True, None),
        ("n", False, "2"),
    ]
    assert found.example == "{form: form, x: 2}"


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("Glorot's normal: Var = 2 / (fan_in + fan_out).", "Glorot's normal: Var = 2 / (fan_in + fan_out)"),
        ("As in Glorot et al. 2010. The rest.", "As in Glorot et al. 2010"),
        ("U(-0.1, 0.1), of Zaremba et al. 2014; more", "U(-0.1, 0.1), of Zaremba et al. 2014; more"),
        ("", ""),
    ],
)  # fmt: skip
def test_the_summary_is_the_first_sentence(text, summary):
    assert read(text).summary == summary


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        ([1, "a"], "[1, a]"),
        ({"a": [False]}, "{a: [false]}"),
        ("a b", "'a b'"),
        ("", "''"),
        (1e-5, "1e-05"),
    ],
)
def test_a_value_is_shown_as_yaml(value, text):
    assert as_yaml(value) == text
