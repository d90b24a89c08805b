"""Outputs with the gradient of a loss in them: `SoftmaxOutput` and the regression outputs, for code
written before Gluon.

The backward pass ignores the gradient that comes from above.
"""

from __future__ import annotations

from collections.abc import Callable

from initlab.engine import autograd
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import chosen, operator
from initlab.engine.ops import activation, indexing


class _Output(autograd.Function):
    """A function of data, whose gradient is another function of the output."""

    def __init__(
        self, value: Callable[[NDArray], NDArray], gradient: Callable[[NDArray], NDArray]
    ) -> None:
        super().__init__()
        self._value, self._gradient = value, gradient

    def forward(self, data: NDArray) -> NDArray:
        """Return the output."""
        out = self._value(data)
        self.save_for_backward(out)
        return out

    def backward(self, above: NDArray) -> NDArray:
        """Return the loss's own gradient."""
        return self._gradient(self.saved_tensors[0])


def _computed(
    data: NDArray, value: Callable[[NDArray], NDArray], gradient: Callable[[NDArray], NDArray]
) -> NDArray:
    found: NDArray = _Output(value, gradient)(data)
    return found


@operator("SoftmaxOutput", "Softmax")
def SoftmaxOutput(
    data: NDArray,
    label: NDArray,
    grad_scale: float = 1.0,
    ignore_label: float = -1.0,
    multi_output: bool = False,
    use_ignore: bool = False,
    preserve_shape: bool = False,
    normalization: str = "null",
    out_grad: bool = False,
    smooth_alpha: float = 0.0,
) -> NDArray:
    """Return the softmax; its gradient is that of the cross entropy with the classes `label`.

    The softmax is over all axes but the first, over axis 1 with `multi_output`, or over the last
    with `preserve_shape`. The gradient times `grad_scale` is divided by 1 (`null`), the `batch`, or
    the number of `valid` labels: with `use_ignore`, those that are not `ignore_label`, which get no
    gradient. `smooth_alpha` spreads that share of a label over the other classes.
    """
    chosen("SoftmaxOutput", "normalization", normalization, ("batch", "null", "valid"))
    last = not (multi_output or preserve_shape)
    rows = (data.shape[0], data.size // data.shape[0]) if last else data.shape
    axis = 1 if multi_output else len(rows) - 1
    classes = rows[axis]
    labels = label.detach().reshape(rows[:axis] + rows[axis + 1 :])
    order = (*range(axis), len(rows) - 1, *range(axis, len(rows) - 1))

    def gradient(out: NDArray) -> NDArray:
        other = smooth_alpha / (classes - 1) if classes > 1 else 0.0
        hot = indexing.one_hot(labels, depth=classes, on_value=1 - smooth_alpha, off_value=other)
        g = out.reshape(rows) - hot.transpose(order).astype(out.dtype)
        valid = labels != ignore_label if use_ignore else labels.ones_like()
        g = g * valid.expand_dims(axis=axis).astype(out.dtype)
        divisor = {
            "null": 1.0,
            "batch": float(rows[0]),
            "valid": max(1.0, float(valid.sum().asscalar())),
        }[normalization]
        if multi_output and normalization != "valid":
            divisor *= labels.size / rows[0]
        return (g * (grad_scale / divisor)).reshape(data.shape)

    return _computed(
        data, lambda x: activation.softmax(x.reshape(rows), axis=axis).reshape(x.shape), gradient
    )


def _regression(
    data: NDArray,
    label: NDArray,
    scale: float,
    value: Callable[[NDArray], NDArray],
    slope: Callable[[NDArray], NDArray],
) -> NDArray:
    """Return an output whose gradient is slope(output - label) scale / (numbers in a sample)."""
    labels = label.detach().reshape(data.shape)
    each = labels.size / labels.shape[0]
    return _computed(data, value, lambda out: slope(out - labels) * (scale / each))


@operator("LinearRegressionOutput")
def LinearRegressionOutput(data: NDArray, label: NDArray, grad_scale: float = 1.0) -> NDArray:
    """Return the data; its gradient is that of half the squared distance from the label."""
    return _regression(data, label, grad_scale, lambda x: x.copy(), lambda d: d)


@operator("MAERegressionOutput")
def MAERegressionOutput(data: NDArray, label: NDArray, grad_scale: float = 1.0) -> NDArray:
    """Return the data; its gradient is that of the distance from the label, and -1 at the label, as
    in MXNet.
    """
    return _regression(data, label, grad_scale, lambda x: x.copy(), lambda d: (d > 0) * 2 - 1)


@operator("LogisticRegressionOutput")
def LogisticRegressionOutput(data: NDArray, label: NDArray, grad_scale: float = 1.0) -> NDArray:
    """Return the sigmoid; its gradient is that of the cross entropy with the label."""
    return _regression(data, label, grad_scale, activation.sigmoid, lambda d: d)
