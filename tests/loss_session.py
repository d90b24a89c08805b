"""Losses of sequences and counts for the engine and MXNet 1.9.1.
`vectors/mxnet-sequence-losses.json` holds MXNet's results.
"""

import numpy as np


def session(mx):
    nd, L = mx.nd, mx.gluon.loss

    def data(*s, seed=0):
        return np.random.RandomState(seed).uniform(-1, 1, s).astype("float32")

    out = {}

    def go(name, f, x):
        a = nd.array(x)
        a.attach_grad()
        with mx.autograd.record():
            v = f(a)
        v.backward()
        out[name] = [v.asnumpy().tolist(), a.grad.asnumpy().tolist()]

    p = data(3, 4)
    t = np.array([[0, 1, 2, 5], [3, 0, 1, 1], [2, 7, 1, 0]], "float32")
    go("poisson", lambda a: L.PoissonNLLLoss()(a, nd.array(t)), p)
    go(
        "poisson rate",
        lambda a: L.PoissonNLLLoss(from_logits=False, weight=2.0)(a, nd.array(t)),
        np.abs(p) + 0.1,
    )
    go(
        "poisson weighted",
        lambda a: L.PoissonNLLLoss()(a, nd.array(t), nd.array([[1], [0], [2]])),
        p,
    )
    v = L.PoissonNLLLoss(compute_full=True)(nd.array(p), nd.array(t + 1))
    out["poisson full"] = [v.asnumpy().tolist(), []]
    x = data(2, 6, 4, seed=3) * 3
    lab = np.array([[0, 1, -1], [2, 2, 1]], "float32")
    go("ctc", lambda a: L.CTCLoss()(a, nd.array(lab)), x)
    go(
        "ctc tnc tn",
        lambda a: L.CTCLoss(layout="TNC", label_layout="TN", weight=0.5)(a, nd.array(lab.T)),
        x.transpose(1, 0, 2),
    )
    go(
        "ctc lengths",
        lambda a: L.CTCLoss()(a, nd.array(lab), nd.array([4, 6]), nd.array([1, 3])),
        x,
    )
    go(
        "ctc label lengths",
        lambda a: L.CTCLoss()(a, nd.array([[0, 1, 2], [2, 2, 1]]), None, nd.array([2, 1])),
        x,
    )
    go("ctc weighted", lambda a: L.CTCLoss()(a, nd.array(lab), None, None, nd.array([2, 3])), x)
    go("ctc empty", lambda a: L.CTCLoss()(a, nd.array([[-1, -1], [0, -1]])), x)
    go("ctc first", lambda a: nd.CTCLoss(a, nd.array([[1, 2, 0], [3, 3, 1]])), x.transpose(1, 0, 2))
    go(
        "ctc long",
        lambda a: L.CTCLoss()(a, nd.array(np.random.RandomState(1).randint(0, 7, (3, 8)))),
        data(3, 40, 8, seed=5) * 2,
    )
    go("sdml", lambda a: L.SDMLLoss()(a, nd.array(data(4, 3, seed=2))), data(4, 3))
    go(
        "sdml smooth",
        lambda a: L.SDMLLoss(0.1, weight=2.0)(a, nd.array(data(4, 3, seed=2))),
        data(4, 3),
    )
    out["reprs"] = [
        repr(L.CTCLoss()),
        repr(L.PoissonNLLLoss()),
        repr(L.SDMLLoss()),
        repr(L.CTCLoss(label_layout="TN", weight=3)),
    ]
    return out
