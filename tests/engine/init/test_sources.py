"""The constants of every initializer are those of its source: numbers computed by hand from a
paper's equation or the authors' code, for small layers.
"""

from __future__ import annotations

import pytest
from described import described, law

from initlab.engine import laws
from initlab.engine.init.base import KINDS, Initializer

CONV = ("out", "in", "spatial", "spatial")
DENSE = ("dense.weight", 32, 8)
"""fan_in 8, fan_out 32: mean 20."""
KERNEL = ("conv.weight", 32, 8, 3, 3)
"""fan_in 72, fan_out 288: mean 180."""
EMBEDDING = ("embed.weight", 1000, 64)
SINES = {"w0": 30.0, "first": []}
NAMED = {"multiplier": [r".*\.scale"]}
N12 = {"layers": 12, "scaled": [r".*v\.weight"]}
FIXUP = {"branches": 16, "layers": 2, "branch": [r"body.*"], "zero": [r"last.*"]}
MUP = {"input": ["in.weight"], "output": ["out.weight"], "base": 4}
T6 = {
    "layers": 6,
    "encoder": [r"enc.*"],
    "decoder": [r"dec.*"],
    "embedding": [r".*embed\.weight"],
}
SOURCES = [
    # torch/nn/init.py: kaiming_normal_, kaiming_uniform_: gain / sqrt(fan), bound sqrt(3) std
    ("he", DENSE, {}, 0.5),
    ("he", KERNEL, {"mode": "out"}, 1 / 12),
    ("he", KERNEL, {"distribution": "uniform"}, 1 / 6),
    ("he", DENSE, {"slope": 1.0}, 0.35355339059327373),
    # keras/src/initializers: VarianceScaling, GlorotNormal, GlorotUniform, LecunNormal; flax lecun_normal
    ("lecun", DENSE, {}, 0.35355339059327373),
    ("variance_scaling", DENSE, {"mode": "avg", "distribution": "normal"}, 0.22360679774997896),
    ("variance_scaling", DENSE, {"mode": "avg", "distribution": "uniform"}, 0.22360679774997896),
    ("variance_scaling", DENSE, {"scale": 2.0, "mode": "out"}, 0.25),
    # mxnet/python/mxnet/initializer.py: Xavier, MSRAPrelu, Uniform, Normal
    ("xavier", DENSE, {}, 0.22360679774997896),
    ("xavier", DENSE, {"rnd_type": "gaussian", "magnitude": 2}, 0.31622776601683794),
    ("msra_prelu", DENSE, {}, 0.30678599553894819),
    ("uniform", DENSE, {}, 0.040414518843273805),
    ("default", DENSE, {}, 0.040414518843273805),  # gluon/block.py: initialize(init=Uniform())
    ("normal", DENSE, {}, 0.01),
    # torch trunc_normal_(std=0.01, a=-0.02, b=0.02): the std after the cut is 0.87962566 of that before
    ("truncated_normal", DENSE, {}, 0.0087962566),
    ("truncated_normal", DENSE, {"std_is": "after"}, 0.01),
    # vsitzmann/siren modules.py: sine_init sqrt(6 / n) / 30, first_layer_sine_init 1 / n
    ("siren", DENSE, SINES, 0.016666666666666666),
    ("siren", DENSE, SINES | {"first": ["dense.*"]}, 0.07216878364870323),
    # hongyi-zhang/Fixup: sqrt(2 / fan) L^(-1/2) in basic blocks, L^(-1/4) in bottlenecks, 0 at their ends
    ("fixup", ("body.weight", 8, 8), FIXUP, 0.125),
    ("fixup", ("body.weight", 8, 8), FIXUP | {"layers": 3}, 0.25),
    ("fixup", ("stem.weight", 8, 8), FIXUP, 0.5),
    ("fixup", ("last.weight", 8, 8), FIXUP, 0.0),
    # De and Smith 2020: alpha = 0; He elsewhere
    ("skipinit", ("block.scale", 1), NAMED, 0.0),
    ("skipinit", DENSE, NAMED, 0.5),
    # Radford et al. 2019: 0.02 / sqrt(N), N residual layers = 2 a block
    ("residual_scaled", DENSE, {"layers": 12}, 0.00408248290463863),
    # layer6ai-labs/T-Fixup: xavier_uniform_ times 0.67 N^(-1/4), (9 N)^(-1/4); Embedding std d^(-1/2)
    ("t_fixup", ("x.weight", 8, 8), T6, 0.35355339059327373),
    ("t_fixup", ("enc.weight", 8, 8), T6, 0.1513533356046490),
    ("t_fixup", ("dec.weight", 8, 8), T6, 0.1304237150061072),
    ("t_fixup", EMBEDDING, T6, 0.125),
    # Wang et al. 2022, figure 2: xavier_normal_, gain (8 N)^(-1/4): 96^(-1/4) = 0.319471
    ("deepnorm", ("q.weight", 8, 8), N12, 0.35355339059327373),
    ("deepnorm", ("v.weight", 8, 8), N12, 0.1129502504512306),
    # torchvision/models/vgg.py: kaiming_normal_ with fan_out for Conv2d, std 0.01 for Linear
    ("vgg", KERNEL, {}, 1 / 12),
    ("vgg", DENSE, {}, 0.01),
    # Yang and Hu 2022, table 3: 1 / fan_in, 1 / fan_in, base / fan_in^2
    ("mup", ("in.weight", 64, 16), MUP, 0.25),
    ("mup", ("body.weight", 64, 64), MUP, 0.125),
    ("mup", ("out.weight", 10, 64), MUP, 0.03125),
]


