"""Layer kinds of a config: convolutional networks run in both modes, and their options are checked
like any other.
"""

from __future__ import annotations

import json

import pytest

from initlab.engine import formats

CONVOLUTIONAL = (
    "model.layers=[{kind: conv2d, name: c, channels: 4, kernel_size: [3, 3], padding: 1, groups: 2, activation: relu}, {kind: batch_norm, name: n}, "
    "{kind: avg_pool2d, name: p}, {kind: residual, name: r, layers: [{kind: conv2d, name: x, channels: 4, kernel_size: 1}]}, "
    "{kind: global_avg_pool2d, name: g}, {kind: flatten, name: f}, {kind: dense, name: d, units: 10}]"
)
WORDS = [CONVOLUTIONAL, "model.input=[2,8,8]", "init=he", "data=normal", "data.batch=8"]


def tensors(folder):
    return formats.get("safetensors").read(folder / "snapshot.safetensors").tensors


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_convolutional_network_has_the_same_values_in_both_modes(dtype, only_run):
    deferred, eager = (
        only_run(*WORDS, f"dtype={dtype}", f"init_mode={mode}", "probe=backward")
        for mode in ("deferred", "eager")
    )
    assert {k: v.tobytes() for k, v in tensors(deferred).items()} == {
        k: v.tobytes() for k, v in tensors(eager).items()
    }
    assert set(tensors(eager)) == {
        "c.weight",
        "c.bias",
        "n.gamma",
        "n.beta",
        "n.running_mean",
        "n.running_var",
        "r.x.weight",
        "r.x.bias",
        "d.weight",
        "d.bias",
    }


def test_first_values_are_kept_though_training_moves_running_statistics(only_run):
    values = tensors(only_run(*WORDS, "probe=backward"))
    assert values["n.running_mean"].tolist() == [0] * 4
    assert values["n.running_var"].tolist() == [1] * 4


def test_the_plan_takes_fans_from_one_group_and_shows_where_the_shape_says_otherwise(only_run):
    rows = {
        row["path"]: row for row in json.loads((only_run(*WORDS) / "plan.json").read_text())["rows"]
    }
    assert (rows["c.weight"]["fan_in"], rows["c.weight"]["fan_out"]) == (9, 18)
    assert rows["c.weight"]["shape_fans"] == [9, 36]
    assert rows["n.gamma"]["rule"] == "batch_norm's default"


def test_a_rule_that_names_a_layers_default_is_used(only_run):
    rules = "init.rules=[{match: '.*gamma', init: {kind: constant, value: 0.5}}, {match: '.*weight', init: {kind: he}}]"
    folder = only_run(*WORDS[:2], "init=mixed", rules)
    assert tensors(folder)["n.gamma"].tolist() == [0.5] * 4
    assert tensors(folder)["n.beta"].tolist() == [0] * 4


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            "{kind: conv2d, channels: 4}",
            "model.layers[0].kernel_size: is missing - conv2d needs it",
        ),
        (
            "{kind: conv2d, channels: 4, kernel_size: 0}",
            "model.layers[0].kernel_size: must be a whole number of at least 1, or two of them, got 0",
        ),
        (
            "{kind: conv2d, channels: 4, kernel_size: [3, 3, 3]}",
            "model.layers[0].kernel_size: must be a whole number of at least 1",
        ),
        (
            "{kind: conv2d, channels: 5, kernel_size: 3, groups: 2}",
            "model.layers[0].groups: must divide channels (5), got 2",
        ),
        (
            "{kind: conv2d, channels: 5, kernel_size: 9}",
            "model.layers[0]: layer '0' cannot take its input: kernel (9, 9) exceeds the input (8, 8)",
        ),
        ("{kind: max_pool2d, pool_size: x}", "model.layers[0].pool_size: must be a whole number"),
        ("{kind: batch_norm, momentum: 2}", "model.layers[0].momentum: must lie in [0, 1], got 2"),
        ("{kind: conv2, channels: 5}", "no layer kind 'conv2' - did you mean 'conv2d'?"),
    ],
)
def test_an_impossible_convolution_is_refused(layer, message, command):
    done = command(f"model.layers=[{layer}]", "model.input=[2,8,8]")
    assert done.code == 2
    assert message in done.err
    assert len(done.err.splitlines()) == 1


