"""Boxes of object detection: overlaps, suppression, and the three steps of SSD (Liu et al. 2016).

A box is (x1, y1, x2, y2), or (x, y, width, height) in the format `center`. These functions have no
gradient, except that of `box_nms`, which moves with the boxes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from initlab.engine.device import from_host
from initlab.engine.errors import MXNetError
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import check_array, chosen
from initlab.engine.ops import elementwise, indexing

FORMATS = ("center", "corner")


def _wrapped(values: np.ndarray, like: NDArray) -> NDArray:
    return NDArray(from_host(values.astype(like.dtype), like.device), like.device)


def _corners(boxes: np.ndarray, form: str) -> np.ndarray:
    if form == "corner":
        return boxes
    middle, half = boxes[..., :2], boxes[..., 2:] / 2
    return np.concatenate([middle - half, middle + half], axis=-1)


def _centers(boxes: np.ndarray, form: str) -> np.ndarray:
    if form == "center":
        return boxes
    low, high = boxes[..., :2], boxes[..., 2:]
    return np.concatenate([(low + high) / 2, high - low], axis=-1)


def overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the share of the intersection in the union, for each pair of boxes (…, 4) in corners."""
    one, two = a.reshape(-1, 1, 4), b.reshape(1, -1, 4)
    sides = np.minimum(one[..., 2:], two[..., 2:]) - np.maximum(one[..., :2], two[..., :2])
    inner = np.prod(np.maximum(sides, 0), axis=-1)
    areas = [np.prod(np.maximum(x[..., 2:] - x[..., :2], 0), axis=-1) for x in (one, two)]
    whole = areas[0] + areas[1] - inner
    shares = np.where(whole > 0, inner / np.where(whole > 0, whole, 1), 0)
    return np.asarray(shares.reshape(a.shape[:-1] + b.shape[:-1]))


def box_iou(lhs: NDArray, rhs: NDArray, format: str = "corner") -> NDArray:
    """Return the intersection over union of each pair of boxes: (*lhs axes, *rhs axes)."""
    check_array(lhs, "lhs")
    check_array(rhs, "rhs")
    chosen("_contrib_box_iou", "format", format, FORMATS)
    a, b = (_corners(x.asnumpy(), format) for x in (lhs, rhs))
    return _wrapped(overlaps(a, b), lhs)


def _kept(
    boxes: np.ndarray, ids: np.ndarray | None, order: np.ndarray, threshold: float, limit: int
) -> list[int]:
    """Return the numbers of the boxes that no better one suppresses, best first.

    Only the first `limit` of `order` are compared, or all if it is negative.
    """
    if 0 <= limit < len(order):
        order = order[:limit]
    shares = overlaps(boxes[order], boxes[order])
    if ids is not None:
        shares = np.where(ids[order][:, None] == ids[order][None, :], shares, 0)
    left = np.ones(len(order), bool)
    for i in range(len(order)):
        if left[i]:
            left[i + 1 :] &= ~(shares[i, i + 1 :] > threshold)
    return [int(n) for n in order[left]]


def box_nms(
    data: NDArray,
    overlap_thresh: float = 0.5,
    valid_thresh: float = 0,
    topk: int = -1,
    coord_start: int = 2,
    score_index: int = 1,
    id_index: int = -1,
    background_id: int = -1,
    force_suppress: bool = False,
    in_format: str = "corner",
    out_format: str = "corner",
) -> NDArray:
    """Remove boxes that overlap better ones, from lists (…, boxes, k) of rows (id, score, box, …).

    The result has the boxes that are left, best score first, and rows of -1 for the others. Boxes
    with a score up to `valid_thresh` or the class `background_id` are removed; only the `topk` best
    of a list take part. Boxes of different classes (`id_index`) do not compete unless
    `force_suppress`. The gradient of a row goes to where the row was.
    """
    check_array(data, "data")
    for option, value in (("in_format", in_format), ("out_format", out_format)):
        chosen("_contrib_box_nms", option, value, FORMATS)
    rows = data.asnumpy()
    lists = rows.reshape(-1, *rows.shape[-2:])
    where = slice(coord_start, coord_start + 4)
    source = np.full(lists.shape[:2], -1, np.int64)
    for number, one in enumerate(lists):
        scores = one[:, score_index]
        valid = scores > valid_thresh
        if id_index >= 0:
            valid &= one[:, id_index] != background_id
        order = np.argsort(-scores, kind="stable")
        ids = one[:, id_index] if id_index >= 0 and not force_suppress else None
        boxes = _corners(one[:, where], in_format)
        kept = _kept(boxes, ids, order[valid[order]], overlap_thresh, topk)
        source[number, : len(kept)] = kept
    return _moved(data, source, where, in_format, out_format)


