from __future__ import annotations

from dataclasses import dataclass

import pytest

from initlab.engine.errors import OptionError
from initlab.runner.data import Data
from initlab.runner.errors import ConfigError
from initlab.runner.plan.parts import (
    mapping_at,
    parse_device,
    parse_group,
    parse_part,
    parse_several,
    parse_snapshot,
    sample_shape,
)


@dataclass
class Picky(Data):
    """Data of a plugin that names the option which disagrees."""

    def sample_shape(self, declared):
        raise OptionError("kind", "picky gives nothing")


@pytest.mark.parametrize(
    ("parse", "message"),
    [
        (lambda: mapping_at({"data": 3}, "data"), "must be a mapping, got 3 - choose an option"),
        (lambda: parse_group("probe", {"kind": "forwrd"}), "kind: no probe 'forwrd' - did you"),
        (
            lambda: parse_group("data", {"kind": "uniform", "batch": 0}),
            "batch: must be a whole number of at least 1, got 0",
        ),
        (lambda: parse_several("stats", {"law": 3}), "law: must be a mapping, got 3"),
        (
            lambda: parse_several("measure", {"mine": {"kind": "spectrum", "most": 0}}),
            "mine.most: must be a whole number of at least 1, got 0",
        ),
        (lambda: parse_snapshot({"kind": "npzz"}), "kind: no snapshot 'npzz' - did you mean 'npz'"),
        (lambda: parse_device({"kind": "cpu", "index": -1}), "index: must be a whole number of"),
        (lambda: parse_device({"kind": "tpu", "index": 0}), "kind: cannot be 'tpu' - did you mean"),
        (lambda: parse_part("1/2", "eager"), "is for init_mode=streamed, which never holds"),
        (
            lambda: sample_shape(None, Picky(), "eager"),
            "model.input: is not declared - eager mode infers all shapes from it",
        ),
        (lambda: sample_shape((3,), Picky(), "eager"), "data: picky gives nothing"),
    ],
)
def test_an_invalid_part_is_refused_at_its_place_within_the_part(parse, message):
    with pytest.raises(ConfigError) as caught:
        parse()
    [problem] = caught.value.problems
    assert str(problem).startswith(message)


def test_several_wrong_options_are_said_at_once():
    with pytest.raises(ConfigError) as caught:
        parse_group("probe", {"kind": "train", "epochs": 0, "loss": "mes", "batchh": 3})
    assert [p.place for p in caught.value.problems] == ["batchh", "epochs", "loss"]
