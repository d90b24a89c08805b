"""Features by MXNet's names."""

from __future__ import annotations

import pytest

import initlab.engine as mx
from initlab.engine import runtime


def test_every_feature_is_on_or_off():
    features = runtime.Features()
    assert features is runtime.Features()
    assert len(features) == 32
    assert features.is_enabled("lapack")
    assert features.is_enabled("CUDA") == (mx.num_gpus() > 0)
    assert not features.is_enabled("MKLDNN")
    assert repr(features["LAPACK"]) == "✔ LAPACK"
    assert "✖ OPENCV" in repr(features)


def test_an_unknown_feature_is_refused_in_mxnets_words():
    with pytest.raises(RuntimeError, match="Feature 'X' is unknown, known features are: "):
        runtime.Features().is_enabled("x")