def _moved(
    data: NDArray, source: np.ndarray, where: slice, in_format: str, out_format: str
) -> NDArray:
    """Return the rows of lists at `source`, and -1 where that is negative."""
    xp = data._device.use()
    flat = data.reshape((-1, *data.shape[-2:]))
    lists = np.arange(len(source)).reshape(-1, 1)
    key = tuple(xp.asarray(part) for part in (lists, np.maximum(source, 0)))
    there = _wrapped((source >= 0)[..., None], data)
    rows = indexing.getitem(flat, key=key)
    if in_format != out_format:
        change = _centers if out_format == "center" else _corners
        values = rows.asnumpy()
        values[..., where] = change(values[..., where], in_format)
        rows = elementwise.add(rows, _wrapped(values, data) - rows.detach())
    moved = elementwise.subtract(elementwise.multiply(rows, there), 1 - there)
    return moved.reshape(data.shape)


# --- SSD


def MultiBoxPrior(
    data: NDArray,
    sizes: Sequence[float] = (1.0,),
    ratios: Sequence[float] = (1.0,),
    clip: bool = False,
    steps: Sequence[float] = (-1.0, -1.0),
    offsets: Sequence[float] = (0.5, 0.5),
) -> NDArray:
    """Return anchor boxes around each place of data (…, height, width): (1, boxes, 4).

    At each place: every size with the first ratio, then the first size with the other ratios.
    `steps` and `offsets` are (y, x), in shares of the image and of a step.
    """
    check_array(data, "data")
    height, width = data.shape[-2:]
    one = np.float32
    shapes = [(s, ratios[0]) for s in sizes] + [(sizes[0], r) for r in ratios[1:]]
    halves = np.array(
        [
            (one(s) * one(height) / one(width) * np.sqrt(one(r)) / 2, one(s) / np.sqrt(one(r)) / 2)
            for s, r in shapes
        ],
        np.float32,
    )
    step_y, step_x = (
        one(given) if given > 0 else one(1) / one(n)
        for given, n in zip(steps, (height, width), strict=True)
    )
    y = (np.arange(height, dtype=np.float32) + one(offsets[0])) * step_y
    x = (np.arange(width, dtype=np.float32) + one(offsets[1])) * step_x
    middles = np.stack(np.broadcast_arrays(x[None, :], y[:, None]), axis=-1)[:, :, None]
    boxes = np.concatenate([middles - halves, middles + halves], axis=-1).reshape(1, -1, 4)
    return _wrapped(np.clip(boxes, 0, 1) if clip else boxes, data)


def _matched(shares: np.ndarray, threshold: float) -> np.ndarray:
    """Return for each anchor the number of its object, or -1.

    First each object takes the best anchor that is left; then each anchor the object that it
    overlaps most, by at least the threshold.
    """
    found = np.full(len(shares), -1, np.int64)
    left = shares.copy()
    for _ in range(shares.shape[1]):
        anchor, thing = np.unravel_index(int(np.argmax(left)), left.shape)
        if left[anchor, thing] <= 1e-6:
            break
        found[anchor] = thing
        left[anchor], left[:, thing] = -1, -1
    best = shares.argmax(axis=1)
    free = (found < 0) & (shares[np.arange(len(shares)), best] > threshold)
    found[free] = best[free]
    return found


def _negatives(
    shares: np.ndarray,
    found: np.ndarray,
    scores: np.ndarray,
    ratio: float,
    below: float,
) -> np.ndarray:
    """Return which anchors count as background: those with the least confidence in it."""
    candidates = np.nonzero((found < 0) & (shares.max(axis=1) < below))[0]
    count = int((found >= 0).sum() * ratio)
    logits = scores[:, candidates]
    background = logits[0] - logits.max(axis=0)
    confidence = np.exp(background) / np.exp(logits - logits.max(axis=0)).sum(axis=0)
    return candidates[np.argsort(confidence, kind="stable")[:count]]


