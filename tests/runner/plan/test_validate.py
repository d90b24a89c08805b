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
        (["stream=torch"], "stream: cannot be 'torch' - did you mean 'torch-2.13'?"),
        (
            ["stream=torch-2.13", "seed=4294967296"],
            "seed: must be a whole number from 0 to 2^32-1 with stream torch-2.13, got 4294967296",
        ),
        (
            ["stream=torch-2.13", "dtype=float64"],
            "dtype: float64 is not specified in stream torch-2.13 - use float32",
        ),
        (
            ["stream=torch-2.13", "init=orthogonal"],
            "stream torch-2.13, which has uniform, normal and truncated normal values only",
        ),
        (
            ["stream=torch-2.13", "init=truncated_normal", "init.low=2", "init.high=3"],
            "of which 2% lies between the bounds is not specified in torch's stream - use wider",
        ),
        (
            ["stream=torch-2.13", "init_mode=streamed", "probe=none"],
            "torch-2.13 is drawn from in order, a streamed run draws in any - use initlab-1, or",
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
