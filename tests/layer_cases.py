"""Configs of layers by kind: valid ones and refused ones. The tests of each layer module run the
cases of its kinds.
"""

from __future__ import annotations

import json
import re

from initlab.engine import formats
from initlab.runner import layers


def module_of(text: str) -> str:
    """Return the module of `runner.layers` that defines the first kind in a layer's text."""
    kind = re.search(r"kind: (\w+)", text).group(1)
    return layers.REGISTRY.get(kind).__module__.rpartition(".")[2]


def tensors(folder):
    """Return a run's values by path."""
    return formats.get("safetensors").read(folder / "snapshot.safetensors").tensors


KINDS = {
    "conv1d": (
        "[4,9]",
        "{kind: conv1d, channels: 6, kernel_size: 3, strides: 2, padding: [1], groups: 2}",
        "(2, 6, 5)",
    ),
    "conv3d": (
        "[1,4,4,4]",
        "{kind: conv3d, channels: 2, kernel_size: [1, 2, 3], activation: relu}",
        "(2, 2, 4, 3, 2)",
    ),
    "conv1d_transpose": (
        "[2,5]",
        "{kind: conv1d_transpose, channels: 3, kernel_size: 3}",
        "(2, 3, 7)",
    ),
    "conv2d_transpose": (
        "[4,3,3]",
        "{kind: conv2d_transpose, channels: 6, kernel_size: 3, strides: [2, 1], padding: 1, output_padding: [1, 0], groups: 2}",
        "(2, 6, 6, 3)",
    ),
    "conv3d_transpose": (
        "[1,2,2,2]",
        "{kind: conv3d_transpose, channels: 2, kernel_size: 2, use_bias: false}",
        "(2, 2, 3, 3, 3)",
    ),
    "batch_norm": (
        "[3,4]",
        "{kind: batch_norm, axis: 2, scale: false, center: false}",
        "(2, 3, 4)",
    ),
    "batch_norm_relu": ("[3,4]", "{kind: batch_norm_relu, epsilon: 0.01}", "(2, 3, 4)"),
    "layer_norm": ("[3,4]", "{kind: layer_norm}", "(2, 3, 4)"),
    "instance_norm": ("[3,4]", "{kind: instance_norm, scale: true}", "(2, 3, 4)"),
    "group_norm": ("[6,4]", "{kind: group_norm, num_groups: 3}", "(2, 6, 4)"),
    "leaky_relu": ("[3]", "{kind: leaky_relu, alpha: 0.1}", "(2, 3)"),
    "prelu": ("[3]", "{kind: prelu, in_channels: 3}", "(2, 3)"),
    "elu": ("[3]", "{kind: elu, alpha: 0.5}", "(2, 3)"),
    "selu": ("[3]", "{kind: selu}", "(2, 3)"),
    "gelu": ("[3]", "{kind: gelu}", "(2, 3)"),
    "swish": ("[3]", "{kind: swish, beta: 2}", "(2, 3)"),
    "identity": ("[3]", "{kind: identity}", "(2, 3)"),
    "global_max_pool2d": ("[3,4,5]", "{kind: global_max_pool2d}", "(2, 3, 1, 1)"),
    "reflection_pad2d": ("[3,4,5]", "{kind: reflection_pad2d, padding: 2}", "(2, 3, 8, 9)"),
    "pad": ("[3,4,5]", "{kind: pad, width: [1, 2], mode: circular}", "(2, 3, 6, 9)"),
    "pixel_shuffle": ("[8,4,5]", "{kind: pixel_shuffle, factor: 2}", "(2, 2, 8, 10)"),
    "scale": ("[3,4]", "{kind: scale, factor: 0.5}", "(2, 3, 4)"),
    "learned_scale": ("[3,4]", "{kind: scale, factor: 0.5, learnable: true}", "(2, 3, 4)"),
    "shift": ("[3,4]", "{kind: shift}", "(2, 3, 4)"),
    "erf": ("[3]", "{kind: activation, activation: erf}", "(2, 3)"),
    "sin": ("[3]", "{kind: activation, activation: sin}", "(2, 3)"),
    "concurrent": (
        "[3,4,5]",
        "{kind: concurrent, layers: [{kind: identity, name: i}, {kind: conv2d, name: c, channels: 2, kernel_size: 1}]}",
        "(2, 5, 4, 5)",
    ),
    "residual": (
        "[3,4,4]",
        "{kind: residual, activation: relu, layers: [{kind: conv2d, name: c, channels: 2, kernel_size: 1, strides: 2}], "
        "shortcut: [{kind: conv2d, name: c, channels: 2, kernel_size: 2, strides: 2}]}",
        "(2, 2, 2, 2)",
    ),
}