def MultiBoxTarget(
    anchor: NDArray,
    label: NDArray,
    cls_pred: NDArray,
    overlap_threshold: float = 0.5,
    ignore_label: float = -1,
    negative_mining_ratio: float = -1,
    negative_mining_thresh: float = 0.5,
    minimum_negative_samples: int = 0,
    variances: Sequence[float] = (0.1, 0.1, 0.2, 0.2),
) -> list[NDArray]:
    """Return what a network should say about each anchor: [offsets, mask of the offsets, class].

    `anchor` is (1, boxes, 4), `label` (batch, objects, 5) of rows (class, box) with class -1 after
    the last, `cls_pred` (batch, classes + 1, boxes). Offsets and mask are (batch, 4 boxes); the
    class is 0 for background, and `ignore_label` for anchors that negative mining leaves out and
    for images without objects. `minimum_negative_samples` has no effect, as in MXNet 1.9.1.
    """
    for name, value in (("anchor", anchor), ("label", label), ("cls_pred", cls_pred)):
        check_array(value, name)
    anchors, labels, scores = (x.asnumpy() for x in (anchor, label, cls_pred))
    boxes = anchors.reshape(-1, 4)
    batch, count = len(labels), len(boxes)
    offsets, mask = np.zeros((2, batch, count, 4), np.float32)
    classes = np.full((batch, count), ignore_label, np.float32)
    centers = _centers(boxes, "corner")
    for b, rows in enumerate(labels):
        ends = np.nonzero(rows[:, 0] == -1)[0]
        things = rows[: ends[0]] if len(ends) else rows
        if not len(things):
            continue
        shares = overlaps(boxes, things[:, 1:5])
        found = _matched(shares, overlap_threshold)
        positive = found >= 0
        goals = _centers(things[found[positive], 1:5], "corner")
        own = centers[positive]
        offsets[b, positive] = np.concatenate(
            [(goals[:, :2] - own[:, :2]) / own[:, 2:], np.log(goals[:, 2:] / own[:, 2:])], axis=1
        ) / np.asarray(variances, np.float32)
        mask[b, positive] = 1
        if negative_mining_ratio > 0:
            classes[b, _negatives(
                shares, found, scores[b], negative_mining_ratio, negative_mining_thresh
            )] = 0  # fmt: skip
        else:
            classes[b] = 0
        classes[b, positive] = things[found[positive], 0] + 1
    return [_wrapped(x.reshape(batch, -1), anchor) for x in (offsets, mask, classes)]


def MultiBoxDetection(
    cls_prob: NDArray,
    loc_pred: NDArray,
    anchor: NDArray,
    clip: bool = True,
    threshold: float = 0.01,
    background_id: int = 0,
    nms_threshold: float = 0.5,
    force_suppress: bool = False,
    variances: Sequence[float] = (0.1, 0.1, 0.2, 0.2),
    nms_topk: int = -1,
) -> NDArray:
    """Return the objects that a network sees: (batch, boxes, 6) of rows (class, score, box).

    `cls_prob` is (batch, classes + 1, boxes), `loc_pred` (batch, 4 boxes), `anchor` (1, boxes, 4).
    Rows are ordered by score. The class is -1 where the score is below `threshold` or a better box
    of the class overlaps by more than `nms_threshold`. Background must be class 0.
    """
    for name, value in (("cls_prob", cls_prob), ("loc_pred", loc_pred), ("anchor", anchor)):
        check_array(value, name)
    if background_id != 0:
        raise MXNetError(f"MultiBoxDetection: background_id must be 0, got {background_id}")
    centers = _centers(anchor.asnumpy().reshape(-1, 4), "corner")
    result = np.full((len(cls_prob), len(centers), 6), -1, np.float32)
    for b, (chances, moves) in enumerate(zip(cls_prob.asnumpy(), loc_pred.asnumpy(), strict=True)):
        shifts = moves.reshape(-1, 4) * np.asarray(variances, np.float32)
        middle = shifts[:, :2] * centers[:, 2:] + centers[:, :2]
        boxes = _corners(
            np.concatenate([middle, np.exp(shifts[:, 2:]) * centers[:, 2:]], axis=1), "center"
        )
        if clip:
            boxes = np.clip(boxes, 0, 1)
        ids, scores = chances[1:].argmax(axis=0), chances[1:].max(axis=0)
        seen = np.nonzero(scores >= threshold)[0]
        order = seen[np.argsort(-scores[seen], kind="stable")]
        kept = set(_kept(boxes, None if force_suppress else ids, order, nms_threshold, nms_topk))
        for row, i in enumerate(order):
            result[b, row] = (ids[i] if int(i) in kept else -1, scores[i], *boxes[i])
    return _wrapped(result, cls_prob)
