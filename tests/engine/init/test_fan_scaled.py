import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.engine import init, laws
from initlab.engine.init import Description, Fans
from initlab.engine.init.fan_scaled import DISTRIBUTIONS, MODES

DENSE = Description("w_weight", "0.weight", (12, 7), roles=("out", "in"))
CONV = Description("w_weight", "0.weight", (8, 3, 5, 5), roles=("out", "in", "spatial", "spatial"))
TRANSPOSED = Description(
    "w_weight", "0.weight", (3, 8, 5, 5), roles=("in", "out", "spatial", "spatial")
)
GROUPED = Description("w_weight", "0.weight", (8, 2, 3), roles=("out*4", "in", "spatial"))
EMBEDDING = Description("w_weight", "0.weight", (100, 16), roles=("group", "out"))
ALL = [DENSE, CONV, TRANSPOSED, GROUPED, EMBEDDING]

dimensions = st.integers(1, 40)
shapes = st.one_of(
    st.tuples(dimensions, dimensions),
    st.tuples(dimensions, dimensions, st.integers(1, 5), st.integers(1, 5)),
)
gains = st.floats(0.01, 100)


def described(shape):
    return Description(
        "w_weight", "0.weight", shape, roles=("out", "in", "spatial", "spatial")[: len(shape)]
    )


def fan(fans: Fans, mode):
    return {"in": fans.fan_in, "out": fans.fan_out, "avg": fans.avg, "geo": fans.geo}[mode]


@given(
    shapes,
    gains,
    st.sampled_from(MODES),
    st.sampled_from(DISTRIBUTIONS),
    st.sampled_from(["roles", "shape"]),
)
def test_variance_times_fan_is_the_scale(shape, scale, mode, distribution, rule):
    law = init.VarianceScaling(scale, mode, distribution, fans=rule).law(described(shape))
    assert law.kind == distribution
    assert law.mean == 0
    assert law.std**2 * fan(described(shape).fans, mode) == pytest.approx(scale, rel=1e-12)


@given(shapes, st.floats(-10, 10), st.sampled_from(MODES), st.sampled_from(DISTRIBUTIONS))
def test_he_times_fan_is_the_squared_gain_of_leaky_relu(shape, slope, mode, distribution):
    law = init.He(slope, mode, distribution).law(described(shape))
    assert law.std**2 * fan(described(shape).fans, mode) == pytest.approx(
        2 / (1 + slope**2), rel=1e-12
    )


@given(shapes, gains, st.sampled_from(["avg", "in", "out"]))
def test_xavier_is_bounded_by_or_deviates_by_the_root_of_magnitude_by_fan(
    shape, magnitude, factor_type
):
    scale = math.sqrt(magnitude / fan(described(shape).fans, factor_type))
    assert init.Xavier("uniform", factor_type, magnitude).law(described(shape)) == laws.Uniform(
        -scale, scale
    )
    assert init.Xavier("gaussian", factor_type, magnitude).law(described(shape)) == laws.Normal(
        0.0, scale
    )


@given(shapes, st.floats(-10, 10), st.sampled_from(["avg", "in", "out"]))
def test_msra_prelu_is_gaussian_xavier_with_the_slopes_magnitude(shape, slope, factor_type):
    expected = init.Xavier("gaussian", factor_type, 2 / (1 + slope**2)).law(described(shape))
    assert init.MSRAPrelu(factor_type, slope).law(described(shape)) == expected


def test_msra_prelu_is_a_xavier_with_numbers():
    made = init.MSRAPrelu()
    assert isinstance(made, init.Xavier)
    assert made.magnitude == 1.8823529411764706
    assert made.dumps() == '["msraprelu", {"factor_type": "avg", "slope": 0.25}]'


@given(shapes)
def test_lecun_has_variance_one_by_fan_in_after_its_cut(shape):
    law = init.Lecun().law(described(shape))
    assert law.kind == "truncated_normal"
    assert law.std**2 * described(shape).fans.fan_in == pytest.approx(1, rel=1e-12)


