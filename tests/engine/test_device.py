"""Devices: which is the current one, and what is said where CuPy is missing, broken, or too old."""

from __future__ import annotations

import re
import sys
from contextlib import nullcontext

import numpy as np
import pytest
from standin import several_devices

from initlab.engine import autograd, device, gluon, init, nd
from initlab.engine.errors import DeviceError
from initlab.engine.gluon import nn, utils

X = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """`package(text)` is a module named cupy with that text."""

    def make(text: str) -> None:
        (tmp_path / "cupy.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "cupy", raising=False)

    yield make
    sys.modules.pop("cupy", None)


@pytest.mark.parametrize("backward", ["one by one", "backwards", "together"])
def test_training_uses_no_device_while_another_is_the_current_one(backward):
    with several_devices() as device:
        places = [device(0), device(1)]
        net = nn.Dense(3, in_units=5)
        net.initialize(init.Xavier(), ctx=places)
        trainer = gluon.Trainer(
            net.collect_params(), "sgd", {"learning_rate": 0.1, "momentum": 0.9}
        )
        for _ in range(2):
            with autograd.record():
                losses = [(net(x) ** 2).sum() for x in utils.split_and_load(X, places)]
            if backward == "together":
                autograd.backward(losses)
            else:
                for loss in losses if backward == "one by one" else losses[::-1]:
                    loss.backward()
            trainer.step(len(X))
        first, second = (data.asnumpy() for data in net.weight.list_data())
        np.testing.assert_array_equal(first, second)


def test_gradients_that_are_given_or_added_up_stay_on_their_device():
    with several_devices() as device:
        boxes = [nd.array([1.0, 2.0], ctx=device(n)) for n in (0, 1)]
        heads = [nd.array([3.0, 4.0], ctx=device(n)) for n in (0, 1)]
        for box in boxes:
            box.attach_grad("add")
        for _ in range(2):
            with autograd.record():
                results = [box * box for box in boxes]
            autograd.backward(results, heads)
            for result, head in zip([box * 2 for box in boxes], heads, strict=True):
                assert result.context == head.context
        assert [box.grad.asnumpy().tolist() for box in boxes] == [[12.0, 32.0]] * 2
        with autograd.record():
            results = [box * box for box in boxes]
        found = autograd.grad(results, boxes, heads)
        assert [g.asnumpy().tolist() for g in found] == [[6.0, 16.0]] * 2
        with autograd.record():
            results = [box * box for box in boxes]
            found = autograd.grad(results, boxes, heads, create_graph=True)
        assert [(g.context, g.asnumpy().tolist()) for g in found] == [
            (device(n), [6.0, 16.0]) for n in (0, 1)
        ]


def test_writing_makes_the_device_the_current_one():
    with several_devices() as device:
        first, second = (nd.zeros((2, 2), ctx=device(n)) for n in (0, 1))
        second.attach_grad()
        for write in (
            lambda: first.__setitem__(slice(None), 1),
            lambda: second.__setitem__(0, 2.0),
            lambda: first.__setitem__(0, first[1]),
            lambda: second.zero_grad(),
            lambda: first.copyto(second),
            lambda: nd.add(first, first, out=first),
        ):
            write()
            nd.zeros((1,), ctx=device(0))
            write()
            nd.zeros((1,), ctx=device(1))
        assert (
            first.asnumpy().tolist() == [[4.0] * 2] * 2
            and second.asnumpy().tolist() == [[1.0] * 2] * 2
        )


def test_the_check_fails_on_an_array_of_another_device():
    with several_devices() as device:
        first = nd.zeros((2,), ctx=device(0))
        nd.zeros((2,), ctx=device(1))
        with pytest.raises(
            AssertionError, match="an array of device 0 was used while 1 is the current one"
        ):
            _ = first._raw + 1


def test_a_package_that_is_missing_is_told_from_one_that_is_broken(package):
    package("raise ImportError('libcublas.so.12:\\n cannot open shared object file')")
    said = (
        "CuPy is installed but cannot be loaded (libcublas.so.12: cannot open shared object file) - install the one for this machine's "
        "CUDA, or use the cpu"
    )
    with pytest.raises(DeviceError, match=f"^{re.escape(said)}$"):
        device.check_gpu(0)
    assert device.num_gpus() == 0


def test_a_package_that_lacks_another_says_which(package):
    package("import fastrlocked")
    said = "CuPy lacks the module fastrlocked - install the extra gpu-cuda12 or gpu-cuda13 again, or use the cpu"
    with pytest.raises(DeviceError, match=f"^{said}$"):
        device.check_gpu(0)


def test_no_package_at_all_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    said = "CuPy is not installed - install the extra gpu-cuda12 or gpu-cuda13, or use the cpu"
    with pytest.raises(DeviceError, match=f"^{said}$"):
        device.check_gpu(0)


@pytest.mark.parametrize(
    ("version", "problem"),
    [("13.6.0", "CuPy 13.6.0 has no bfloat16 - install CuPy 14 or later"), ("14.2.0", None)],
)
def test_bfloat16_needs_cupy_14(version, problem, package):
    package(f"__version__ = '{version}'")
    with nullcontext() if problem is None else pytest.raises(DeviceError, match=problem):
        device.check_dtype(device.gpu(0), "bfloat16")
    device.check_dtype(device.gpu(0), "float16")
    device.check_dtype(device.cpu(), "bfloat16")


def test_a_lack_of_memory_is_told_by_class_or_by_cudas_words():
    assert device.is_shortage(MemoryError("x"))
    assert not device.is_shortage(RuntimeError("cudaErrorMemoryAllocation"))  # somebody else's


def test_the_default_device_is_as_before_however_the_work_ended():
    from initlab.engine.device import Device, current_device, kept

    before = current_device()
    with pytest.raises(KeyError), kept():
        Device("cpu", 3).__enter__()
        raise KeyError
    assert current_device() == before
