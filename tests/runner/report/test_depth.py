"""The axis of depth: a place for each layer or block."""

from __future__ import annotations

import pytest

from initlab.runner.report.depth import block_of, of_layers, of_parameters


@pytest.mark.parametrize(
    ("path", "block"),
    [
        ("blocks.7.fc.weight", "blocks.7"),
        ("stages.0.blocks.3.conv.weight", "stages.0.blocks.3"),
        ("0.weight", "0"),
        ("head.weight", None),
        ("heads.0", None),
    ],
)
def test_the_block_of_a_path_ends_with_its_last_number(path, block):
    assert block_of(path) == block


def test_the_parameters_of_a_block_share_a_place():
    paths = ["stem.weight", "blocks.0.a.weight", "blocks.0.b.weight", "blocks.1.a.weight"]
    paths += ["blocks.1.b.weight", "head.weight"]
    depth = of_parameters(paths)
    assert depth.names == ("stem.weight", "blocks.0", "blocks.1", "head.weight")
    assert depth.kinds == ("", "a.weight", "b.weight", "a.weight", "b.weight", "")
    assert list(depth.x.round()) == [1, 2, 2, 3, 3, 4] and depth.shared
    assert list(depth.x) == sorted(depth.x)


def test_blocks_of_one_parameter_have_its_whole_name():
    depth = of_parameters(["body.0.fc.weight", "body.1.fc.weight"])
    assert depth.names == ("body.0.fc.weight", "body.1.fc.weight") and not depth.shared


def test_layers_inside_a_block_stand_before_it():
    rows = [{"path": "stem"}, {"path": "b.fc1", "inside": "b"}, {"path": "b.fc2", "inside": "b"}]
    depth = of_layers([*rows, {"path": "b"}, {"path": "head", "inside": None}])
    assert depth.names == ("stem", "b", "head")
    assert list(depth.x) == pytest.approx([1, 1.2, 1.6, 2, 3])
