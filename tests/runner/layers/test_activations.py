"""Layer kinds of `runner.layers.activations`: runs in both modes, and options that cannot be."""

from __future__ import annotations

import layer_cases


def test_a_kind_has_the_same_values_in_both_modes(kind, only_run):
    layer_cases.check_both_modes(kind, only_run)


def test_invalid_arguments_are_refused(refused, command):
    layer_cases.check_refused(*refused, command)
