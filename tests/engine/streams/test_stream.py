"""Keys, cursors, scopes and seeds."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from initlab.engine import nd, streams
from initlab.engine.errors import StreamError
from initlab.engine.streams import Key, Stream

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def seeded():
    streams.seed(0)
    yield
    streams.seed(0)


def test_the_cursor_is_rounded_up_to_a_multiple_of_eight():
    stream = Stream(Key(0, "cursor"))
    first = stream.uniform(0, 1, 3)
    assert stream.cursor == 8
    second = stream.normal(0, 1, 9)
    assert stream.cursor == 24
    assert (first == streams.uniform(Key(0, "cursor"), 0, 3, 0, 1)).all()
    assert (second == streams.normal(Key(0, "cursor"), 8, 9, 0, 1)).all()


def test_integers_lie_in_their_range_and_reach_both_ends():
    drawn = Stream(Key(0, "integers")).integers(-2, 3, 1000)
    assert drawn.dtype == np.int64
    assert set(drawn.tolist()) == {-2, -1, 0, 1, 2}


@pytest.mark.parametrize(("low", "high"), [(1, 1), (2, 1), (0, 2**32 + 1)])
def test_an_impossible_range_of_integers_is_refused(low, high):
    with pytest.raises(ValueError, match="low must be less than high"):
        Stream(Key(0, "x")).integers(low, high, 1)


def test_seeding_brings_the_ambient_stream_back_to_its_start():
    streams.seed(5)
    first = streams.current().uniform(0, 1, 4)
    assert not (streams.current().uniform(0, 1, 4) == first).all()
    streams.seed(5)
    assert (streams.current().uniform(0, 1, 4) == first).all()


def test_a_scope_is_drawn_from_while_it_is_open_and_only_in_its_thread():
    inner = Stream(Key(1, "inner"))
    seen = []
    with streams.scope(inner):
        assert streams.current() is inner
        thread = threading.Thread(target=lambda: seen.append(streams.current()))
        thread.start()
        thread.join()
    assert seen == [streams.ambient()]
    assert streams.current() is streams.ambient()


def test_an_unseeded_process_is_seed_zero():
    script = (
        "from initlab.engine import streams; print(streams.current().uniform(0, 1, 3).tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(streams.current().uniform(0, 1, 3).tolist())


def test_an_unknown_stream_version_is_refused_with_the_known_ones():
    with pytest.raises(
        StreamError,
        match=r"no stream version 'initlab-2' - did you mean 'initlab-1'\? Known: initlab-1, mxnet-1.9.1, mxnet-1.9.1-xvariate, torch-2.13\.",
    ):
        streams.use("initlab-2")
    environment = {**os.environ, "ENGINE_STREAM": "initlab-9"}
    done = subprocess.run(
        [sys.executable, "-c", "import initlab.engine as engine; engine.nd.random.uniform()"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "no stream version 'initlab-9'" in done.stderr


def test_what_is_drawn_while_streams_are_kept_leaves_no_trace():
    streams.seed(5)
    first, second = (nd.random.normal(shape=(4,)).asnumpy() for _ in range(2))
    streams.seed(5)
    epoch = streams.epoch()
    assert (nd.random.normal(shape=(4,)).asnumpy() == first).all()
    with streams.kept():
        assert streams.current_seed() == 5
        streams.seed(8)
        nd.random.normal(shape=(4,))
        with streams.using("mxnet-1.9.1"):
            nd.random.normal(shape=(4,))
    assert (streams.current_seed(), streams.epoch()) == (5, epoch)
    assert (nd.random.normal(shape=(4,)).asnumpy() == second).all()


def test_the_version_and_the_scopes_are_as_before_however_the_work_ended():
    before, stream = streams.version(), streams.Stream(streams.Key(3, "left"))
    with pytest.raises(KeyError), streams.kept():
        streams.use("torch-2.13")
        streams.scope(stream).__enter__()
        raise KeyError
    assert streams.version() == before
    assert streams.current() is not stream
