"""SyncBatchNorm: what MXNet 1.9.1 computed, shapes, and what is refused."""

from __future__ import annotations

import pytest
import recorded_layers

from initlab.engine.gluon.contrib import nn as contrib


def test_a_batch_norm_over_several_devices_is_refused_and_an_unsaid_number_warned_of():
    with pytest.raises(
        ValueError, match="num_devices must be 1, since a batch is on one device, got 2"
    ):
        contrib.SyncBatchNorm(num_devices=2)
    with pytest.warns(
        UserWarning,
        match="Caution using SyncBatchNorm: if not using all the GPUs, please mannually set num_devices",
    ):
        contrib.SyncBatchNorm()


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
