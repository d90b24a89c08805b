import pytest

from initlab.engine.gluon import nn
from initlab.engine.init import Description, Fans


def described(shape, roles=None):
    return Description("w", "w", shape, roles=roles)


@pytest.mark.parametrize(
    ("shape", "roles", "fans"),
    [
        ((10, 4), ("out", "in"), (4, 10)),
        ((4, 10), ("in", "out"), (4, 10)),
        ((8, 3, 5, 5), ("out", "in", "spatial", "spatial"), (75, 200)),
        ((5, 5, 3, 8), ("spatial", "spatial", "in", "out"), (75, 200)),
        ((3, 8, 5, 5), ("in", "out", "spatial", "spatial"), (75, 200)),
        ((8, 2, 3), ("out*4", "in", "spatial"), (6, 6)),
        ((8, 1, 3, 3), ("out*8", "in", "spatial", "spatial"), (9, 9)),
        ((4, 2, 2, 3), ("group", "out", "in", "spatial"), (6, 6)),
        ((30, 10), ("out*3", "in"), (10, 10)),
        ((1000, 16), ("group", "out"), (1, 16)),
    ],
)
def test_roles_say_how_many_units_feed_a_unit_and_how_many_it_feeds(shape, roles, fans):
    assert described(shape, roles).fans == Fans(*fans)


def test_without_roles_the_shape_gives_the_fans():
    assert described((8, 3, 5, 5)).fans == described((8, 3, 5, 5)).shape_fans == Fans(75, 200)


@pytest.mark.parametrize(
    ("shape", "roles"),
    [
        ((3, 8, 5, 5), ("in", "out", "spatial", "spatial")),
        ((8, 2, 3), ("out*4", "in", "spatial")),
        ((1000, 16), ("group", "out")),
    ],
)
def test_the_shape_rule_is_wrong_for_transposed_and_grouped_layers_and_for_embeddings(shape, roles):
    assert described(shape, roles).fans != described(shape, roles).shape_fans


@pytest.mark.parametrize("shape", [(), (5,)])
@pytest.mark.parametrize("which", ["fans", "shape_fans"])
def test_a_vector_has_no_fans(shape, which):
    with pytest.raises(ValueError, match="w has shape .* a fan needs at least 2 axes"):
        getattr(described(shape, ("out",)), which)


def test_an_unknown_role_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="no axis role 'spatal' - did you mean 'spatial'"):
        _ = described((2, 2), ("out", "spatal")).fans


def test_roles_must_be_as_many_as_axes():
    with pytest.raises(ValueError, match="w: 1 axis roles .* for shape"):
        _ = described((2, 2), ("out",)).fans


@pytest.mark.parametrize("role", ["out*3", "out*0", "out*", "out*x"])
def test_blocks_must_divide_their_axis(role):
    with pytest.raises(ValueError, match="must divide its axis of 4"):
        _ = described((4, 2), (role, "in")).fans


def test_fans_have_means():
    assert (Fans(2, 8).avg, Fans(2, 8).geo) == (5.0, 4.0)


def test_the_structural_path_lacks_the_name_of_the_root():
    assert (
        Description("dense0_weight", "sequential0_/0.weight", (2, 2)).structural_path == "0.weight"
    )
    assert Description("w", "0.weight", (2, 2)).structural_path == "0.weight"


def test_a_dense_layer_declares_its_roles():
    assert described((2, 3), nn.Dense(2, in_units=3).weight.roles).fans == Fans(3, 2)
