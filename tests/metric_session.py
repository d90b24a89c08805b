"""One session with `mx.metric` for the engine and for MXNet 1.9.1, and its results step by step.
`vectors/mxnet-metric.json` holds MXNet's.
"""

import numpy as np


def session(mx):
    M, nd = mx.metric, mx.nd
    R = np.random.RandomState(0)
    out = []

    def E(f):
        try:
            return f()
        except Exception as e:
            return type(e).__name__ + ": " + str(e)

    p3 = [R.dirichlet(np.ones(4), 6).astype("float32") for _ in range(3)]
    l3 = [R.randint(0, 4, 6).astype("float32") for _ in range(3)]
    p2 = [R.dirichlet(np.ones(2), 6).astype("float32") for _ in range(3)]
    l2 = [R.randint(0, 2, 6).astype("float32") for _ in range(3)]
    r1 = [R.randn(6, 2).astype("float32") for _ in range(3)]
    r2 = [R.randn(6, 2).astype("float32") for _ in range(3)]

    def run(m, ls, ps, local=True):
        res = [str(m)]
        for i, (label, pred) in enumerate(zip(ls, ps, strict=True)):
            m.update([nd.array(label)], [nd.array(pred)])
            res.append(m.get())
            if i == 1 and local:
                m.reset_local()
                res.append(m.get())
                res.append(m.get_global())
        res += [
            m.get_name_value(),
            m.get_global(),
            m.get_global_name_value(),
            E(lambda: str(m.get_config())),
        ]
        m.reset()
        res.append(m.get())
        return res

    for name, kw in (
        ("acc", {}),
        ("accuracy", {"axis": 1}),
        ("top_k_acc", {"top_k": 2}),
        ("ce", {}),
        ("nll_loss", {}),
        ("perplexity", {"ignore_label": None}),
        ("perplexity", {"ignore_label": 1}),
    ):
        out.append((name, str(kw), run(M.create(name, **kw), l3, p3)))
    for name, kw in (
        ("f1", {}),
        ("mcc", {}),
        ("f1", {"average": "micro"}),
        ("mcc", {"average": "micro"}),
    ):
        out.append((name, str(kw), run(M.create(name, **kw), l2, p2)))
    for name, kw in (
        ("mae", {}),
        ("mse", {}),
        ("rmse", {}),
        ("pearsonr", {}),
        ("pearsonr", {"average": "micro"}),
        ("loss", {}),
    ):
        out.append((name, str(kw), run(M.create(name, **kw), r1, r2, local=not kw)))
    out.append(run(M.create(lambda a, b: float(np.abs(a - b).sum())), r1, r2))
    out.append(run(M.create(lambda a, b: (float(np.abs(a - b).sum()), 4)), r1, r2))

    def foo(a, b):
        return 3.0

    out.append(run(M.np(foo), r1, r2))
    out.append(run(M.create(["acc", "ce"]), l3, p3))
    out.append(run(M.create(["acc", M.create("top_k_acc", top_k=3)]), l3, p3))
    out.append(E(lambda: M.create("top_k_acc")))
    out.append(E(lambda: M.create("nope")))
    out.append(
        E(
            lambda: M.create("acc").update(
                [nd.array([1, 2])], [nd.array([[1, 2], [1, 2]]), nd.array([1])]
            )
        )
    )
    out.append(
        E(lambda: M.create("acc").update([nd.array([1, 2, 3])], [nd.array([[1, 2], [1, 2]])]))
    )
    out.append(
        E(
            lambda: M.create("f1").update(
                [nd.array([1, 2, 0])], [nd.array([[1, 2], [1, 2], [1, 2]])]
            )
        )
    )
    m = M.create("acc")
    m.update_dict({"a": nd.array([1, 0])}, {"b": nd.array([[0.1, 0.9], [0.2, 0.8]])})
    out.append(m.get())
    m = M.Accuracy(output_names=["b"], label_names=["a"])
    m.update_dict(
        {"a": nd.array([1, 0]), "z": nd.ones((1,))},
        {"b": nd.array([[0.1, 0.9], [0.2, 0.8]]), "c": nd.ones((1,))},
    )
    out.append(m.get())
    m = M.create(["acc", "ce"])
    out.append(str(m.get_metric(5)))
    out.append(str(type(m.get_metric(1)).__name__))
    out.append(M.create(metric="Accuracy", name="x", axis=0).name)
    m = M.MAE()
    m.update([nd.array([1, 2, 3])], [nd.array([1.0, 2, 5])])
    out.append(m.get())
    m.update(nd.array([1, 2, 3]), nd.array([1.0, 2, 5])) if 0 else None
    out.append(E(lambda: M.CompositeEvalMetric(metrics=["acc"]).get_config()))
    return out
