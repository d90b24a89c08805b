"""The shipped choices can be composed and planned together."""

from __future__ import annotations

from pathlib import Path

import pytest

CONF = Path(__file__).parents[3] / "conf"


MODELS = sorted(file.stem for file in (CONF / "model").glob("*.yaml"))


OF_A_LAYER = {"bilinear", "lstm_bias"}
"""Initializers of one kind of layer; they fill no other."""
INITS = sorted({file.stem for file in (CONF / "init").glob("*.yaml")} - OF_A_LAYER)


CONVOLUTIONAL = {"lenet", "resnet18", "resnet50", "vgg11"}
DENSE = {"deep_mlp", "eager_mlp", "shared"}
"""Models of dense layers, like `mlp`."""
RESIDUAL = {"residual_mlp", "resnet18", "resnet50", "gpt2"}
FOR = {
    "delta_orthogonal": (CONVOLUTIONAL, "fills no convolution"),
    "icnr": (set(), "no convolution that it fills goes into a pixel shuffle"),
    "fixup": (RESIDUAL, "none of the weights that it fills is in a residual branch"),
    "residual_scaled": (RESIDUAL, "none of the weights that it fills ends a residual branch"),
    "gpt2": (RESIDUAL, "none of the weights that it fills ends a residual branch"),
    "skipinit": (set(), "no residual branch ends with a multiplier"),
    "t_fixup": ({"gpt2"}, "no residual branch with attention"),
    "deepnorm": ({"gpt2"}, "no residual branch with attention"),
    "siren": (set(), "none of the layers that it fills goes into a sine"),
    "vgg": (CONVOLUTIONAL, "fills no convolution"),
    "mup": (set(MODELS) - {"gpt2"}, "'tokens.weight' is a first and a last layer's weight"),
}
"""Schemes for some networks only: the models that they are for, and what they say to others."""
REFUSED = {
    ("resnet50", "delta_orthogonal"): "64 outputs cannot hold 256 inputs without loss of length",
    **{
        (model, name): said
        for name, (models, said) in FOR.items()
        for model in MODELS
        if model not in models
    },
}
"""What cannot be. A bottleneck's narrow convolutions keep no lengths."""


TOKENS = {
    "gpt2": ["data=tokens", "data.vocabulary=50257"],
    "lstm_lm": ["data=tokens", "data.vocabulary=256"],
}
"""Words for networks that take token numbers."""


@pytest.mark.parametrize("model", MODELS)
def test_every_model_can_be_planned(model, command, tmp_path):
    plan_with(INITS[MODELS.index(model) :: len(MODELS)], model, command, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("model", sorted(set(MODELS) - DENSE - {"vgg11", "resnet50"}))
def test_every_kind_of_model_can_be_planned_with_every_initializer(model, command, tmp_path):
    plan_with(INITS, model, command, tmp_path)


def plan_with(names, model, command, tmp_path):
    """Each initializer plans the model, or refuses it as REFUSED says."""
    for name in names:
        words = [f"model={model}", f"init={name}", "task=plan"]
        words += TOKENS.get(model, [])
        if name == "constant":
            words.append("init.value=0.5")
        if name == "load":
            words += ["init.param=none.npz"]
            import numpy as np

            np.savez(tmp_path / "none.npz", x=np.zeros(1, np.float32))
            words += ["init.default_init={kind: he}", "init.partial=true"]
        done = command(*words)
        if (model, name) in REFUSED:
            assert (done.code, REFUSED[model, name] in done.err) == (2, True), (
                f"{words}: {done.err}"
            )
            continue
        assert done.code == 0, f"{words}: {done.err}"
        assert "nothing was allocated" in done.out


@pytest.mark.parametrize("words", [["init=mine"], ["-m", "init=mine,he"], ["-m", "sweep=mine"]])
@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (
            "# Mine.\nkind:\tnormal\n\tsigma: 1\n",
            2,
            "found character '\\t' that cannot start any token",
        ),
        ("# Mine.\nkind: [normal\n", 3, "while parsing a flow sequence, expected ',' or ']'"),
        ("# Mine.\nkind: normal\nkind: he\n", 3, "found duplicate key"),
        ("# Mine.\nkind: normal\n---\nkind: he\n", 3, "but found another document"),
        ("# Mine.\nkind: !normal\n", 2, "could not determine a constructor for the tag"),
        ("# Mine.\nkind: *normal\n", 2, "found undefined alias"),
    ],
)
def test_a_file_that_is_not_yaml_is_one_line_with_its_place(
    words, text, line, said, command, tmp_path
):
    group = words[-1].partition("=")[0]
    file = tmp_path / "conf" / group / "mine.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    done = command(*words, "--config-dir", "conf")
    assert (done.code, len(done.err.splitlines())) == (2, 1), done.err
    assert done.err.startswith(f"error: {file}, line {line}, column ") and said in done.err
