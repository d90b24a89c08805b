"""`util`: `mx.np` is off and cannot be switched on; the environment."""

from __future__ import annotations

import pytest

import initlab.engine as mx
from initlab.engine import util
from initlab.engine.errors import MXNetError


def test_numpys_interface_is_off():
    assert not util.is_np_array()
    assert not util.is_np_shape()
    util.reset_np()
    util.set_np(shape=False, array=False)
    with util.np_shape(False), util.np_array(False):
        assert not util.set_np_shape(False)


@pytest.mark.parametrize("switch", [util.set_np, lambda: util.set_np_shape(True)])
def test_switching_it_on_is_one_error(switch):
    with pytest.raises(MXNetError, match=r"mx\.np is not here: write mx\.nd"):
        switch()


def test_a_decorator_names_what_it_decorates():
    with pytest.raises(MXNetError, match=r"use_np on Net: mx\.np is not here"):

        @mx.util.use_np
        class Net:
            pass


def test_environment_variables_are_set_read_and_removed(monkeypatch):
    monkeypatch.delenv("INITLAB_TRIAL", raising=False)
    util.setenv("INITLAB_TRIAL", "1")
    assert util.getenv("INITLAB_TRIAL") == "1"
    util.setenv("INITLAB_TRIAL", None)
    assert util.getenv("INITLAB_TRIAL") is None


def test_a_module_is_set():
    @util.set_module("mx.own")
    def function():
        pass

    assert function.__module__ == "mx.own"


def test_gpus_are_counted():
    assert util.get_gpu_count() == mx.num_gpus()
