"""Every data goes through every probe."""

from __future__ import annotations

import pytest

from initlab.runner import data
from initlab.runner.config.option_files import shipped_options

SUITED = {
    "digits": ["model.input=[64]"],
    "one_hot": ["model.input=[10]"],
    "text": ["model=lstm_lm"],
    "tokens": [
        "model.input=[5]",
        "data.vocabulary=9",
        "model.layers=[{kind: embedding, name: e, input_dim: 9, output_dim: 4}, {kind: dense, name: d, units: 9, flatten: false}]",
    ],
}
"""What the model must be for data that does not suit every model."""


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(shipped_options()["data"]))
@pytest.mark.parametrize("probe", sorted(shipped_options()["probe"]))
def test_every_data_goes_through_every_probe(name, probe, command):
    words = [
        f"data={name}",
        f"probe={probe}",
        "data.batch=3",
        *(["probe.steps=2", "probe.judged=64"] if probe == "train" else []),
    ]
    done = command(*words, *SUITED.get(name, []))
    if probe == "train" and data.REGISTRY.get(name).classes is None:
        assert (done.code, "train needs data with labels" in done.err) == (2, True)
        return
    assert done.code == 0, done.err
    tables = done.out.partition("diagnosis")[0]
    assert ("layer" in tables) == (probe in ("forward", "backward"))
    assert ("loss" in tables) == (probe in ("backward", "train"))
