"""Patterns that name parameters by their paths."""

from __future__ import annotations

import pytest

from initlab.engine import init


@pytest.mark.parametrize("kind", ["siren", "fixup", "skipinit", "t_fixup", "deepnorm", "mup"])
def test_a_pattern_that_fits_nothing_is_told(kind):
    option = {
        "siren": "first",
        "fixup": "zero",
        "skipinit": "multiplier",
        "t_fixup": "encoder",
        "deepnorm": "scaled",
        "mup": "output",
    }[kind]
    chosen = init.by_name(kind)(**{option: [r"haed\.weight"]})
    (said,) = chosen.check(["stem.weight", "head.weight"])
    assert said.startswith(rf"{option}[0] ('haed\.weight') matches nothing - ")
    assert (
        init.by_name(kind)(**{option: [r"head\.weight"]}).check(["stem.weight", "head.weight"])
        == []
    )
