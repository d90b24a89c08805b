"""float64 values of initlab-1: the vectors, their accuracy, and what they are for. Slices, threads
and SIMD are in test_draw.
"""

from __future__ import annotations

import hashlib
import json
import math
from decimal import Decimal, localcontext
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from initlab.engine import init, laws, nd, streams
from initlab.engine.streams import Key, elementary, phi, wide

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "float64-streams.json").read_text(encoding="utf-8")
)
COUNT = 100_003
DRAWN = {
    "uniform": laws.Uniform(0, 1),
    "uniform_-0.07_0.07": laws.Uniform(-0.07, 0.07),
    "normal": laws.Normal(0, 1),
    "normal_mean0.5_std0.02": laws.Normal(0.5, 0.02),
    "truncated_normal_pm2": laws.TruncatedNormal(0, 1, -2, 2),
    "truncated_normal_-0.5_inf": laws.TruncatedNormal(0, 1, -0.5, math.inf),
    "truncated_normal_5_6": laws.TruncatedNormal(0, 1, 5, 6),
}
KEY = Key(7, "wide")
NUMBERS = np.random.default_rng(0).integers(0, 2**64, 2000, dtype=np.uint64)
EDGES = np.array(
    [0, 1, 2**32 - 1, 2**32, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 2**11, 2**64 - 1], np.uint64
)


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize(
    "stream", VECTORS["streams"], ids=lambda s: f"{s['seed']}-{s['path']}-{s['generation']}"
)
def test_a_law_draws_the_vectors_bits(stream, name):
    key = Key(int(stream["seed"]), stream["path"], stream["generation"])
    assert [str(w) for w in streams.wide_words(key, 0, 4)] == stream["words_u64"]
    values = DRAWN[name].draw(key, (COUNT,), "float64")
    expected = stream[name]
    assert [f"{bits:016x}" for bits in values[:8].view(np.uint64)] == expected["first8_bits"]
    assert hashlib.sha256(values.tobytes()).hexdigest() == expected["sha256_of_100003_le_float64"]


def test_a_number_is_two_words_low_half_first():
    words = streams.words(KEY, 0, 20).astype(np.uint64)
    assert (streams.wide_words(KEY, 3, 7) == words[6:20:2] + (words[7:20:2] << np.uint64(32))).all()


# --- accuracy, against decimal arithmetic
# -----------------------------------------------------------------------------------------


def test_the_logarithm_is_right_to_three_units_in_the_last_place():
    f = np.concatenate(
        [
            ((NUMBERS >> np.uint64(11)) | np.uint64(1)).astype(np.float64) * 2.0**-53,
            1 - 2.0 ** -np.arange(1, 53),
            2.0 ** -np.arange(1, 66),
        ]
    )
    with localcontext() as context:
        context.prec = 40
        for x, y in zip(f.tolist(), (-elementary.log(f)).tolist(), strict=True):
            true = -Decimal(x).ln()
            assert abs(Decimal(y) - true) <= true * Decimal(3 * 2.0**-53), x


def test_pairs_of_normals_lie_where_box_and_muller_put_them():
    numbers = np.concatenate([NUMBERS, EDGES, EDGES[::-1]])
    low, high = numbers[0::2].tolist(), numbers[1::2].tolist()
    got = wide.normal(numbers)
    for j, (lo, hi) in enumerate(zip(low, high, strict=True)):
        r = math.sqrt(-2 * math.log(((lo >> 11) | 1) * 2.0**-53))
        angle = ((hi >> 62) + (((hi >> 9) % 2**53) - 2**52) * 2.0**-53) * math.pi / 2
        assert got[2 * j] == pytest.approx(r * math.cos(angle), rel=1e-14, abs=1e-14)
        assert got[2 * j + 1] == pytest.approx(r * math.sin(angle), rel=1e-14, abs=1e-14)


def test_the_inverse_distribution_function_is_right_to_five_units_in_the_last_place():
    numbers = np.concatenate([NUMBERS[:60], EDGES])
    got = wide.truncated_normal(numbers, 0, 2**64, -math.inf, math.inf)
    with localcontext() as context:
        context.prec = 60
        for number, z in zip(numbers.tolist(), got.tolist(), strict=True):
            wanted = (Decimal(number) + Decimal("0.5")) / 2**64
            density = phi._bell(Decimal(z)) / (2 * phi.PI).sqrt()
            found = Decimal("0.5") + density * phi._series(Decimal(z))
            assert abs(found - wanted) / density <= abs(Decimal(z)) * Decimal(5 * 2.0**-53), number


