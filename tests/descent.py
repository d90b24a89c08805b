"""Steps of an optimizer on a quadratic, and the same by a formula in NumPy, for the tests of
optimizers.
"""

from __future__ import annotations

import numpy as np

from initlab.engine import autograd, init
from initlab.engine.gluon import Parameter, Trainer


def descend(name, options, steps=5, lr_mult=1.0, wd_mult=1.0):
    """Steps on sum of w^2 / 2 … with a batch of 2, so that g = w."""
    parameter = Parameter("w", shape=(2,))
    parameter.lr_mult, parameter.wd_mult = lr_mult, wd_mult
    parameter.initialize(init.Constant([1.0, -2.0]))
    trainer = Trainer([parameter], name, options)
    for _ in range(steps):
        with autograd.record():
            loss = (parameter.data() * parameter.data()).sum()
        loss.backward()
        trainer.step(2)
    return parameter.data().asnumpy().astype(np.float64)


def check_formula(name, options, rule, arguments, steps=5):
    """Check steps of an optimizer against `rule(w, state, t, **arguments) -> (w, state)`."""
    w, state = np.array([1.0, -2.0]), {}
    for t in range(1, steps + 1):
        w, state = rule(w, state, t, **arguments)
    np.testing.assert_allclose(descend(name, options, steps), w, rtol=2e-5)
