"""The shipped models with their own presets: nothing worse than odd."""

from __future__ import annotations

import pytest

from initlab.runner.declare import declare

SMALL_GPT = (
    "init=gpt2 model=gpt2 data=tokens data.vocabulary=500 model.input=[32] "
    "model.layers.0.input_dim=500 model.layers.0.output_dim=96"
)


@pytest.mark.parametrize(
    "words",
    [
        "init=he model=mlp",
        "init=he model=mlp data=digits model.input=[64]",
        "init=he model=lenet data=digits",
        "init=xavier model=lenet data=digits",
        "init=he model=deep_mlp",
        "init=lm_uniform model=lstm_lm data=text",
        "init=fixup model=residual_mlp",
        "init=residual_scaled model=residual_mlp",
        pytest.param(SMALL_GPT, marks=pytest.mark.slow),
        pytest.param("init=vgg model=vgg11 data.batch=2", marks=pytest.mark.slow),
        pytest.param("init=he model=resnet18 data.batch=4", marks=pytest.mark.slow),
        pytest.param("init=he model=resnet50 data.batch=2", marks=pytest.mark.slow),
    ],
)
def test_a_shipped_model_with_its_own_preset_is_odd_at_most(words):
    assert declare(*words.split()).diagnose().severity in (None, "odd")


def test_a_tied_deep_gpt_with_he_starts_far_above_the_loss_of_no_knowledge():
    words = SMALL_GPT.replace("init=gpt2", "init=he") + " model.layers.2.times=4"
    found = {one.id: one for one in declare(*words.split()).diagnose().findings}
    assert found["first-loss"].severity in ("harmful", "fatal")
