"""SIREN: sine networks."""

from __future__ import annotations

from described import described, law

from initlab.engine import laws


def test_siren_follows_sitzmann_et_al():
    given = {"first": [r"first\.weight"], "w0": 30.0}
    assert law("siren", described("body.fc.weight", 8, 24), **given) == laws.Uniform(
        -0.5 / 30, 0.5 / 30
    )
    assert law("siren", described("first.weight", 8, 4), **given) == laws.Uniform(-0.25, 0.25)
    one = given | {"w0": 1.0}
    assert law("siren", described("x.weight", 8, 24), **one) == laws.Uniform(-0.5, 0.5)
