"""Steps of optimizers as functions, interleaved attention, and coded boxes on the engine and on MXNet
1.9.1. Like `programs`; `python -m differential.updates engine|mxnet OUT.npz FOLDER` runs all.
"""

import sys

import numpy as np
from differential.programs import data, main

PROGRAMS = {}
EXACT = set()
OPTIONS = ({}, {"wd": 0.1}, {"wd": 0.1, "rescale_grad": 0.5, "clip_gradient": 0.4})
UPDATES = {
    "sgd_update": ("", {"lr": 0.1}),
    "mp_sgd_update": ("w", {"lr": 0.1}),
    "sgd_mom_update": ("s", {"lr": 0.1, "momentum": 0.9}),
    "mp_sgd_mom_update": ("sw", {"lr": 0.1, "momentum": 0.9}),
    "signsgd_update": ("", {"lr": 0.1}),
    "signum_update": ("s", {"lr": 0.1, "momentum": 0.9, "wd_lh": 0.01}),
    "adam_update": ("ss", {"lr": 0.1, "beta1": 0.5, "beta2": 0.7, "epsilon": 0.1}),
    "rmsprop_update": ("s", {"lr": 0.1, "gamma1": 0.5, "clip_weights": 0.5}),
    "ftrl_update": ("ss", {"lr": 0.1, "lamda1": 0.3}),
    "contrib.adamw_update": ("ssr", {"lr": 0.1, "eta": 0.7}),
    "contrib.mp_adamw_update": ("sswr", {"lr": 0.1, "eta": 0.7}),
}
"""Function -> (its arrays after the gradient: states, weight32, rescale_grad; its options)."""


def program(function):
    PROGRAMS[function.__name__] = function
    return function


def stepped(mx, function, kinds, options):
    """Return the weight and all states after two steps."""
    narrow = "mp_" in function
    target = mx.nd
    for part in function.split("."):
        target = getattr(target, part)
    make = {
        "s": lambda i: mx.nd.array(np.abs(data(3, 4, seed=2 + i))),
        "w": lambda i: mx.nd.array(data(3, 4)).astype("float16").astype("float32"),
        "r": lambda i: mx.nd.array([0.5]),
    }
    weight = mx.nd.array(data(3, 4)).astype("float16" if narrow else "float32")
    states = [make[kind](i) for i, kind in enumerate(kinds)]
    for step in range(2):
        gradient = mx.nd.array(data(3, 4, seed=20 + step)).astype(weight.dtype)
        target(weight, gradient, *states, out=weight, **options)
    return [weight.asnumpy(), *(state.asnumpy() for state in states)]


@program
def updates(mx):
    found = {}
    for function, (kinds, options) in UPDATES.items():
        for number, more in enumerate(OPTIONS):
            if "adamw" in function:
                more = {key: value for key, value in more.items() if key != "rescale_grad"}
            for i, array in enumerate(stepped(mx, function, kinds, {**options, **more})):
                found[f"{function} {number} {i}"] = array
    return found


@program
def nesterov(mx):
    arrays = stepped(mx, "nag_mom_update", "s", {"lr": 0.1, "momentum": 0.9, "clip_gradient": 0.4})
    return {str(i): array for i, array in enumerate(arrays)}


@program
def skipped(mx):
    found = {}
    for scale in (0.0, float("inf"), float("nan")):
        arrays = [mx.nd.array(np.abs(data(3, seed=i))) for i in range(4)]
        mx.nd.contrib.adamw_update(*arrays, mx.nd.array([scale]), lr=0.1, eta=1.0, out=arrays[0])
        found.update({f"{scale} {i}": a.asnumpy() for i, a in enumerate(arrays)})
    return found


@program
def several(mx):
    found = {}
    for narrow in (False, True):
        kind = "float16" if narrow else "float32"
        w, g, m, v = (
            [mx.nd.array(np.abs(data(*shape, seed=seed))) for shape in ((3,), (2, 2))]
            for seed in range(4)
        )
        w, g = ([x.astype(kind) for x in part] for part in (w, g))
        wide = [[x.astype("float32") for x in w]] if narrow else []
        function = "multi_mp_adamw_update" if narrow else "multi_adamw_update"
        getattr(mx.nd.contrib, function)(
            w, g, m, v, *wide, mx.nd.array([1.0]), out=w, size=2, lrs=[0.1, 0.2], wds=[0.1, 0.0],
            etas=[1.0, 0.5], beta1=0.5, clip_gradient=0.3,
        )  # fmt: skip
        for name, part in {"w": w, "m": m, "v": v, "wide": wide[0] if narrow else []}.items():
            found.update({f"{kind} {name} {i}": x.asnumpy() for i, x in enumerate(part)})
    return found


