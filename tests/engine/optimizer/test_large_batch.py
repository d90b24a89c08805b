"""Rates by layer: which weights have one, and gradients that are summed first."""

from __future__ import annotations

import numpy as np

from initlab.engine import lr_scheduler, nd, optimizer


def test_a_bias_keeps_the_rate_and_a_weight_gets_one_from_its_norms():
    rule = optimizer.create(
        "lars", learning_rate=1.0, eta=0.5, param_idx2name={0: "d_weight", 1: "d_bias"}
    )
    weight, bias = nd.array([3.0, 4]), nd.array([3.0, 4])
    for number, w in enumerate((weight, bias)):
        rule.update(number, w, nd.array([0.0, 2]), rule.create_state(number, w))
    np.testing.assert_allclose(weight.asnumpy(), [3, 4 - 0.5 * 5 / 2 * 2], rtol=1e-6)
    np.testing.assert_allclose(bias.asnumpy(), [3, 2], rtol=1e-6)


def test_a_change_of_the_rate_scales_the_momentum_of_every_weight():
    rule = optimizer.create(
        "lars",
        momentum=0.5,
        eta=1,
        lr_scheduler=lr_scheduler.FactorScheduler(step=1, factor=0.5, base_lr=1.0),
    )
    weights = [nd.array([1.0]), nd.array([1.0])]
    states = [rule.create_state(i, w) for i, w in enumerate(weights)]
    for _ in range(3):
        for i, w in enumerate(weights):
            rule.update(i, w, nd.array([1.0]), states[i])
    assert weights[0].tolist() == weights[1].tolist()


def test_gradients_are_summed_until_the_batch_is_whole():
    rule = optimizer.create("lbsgd", learning_rate=0.1, batch_scale=2, warmup_epochs=0)
    w = nd.array([1.0])
    rule.update(0, w, nd.array([1.0]), None)
    assert w.asscalar() == 1
    rule.update(0, w, nd.array([3.0]), None)
    np.testing.assert_allclose(w.asnumpy(), [1 - 0.1 * 2 * 2], rtol=1e-6)


def test_a_ratio_of_a_norm_that_is_zero_is_one():
    rule = optimizer.create("lamb", learning_rate=0.5)
    w = nd.zeros((1,))
    rule.update(0, w, nd.array([2.0]), rule.create_state(0, w))
    np.testing.assert_allclose(w.asnumpy(), [-0.5], rtol=1e-5)