@pytest.mark.parametrize(("kind", "place", "options", "std"), SOURCES)
def test_the_standard_deviation_is_the_sources(kind, place, options, std):
    path, *shape = place
    roles = CONV if len(shape) == 4 else ("group", "out") if "embed" in path else None
    drawn = law(kind, described(path, *shape, roles=roles), **options)
    assert drawn.std == pytest.approx(std, rel=1e-7)


DISTRIBUTIONS = {
    "deepnorm": laws.Normal,  # xavier_normal_ in figure 2
    "fixup": laws.Normal,
    "he": laws.Normal,
    "lecun": laws.TruncatedNormal,
    "msra_prelu": laws.Normal,
    "mup": laws.Normal,
    "residual_scaled": laws.Normal,
    "siren": laws.Uniform,
    "skipinit": laws.Normal,
    "t_fixup": laws.Uniform,  # xavier_uniform_ in the authors' code
    "vgg": laws.Normal,
    "xavier": laws.Uniform,
}


@pytest.mark.parametrize("kind", DISTRIBUTIONS)
def test_the_distribution_is_the_sources(kind):
    options = next((given for of, _, given, std in SOURCES if of == kind and std), {})
    assert type(law(kind, described("dense.weight", 32, 8), **options)) is DISTRIBUTIONS[kind]


OTHERWISE = {
    "bilinear": "test_bilinear",
    "constant": "test_constant",
    "delta_orthogonal": "test_orthogonal",
    "gluon_orthogonal": "test_orthogonal, against MXNet's own values",
    "icnr": "test_subpixel",
    "identity": "test_identity",
    "load": "test_load",
    "lstm_bias": "test_recurrent",
    "lsuv": "test_lsuv",
    "mixed": "test_mixed",
    "one": "test_constant",
    "orthogonal": "test_orthogonal",
    "zero": "test_constant",
}
"""Initializers without a spread of their own: kind -> the module of their test."""


def test_every_initializer_has_its_source():
    shipped = {
        kind
        for kind, cls in KINDS.entries().items()
        if issubclass(cls, Initializer) and cls.__module__.startswith("initlab.engine.init")
    }
    assert shipped == {kind for kind, *_ in SOURCES} | OTHERWISE.keys()


@pytest.mark.parametrize("place", [("q.weight", 24, 8), ("v.weight", 24, 8)])
def test_deepnorm_scales_only_the_values_of_packed_projections(place):
    path, *shape = place
    drawn = law("deepnorm", described(path, *shape, roles=("out*3", "in")), **N12)
    std, scaled = 0.35355339059327373, 0.1129502504512306
    if path == "q.weight":
        assert drawn.std == pytest.approx(std)
    else:
        assert [one.std for one in drawn.laws] == pytest.approx([std, std, scaled], rel=1e-7)