LANGUAGE = "model.layers=[{kind: embedding, name: words, input_dim: 20, output_dim: 6}, {kind: dense, name: head, units: 20, flatten: false}]"


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_model_of_tokens_is_probed_at_every_position(dtype, only_run):
    folder = only_run(
        LANGUAGE,
        "model.input=[7]",
        "init=normal",
        "data=tokens",
        "data.vocabulary=20",
        "probe=backward",
        f"dtype={dtype}",
    )
    assert tensors(folder)["words.weight"].shape == (20, 6)
    trace = json.loads((folder / "stats.json").read_text())
    assert trace["layers"][-1]["shape"] == [2, 7, 20]
    assert abs(trace["figures"]["loss"] - 2.9957) < 0.01
    rows = {row["path"]: row for row in json.loads((folder / "plan.json").read_text())["rows"]}
    assert (rows["words.weight"]["fan_in"], rows["words.weight"]["fan_out"]) == (1, 6)


def test_labels_that_do_not_fit_the_scores_are_refused(command):
    done = command(
        LANGUAGE.replace("flatten: false", "flatten: true"),
        "model.input=[7]",
        "data=tokens",
        "data.vocabulary=20",
        "probe=backward",
    )
    assert done.code == 2
    assert (
        "labels of shape (2, 7), for which scores have shape (2, 7, 20), but the network gives (2, 20)"
        in done.err
    )


def test_a_vocabulary_of_one_is_refused(command):
    done = command(LANGUAGE, "model.input=[7]", "data=tokens", "data.vocabulary=1")
    assert done.code == 2
    assert "data.vocabulary: must be a whole number of at least 2, got 1" in done.err


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


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_kind_has_the_same_values_in_both_modes(kind, only_run):
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


def test_defaults_of_the_new_layers_are_named_in_the_plan(only_run):
    folder = only_run(
        "model.layers=[{kind: prelu, name: p}, {kind: layer_norm, name: n}]",
        "model.input=[3]",
        "init=he",
    )
    rows = {
        row["path"]: row["rule"] for row in json.loads((folder / "plan.json").read_text())["rows"]
    }
    assert rows == {
        "p.alpha": "prelu's default",
        "n.gamma": "layer_norm's default",
        "n.beta": "layer_norm's default",
    }
    assert tensors(folder)["p.alpha"].tolist() == [0.25]


FIXUP = "model.layers=[{kind: shift, name: b}, {kind: scale, name: s, factor: 3, learnable: true}, {kind: scale, name: fixed, factor: 2}]"


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
def test_scalars_start_where_their_layer_says_and_are_in_the_snapshot(dtype, only_run):
    folder = only_run(
        FIXUP, "model.input=[4]", "init=he", f"dtype={dtype}", "probe=forward", "data=ones"
    )
    found = tensors(folder)
    assert {path: (values.tolist(), str(values.dtype)) for path, values in found.items()} == {
        "b.bias": ([0], dtype),
        "s.scale": ([3], dtype),
    }
    assert [row["rms"] for row in json.loads((folder / "stats.json").read_text())["layers"]] == [
        1,
        3,
        6,
    ]
    rows = {
        row["path"]: row["rule"] for row in json.loads((folder / "plan.json").read_text())["rows"]
    }
    assert rows == {"b.bias": "shift's default", "s.scale": "scale's default"}


