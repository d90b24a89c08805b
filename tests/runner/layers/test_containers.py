"""Layer kinds of `runner.layers.containers`: runs in both modes, and options that cannot be."""

from __future__ import annotations

import layer_cases
from layer_cases import KINDS, tensors


def test_a_residuals_shortcut_has_paths_of_its_own_and_can_be_shared(only_run):
    shape, layer, _ = KINDS["residual"]
    layer = layer.replace("kind: residual", "kind: residual, name: r").replace(
        "kernel_size: 2", "kernel_size: 1"
    )
    words = [f"model.layers=[{layer}]", f"model.input={shape}", "init=he"]
    assert set(tensors(only_run(*words))) == {
        "r.c.weight",
        "r.c.bias",
        "r.shortcut.c.weight",
        "r.shortcut.c.bias",
    }
    shared = only_run(*words, "+model.share.both=[r.c,r.shortcut.c]")
    assert "r.shortcut.c.weight" not in tensors(shared)


def test_a_kind_has_the_same_values_in_both_modes(kind, only_run):
    layer_cases.check_both_modes(kind, only_run)


def test_invalid_arguments_are_refused(refused, command):
    layer_cases.check_refused(*refused, command)
