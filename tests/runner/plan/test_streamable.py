"""What a streamed run cannot have."""

from __future__ import annotations


def test_what_a_streamed_run_cannot_have_is_refused_all_at_once(command):
    done = command(
        "init_mode=streamed", "stream=mxnet-1.9.1", "snapshot=npz", "threads=0", "model.input=null"
    )
    assert done.code == 2
    assert [line.split(": ")[1] for line in done.err.splitlines()] == [
        "threads",
        "model.input",
        "stream",
        "snapshot.kind",
    ]
    done = command("init_mode=streamed", "snapshot=none")
    assert (
        "probe: a streamed run without a snapshot keeps no values that could be probed - use snapshot=safetensors, or probe=none"
        in done.err
    )
