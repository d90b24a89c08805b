"""Operators with their gradients on the engine and on MXNet 1.9.1: factors of matrices, enlarging,
regions, boxes. Like `programs`; `python -m differential.operators engine|mxnet OUT.npz FOLDER` runs
all.
"""

import sys

import numpy as np
from differential.programs import data, main

PROGRAMS = {}
EXACT = set()


def program(function):
    PROGRAMS[function.__name__] = function
    return function


def boxes(count, seed):
    """Return boxes (count, 4) within the unit square, in corners."""
    rng = np.random.RandomState(seed)
    low = rng.uniform(0, 0.7, (count, 2))
    return np.concatenate([low, low + rng.uniform(0.1, 0.3, (count, 2))], axis=1).astype("float32")


def applied(mx, function, arrays, gradient=True, **options):
    """Return results and gradients by each array, with a random gradient for each result."""
    target = mx.nd
    for part in function.split("."):
        target = getattr(target, part)
    variables = [mx.nd.array(a, dtype=a.dtype) for a in arrays]
    for variable in variables:
        variable.attach_grad()
    with mx.autograd.record():
        out = target(*variables, **options)
    results = list(out) if isinstance(out, (list, tuple)) else [out]
    found = {f"out{i}": r.asnumpy() for i, r in enumerate(results)}
    if gradient:
        heads = [
            mx.nd.array(data(*r.shape, seed=7 + i), dtype=r.dtype) for i, r in enumerate(results)
        ]
        mx.autograd.backward(results, heads)
        found.update({f"grad{i}": v.grad.asnumpy() for i, v in enumerate(variables)})
    return found


def many(mx, function, *cases):
    """Return the results of several calls: each case is (arrays, options)."""
    found = {}
    for number, (arrays, options) in enumerate(cases):
        for key, value in applied(mx, function, arrays, **options).items():
            found[f"{function} {number} {key}"] = value
    return found


def positive(*shape, seed=0):
    """Return symmetric positive definite matrices."""
    x = data(*shape, seed=seed)
    return (x @ np.swapaxes(x, -1, -2) + np.eye(shape[-1]) * 0.5).astype("float32")


SQUARE = data(2, 3, 3, seed=1) + 2 * np.eye(3, dtype="float32")
RIGHT, LEFT = data(2, 3, 4, seed=2), data(2, 4, 3, seed=3)


@program
def cholesky(mx):
    low = np.linalg.cholesky(positive(2, 3, 3)).astype("float32")
    found = many(mx, "linalg.potrf", ([positive(2, 3, 3)], {}), ([positive(4, 4)], {}))
    found.update(many(mx, "linalg_potrf", ([positive(3, 3)], {})))
    found.update(many(mx, "linalg.potri", ([low], {}), ([low[0]], {})))
    return found


@program
def triangular(mx):
    found = {}
    for function in ("linalg.trsm", "linalg.trmm"):
        cases = [
            ([SQUARE, LEFT if right else RIGHT],
             {"transpose": turn, "rightside": right, "lower": low, "alpha": 1.5})
            for turn in (False, True) for right in (False, True) for low in (True, False)
        ]  # fmt: skip
        found.update(many(mx, function, *cases, ([SQUARE[0], RIGHT[0]], {})))
    return found


@program
def inverses(mx):
    found = {}
    for function in ("linalg.inverse", "linalg.det"):
        found.update(many(mx, function, ([SQUARE], {}), ([SQUARE[0]], {})))
    for number, matrices in enumerate((SQUARE, SQUARE[0], -SQUARE)):
        x = mx.nd.array(matrices)
        x.attach_grad()
        with mx.autograd.record():
            sign, value = mx.nd.linalg.slogdet(x)
        value.backward(mx.nd.array(data(*value.shape, seed=4)))
        found.update({f"sign {number}": sign.asnumpy(), f"log {number}": value.asnumpy()})
        found[f"grad {number}"] = x.grad.asnumpy()
    return found


@program
def factors(mx):
    found = many(mx, "linalg.gelqf", ([RIGHT], {}), ([data(2, 5, seed=5)], {}))
    rows = positive(2, 4, 4, seed=6)
    found.update(many(mx, "linalg.syevd", ([rows], {}), ([rows[0]], {})))
    return found


