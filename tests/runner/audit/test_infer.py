"""The law of a tensor is found from its values; nothing fresh is called trained."""

from __future__ import annotations

import numpy as np
import pytest
from fresh import LAWS, tensors, trained

from initlab.engine import dtypes, laws
from initlab.engine.streams import Key
from initlab.runner.audit.infer import infer

RNG = np.random.default_rng(0)


def test_nothing_fresh_is_called_trained():
    said = {name: infer(values) for name, values in tensors(seed=0)}
    assert {name: str(found) for name, found in said.items() if not found.fresh} == {}
    assert len(said) > 250


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_nothing_fresh_is_called_trained_in_thousands(dtype):
    count = 0
    for seed in range(1, 5):
        for name, values in tensors(seed, dtype):
            found = infer(values)
            count += 1
            assert found.fresh, (seed, name, str(found), found.remarks)
    assert count > 1000


@pytest.mark.parametrize(
    ("law", "shape", "kind"),
    [
        ("uniform", (64, 64), "uniform"),
        ("uniform beside 0", (64, 64), "uniform"),
        ("normal", (64, 64), "normal"),
        ("normal about 1", (64, 64), "normal"),
        ("cut at 2", (64, 64), "truncated normal (2σ)"),
        ("cut at 3", (300, 200), "truncated normal (3σ)"),
        ("haar", (32, 32), "orthogonal"),
        ("haar of gates", (64, 16), "orthogonal"),
        ("delta", (16, 8, 3, 3), "orthogonal"),
        ("singular vectors", (32, 32), "orthogonal"),
        ("identity", (32, 32), "identity"),
        ("identity of gates", (64, 16), "identity"),
        ("identity", (8, 8, 3, 3), "identity"),
        ("bilinear", (4, 4, 4, 4), "pattern"),
        ("forget gate", (64,), "pattern"),
        ("repeated", (64, 64), "normal"),
        ("blocks", (96, 32), "blocks"),
        ("stacked", (96, 32), "blocks"),
        ("constant", (64, 64), "constant"),
        ("row", (64, 8), "pattern"),
    ],
)
def test_each_law_is_found(law, shape, kind):
    assert infer(LAWS[law].draw(Key(0, law), shape)).kind == kind


def test_the_numbers_of_a_law_are_found():
    normal = infer(laws.Normal(0, 0.02).draw(Key(0, "a"), (200, 200)))
    assert normal.numbers == pytest.approx({"std": 0.02}, rel=0.02)
    uniform = infer(laws.Uniform(-0.1, 0.1).draw(Key(0, "a"), (200, 200)))
    assert uniform.numbers == pytest.approx({"std": 0.1 / 3**0.5, "bound": 0.1}, rel=1e-3)
    assert infer(laws.Haar(1.3).draw(Key(0, "a"), (32, 32))).numbers["gain"] == pytest.approx(1.3)


