"""Boxes of object detection as offsets from anchors, and the matching of boxes with anchors (MXNet:
`nd.contrib.box_encode`, `box_decode`, `bipartite_matching`).

They have no gradient. Source: MXNet 1.9.1 src/operator/contrib/bounding_box-inl.h.
"""

from __future__ import annotations

import numpy as np

from initlab.engine.device import from_host
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import check_array, chosen

FORMATS = ("center", "corner")


def _wrapped(values: np.ndarray, like: NDArray) -> NDArray:
    return NDArray(from_host(values.astype(like.dtype), like.device), like.device)


def _centers(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the middles and sizes of boxes in corners."""
    size = boxes[..., 2:] - boxes[..., :2]
    return boxes[..., :2] + size / 2, size


def box_encode(
    samples: NDArray,
    matches: NDArray,
    anchors: NDArray,
    refs: NDArray,
    means: NDArray,
    stds: NDArray,
) -> list[NDArray]:
    """Return [targets, masks] (batch, anchors, 4) for boxes `refs` (batch, boxes, 4) in corners.

    `matches` (batch, anchors) has the number of the box of each anchor. An anchor whose sample is
    not above 0.5 has the target 0 and the mask 0.
    """
    for name, value in (("samples", samples), ("matches", matches), ("anchors", anchors)):
        check_array(value, name)
    boxes, numbers = refs.asnumpy(), matches.asnumpy().astype(np.int64)
    found = np.take_along_axis(boxes, numbers[..., None], axis=1)
    (middle, size), (place, extent) = _centers(found), _centers(anchors.asnumpy())
    with np.errstate(divide="ignore", invalid="ignore"):
        offsets = np.concatenate([(middle - place) / extent, np.log(size / extent)], axis=-1)
        targets = (offsets - means.asnumpy()) / stds.asnumpy()
    valid = np.broadcast_to(samples.asnumpy()[..., None] > 0.5, targets.shape)
    return [_wrapped(np.where(valid, targets, 0), anchors), _wrapped(valid, anchors)]


def box_decode(
    data: NDArray,
    anchors: NDArray,
    std0: float = 1.0,
    std1: float = 1.0,
    std2: float = 1.0,
    std3: float = 1.0,
    clip: float = -1.0,
    format: str = "center",
) -> NDArray:
    """Return the boxes, in corners, that offsets (batch, anchors, 4) from anchors (1, anchors, 4)
    give.

    `format` is that of the anchors. A positive `clip` bounds the logarithms of the sizes.
    """
    check_array(data, "data")
    check_array(anchors, "anchors")
    chosen("_contrib_box_decode", "format", format, FORMATS)
    fixed, offsets = (
        anchors.asnumpy(),
        data.asnumpy() * np.array([std0, std1, std2, std3], np.float32),
    )
    place, extent = _centers(fixed) if format == "corner" else (fixed[..., :2], fixed[..., 2:])
    logs = np.minimum(offsets[..., 2:], clip) if clip > 0 else offsets[..., 2:]
    middle, half = offsets[..., :2] * extent + place, np.exp(logs) * extent / 2
    return _wrapped(np.concatenate([middle - half, middle + half], axis=-1), data)


def bipartite_matching(
    data: NDArray, is_ascend: bool = False, threshold: float = 0.0, topk: int = -1
) -> list[NDArray]:
    """Match rows and columns of scores (…, rows, columns), the best pair first, each at most once.

    Returns the column of each row, and the row of each column; -1 for none. A pair must be above
    `threshold`, with `is_ascend`, where small scores are good, below it. With a positive `topk` at
    most `topk` + 1 pairs are matched, as in MXNet.
    """
    check_array(data, "data")
    scores = data.asnumpy().reshape(-1, *data.shape[-2:])
    rows = np.full(scores.shape[:2], -1)
    columns = np.full((len(scores), scores.shape[2]), -1)
    for one, row, column in zip(scores, rows, columns, strict=True):
        order = np.argsort(one.ravel() if is_ascend else -one.ravel(), kind="stable")
        left = topk + 1 if topk > 0 else one.size
        for place in order:
            i, j = divmod(int(place), one.shape[1])
            if row[i] >= 0 or column[j] >= 0:
                continue
            good = one[i, j] < threshold if is_ascend else one[i, j] > threshold
            if not good or not left:
                break
            row[i], column[j], left = j, i, left - 1
    heads = data.shape[:-2]
    return [
        _wrapped(rows.reshape(*heads, -1), data),
        _wrapped(columns.reshape(*heads, -1), data),
    ]