@program
def triangles(mx):
    found = {}
    for offset in (-2, -1, 0, 1, 2):
        for low in (True, False):
            name = f"{offset} {low} "
            part = applied(mx, "linalg.extracttrian", [data(2, 4, 4)], offset=offset, lower=low)
            found.update({name + key: value for key, value in part.items()})
            made = applied(mx, "linalg.maketrian", [data(2, 6)], offset=offset, lower=low)
            found.update({name + "made " + key: value for key, value in made.items()})
    return found


@program
def enlarging(mx):
    x, y = data(2, 3, 3, 4), data(2, 2, 6, 8, seed=1)
    return many(
        mx, "UpSampling",
        ([x], {"scale": 2, "sample_type": "nearest"}),
        ([x], {"scale": 3, "sample_type": "nearest", "num_args": 1}),
        ([x, x + 1], {"scale": 2, "sample_type": "nearest", "num_args": 2}),
        ([x, x + 1], {"scale": 2, "sample_type": "nearest", "multi_input_mode": "sum", "num_args": 2}),
        ([y, x], {"scale": 2, "sample_type": "nearest", "num_args": 2}),
        *[([x, data(3, 1, 2 * s - s % 2, 2 * s - s % 2, seed=s)],
           {"scale": s, "sample_type": "bilinear", "num_filter": 3, "num_args": 2}) for s in (2, 3)],
    )  # fmt: skip


@program
def resizing(mx):
    x = data(2, 3, 5, 4)
    cases = [
        ([x], {"height": h, "width": w, "align_corners": corners})
        for h, w in ((7, 9), (3, 2), (1, 1), (5, 4)) for corners in (True, False)
    ]  # fmt: skip
    cases += [([x], {"scale_height": 2, "scale_width": 1.5, "mode": "odd_scale"})]
    cases += [
        ([x], {"mode": mode}) for mode in ("to_even_down", "to_even_up", "to_odd_down", "to_odd_up")
    ]
    found = many(mx, "contrib.BilinearResize2D", *cases)
    like = mx.nd.array(data(1, 1, 8, 3))  # MXNet's gradient by it writes outside its memory
    found["like"] = mx.nd.contrib.BilinearResize2D(mx.nd.array(x), like, mode="like").asnumpy()
    return found


@program
def pooling(mx):
    x = data(2, 3, 5, 7)
    return many(
        mx, "contrib.AdaptiveAvgPooling2D",
        ([x], {}), ([x], {"output_size": 2}), ([x], {"output_size": (3, 4)}),
        ([x], {"output_size": (6, 9)}),
    )  # fmt: skip


@program
def across_channels(mx):
    x = data(2, 6, 3, 2)
    return many(
        mx, "LRN", ([x], {"nsize": 3}), ([x], {"nsize": 5, "alpha": 0.5, "beta": 1.2, "knorm": 1.0})
    )


@program
def regions(mx):
    x = data(2, 3, 8, 9)
    rois = np.array(
        [[0, 0, 0, 7, 7], [1, 2, 1, 6, 5], [0, 5, 5, 5, 5], [1, 4, 4, 30, 30], [0, 6, 6, 2, 2]],
        "float32",
    )
    found = {}
    for number, options in enumerate((
        {"pooled_size": (2, 2), "spatial_scale": 1.0},
        {"pooled_size": (3, 4), "spatial_scale": 0.7},
    )):  # fmt: skip
        v, r = mx.nd.array(x), mx.nd.array(rois)
        v.attach_grad()
        with mx.autograd.record():
            y = mx.nd.ROIPooling(v, r, **options)
        y.backward(mx.nd.array(data(*y.shape, seed=8)))
        found[f"{number} out"], found[f"{number} grad"] = y.asnumpy(), v.grad.asnumpy()
    return found