def test_a_square_orthogonal_matrix_is_one_and_gates_are_several():
    whole, gates = (
        laws.Haar(1.0, blocks=count).draw(Key(0, "q"), (64, 64 // count)) for count in (1, 4)
    )
    assert infer(whole).remarks == ()
    assert infer(gates).remarks == ("in 4 blocks of axis 0, each of its own",)


def test_blocks_have_a_law_each():
    found = infer(laws.Blocks((0.1, 0.1, 0.05)).draw(Key(0, "a"), (96, 32)))
    assert (found.axis, [part.kind for part in found.parts]) == (0, ["uniform"] * 3)
    assert [part.numbers["bound"] for part in found.parts] == pytest.approx(
        [0.1, 0.1, 0.05], rel=0.01
    )


@pytest.mark.parametrize("shape", [(64, 64), (128, 128), (512, 128), (1024, 1024)])
def test_what_was_trained_is_not_called_fresh(shape):
    assert infer(trained(shape)).kind == "trained"


def test_memory_that_nobody_wrote_is_unset():
    found = infer(np.frombuffer(RNG.bytes(4096), np.float32))
    assert found.kind == "unset"
    values = np.full(100, 0.5, np.float32) + RNG.normal(size=100).astype(np.float32)
    values[3] = 1e30
    assert infer(values).remarks == (f"1 of 100 elements are far larger than the median {np.median(np.abs(values)):.3g}",) or infer(values).kind == "unset"  # fmt: skip
    values[3] = 1e-38
    assert infer(values).kind == "unset"
    values[3] = np.nan
    assert infer(values).remarks == ("1 of 100 elements are NaN or infinite",)


def test_zero_rows_are_said_and_the_rest_is_judged():
    values = RNG.normal(size=(1000, 16)).astype(np.float32)
    values[0] = 0
    found = infer(values)
    assert (found.kind, found.remarks) == ("normal", ("zero rows: 0",))


def test_the_same_numbers_twice_are_said():
    half = RNG.normal(size=(32, 16))
    assert infer(np.concatenate([half, half])).remarks == ("the same numbers 2 times along axis 0",)
    assert infer(np.concatenate([half, half], 1)).remarks == (
        "the same numbers 2 times along axis 1",
    )
    assert infer(np.repeat(half, 3, 0)).remarks == ("each row of axis 0 stands 3 times",)


def test_few_elements_leave_several_laws():
    found = infer(laws.Normal(0, 1).draw(Key(0, "few"), (4, 4)))
    assert found.others and all("16 elements are too few" in why for why in found.others.values())


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.zeros((3, 4), np.float32), "zeros"),
        (np.ones(7), "ones"),
        (np.float32(0.25), "constant"),
        (np.zeros((0, 3)), "empty"),
        (np.arange(5), "whole numbers"),
        (np.array([True]), "whole numbers"),
        (np.linspace(0, 1, 50), "pattern"),
        (np.geomspace(1e-4, 1, 50), "pattern"),
        (np.log(np.arange(1, 17)), "pattern"),
    ],
)
def test_values_without_chance_are_named(values, kind):
    assert infer(np.asarray(values)).kind == kind


def test_a_view_is_judged_like_its_copy():
    values = laws.Normal(0, 1).draw(Key(0, "view"), (256, 512))
    turned = infer(values.T)
    assert (turned.kind, turned.numbers) == (
        infer(values.T.copy()).kind,
        infer(values.T.copy()).numbers,
    )


def test_a_large_tensor_takes_little_memory():
    import tracemalloc

    values = laws.Normal(0, 0.02).draw(Key(0, "large"), (6000, 1000))
    tracemalloc.start()
    assert infer(values).kind == "normal"
    assert tracemalloc.get_traced_memory()[1] < 80 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
@pytest.mark.parametrize("shape", [(8, 128, 96), (256, 64, 7), (4, 65536), (16, 4, 20, 100)])
def test_long_rows_that_are_almost_at_right_angles_by_chance_are_not_orthogonal(shape, dtype):
    for seed in range(5):
        values = laws.Normal(0, 0.02).draw(Key(seed, "long"), shape)
        assert infer(values.astype(dtypes.resolve(dtype))).kind != "orthogonal"


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
@pytest.mark.parametrize("shape", [(4, 4), (16, 5), (64, 2000), (300, 300), (48, 16, 3, 3)])
def test_orthogonal_rows_stay_so_in_every_dtype(shape, dtype):
    for seed in range(5):
        values = laws.Haar(1.5).draw(Key(seed, "right"), shape)
        found = infer(values.astype(dtypes.resolve(dtype)))
        assert found.kind == "orthogonal" and abs(found.numbers["gain"] - 1.5) < 0.01


@pytest.mark.parametrize("count", [1, 3])
def test_a_few_values_far_from_all_others_are_named_with_the_law_of_the_others(count):
    values = np.random.default_rng(3).normal(size=(300, 400)).astype(np.float32) * np.float32(0.02)
    values[np.arange(count), 7] = -2
    found = infer(values)
    assert found.kind == "unknown" and not found.fresh
    few = "1 element is -2" if count == 1 else "3 elements are far away, up to -2"
    (said,) = found.remarks
    assert said.startswith(f"{few}, 100 standard deviations; without: normal: std 0.0")


def test_heavy_tails_are_no_few_values():
    values = np.random.default_rng(4).standard_t(3, size=(300, 400)).astype(np.float32)
    assert not infer(values).remarks or "without:" not in infer(values).remarks[0]
