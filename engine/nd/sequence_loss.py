"""Connectionist temporal classification, a loss of sequences that are not aligned with their
labels.

Source: MXNet's src/operator/contrib/ctc_loss.cc.
"""

from __future__ import annotations

from initlab.engine.errors import MXNetError
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import operator
from initlab.engine.ops import ctc
from initlab.engine.registry import advice

PADDING = {"first": 0, "last": -1}
"""The value that ends a row of labels without lengths, by the position of the blank class."""


@operator("CTCLoss", "ctc_loss")
def CTCLoss(
    data: NDArray,
    label: NDArray,
    data_lengths: NDArray | None = None,
    label_lengths: NDArray | None = None,
    use_data_lengths: bool = False,
    use_label_lengths: bool = False,
    blank_label: str = "first",
) -> NDArray:
    """Return -log p(label) for each sample, of shape (batch,).

    `data` holds scores before softmax, (time, batch, classes); `label` holds class indices, (batch,
    longest). The blank is the first or the last class. Without `use_label_lengths`, a label ends at
    the first 0, or at the first -1 if the blank is the last class. Raises MXNetError if shapes or
    lengths do not fit, or a label is no class.
    """
    if blank_label not in PADDING:
        raise MXNetError(
            f"CTCLoss: no blank_label '{blank_label}' - {advice(blank_label, PADDING)}"
        )
    if data.ndim != 3 or label.ndim != 2:
        raise MXNetError(
            f"CTCLoss: scores must be (time, batch, classes), labels (batch, longest), got {data.shape} "
            f"and {label.shape}"
        )
    steps, batch, classes = data.shape
    xp, ones = data._device.use(), data[0, :, 0].detach() * 0 + 1
    if use_data_lengths and data_lengths is not None:
        times = data_lengths
        if times.max().asscalar() > steps or times.min().asscalar() < 1:
            raise MXNetError(
                f"CTCLoss: data_lengths must lie between 1 and {steps}, the number of steps"
            )
    else:
        times = ones * steps
    if use_label_lengths and label_lengths is not None:
        counts = label_lengths
    else:
        ended = xp.cumsum(label._raw == PADDING[blank_label], axis=1) > 0
        counts = label._wrap(xp.sum(~ended, axis=1).astype(label._raw.dtype))
    return ctc.ctc_loss(
        data, label, times, counts, blank=0 if blank_label == "first" else classes - 1
    )