@program
def outputs(mx):
    """Outputs with the gradient of a loss in them; labels have no gradient."""
    found = {}

    def add(name, x, label, **options):
        v, y = mx.nd.array(x), mx.nd.array(label)
        v.attach_grad()
        with mx.autograd.record():
            out = getattr(mx.nd, name)(v, y, **options)
        out.backward()
        place = f"{name} {len(found)}"
        found[place], found["d " + place] = out.asnumpy(), v.grad.asnumpy()

    x, classes = data(4, 3), np.array([0, 2, 1, 2])
    for normalization in ("null", "batch", "valid"):
        add("SoftmaxOutput", x, classes, normalization=normalization, grad_scale=0.5)
        add(
            "SoftmaxOutput",
            x,
            classes,
            normalization=normalization,
            use_ignore=True,
            ignore_label=2,
        )
        add("SoftmaxOutput", data(2, 3, 4), np.array([[0, 1, 2, 0], [2, 2, 1, 0]]),
            multi_output=True, normalization=normalization)  # fmt: skip
        add("SoftmaxOutput", data(2, 3, 4), np.array([[0, 1, 2, 0], [2, 2, 1, 0]]), multi_output=True,
            normalization=normalization, use_ignore=True, ignore_label=0)  # fmt: skip
    add("SoftmaxOutput", x, classes, smooth_alpha=0.3)
    add("SoftmaxOutput", data(2, 3, 4), np.array([[0, 1, 3], [2, 2, 1]]), preserve_shape=True)
    for name in ("LinearRegressionOutput", "MAERegressionOutput", "LogisticRegressionOutput"):
        add(name, x, data(4, 3, seed=9), grad_scale=2.0)
        add(name, data(5, 1), data(5, seed=9))
    return found


@program
def samplers(mx):
    x = data(2, 3, 5, 6)
    grid = data(2, 2, 4, 3, seed=3) * 1.2  # some places are outside
    found = many(mx, "BilinearSampler", ([x, grid.astype("float32")], {}))
    theta = data(2, 6, seed=4)
    found.update(many(mx, "GridGenerator",
        ([theta], {"transform_type": "affine", "target_shape": (4, 5)}),
        ([data(2, 2, 4, 5, seed=5)], {"transform_type": "warp"}),
    ))  # fmt: skip
    found.update(many(mx, "SpatialTransformer", ([x, theta * 0.5], {
        "target_shape": (4, 3), "transform_type": "affine", "sampler_type": "bilinear"})))  # fmt: skip
    return found


@program
def aligned_regions(mx):
    x = data(2, 3, 8, 9)
    rois = np.array(
        [
            [0, 0, 0, 7, 7],
            [1, 2.3, 1.1, 6, 5.5],
            [0, 5, 5, 5.2, 5.1],
            [1, 4, 4, 30, 30],
        ],
        "float32",
    )
    found = {}
    for number, options in enumerate((
        {"pooled_size": (2, 2), "spatial_scale": 1.0},
        {"pooled_size": (3, 4), "spatial_scale": 0.7, "sample_ratio": 2},
        {"pooled_size": (2, 3), "spatial_scale": 0.5, "sample_ratio": 3, "aligned": True},
    )):  # fmt: skip
        v, r = mx.nd.array(x), mx.nd.array(rois)
        v.attach_grad()
        with mx.autograd.record():
            y = mx.nd.contrib.ROIAlign(v, r, **options)
        y.backward(mx.nd.array(data(*y.shape, seed=8)))
        found[f"{number} out"], found[f"{number} grad"] = y.asnumpy(), v.grad.asnumpy()
    return found


@program
def overlaps(mx):
    a, b = boxes(5, 1), boxes(4, 2)
    found = {}
    for form in ("corner", "center"):
        found[form] = mx.nd.contrib.box_iou(mx.nd.array(a), mx.nd.array(b), format=form).asnumpy()
    batch = mx.nd.array(a[:4].reshape(2, 2, 4))
    found["batch"] = mx.nd.contrib.box_iou(batch, mx.nd.array(b)).asnumpy()
    return found


