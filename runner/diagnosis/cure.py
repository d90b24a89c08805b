"""What to write instead: the initializer that theory gives for the activations of a network."""

from __future__ import annotations

from collections import Counter

from initlab.runner.observation.passes import Observation
from initlab.runner.theory.activations import ACTIVATIONS, RELATIVES

TRANSFORMERS = ("TransformerBlock", "MultiHeadAttention")


def activation_of(seen: Observation) -> str | None:
    """Return the most frequent activation that has closed forms; None without any."""
    names = [
        RELATIVES.get(stage.activation, stage.activation)
        for stage in seen.leaves
        if stage.activation
    ]
    known = Counter(name for name in names if name in ACTIVATIONS)
    return known.most_common(1)[0][0] if known else None


def words_for(activation: str | None) -> str:
    """Return the words of the initializer that keeps the signal through this activation.

    relu: He et al. 2015. tanh and activations like it: an orthogonal matrix, on the edge of chaos
    (Pennington et al. 2017). selu: LeCun, for which it was made (Klambauer et al. 2017). Others: the
    gain E[f(z)^2]^(-1/2) by quadrature.
    """
    if activation in ("relu", "leaky"):
        return "init=he"
    if activation in ("tanh", "erf", "softsign", "elu", "sin"):
        return "init=orthogonal"
    if activation in ("selu", None, "linear"):
        return "init=lecun"
    from initlab.runner.theory.meanfield import gain

    return f"init=variance_scaling init.scale={gain(activation) ** 2:.4g} init.distribution=normal"


def initializer_of(words: str) -> tuple[str, dict[str, float | str]]:
    """Return the kind and the options that the words of an initializer give."""
    given = dict(word.split("=", 1) for word in words.split())
    kind = given.pop("init")
    return kind, {
        key.removeprefix("init."): float(value) if value.replace(".", "", 1).isdigit() else value
        for key, value in given.items()
    }


def python_of(words: str) -> str:
    """Return what to write in Python for words: of an initializer, or another `data.batch`."""
    if not words.startswith("init="):
        return f"initlab.diagnose(net, inputs), with a larger batch ({words})"
    kind, options = initializer_of(words)
    given = "".join(f", {name}={value!r}" for name, value in options.items())
    return f"net.initialize(init.create({kind!r}{given}), force_reinit=True)"


def cure_for(seen: Observation) -> tuple[str, ...]:
    """Return the words to type for a network: by its containers first, then by its activation."""
    kinds = {stage.kind for stage in (*seen.trunk, *seen.leaves)}
    if kinds & set(TRANSFORMERS):
        return ("init=gpt2",)
    residual = [stage for stage in seen.trunk if stage.branch is not None]
    if residual:
        return ("init=fixup",)
    return (words_for(activation_of(seen)),)
