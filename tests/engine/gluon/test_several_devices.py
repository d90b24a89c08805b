"""Several devices in one process: batches split over them, gradients added up, and one training
either way.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from standin import several_devices

from initlab.engine import autograd, cpu, gluon, init, nd, random
from initlab.engine.gluon import nn, utils

X = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)
Y = np.arange(12) % 3


def trained(devices, optimizer="sgd", **options):
    random.seed(4)
    net = nn.HybridSequential(prefix="net_")
    with net.name_scope():
        net.add(nn.Dense(8, activation="tanh"), nn.Dense(3))
    net.initialize(init.Xavier(), ctx=devices)
    trainer = gluon.Trainer(net.collect_params(), optimizer, {"learning_rate": 0.1, **options})
    loss_of = gluon.loss.SoftmaxCrossEntropyLoss()
    for _ in range(4):
        parts = zip(utils.split_and_load(X, devices), utils.split_and_load(Y, devices), strict=True)
        with autograd.record():
            losses = [loss_of(net(x), y) for x, y in parts]
        for loss in losses:
            loss.backward()
        trainer.step(len(X))
    return net


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("count", [2, 3])
def test_training_on_several_devices_is_training_on_one(optimizer, count):
    one, several = trained([cpu(0)], optimizer), trained([cpu(i) for i in range(count)], optimizer)
    for a, b in zip(one.collect_params().values(), several.collect_params().values(), strict=True):
        assert b.list_ctx() == [cpu(i) for i in range(count)]
        for device in b.list_ctx():
            np.testing.assert_allclose(
                b.data(device).asnumpy(), a.data().asnumpy(), rtol=2e-5, atol=1e-6
            )
            assert b.data(device).context == device


def test_replicas_start_from_the_same_values_and_stay_equal():
    net = trained([cpu(0), cpu(1)], momentum=0.9)
    for parameter in net.collect_params().values():
        first, second = (data.asnumpy() for data in parameter.list_data())
        np.testing.assert_array_equal(first, second)


def test_a_batch_is_split_in_order():
    parts = utils.split_and_load(np.arange(6), [cpu(0), cpu(1)])
    assert [(p.context, p.asnumpy().tolist()) for p in parts] == [
        (cpu(0), [0, 1, 2]),
        (cpu(1), [3, 4, 5]),
    ]
    assert [p.shape for p in utils.split_data(nd.ones((5, 2)), 2, even_split=False)] == [
        (3, 2),
        (2, 2),
    ]
    assert [p.shape for p in utils.split_data(nd.ones((2, 2)), 3, even_split=False)] == [
        (1, 2),
        (1, 2),
        (0, 2),
    ]
    assert [
        p.shape for p in utils.split_data(nd.ones((2, 5)), 3, batch_axis=1, even_split=False)
    ] == [
        (2, 2),
        (2, 2),
        (2, 1),
    ]
    with pytest.raises(
        ValueError,
        match=r"shape \(5, 2\) cannot be evenly split into 2 slices along axis 0. Use a batch size that's multiple of 2",
    ):
        utils.split_data(nd.ones((5, 2)), 2)


def test_the_norm_of_many_arrays_is_cut():
    arrays = [nd.ones((3,)), nd.ones((2, 2), ctx=cpu(1)) * 2]
    assert utils.clip_global_norm(arrays, 1.0) == pytest.approx(np.sqrt(19))
    assert sum((a**2).sum().asscalar() for a in arrays) == pytest.approx(1.0)
    before = [a.asnumpy() for a in arrays]
    norm = utils.clip_global_norm(arrays, 10.0, check_isfinite=False)
    assert norm.shape == (1,)
    assert all((a.asnumpy() == b).all() for a, b in zip(arrays, before, strict=True))
    with pytest.warns(
        UserWarning, match="nan or inf is detected. Clipping results will be undefined."
    ):
        assert np.isnan(utils.clip_global_norm([nd.array([np.nan])], 1.0))
    with pytest.raises(AssertionError, match="at least one array"):
        utils.clip_global_norm([], 1.0)


def test_a_file_is_known_by_its_sha1(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"weights")
    assert utils.check_sha1(path, hashlib.sha1(b"weights").hexdigest())
    assert not utils.check_sha1(path, "0" * 40)


# --- a device is the current one while it works, as CuPy wants
# -------------------------------------------------------------------


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
