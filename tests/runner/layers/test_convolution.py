"""Layer kinds of `runner.layers.convolution`: runs in both modes, and options that cannot be."""

from __future__ import annotations

import json

import layer_cases
import pytest
from layer_cases import tensors

CONVOLUTIONAL = (
    "model.layers=[{kind: conv2d, name: c, channels: 4, kernel_size: [3, 3], padding: 1, groups: 2, activation: relu}, {kind: batch_norm, name: n}, "
    "{kind: avg_pool2d, name: p}, {kind: residual, name: r, layers: [{kind: conv2d, name: x, channels: 4, kernel_size: 1}]}, "
    "{kind: global_avg_pool2d, name: g}, {kind: flatten, name: f}, {kind: dense, name: d, units: 10}]"
)


WORDS = [CONVOLUTIONAL, "model.input=[2,8,8]", "init=he", "data=normal", "data.batch=8"]


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


def test_the_plan_takes_fans_from_one_group_and_shows_where_the_shape_says_otherwise(only_run):
    rows = {
        row["path"]: row for row in json.loads((only_run(*WORDS) / "plan.json").read_text())["rows"]
    }
    assert (rows["c.weight"]["fan_in"], rows["c.weight"]["fan_out"]) == (9, 18)
    assert rows["c.weight"]["shape_fans"] == [9, 36]
    assert rows["n.gamma"]["rule"] == "batch_norm's default"


@pytest.mark.slow
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


def test_a_kind_has_the_same_values_in_both_modes(kind, only_run):
    layer_cases.check_both_modes(kind, only_run)


def test_invalid_arguments_are_refused(refused, command):
    layer_cases.check_refused(*refused, command)
