"""Bilinear, against what MXNet 1.9.1 gave."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from initlab.engine import digest, init, nd, streams
from initlab.engine.init import Description

RECORDED = json.loads(
    (Path(__file__).parents[2] / "vectors" / "mxnet-init.json").read_text(encoding="utf-8")
)


KEY = streams.Key(5, "w")


def filled(initializer, shape, name="w_weight", **options):
    array = nd.zeros(shape)
    initializer(init.InitDesc(name, **options), array)
    return array.asnumpy()


@pytest.mark.parametrize("height, width", [(3, 3), (4, 4), (2, 5)])
def test_bilinear_gives_mxnets_kernel(height, width):
    got = filled(init.Bilinear(), (2, 3, height, width))
    wanted = np.array(RECORDED[f"bilinear ({height}, {width})"], np.float32).reshape(height, width)
    assert (got == wanted).all()


def test_bilinear_values_are_exact_and_the_laws_own():
    law = init.Bilinear().law(Description("w", "w", (1, 1, 4, 4)))
    assert str(law) == "Bilinear(1)"
    assert law.invariants(law.draw(KEY, (1, 1, 4, 4)))[0].ok
    assert len(digest.tensor_digest(law.draw(KEY, (1, 1, 4, 4)))) == 32
