"""A declaration is checked before anything is drawn."""

from __future__ import annotations

import pytest

import initlab


def test_an_environment_that_names_no_stream_is_refused(command, monkeypatch):
    monkeypatch.setenv("ENGINE_STREAM", "mxnet")
    done = command()
    assert (done.code, "stream: cannot be 'mxnet' - did you mean 'mxnet-1.9.1'?" in done.err) == (
        2,
        True,
    ), done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["stream=mxnet-1.9"], "stream: cannot be 'mxnet-1.9' - did you mean 'mxnet-1.9.1'?"),
        (
            ["stream=mxnet-1.9.1", "seed=4294967296"],
            "seed: must be a whole number from 0 to 2^32-1 with stream mxnet-1.9.1, got 4294967296",
        ),
        (
            ["stream=mxnet-1.9.1", "dtype=bfloat16"],
            "dtype: bfloat16 is not specified in stream mxnet-1.9.1 - use float32, float64 or float16",
        ),
        (
            ["stream=mxnet-1.9.1", "init=truncated_normal"],
            "cannot be drawn from stream mxnet-1.9.1, which has uniform and normal values only",
        ),
    ],
)
def test_what_the_stream_cannot_do_is_refused(words, said, command, tmp_path):
    done = command(*words)
    assert done.code == 2
    assert said in done.err
    assert not (tmp_path / "outputs").exists()


def test_a_valid_config_says_in_one_short_line_what_it_is_about():
    run = initlab.declare("init=he")
    assert repr(run.checked) == f"RunConfig({run.run_id}: 4 parameters)"
