"""A plan draws any part of any parameter, and the part is that of the whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine import laws
from initlab.engine.errors import LawError, StreamError
from initlab.engine.streams import Key
from initlab.runner.declare import declare
from initlab.runner.errors import ConfigError
from initlab.runner.plan import rows as plans
from initlab.runner.plan.rows import Row

ROOT = Path(__file__).parents[3]
LAWS = [
    laws.Normal(0.5, 0.02),
    laws.Uniform(-1, 3),
    laws.TruncatedNormal(0, 1),
    laws.Constant(3),
    laws.Haar(1.5),
    laws.Structured("identity"),
    laws.ForgetGate(1.0),
]


def row(shape: tuple[int, ...], law: laws.Law, dtype: str = "float32") -> Row:
    return Row(
        "w",
        shape,
        dtype,
        None,
        None,
        None,
        None,
        "init",
        "Normal",
        law,
        Key(3, "w"),
        "initlab-1",
        None,
        0,
    )


def selections(axes: int):
    ends = st.integers(-30, 30) | st.none()
    part = st.builds(slice, ends, ends, st.sampled_from([None, 1, 2, 7, -1, -3])) | st.just(...)
    return (
        st.lists(part, max_size=axes)
        .map(tuple)
        .filter(lambda parts: sum(p is ... for p in parts) < 2)
        | part
    )


@pytest.mark.parametrize("law", LAWS, ids=str)
@settings(max_examples=60, deadline=None)
@given(selection=selections(3), chunk=st.sampled_from([1, 50, 1 << 20]))
def test_a_selection_is_that_of_the_whole(law, selection, chunk):
    planned = row((20, 4, 5), law)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plans, "CHUNK", chunk)
        part = planned.draw(selection)
    whole = planned.draw()
    assert part.shape == whole[selection].shape
    assert part.tobytes() == whole[selection].tobytes()


@pytest.mark.parametrize(
    "selection", [3, -1, (2, 1), (2, 1, 4), (..., 0), (1, ...), (slice(2, 5), 3), np.int64(4)]
)
def test_numbers_select_as_numpys_do(selection):
    planned = row((20, 4, 5), LAWS[0])
    assert planned.draw(selection).tobytes() == planned.draw()[selection].tobytes()


@pytest.mark.parametrize(
    "selection", [20, -21, (0, 4), (0, 0, 0, 0), (..., ...), None, [1, 2], True, "a", 1.5]
)
def test_a_selection_that_cannot_be_is_refused(selection):
    with pytest.raises(IndexError):
        row((20, 4, 5), LAWS[0]).draw(selection)


def test_a_few_rows_of_a_parameter_that_fits_no_memory_are_drawn():
    planned = row((1 << 40, 8), LAWS[0], "float16")
    part = planned.draw(slice((1 << 40) - 3, None))
    assert part.shape == (3, 8) and part.dtype == np.float16
    assert (
        part.tobytes()
        == LAWS[0].draw(Key(3, "w"), (1 << 40, 8), "float16", 8 * ((1 << 40) - 3)).tobytes()
    )


def test_a_declared_run_is_planned_and_its_parameters_drawn_as_the_run_draws_them(only_run):
    from initlab.engine import formats

    planned = declare("init=xavier", "model=shared").plan
    tensors = (
        formats.get("safetensors")
        .read(only_run("init=xavier", "model=shared") / "snapshot.safetensors")
        .tensors
    )
    assert planned["0.weight"].draw().tobytes() == tensors["0.weight"].tobytes()
    assert planned["2.weight"].draw(slice(1, 3)).tobytes() == tensors["1.weight"][1:3].tobytes()
    with pytest.raises(KeyError, match="no parameter '0.weigth' - did you mean '0.weight'"):
        planned["0.weigth"]


def test_a_fresh_process_declares_and_draws():
    script = "from initlab.runner.declare import declare; print(declare('init=constant', 'init.value=3').plan['0.weight'].draw((1, slice(2))))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        cwd="/",
    )
    assert (done.returncode, done.stdout) == (0, "[3. 3.]\n"), done.stderr


def test_what_cannot_be_drawn_alone_says_why():
    with pytest.raises(
        StreamError,
        match=r"'0.weight' cannot be drawn alone: stream mxnet-1.9.1 is drawn from in order - use initlab-1",
    ):
        declare("init=normal", "stream=mxnet-1.9.1").plan["0.weight"].draw()
    with pytest.raises(LawError, match="come from its own code"):
        row((2, 2), laws.Custom("Mine")).draw()
    with pytest.raises(ConfigError, match="did you mean 'normal'"):
        declare("init=norml")
