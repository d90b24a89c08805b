"""The table that `Block.summary` prints."""

from __future__ import annotations

from typing import Any

from initlab.engine.nd import NDArray


def print_summary(block: Any, inputs: tuple[Any, ...]) -> None:
    """Run the block once and print the table of `Block.summary`, in MXNet's form."""
    rows: list[tuple[str, str, int]] = [("Input", _text(inputs), 0)]
    counted: set[int] = set()
    totals = {"total": 0, "trainable": 0, "shared": 0}
    handles = []

    def note(layer: Any, args: Any, out: Any) -> None:
        own = 0
        for parameter in layer.params.values():
            size = parameter.data().size
            own += size
            totals["trainable"] += 0 if parameter.grad_req == "null" else size
            totals["shared"] += size if id(parameter) in counted else 0
            counted.add(id(parameter))
        totals["total"] += own
        rows.append((f"{type(layer).__name__}-{len(rows)}", _text(out), own))

    def watch(layer: Any) -> None:
        if getattr(layer, "_active", False):
            raise AssertionError(f'"{layer.name}" must not be hybridized to print summary.')
        if type(layer).__name__ not in ("Sequential", "HybridSequential"):
            handles.append(layer.register_forward_hook(note))

    try:
        block.apply(watch)
        block(*inputs)
    finally:
        for handle in handles:
            handle.detach()
    print("-" * 80)
    print(f"{'Layer (type)':>20}  {'Output Shape':>42} {'Param #':>15}")
    print("=" * 80)
    for layer, shape, count in rows:
        print(f"{layer:>20}  {shape:>42} {count:>15}")
    print("=" * 80)
    print("Parameters in forward computation graph, duplicate included")
    print(f"   Total params: {totals['total']}")
    print(f"   Trainable params: {totals['trainable']}")
    print(f"   Non-trainable params: {totals['total'] - totals['trainable']}")
    print(f"Shared params in forward computation graph: {totals['shared']}")
    print(f"Unique parameters in model: {totals['total'] - totals['shared']}")
    print("-" * 80)


def _text(values: Any) -> str:
    """Return the shapes of an array, or of arrays in nested lists, without the outer brackets."""
    shapes = _shapes(values)
    return str(shapes)[1:-1] if isinstance(shapes, list) else str(shapes)


def _shapes(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_shapes(item) for item in value]
    return value.shape if isinstance(value, NDArray) else value