@program
def norms(mx):
    a, b = mx.nd.array(data(3)), mx.nd.array(data(2, 2))
    odd = mx.nd.array([1.0, float("inf")])
    return {
        "squares": mx.nd.multi_sum_sq(a, b, num_arrays=2).asnumpy(),
        "finite": mx.nd.all_finite(a).asnumpy(),
        "infinite": mx.nd.all_finite(odd).asnumpy(),
        "all": mx.nd.multi_all_finite(a, b, num_arrays=2).asnumpy(),
        "one": mx.nd.multi_all_finite(a, odd, num_arrays=2).asnumpy(),
    }


def attended(mx, queries, keys, scores, values):
    """Return scores and sums of attention with their gradients."""
    boxes = [mx.nd.array(queries), mx.nd.array(keys)]
    for box in boxes:
        box.attach_grad()
    with mx.autograd.record():
        raw = scores(*boxes)
        out = values(boxes[1], mx.nd.softmax(raw))
    out.backward(mx.nd.array(data(*out.shape, seed=9)))
    found = {"raw": raw.asnumpy(), "out": out.asnumpy()}
    return {**found, **{f"d{i}": box.grad.asnumpy() for i, box in enumerate(boxes)}}


@program
def selfattention(mx):
    contrib = mx.nd.contrib
    found = attended(
        mx,
        data(1),
        data(5, 2, 36),
        lambda _, x: contrib.interleaved_matmul_selfatt_qk(x, heads=4),
        lambda x, a: contrib.interleaved_matmul_selfatt_valatt(x, a, heads=4),
    )
    return {key: value for key, value in found.items() if key != "d0"}


@program
def crossattention(mx):
    contrib = mx.nd.contrib
    return attended(
        mx,
        data(5, 2, 12),
        data(6, 2, 24, seed=1),
        lambda q, x: contrib.interleaved_matmul_encdec_qk(q, x, heads=4),
        lambda x, a: contrib.interleaved_matmul_encdec_valatt(x, a, heads=4),
    )


@program
def coded(mx):
    contrib, array = mx.nd.contrib, mx.nd.array
    anchors = array([[[0, 0, 2, 2], [1, 1, 4, 5], [0.5, 0.5, 1, 3]]])
    boxes = array([[[0, 0, 3, 2], [1, 0, 4, 4]], [[0, 1, 3, 2], [1, 0, 5, 4]]])
    matches, samples = array([[0, 1, 1], [1, 0, 0]]), array([[1, -1, 1], [0, 1, 1]])
    means, stds = array([0.1, 0.2, 0.3, 0.4]), array([0.1, 0.1, 0.2, 0.2])
    targets, masks = contrib.box_encode(
        samples, matches, mx.nd.concat(anchors, anchors, dim=0), boxes, means, stds
    )
    offsets = array(data(2, 3, 4))
    corners = contrib.box_decode(offsets, anchors, 0.1, 0.1, 0.2, 0.2, clip=0.1, format="corner")
    return {
        "targets": targets.asnumpy(),
        "masks": masks.asnumpy(),
        "corners": corners.asnumpy(),
        "centers": contrib.box_decode(offsets, anchors, std0=0.5, clip=0.5).asnumpy(),
        "plain": contrib.box_decode(offsets, anchors).asnumpy(),
    }


@program
def matched(mx):
    found = {}
    for number, (shape, options) in enumerate(
        (
            ((3, 2), {"threshold": 1e-12}),
            ((3, 2), {"threshold": 0.35}),
            ((2, 4, 3), {"threshold": 0.1}),
            ((3, 4), {"threshold": 0.2, "is_ascend": True}),
            ((2, 3, 4), {"threshold": -5, "topk": 1}),
        )
    ):
        scores = mx.nd.array(data(*shape, seed=number))
        rows, columns = mx.nd.contrib.bipartite_matching(scores, **options)
        found[f"{number} rows"], found[f"{number} columns"] = rows.asnumpy(), columns.asnumpy()
    return found


if __name__ == "__main__":
    main(*sys.argv[1:], programs=PROGRAMS)
