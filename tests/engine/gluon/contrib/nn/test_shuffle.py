"""Pixel shuffles: what MXNet 1.9.1 computed, shapes, and what is refused."""

from __future__ import annotations

import pytest
import recorded_layers

from initlab.engine.gluon import nn
from initlab.engine.gluon.contrib import nn as contrib


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    [
        (
            lambda p: contrib.PixelShuffle2D(2),
            (1, 6, 3, 5),
            r"pixelshuffle2d\d+: PixelShuffle2D needs an input of 4 axes whose axis 1 is a multiple of 4, got shape \(1, 6, 3, 5\)",
        ),
    ],
)
def test_an_input_that_does_not_fit_is_refused_and_the_layer_named(make, shape, message):
    net = nn.HybridSequential()
    layer = make("a_")
    net.register_child(layer, "part")
    with pytest.raises(Exception, match=message) as caught:
        net.output_shape(shape)
    assert caught.value.path == "part"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: contrib.PixelShuffle2D((1, 2, 3)), AssertionError, "wrong length 3 of factor"),
        (lambda: contrib.PixelShuffle1D(0), ValueError, "factor must be at least 1, got 0"),
    ],
)
def test_an_impossible_layer_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_new_layer_has_mxnets_parameters_and_printed_form(recorded, fresh_seed):
    recorded_layers.check_parameters_and_print(*recorded)


def test_the_inferred_shapes_are_mxnets(recorded, fresh_seed):
    recorded_layers.check_shapes(*recorded)


def test_a_layer_computes_what_mxnet_computed(recorded, fresh_seed):
    recorded_layers.check_computes(*recorded)


def test_hybridizing_changes_nothing_and_deferred_values_are_the_eager_ones(recorded, fresh_seed):
    recorded_layers.check_hybridized(*recorded)


def test_no_layer_takes_an_option_it_does_not_know(recorded):
    recorded_layers.check_unknown_option(*recorded)