REFUSED = [
    (
        "{kind: conv2d, channels: 4}",
        "model.layers.0.kernel_size: is missing - conv2d needs it",
    ),
    (
        "{kind: conv2d, channels: 4, kernel_size: 0}",
        "model.layers.0.kernel_size: must be a whole number of at least 1, or two of them, got 0",
    ),
    (
        "{kind: conv2d, channels: 4, kernel_size: [3, 3, 3]}",
        "model.layers.0.kernel_size: must be a whole number of at least 1",
    ),
    (
        "{kind: conv2d, channels: 5, kernel_size: 3, groups: 2}",
        "model.layers.0.groups: must divide channels (5), got 2",
    ),
    (
        "{kind: conv2d, channels: 5, kernel_size: 9}",
        "model.layers.0: layer '0' cannot take its input: kernel (9, 9) exceeds the input (8, 8)",
    ),
    ("{kind: max_pool2d, pool_size: x}", "model.layers.0.pool_size: must be a whole number"),
    ("{kind: batch_norm, momentum: 2}", "model.layers.0.momentum: must lie in [0, 1], got 2"),
    ("{kind: scale, factor: x}", ".0.factor: must be a finite number, got 'x'"),
    ("{kind: scale, factor: nan}", ".0.factor: must be a finite number, got nan"),
    ("{kind: scale, learnable: 1}", ".0.learnable: must be true or false, got 1"),
    (
        "{kind: scale, scale_initializer: {kind: one}}",
        ".0.scale_initializer: is given, but learnable is false",
    ),
    (
        "{kind: pad, width: -1}",
        ".0.width: must be a whole number of at least 0, or two of them, got -1",
    ),
    (
        "{kind: pad, width: 1, mode: circula}",
        ".0.mode: cannot be 'circula' - did you mean 'circular'?",
    ),
    (
        "{kind: pad, width: 9, mode: circular}",
        "circular padding of 9 must be at most 8 for axis 2",
    ),
    ("{kind: pad}", ".0.width: is missing - pad needs it"),
    (
        "{kind: pixel_shuffle, factor: 0}",
        ".0.factor: must be a whole number of at least 1, or two of them, got 0",
    ),
    (
        "{kind: pixel_shuffle, factor: 3}",
        "needs an input of 4 axes whose axis 1 is a multiple of 9",
    ),
    (
        "{kind: conv1d, channels: 4, kernel_size: [3, 3]}",
        ".0.kernel_size: must be a whole number of at least 1, got [3, 3]",
    ),
    (
        "{kind: conv3d, channels: 4, kernel_size: [3, 3]}",
        ".0.kernel_size: must be a whole number of at least 1, or three of them",
    ),
    (
        "{kind: conv2d_transpose, channels: 4, kernel_size: 3, output_padding: 1}",
        ".0.output_padding: must be smaller than strides (1), got 1",
    ),
    (
        "{kind: conv2d_transpose, channels: 4, kernel_size: 1, padding: 9}",
        "layer '0' cannot take its input: padding (9, 9) leaves nothing of input (8, 8)",
    ),
    (
        "{kind: batch_norm, axis: 0}",
        ".0.axis: must be the number of an axis other than the batch's, 0, got 0",
    ),
    ("{kind: batch_norm, axis: 4}", "has no axis 4"),
    ("{kind: batch_norm, scale: 1}", ".0.scale: must be true or false, got 1"),
    ("{kind: batch_norm, epsilon: x}", ".0.epsilon: must lie in (0, 1), got 'x'"),
    ("{kind: layer_norm, axis: 1.5}", ".0.axis: must be the number of an axis"),
    (
        "{kind: group_norm, num_groups: 0}",
        ".0.num_groups: must be a whole number of at least 1, got 0",
    ),
    ("{kind: group_norm, num_groups: 3}", "# of channels must be divisible by # of groups"),
    ("{kind: leaky_relu, alpha: -1}", ".0.alpha: must be a number of at least 0, got -1"),
    ("{kind: leaky_relu}", ".0.alpha: is missing - leaky_relu needs it"),
    ("{kind: elu, alpha: x}", ".0.alpha: must be a number of at least 0, got 'x'"),
    ("{kind: swish, beta: -1}", ".0.beta: must be a number of at least 0, got -1"),
    (
        "{kind: prelu, in_channels: 0}",
        ".0.in_channels: must be a whole number of at least 1, got 0",
    ),
    ("{kind: prelu, in_channels: 3}", "alpha of shape (3,) for 2 channels"),
    (
        "{kind: reflection_pad2d, padding: -1}",
        ".0.padding: must be a whole number of at least 0, got -1",
    ),
    (
        "{kind: reflection_pad2d, padding: 8}",
        "reflection padding (8, 8) must be smaller than axis 2",
    ),
    (
        "{kind: concurrent, axis: x, layers: [{kind: identity}]}",
        ".0.axis: must be a whole number, got 'x'",
    ),
    (
        "{kind: concurrent, axis: 1, layers: [{kind: identity}, {kind: flatten}]}",
        "child 0 gives shape (2, 2, 8, 8), child 1 (2, 128): only axis 1 may differ",
    ),
    (
        "{kind: residual, layers: [{kind: identity}], shortcut: []}",
        ".0.shortcut: must be a list of at least one layer or null, got []",
    ),
    (
        "{kind: residual, layers: [{kind: identity}], activation: rulu}",
        ".0.activation: cannot be 'rulu' - did you mean 'relu'?",
    ),
    (
        "{kind: residual, layers: [{kind: identity, name: shortcut}], shortcut: [{kind: identity}]}",
        ".0.layers: has a layer named 'shortcut'",
    ),
    (
        "{kind: residual, layers: [{kind: identity}], shortcut: [{kind: conv2d, channels: 3, kernel_size: 9}]}",
        "model.layers.0.shortcut.0: layer '0.shortcut.0' cannot take its input: kernel (9, 9) exceeds the input (8, 8)",
    ),
    (
        "{kind: residual, layers: [{kind: identity}], shortcut: [{kind: conv2d, channels: 3, kernel_size: 1}]}",
        "so its shortcut's (2, 3, 8, 8) cannot be added",
    ),
]
"""(a layer for an input of shape (2, 8, 8), what is said of it)."""


def check_both_modes(kind, only_run):
    """Check that deferred and eager runs give the same values, and that the layer's output has the
    expected shape.
    """
    shape, layer, output = KINDS[kind]
    words = [
        f"model.layers=[{layer}, {{kind: flatten}}, {{kind: dense, units: 3}}]",
        f"model.input={shape}",
        "init=he",
        "probe=backward",
    ]
    deferred, eager = (only_run(*words, f"init_mode={mode}") for mode in ("deferred", "eager"))
    assert {k: v.tobytes() for k, v in tensors(deferred).items()} == {
        k: v.tobytes() for k, v in tensors(eager).items()
    }
    [first, *_] = json.loads((eager / "stats.json").read_text())["layers"]
    shapes = [
        tuple(layer["shape"]) for layer in json.loads((eager / "stats.json").read_text())["layers"]
    ]
    if kind not in ("concurrent", "residual"):
        assert str(tuple(first["shape"])) == output
    assert shapes[-1] == (2, 3)


def check_refused(layer, message, command):
    """Check that one line says what is wrong with a layer."""
    done = command(f"model.layers=[{layer}]", "model.input=[2,8,8]")
    assert done.code == 2
    assert message in done.err
    assert len(done.err.splitlines()) == 1