@program
def suppression(mx):
    rng = np.random.RandomState(3)
    rows = np.concatenate(
        [
            rng.randint(0, 3, (2, 12, 1)),
            rng.uniform(0, 1, (2, 12, 1)),
            boxes(24, 4).reshape(2, 12, 4),
        ],
        axis=2,
    ).astype("float32")
    options = (
        {},
        {"overlap_thresh": 0.1, "id_index": 0},
        {"overlap_thresh": 0.1, "id_index": 0, "force_suppress": True, "topk": 6},
        {"overlap_thresh": 0.2, "id_index": 0, "background_id": 1, "valid_thresh": 0.3},
        {"overlap_thresh": 0.2, "in_format": "center", "out_format": "corner"},
        {"overlap_thresh": 0.2, "in_format": "corner", "out_format": "center"},
        {"overlap_thresh": 0.0, "topk": 3},
    )
    found = {}
    for number, given in enumerate(options):
        same = given.get("in_format") == given.get("out_format")
        for key, value in applied(mx, "contrib.box_nms", [rows], gradient=same, **given).items():
            found[f"{number} {key}"] = value
    return found


@program
def anchors(mx):
    x = mx.nd.array(data(1, 2, 3, 5))
    options = (
        {},
        {"sizes": (0.5, 0.25, 0.1), "ratios": (1, 2, 0.5)},
        {"sizes": (0.8, 0.5), "ratios": (2, 0.5), "clip": True},
        {"sizes": (0.3,), "steps": (0.2, 0.1), "offsets": (0.3, 0.6)},
    )
    return {
        str(i): mx.nd.contrib.MultiBoxPrior(x, **given).asnumpy() for i, given in enumerate(options)
    }


@program
def goals(mx):
    anchor = mx.nd.array(np.concatenate([boxes(14, 5), boxes(3, 6) + 0.02])[None])
    label = np.full((3, 4, 5), -1, "float32")
    label[0, :3] = np.concatenate([[[0], [2], [1]], boxes(3, 6)], axis=1)
    label[1, :1] = np.concatenate([[[1]], boxes(1, 7)], axis=1)
    scores = mx.nd.array(data(3, 4, 17, seed=8))
    options = (
        {},
        {"overlap_threshold": 0.2, "variances": (0.2, 0.2, 0.1, 0.1)},
        {"negative_mining_ratio": 2, "negative_mining_thresh": 0.4},
        {"negative_mining_ratio": 1, "minimum_negative_samples": 5, "ignore_label": -7},
    )
    found = {}
    for i, given in enumerate(options):
        parts = mx.nd.contrib.MultiBoxTarget(anchor, mx.nd.array(label), scores, **given)
        for name, part in zip(("offsets", "mask", "classes"), parts, strict=False):
            found[f"{i} {name}"] = part.asnumpy()
    return found


@program
def detections(mx):
    anchor = mx.nd.array(boxes(15, 9)[None])
    chances = mx.nd.softmax(mx.nd.array(3 * data(2, 4, 15, seed=10)), axis=1)
    moves = mx.nd.array(data(2, 60, seed=11))
    options = (
        {},
        {"nms_threshold": 0.1, "threshold": 0.4},
        {"nms_threshold": 0.1, "force_suppress": True, "clip": False},
        {"nms_threshold": 0.1, "nms_topk": 4, "variances": (0.2, 0.2, 0.1, 0.1)},
    )
    found = {}
    for i, given in enumerate(options):
        rows = mx.nd.contrib.MultiBoxDetection(chances, moves, anchor, **given).asnumpy()
        if "nms_topk" in given:  # in MXNet the rows beyond are not ordered
            rows = rows[rows[:, :, 0] >= 0]
        found[str(i)] = rows
    return found


@program
def sampled_shapes(mx):
    """Shapes and dtypes of `sample_…`, whose values are their own stream's."""
    found = {}
    a, b = mx.nd.array([0.5, 2.0, 4.0]), mx.nd.array([1.0, 3.0, 5.0])
    for name, given in {
        "sample_uniform": (a, b),
        "sample_normal": (a, b),
        "sample_exponential": (a,),
    }.items():
        for shape in ({}, {"shape": 2}, {"shape": (2, 4)}):
            y = getattr(mx.nd, name)(*given, **shape)
            found[f"{name} {shape}"] = np.array(y.shape)
    return found


if __name__ == "__main__":
    main(*sys.argv[1:], programs=PROGRAMS)