def test_a_rule_or_a_scalars_own_initializer_wins_over_its_start(only_run):
    rules = "init.rules=[{match: 's.scale', init: {kind: constant, value: 0.5}}, {match: '.*', init: {kind: zero}}]"
    assert tensors(only_run(FIXUP, "model.input=[4]", "init=mixed", rules))["s.scale"].tolist() == [
        0.5
    ]
    own = FIXUP.replace("learnable: true", "learnable: true, scale_initializer: {kind: one}")
    folder = only_run(own, "model.input=[4]", "init=he")
    assert tensors(folder)["s.scale"].tolist() == [1]


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("{kind: scale, factor: x}", "[0].factor: must be a finite number, got 'x'"),
        ("{kind: scale, factor: nan}", "[0].factor: must be a finite number, got nan"),
        ("{kind: scale, learnable: 1}", "[0].learnable: must be true or false, got 1"),
        (
            "{kind: scale, scale_initializer: {kind: one}}",
            "[0].scale_initializer: is given, but learnable is false",
        ),
        (
            "{kind: pad, width: -1}",
            "[0].width: must be a whole number of at least 0, or two of them, got -1",
        ),
        (
            "{kind: pad, width: 1, mode: circula}",
            "[0].mode: cannot be 'circula' - did you mean 'circular'?",
        ),
        (
            "{kind: pad, width: 9, mode: circular}",
            "circular padding of 9 must be at most 8 for axis 2",
        ),
        ("{kind: pad}", "[0].width: is missing - pad needs it"),
        (
            "{kind: pixel_shuffle, factor: 0}",
            "[0].factor: must be a whole number of at least 1, or two of them, got 0",
        ),
        (
            "{kind: pixel_shuffle, factor: 3}",
            "needs an input of 4 axes whose axis 1 is a multiple of 9",
        ),
        (
            "{kind: conv1d, channels: 4, kernel_size: [3, 3]}",
            "[0].kernel_size: must be a whole number of at least 1, got [3, 3]",
        ),
        (
            "{kind: conv3d, channels: 4, kernel_size: [3, 3]}",
            "[0].kernel_size: must be a whole number of at least 1, or three of them",
        ),
        (
            "{kind: conv2d_transpose, channels: 4, kernel_size: 3, output_padding: 1}",
            "[0].output_padding: must be smaller than strides (1), got 1",
        ),
        (
            "{kind: conv2d_transpose, channels: 4, kernel_size: 1, padding: 9}",
            "layer '0' cannot take its input: padding (9, 9) leaves nothing of input (8, 8)",
        ),
        (
            "{kind: batch_norm, axis: 0}",
            "[0].axis: must be the number of an axis other than the batch's, 0, got 0",
        ),
        ("{kind: batch_norm, axis: 4}", "has no axis 4"),
        ("{kind: batch_norm, scale: 1}", "[0].scale: must be true or false, got 1"),
        ("{kind: batch_norm, epsilon: x}", "[0].epsilon: must lie in (0, 1), got 'x'"),
        ("{kind: layer_norm, axis: 1.5}", "[0].axis: must be the number of an axis"),
        (
            "{kind: group_norm, num_groups: 0}",
            "[0].num_groups: must be a whole number of at least 1, got 0",
        ),
        ("{kind: group_norm, num_groups: 3}", "# of channels must be divisible by # of groups"),
        ("{kind: leaky_relu, alpha: -1}", "[0].alpha: must be a number of at least 0, got -1"),
        ("{kind: leaky_relu}", "[0].alpha: is missing - leaky_relu needs it"),
        ("{kind: elu, alpha: x}", "[0].alpha: must be a number of at least 0, got 'x'"),
        ("{kind: swish, beta: -1}", "[0].beta: must be a number of at least 0, got -1"),
        (
            "{kind: prelu, in_channels: 0}",
            "[0].in_channels: must be a whole number of at least 1, got 0",
        ),
        ("{kind: prelu, in_channels: 3}", "alpha of shape (3,) for 2 channels"),
        (
            "{kind: reflection_pad2d, padding: -1}",
            "[0].padding: must be a whole number of at least 0, got -1",
        ),
        (
            "{kind: reflection_pad2d, padding: 8}",
            "reflection padding (8, 8) must be smaller than axis 2",
        ),
        (
            "{kind: concurrent, axis: x, layers: [{kind: identity}]}",
            "[0].axis: must be a whole number, got 'x'",
        ),
        (
            "{kind: concurrent, axis: 1, layers: [{kind: identity}, {kind: flatten}]}",
            "child 0 gives shape (2, 2, 8, 8), child 1 (2, 128): only axis 1 may differ",
        ),
        (
            "{kind: residual, layers: [{kind: identity}], shortcut: []}",
            "[0].shortcut: must be a list of at least one layer or null, got []",
        ),
        (
            "{kind: residual, layers: [{kind: identity}], activation: rulu}",
            "[0].activation: cannot be 'rulu' - did you mean 'relu'?",
        ),
        (
            "{kind: residual, layers: [{kind: identity, name: shortcut}], shortcut: [{kind: identity}]}",
            "[0].layers: has a layer named 'shortcut'",
        ),
        (
            "{kind: residual, layers: [{kind: identity}], shortcut: [{kind: conv2d, channels: 3, kernel_size: 9}]}",
            "model.layers[0].shortcut[0]: layer '0.shortcut.0' cannot take its input: kernel (9, 9) exceeds the input (8, 8)",
        ),
        (
            "{kind: residual, layers: [{kind: identity}], shortcut: [{kind: conv2d, channels: 3, kernel_size: 1}]}",
            "so its shortcut's (2, 3, 8, 8) cannot be added",
        ),
    ],
)
def test_an_impossible_layer_is_refused(layer, message, command):
    done = command(f"model.layers=[{layer}]", "model.input=[2,8,8]")
    assert done.code == 2
    assert message in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("model", ["resnet18", "resnet50", "vgg11"])
def test_an_image_network_has_one_root_digest_in_both_modes_whatever_the_images(model, only_run):
    """Small images go through all layers, since their size changes no weight but that of VGG's
    first dense layer.
    """
    words = [
        f"model={model}",
        "init=he_fan_out",
        "model.input=[3,32,32]",
        "snapshot=none",
        "stats=[]",
        "data=normal",
        "data.batch=1",
    ]
    runs = [
        only_run(*words, f"init_mode={mode}", probe)
        for mode, probe in (("deferred", "probe=forward"), ("eager", "probe=none"))
    ]
    digests = [json.loads((run / "manifest.json").read_text())["digests"] for run in runs]
    assert digests[0] == digests[1]
