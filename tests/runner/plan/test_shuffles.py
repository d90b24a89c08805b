"""Which convolutions go into a pixel shuffle, and what `init=icnr` fills them with."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import formats
from initlab.engine.gluon import nn
from initlab.engine.gluon.contrib.nn import HybridConcurrent, PixelShuffle2D
from initlab.runner.plan.shuffles import note_shuffles


def conv(channels=4):
    return nn.Conv2D(channels, 3, in_channels=4)


def sequence(*blocks):
    made = nn.HybridSequential()
    made.add(*blocks)
    return made


def shuffled(net) -> list[str]:
    note_shuffles(net)
    return [path for path, parameter in net.structural_params().items() if parameter.shuffle]


def test_the_convolution_next_to_a_shuffle_goes_into_it():
    assert shuffled(sequence(conv(), conv(), PixelShuffle2D(2), conv())) == ["1.weight"]


def test_lists_within_lists_and_layers_that_treat_channels_alike_are_seen_through():
    net = sequence(
        sequence(conv(), nn.BatchNorm(), nn.Activation("relu")), sequence(PixelShuffle2D(2), conv())
    )
    assert shuffled(net) == ["0.0.weight"]


@pytest.mark.parametrize(
    "between",
    [
        lambda: nn.Flatten(),
        lambda: nn.Dense(8),
        lambda: nn.Residual(nn.Activation("relu")),
        lambda: nn.GroupNorm(),
    ],
)
def test_a_convolution_whose_output_is_mixed_first_does_not(between):
    assert shuffled(sequence(conv(), between(), PixelShuffle2D(2))) == []


def test_branches_are_followed_each_and_a_shuffle_of_what_they_join_has_no_convolution():
    branches = HybridConcurrent(axis=1)
    branches.add(sequence(PixelShuffle2D(2)), sequence(conv(), PixelShuffle2D(2)))
    assert shuffled(sequence(conv(), branches, PixelShuffle2D(2))) == [
        "0.weight",
        "1.1.0.weight",
    ]
    residual = nn.Residual(conv(), PixelShuffle2D(2), shortcut=sequence(conv(), PixelShuffle2D(2)))
    assert shuffled(sequence(conv(), residual, PixelShuffle2D(2))) == [
        "1.0.weight",
        "1.shortcut.0.weight",
    ]


SUBPIXEL = (
    "data=normal",
    "model.input=[4,5,5]",
    "model.layers=[{kind: conv2d, name: first, channels: 8, kernel_size: 3}, {kind: conv2d, name: up, "
    "channels: 8, kernel_size: 3}, {kind: pixel_shuffle, factor: 2}, {kind: flatten}, "
    "{kind: dense, units: 8}]",
)


@pytest.mark.parametrize("inner", ["he", "{kind: orthogonal}"])
def test_icnr_fills_only_what_goes_into_the_shuffle_in_every_mode(inner, only_run):
    found = []
    for mode in ("deferred", "eager", "streamed"):
        folder = only_run(
            "init=icnr", f"init.init={inner}", f"init_mode={mode}", "probe=none", *SUBPIXEL
        )
        found.append(formats.get("safetensors").read(folder / "snapshot.safetensors").tensors)
    up, first = found[0]["up.weight"], found[0]["first.weight"]
    assert (up.reshape(2, 4, -1) == up.reshape(2, 4, -1)[:, :1]).all()
    assert len(np.unique(first)) == first.size
    for tensors in found[1:]:
        assert {n: t.tobytes() for n, t in tensors.items()} == {
            n: t.tobytes() for n, t in found[0].items()
        }


def test_a_shuffle_by_another_factor_is_refused(command):
    done = command("init=icnr", "init.upscale=3", "task=plan", *SUBPIXEL)
    assert done.code == 2
    assert "goes into a pixel shuffle by (2, 2), but upscale is 3" in done.err


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (["init=icnr"], "init.kind: is icnr, but no convolution that it fills goes into a pixel"),
        (
            ["init.rules=[{match: 'c.*', init: {kind: icnr}}, {match: '.*', init: he}]"],
            "init.rules.0.init.kind: is icnr, but no convolution that it fills goes into",
        ),
        (
            ["model.layers.0.weight_initializer={kind: icnr}"],
            "model.layers.0.weight_initializer: cannot initialize 'c.weight' of shape (8, 4, 3, 3): "
            "its output goes into no pixel shuffle",
        ),
    ],
)
def test_icnr_without_a_shuffle_is_refused_wherever_it_was_chosen(words, place, command):
    layers = "model.layers=[{kind: conv2d, name: c, channels: 8, kernel_size: 3, weight_initializer: null}]"
    init = ["init=mixed"] if "rules" in words[0] else []
    done = command(*init, "task=plan", "data=normal", "model.input=[4,5,5]", layers, *words)
    assert done.code == 2
    assert place in done.err
