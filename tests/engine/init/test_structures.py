"""Initializers that know a network's structure: sine, sub-pixel, residual, transformer and
width-scaled networks, and LSUV.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from initlab.engine import init, laws, nd
from initlab.engine.errors import OptionError
from initlab.engine.gluon.contrib.nn import PixelShuffle2D
from initlab.engine.init import Description
from initlab.engine.streams import Key


def described(path: str, *shape: int, roles: tuple[str, ...] | None = None) -> Description:
    usual = ("out", "in", *["spatial"] * (len(shape) - 2)) if len(shape) > 1 else ("out",)
    return Description(path, path, shape, "float32", roles or usual)


def law(kind: str, description: Description, **options) -> laws.Law:
    return init.by_name(kind)(**options).law(description)


def test_siren_is_sitzmanns():
    assert law("siren", described("body.fc.weight", 8, 24)) == laws.Uniform(-0.5 / 30, 0.5 / 30)
    assert law("siren", described("first.weight", 8, 4), first=[r"first\.weight"]) == laws.Uniform(
        -0.25, 0.25
    )
    assert law("siren", described("x.weight", 8, 24), w0=1.0) == laws.Uniform(-0.5, 0.5)


def test_icnr_repeats_sub_kernels_so_that_a_pixel_shuffle_gives_blocks_of_one_colour():
    chosen = law("icnr", described("up.weight", 8, 3, 1, 1), init=init.He())
    assert chosen == laws.Repeated(laws.Normal(0.0, math.sqrt(2 / 3)), 4)
    weight = chosen.draw(Key(0, "up.weight"), (8, 3, 1, 1))[:, :, 0, 0]
    image = np.random.Generator(np.random.PCG64(1)).normal(size=(1, 3, 5, 4))
    channels = np.einsum("oi,bihw->bohw", weight, image)
    shuffled = PixelShuffle2D(2)(nd.array(channels)).asnumpy().reshape(1, 2, 5, 2, 4, 2)
    assert (shuffled == shuffled[:, :, :, :1, :, :1]).all()


def test_icnr_leaves_what_has_no_kernel_to_its_initializer_and_counts_each_axis():
    assert law("icnr", described("fc.weight", 7, 3)) == init.He().law(described("fc.weight", 7, 3))
    assert law("icnr", described("up.weight", 6, 3, 3), upscale=3).times == 3
    with pytest.raises(ValueError, match=r"must run over outputs and divide by 2\^2"):
        law("icnr", described("up.weight", 6, 3, 3, 3))


def test_fixup_is_zhangs():
    options = {
        "branches": 16,
        "layers": 3,
        "branch": [r"body\..*fc1\.weight"],
        "zero": [r".*fc2\.weight", r"head\.weight"],
    }
    assert law("fixup", described("stem.weight", 8, 8), **options) == laws.Normal(0.0, 0.5)
    assert law("fixup", described("body.0.fc1.weight", 8, 8), **options) == laws.Normal(
        0.0, 0.5 * 16**-0.25
    )
    assert law("fixup", described("body.0.fc2.weight", 8, 8), **options) == laws.Constant(0.0)
    assert law("fixup", described("head.weight", 8, 8), **options) == laws.Constant(0.0)
    one = options | {"layers": 1}
    assert law("fixup", described("body.0.fc1.weight", 8, 8), **one) == laws.Normal(0.0, 0.5)


def test_skipinit_is_0_for_multipliers_and_he_elsewhere():
    assert law("skipinit", described("body.0.scale", 1)) == laws.Constant(0.0)
    assert law("skipinit", described("body.0.fc.weight", 8, 8)) == laws.Normal(0.0, 0.5)
    chosen = init.by_name("skipinit")()
    assert chosen.claims("body.0.scale") and not chosen.claims("body.0.fc.bias")
    assert chosen.check(["a.weight"]) == []
    assert init.by_name("skipinit")(multiplier=["x"]).check(["a.weight"])


def test_t_fixup_is_huangs():
    options = {
        "layers": 6,
        "encoder": [r"enc\..*"],
        "decoder": [r"dec\..*"],
        "embedding": [r".*embed\.weight"],
    }
    bound = math.sqrt(3 / 8)
    assert law("t_fixup", described("other.weight", 8, 8), **options) == laws.Uniform(-bound, bound)
    scaled = law("t_fixup", described("enc.ffn.weight", 8, 8), **options)
    assert scaled.high == pytest.approx(0.67 * 6**-0.25 * bound)
    scaled = law("t_fixup", described("dec.ffn.weight", 8, 8), **options)
    assert scaled.high == pytest.approx(54**-0.25 * bound)
    assert law(
        "t_fixup", described("embed.weight", 100, 16, roles=("group", "out")), **options
    ) == laws.Normal(0.0, 0.5)


def test_deepnorm_is_wangs_and_of_packed_weights_scales_the_values_only():
    bound, gain = math.sqrt(3 / 8), 8**-0.25
    assert law("deepnorm", described("q.weight", 8, 8)) == laws.Uniform(-bound, bound)
    assert law(
        "deepnorm", described("v.weight", 8, 8), scaled=[r"v\.weight"]
    ).high == pytest.approx(gain * bound)
    packed = law(
        "deepnorm", described("qkv.weight", 24, 8, roles=("out*3", "in")), scaled=[r"qkv\.weight"]
    )
    assert packed.bounds == pytest.approx((bound, bound, gain * bound))


MUP = {"input": [r"stem\.weight"], "output": [r"head\..*"], "base": 4}


@pytest.mark.parametrize(
    ("path", "shape", "variance", "adam", "sgd"),
    [
        ("stem.weight", (64, 10), 1 / 10, 1.0, 16.0),
        ("body.weight", (64, 64), 1 / 64, 1 / 16, 1.0),
        ("head.weight", (10, 64), 4 / 64**2, 1 / 16, 1 / 16),
        ("body.bias", (64,), None, 1.0, 16.0),
        ("head.bias", (10,), None, 1.0, 1.0),
    ],
)
def test_mup_is_table_3_of_tensor_programs_v(path, shape, variance, adam, sgd):
    description = described(path, *shape)
    for optimizer, multiplier in (("adam", adam), ("sgd", sgd)):
        chosen = init.by_name("mup")(**MUP, optimizer=optimizer)
        assert chosen.learning_rate_multiplier(description) == pytest.approx(multiplier)
        if variance is not None:
            assert chosen.law(description).std ** 2 == pytest.approx(variance)


def test_mup_at_its_base_is_the_standard_parametrization():
    chosen = init.by_name("mup")(**(MUP | {"base": 64}))
    for path, shape in (("body.weight", (64, 64)), ("head.weight", (10, 64))):
        assert chosen.law(described(path, *shape)).std ** 2 == pytest.approx(1 / 64)
        assert chosen.learning_rate_multiplier(described(path, *shape)) == 1


def test_mup_may_begin_with_outputs_of_0_and_a_rule_of_mixed_passes_multipliers_on():
    chosen = init.by_name("mup")(**MUP, zero_output=True)
    assert chosen.law(described("head.weight", 10, 64)) == laws.Constant(0.0)
    mixed = init.Mixed([{"match": r"a\..*", "init": "he"}, {"match": ".*", "init": chosen}])
    assert mixed.learning_rate_multiplier(described("a.weight", 64, 64)) == 1
    assert mixed.learning_rate_multiplier(described("body.weight", 64, 64)) == 1 / 16


def test_lsuv_waits_for_data():
    assert law(
        "lsuv", described("fc.weight", 8, 4), tolerance=0.2, iterations=3
    ) == laws.DataScaled(1.0, False, 0.2, 3)
    with pytest.raises(ValueError, match="cannot be applied to vector fc.bias"):
        law("lsuv", described("fc.bias", 8))


@pytest.mark.parametrize("kind", ["siren", "fixup", "skipinit", "t_fixup", "deepnorm", "mup"])
def test_a_pattern_that_fits_nothing_is_told(kind):
    option = {
        "siren": "first",
        "fixup": "zero",
        "skipinit": "multiplier",
        "t_fixup": "encoder",
        "deepnorm": "scaled",
        "mup": "output",
    }[kind]
    chosen = init.by_name(kind)(**{option: [r"haed\.weight"]})
    (said,) = chosen.check(["stem.weight", "head.weight"])
    assert said.startswith(rf"{option}[0] ('haed\.weight') matches nothing - ")
    assert (
        init.by_name(kind)(**{option: [r"head\.weight"]}).check(["stem.weight", "head.weight"])
        == []
    )


@pytest.mark.parametrize(
    ("kind", "options", "option"),
    [
        ("siren", {"w0": 0}, "w0"),
        ("siren", {"first": "x"}, "first"),
        ("siren", {"first": ["("]}, "first[0]"),
        ("icnr", {"upscale": 0}, "upscale"),
        ("icnr", {"init": "hee"}, "init"),
        ("fixup", {"branches": 0}, "branches"),
        ("fixup", {"layers": 1.5}, "layers"),
        ("t_fixup", {"layers": 0}, "layers"),
        ("deepnorm", {"layers": 0}, "layers"),
        ("mup", {"base": 0}, "base"),
        ("mup", {"optimizer": "adagrad"}, "optimizer"),
        ("mup", {"scale": -1}, "scale"),
        ("lsuv", {"tolerance": 0}, "tolerance"),
        ("lsuv", {"iterations": 0}, "iterations"),
    ],
)
def test_an_option_that_cannot_be_is_named(kind, options, option):
    with pytest.raises(OptionError) as refused:
        init.by_name(kind)(**options)
    assert refused.value.option == option