def test_a_uniform_of_a_variance_is_bounded_by_root_three_deviations():
    bound = math.sqrt(3 * 2 / 7)
    law = init.He(distribution="uniform").law(DENSE)
    assert (law.low, law.high) == pytest.approx((-bound, bound), rel=1e-15)


def test_a_truncated_normal_of_a_variance_is_cut_at_two_deviations():
    law = init.Lecun().law(DENSE)
    assert law.scale == pytest.approx(1 / math.sqrt(7) / 0.87962566103423978, rel=1e-12)
    assert (law.low, law.high) == (-2.0, 2.0)


def test_glorots_variance_is_that_of_uniform_xavier_and_a_third_of_gaussian_xaviers():
    glorot = init.VarianceScaling(1.0, "avg", "uniform").law(DENSE).std
    assert init.Xavier().law(DENSE).std == pytest.approx(glorot, rel=1e-12)
    assert init.Xavier("gaussian").law(DENSE).std ** 2 == pytest.approx(3 * glorot**2, rel=1e-12)


def test_torchs_default_for_layers_is_he_with_slope_root_five():
    assert init.He(math.sqrt(5)).law(DENSE).std ** 2 == pytest.approx(1 / (3 * 7), rel=1e-12)


MAKERS = [init.VarianceScaling, init.He, init.Lecun, init.Xavier, init.MSRAPrelu]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("description", [DENSE, CONV])
def test_both_fan_rules_agree_on_dense_and_plain_convolutions(make, description):
    assert make(fans="roles").law(description) == make(fans="shape").law(description)


@pytest.mark.parametrize(
    ("description", "mode", "fan"),
    [(TRANSPOSED, "in", 75), (TRANSPOSED, "out", 200), (GROUPED, "out", 6), (EMBEDDING, "in", 1)],
    ids=["transposed in", "transposed out", "grouped out", "embedding in"],
)
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_the_fan_rules_differ_where_the_shape_misleads(description, mode, fan, distribution):
    by_roles = init.VarianceScaling(1.0, mode, distribution).law(description)
    by_shape = init.VarianceScaling(1.0, mode, distribution, fans="shape").law(description)
    assert by_roles.std**2 * fan == pytest.approx(1, rel=1e-12)
    assert by_shape != by_roles


@pytest.mark.parametrize("description", ALL)
def test_mxnets_classes_go_by_the_shape_whatever_the_roles(description):
    kernel = math.prod(description.shape[2:])
    fan = (description.shape[0] + description.shape[1]) * kernel / 2
    bound = math.sqrt(3 / fan)
    assert init.Xavier().law(description) == laws.Uniform(-bound, bound)
    std = math.sqrt(2 / (1 + 0.25**2) / fan)
    assert init.MSRAPrelu().law(description).std == pytest.approx(std, rel=1e-12)
    assert init.create("xavier").law(description) == init.Xavier().law(description)


@pytest.mark.parametrize("make", [init.VarianceScaling, init.He, init.Lecun])
@pytest.mark.parametrize("description", ALL)
def test_classes_that_mxnet_does_not_have_go_by_the_roles(make, description):
    assert make().law(description) == make(fans="roles").law(description)


@pytest.mark.parametrize("make", MAKERS)
def test_a_vector_is_refused_by_name(make):
    with pytest.raises(
        ValueError,
        match=f"^{make.__name__} initializer cannot be applied to vector d_bias. It requires at least 2D.$",
    ):
        make().law(Description("d_bias", "0.bias", (3,), roles=("out",)))


@pytest.mark.parametrize("make", MAKERS)
def test_an_empty_axis_is_refused(make):
    with pytest.raises(ValueError, match="has a fan of 0"):
        make().law(Description("w", "w", (0, 0)))


def test_options_that_gluon_lacks_are_dumped_only_when_chosen():
    assert (
        init.Xavier().dumps()
        == '["xavier", {"rnd_type": "uniform", "factor_type": "avg", "magnitude": 3}]'
    )
    chosen = init.Xavier(fans="roles")
    assert chosen.dumps().endswith('"magnitude": 3, "fans": "roles"}]')
    assert init.create(chosen.dumps()) == chosen != init.Xavier()
