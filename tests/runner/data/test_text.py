"""Text in windows."""

from __future__ import annotations

import numpy as np

from initlab.runner.check.verify import verify
from initlab.runner.data import text


def test_text_comes_in_windows_labelled_with_what_follows():
    batch = text.Text(batch=3).load((10,), 0)
    assert (batch.inputs.shape, batch.labels.shape) == ((3, 10), (3, 10))
    assert (batch.inputs[:, 1:] == batch.labels[:, :-1]).all()
    assert bytes(batch.inputs[0].astype(np.uint8)) == text.topics()[:10]
    train, test = text.Text().training((10,), 0)
    assert len(train.inputs) == text.MOST_WINDOWS >= len(test.inputs) > 100


def test_a_changed_text_changes_the_run_id(only_run, monkeypatch):
    words = ["model=lstm_lm", "data=text", "probe=none"]
    one = only_run(*words)
    monkeypatch.setattr(text, "topics", lambda: b"another text " * 100_000)
    answer = verify(one)
    assert (answer.code, "the file of data has changed since the run" in answer.text) == (
        2,
        True,
    ), answer.text
    assert only_run(*words).name != one.name
