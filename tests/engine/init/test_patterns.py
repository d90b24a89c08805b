"""Patterns that name parameters by their paths."""

from __future__ import annotations

import pytest

from initlab.engine import init
from initlab.engine.errors import OptionError


@pytest.mark.parametrize("kind", ["siren", "fixup", "skipinit", "t_fixup", "deepnorm", "mup"])
def test_a_pattern_that_matches_nothing_is_reported(kind):
    option = {
        "siren": "first",
        "fixup": "zero",
        "skipinit": "multiplier",
        "t_fixup": "encoder",
        "deepnorm": "scaled",
        "mup": "output",
    }[kind]
    chosen = init.by_name(kind)(**{option: [r"haed\.weight"]})
    with pytest.raises(OptionError) as error:
        chosen.check(["stem.weight", "head.weight"])
    assert error.value.option == f"{option}[0]"
    assert error.value.problem.startswith(r"'haed\.weight' matches nothing - ")
    init.by_name(kind)(**{option: [r"head\.weight"]}).check(["stem.weight", "head.weight"])
