"""SIREN: sine networks."""

from __future__ import annotations

from described import described, law

from initlab.engine import laws


def test_siren_follows_sitzmann_et_al():
    assert law("siren", described("body.fc.weight", 8, 24)) == laws.Uniform(-0.5 / 30, 0.5 / 30)
    assert law("siren", described("first.weight", 8, 4), first=[r"first\.weight"]) == laws.Uniform(
        -0.25, 0.25
    )
    assert law("siren", described("x.weight", 8, 24), w0=1.0) == laws.Uniform(-0.5, 0.5)
