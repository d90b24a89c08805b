"""What to write instead: the initializer that theory gives for the activations of a network."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

from initlab.engine import init
from initlab.engine.errors import MXNetError
from initlab.runner.errors import ConfigError
from initlab.runner.excerpt import counted
from initlab.runner.observation.passes import Observation, Tensor
from initlab.runner.plan.form import Form
from initlab.runner.plan.network import Network
from initlab.runner.plan.rows import make_plan
from initlab.runner.symptoms.first_values import usual_size
from initlab.runner.theory.activations import ACTIVATIONS, RELATIVES

PRESETS: dict[str, tuple[str, dict[str, float | str]]] = {
    "gpt2": ("residual_scaled", {"std": 0.02, "others": 0.02, "positions": 0.01}),
    "orthogonal": ("haar", {}),
}
"""Words of the config that Gluon has no name for, or another meaning -> the initializer and its options."""
HEAVY = 3.0
"""Biases so many times as large as what their weights make of a unit input decide what a unit does."""
SAME = 0.1
"""Weights whose sizes differ by less than this part are of one size."""
MANY = 8
"""So many blocks in a row are deep."""
TRANSFORMERS = ("TransformerBlock", "MultiHeadAttention")


def activation_of(seen: Observation) -> tuple[str | None, float]:
    """Return (name, gain) of the most frequent activation; (None, 1) without any.

    The gain is E[f(z)^2]^(-1/2), from theory for the activations of the engine, and by quadrature for
    any other.
    """
    found = Counter(
        (_name(stage.activation, stage.power), stage.power)
        for stage in seen.leaves
        if stage.activation and (stage.activation in _known() or stage.power)
    )
    if not found:
        return None, 1.0
    (name, power), _ = found.most_common(1)[0]
    return name, _gain(name) if power is None else power**-0.5


def usual_activation(form: Form) -> str | None:
    """Return the most frequent activation that has closed forms, None without any."""
    found = Counter(_name(link.activation, None) for link in form.links if link.activation)
    return next((name for name, _ in found.most_common() if name in ACTIVATIONS), None)


def _name(activation: str, power: float | None) -> str:
    """Return the activation that has closed forms in place of one like it; a layer with a mean square of
    its own keeps its name.
    """
    return RELATIVES.get(activation, activation) if power is None else activation


def _known() -> set[str]:
    return {*ACTIVATIONS, *RELATIVES}


def _gain(activation: str) -> float:
    # A plan imports this file, and needs no closed form.
    from initlab.runner.theory.meanfield import gain

    return gain(activation)


def words_for(activation: str | None, scale: float | None = None) -> str:
    """Return the words of the initializer that keeps the signal through this activation, whose gain is
    `scale`; by default that which theory gives.

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
    wanted = _gain(activation) if scale is None else scale
    return f"init=variance_scaling init.scale={wanted**2:.4g} init.distribution=normal"


def initializer_of(words: str) -> tuple[str, dict[str, float | str]]:
    """Return the kind and the options that the words of an initializer give, as Gluon names them."""
    given = dict(word.split("=", 1) for word in words.split())
    kind = given.pop("init")
    options = {
        key.removeprefix("init."): float(value) if value.replace(".", "", 1).isdigit() else value
        for key, value in given.items()
    }
    kind, preset = PRESETS.get(kind, (kind, {}))
    return kind, {**preset, **options}


def python_of(words: str) -> str:
    """Return what to write in Python for words: of an initializer, or another `data.batch`.

    What is neither is a sentence, and stays.
    """
    if words.startswith("data."):
        return f"initlab.diagnose(net, inputs), with a larger batch ({words})"
    if not words.startswith("init="):
        return words
    kind, options = initializer_of(words)
    given = "".join(f", {name}={value!r}" for name, value in options.items())
    return f"net.initialize(init.create({kind!r}{given}), force_reinit=True)"


def torch_of(words: str) -> str:
    """Return the same for a module of PyTorch."""
    if words.startswith("data."):
        return f"initlab.torch.diagnose(module, inputs), with a larger batch ({words})"
    if not words.startswith("init="):
        return words
    kind, options = initializer_of(words)
    chosen: object = {"kind": kind, **options} if options else kind
    return f"initlab.torch.plan(module, {chosen!r}).apply(module)"


def heavy_biases(seen: Observation) -> list[str]:
    """Return the paths of biases that are larger than what the weights of their layer make of an input
    of unit size.
    """
    weights = {t.path.rpartition(".")[0]: t for t in seen.tensors if len(t.shape) > 1}
    hidden = {stage.path for stage in seen.leaves[:-1]}
    found = []
    for tensor in seen.tensors:
        layer, _, name = tensor.path.rpartition(".")
        weight = weights.get(layer)
        if name != "bias" or weight is None or layer not in hidden or weight.rms == 0:
            continue
        if tensor.rms > HEAVY * weight.rms / usual_size(weight):
            found.append(tensor.path)
    return found


def cures_for(seen: Observation) -> list[str]:
    """Return what may be written for a network instead, the most specific first: biases of zero where
    they are heavy, then words of initializers by its containers, then by its activation.
    """
    heavy = heavy_biases(seen)
    if heavy:
        more = f" and {counted(len(heavy) - 1, 'more')}" if len(heavy) > 1 else ""
        return [f"a bias_initializer of zeros: {heavy[0]}{more} outweighs what enters"]
    kinds = {stage.kind for stage in (*seen.trunk, *seen.leaves)}
    found = ["init=gpt2"] if kinds & set(TRANSFORMERS) else []
    if any(stage.branch is not None for stage in seen.trunk):
        normalizes = any("Norm" in kind for kind in kinds)
        found += ["init=residual_scaled"] if normalizes else ["init=fixup", "init=residual_scaled"]
    return [*found, words_for(*activation_of(seen))]


def cure_for(seen: Observation, usable: Callable[[str], bool]) -> tuple[str, ...]:
    """Return the first that can be used, else what is left to do: no initializer helps."""
    for words in cures_for(seen):
        if not words.startswith("init=") or usable(words):
            return (words,)
    blocks = sum(stage.weighted for stage in seen.hidden)
    branches = sum(stage.branch is not None for stage in seen.trunk)
    if branches:
        return (
            f"smaller branches: what each of {branches} blocks adds, times {branches**-0.5:.2g}",
        )
    if blocks >= MANY:
        return ("fewer blocks, or a shortcut around each: no initializer that theory gives helps",)
    return (
        "another activation, normalization or size of layers: no initializer that theory gives helps",
    )


def can_draw(network: Network, words: str, seed: int, tensors: Sequence[Tensor]) -> bool:
    """Return whether the words of an initializer suit a network whose shapes are all known, and draw
    weights of another size than these, or orthogonal ones.
    """
    kind, options = initializer_of(words)
    try:
        rows = make_plan(network, (), init.create(kind, **options), seed).rows
    except (ConfigError, MXNetError, ValueError):
        return False
    there = {tensor.path: tensor for tensor in tensors if len(tensor.shape) > 1}
    pairs = [(row.law.std, there[row.path].rms) for row in rows if row.path in there]
    return kind == "haar" or not all(
        std is not None and math.isclose(float(std), rms, rel_tol=SAME) for std, rms in pairs
    )
