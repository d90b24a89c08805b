import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.engine import init, laws
from initlab.engine.init import Description

AFTER_CUT = 0.87962566103423978
SCALES = st.floats(1e-6, 1e6)


def law(initializer, shape=(3, 2)):
    return initializer.law(Description("w", "w", shape))


def test_the_defaults_are_gluons():
    assert law(init.Uniform()) == laws.Uniform(-0.07, 0.07)
    assert law(init.Normal()) == laws.Normal(0.0, 0.01)


@given(SCALES)
def test_uniform_is_symmetric_about_zero(scale):
    assert law(init.Uniform(scale)) == laws.Uniform(-scale, scale)


@given(SCALES)
def test_sigma_is_the_standard_deviation(sigma):
    assert (law(init.Normal(sigma)).mean, law(init.Normal(sigma)).std) == (0.0, sigma)


def test_a_uniform_of_scale_zero_is_zero():
    assert law(init.Uniform(0)).support == (0.0, 0.0)


@pytest.mark.parametrize("shape", [(4,), (4, 3), (4, 3, 2, 2)])
def test_the_shape_makes_no_difference(shape):
    assert law(init.Normal(), shape) == law(init.Normal())
    assert law(init.TruncatedNormal(), shape) == law(init.TruncatedNormal())


@given(SCALES)
def test_std_before_the_cut_shrinks_by_the_known_factor(std):
    cut = law(init.TruncatedNormal(std))
    assert cut == laws.TruncatedNormal(0.0, std, -2.0, 2.0)
    assert cut.std == pytest.approx(AFTER_CUT * std, rel=1e-12)


@given(SCALES)
def test_std_after_the_cut_is_the_one_asked_for(std):
    cut = law(init.TruncatedNormal(std, std_is="after"))
    assert cut.scale == pytest.approx(std / AFTER_CUT, rel=1e-12)
    assert cut.std == pytest.approx(std, rel=1e-12)


def test_the_bounds_are_in_units_of_the_deviation_and_about_the_mean():
    low, high = law(init.TruncatedNormal(0.5, low=-1, high=3, mean=2)).support
    assert (low, high) == (1.5, 3.5)