def test_products_of_64_bits_keep_their_upper_half():
    for factor in (0, 1, 2**32 - 1, 2**32, 2**63 + 12345, 2**64 - 1, 2**64):
        got = wide._high_product(np.concatenate([NUMBERS[:50], EDGES]), factor)
        assert got.tolist() == [w * factor >> 64 for w in [*NUMBERS[:50].tolist(), *EDGES.tolist()]]


def test_the_tables_hold_what_their_names_say():
    with localcontext() as context:
        context.prec = 40
        assert abs(
            Decimal(elementary.LN2_HIGH) + Decimal(elementary.LN2_LOW) - Decimal(2).ln()
        ) < Decimal("2e-26")
    assert math.pi / 2 == wide.HALF_PI
    half = np.array([elementary.SQRT_HALF_BITS]).view(np.float64)[0]
    assert half**2 == pytest.approx(0.5) and half >= math.sqrt(0.5)


# --- what it is for
# ---------------------------------------------------------------------------------------------------------------


def test_bounds_are_kept():
    assert (laws.Uniform(0.1, 0.1 + 2**-40).draw(KEY, (1000,), "float64") < 0.1 + 2**-40).all()
    cut = laws.TruncatedNormal(0, 1, 5, 6).draw(KEY, (10_000,), "float64")
    assert cut.min() >= 5 and cut.max() <= 6
    assert len(np.unique(cut)) == 10_000
    assert laws.Uniform(0.3, 0.3).draw(KEY, (3,), "float64").tolist() == [0.3] * 3


@pytest.mark.parametrize(
    "law",
    [laws.Uniform(-0.07, 0.07), laws.Normal(0, 0.02), laws.TruncatedNormal(0, 1, -2, 2)],
    ids=str,
)
def test_float64_is_no_widened_float32(law):
    narrow, broad = (law.draw(KEY, (1000,), dtype) for dtype in ("float32", "float64"))
    assert not (broad == broad.astype(np.float32)).any()
    assert not np.isclose(narrow, broad, rtol=1e-3).all()
    z = np.sort((broad - law.mean) / law.std)
    assert abs(z.mean()) < 0.15 and abs(z.std() - 1) < 0.1


def test_normals_are_normal_at_a_million():
    z = np.sort(streams.normal64(KEY, 0, 1_000_000, 0.0, 1.0))
    quantiles = [NormalDist().inv_cdf(p) for p in (0.0001, 0.01, 0.5, 0.99, 0.9999)]
    found = np.searchsorted(z, quantiles) / z.size
    assert np.abs(found - [0.0001, 0.01, 0.5, 0.99, 0.9999]).max() < 0.002
    assert (
        abs(np.corrcoef(streams.normal64(KEY, 0, 1_000_000, 0, 1).reshape(-1, 2).T)[0, 1]) < 0.005
    )


def test_draws_in_order_take_two_words_an_element():
    stream = streams.Stream(KEY)
    first = stream.normal(0.0, 1.0, 5, "float64")
    assert stream.cursor == 16
    second = stream.uniform(0.0, 1.0, 3, "float64")
    assert first.tolist() == streams.normal64(KEY, 0, 5, 0.0, 1.0).tolist()
    assert second.tolist() == streams.uniform64(KEY, 8, 3, 0.0, 1.0).tolist()
    law = laws.Normal(0.0, 1.0)
    again = streams.Stream(KEY)
    assert law.draw_from(again, (5,), "float64").tolist() == first.tolist()
    assert again.cursor == 16


@pytest.mark.parametrize(
    "made",
    [
        init.Normal(),
        init.Xavier(),
        init.TruncatedNormal(),
        init.Haar(),
        init.Haar(exact=True),
        init.Orthogonal(),
    ],
)
def test_initializers_fill_float64(made):
    array = nd.zeros((6, 5), dtype="float64")
    made(init.InitDesc("w_weight"), array)
    values = array.asnumpy()
    assert values.dtype == np.float64
    assert (values != values.astype(np.float32)).any()
    if isinstance(made, init.Haar):
        assert np.abs(values.T @ values - np.eye(5)).max() < 1e-14
