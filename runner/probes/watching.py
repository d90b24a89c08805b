"""The table of layers: what each call of a layer with a row receives and returns, and its moments.

`calls` reports every call of such a layer as it happens; `watch` makes the rows of the table from
them.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from initlab.engine import gluon, nd
from initlab.runner.probes.following import Addition, following
from initlab.runner.probes.following import Call as Followed
from initlab.runner.probes.roles import ROLE_COLUMNS, Role, branch_end, roles_of

Row: TypeAlias = dict[str, Any]
INPUT_COLUMNS = ("in_mean", "in_variance", "in_rms", "rms_ratio")
BRANCH_COLUMNS = ("stream_rms", "branch_ratio")
LAYER_COLUMNS = (
    *ROLE_COLUMNS,
    "input",
    "shape",
    "mean",
    "variance",
    "rms",
    "zeros",
    "pre_rms",
    *INPUT_COLUMNS,
    *BRANCH_COLUMNS,
)
"""The columns that `watch` measures."""


def moments(values: np.ndarray) -> dict[str, float]:
    """Return `mean`, `variance` and `rms` of all elements, summed in float64, and `zeros`.

    `zeros` is the fraction of elements that are exactly 0.
    """
    wide = np.asarray(values, np.float64).ravel()
    mean = float(wide.mean())
    return {
        "mean": mean,
        "variance": float(np.square(wide - mean).mean()),
        "rms": float(np.sqrt(np.square(wide).mean())),
        "zeros": float((wide == 0).mean()),
    }


@dataclass
class Call:
    """One call of a layer that has a row."""

    path: str
    role: Role
    input: nd.NDArray | None
    """Its first argument, if that is an array."""
    output: nd.NDArray
    before: nd.NDArray | None
    """The input of the layer's own activation; None without one."""
    source: str | None
    """The path of the row whose output the input is."""
    first: bool
    """Whether the layer receives what the network receives."""


class Known:
    """Values that are known of arrays for as long as these exist."""

    def __init__(self) -> None:
        self._values: dict[int, tuple[weakref.ref[nd.NDArray], Any]] = {}

    def get(self, array: object) -> Any:
        """Return the value of an array, or None."""
        kept = self._values.get(id(array))
        return kept[1] if kept is not None and kept[0]() is array else None

    def set(self, array: nd.NDArray, value: object) -> None:
        """Keep the value of an array."""
        self._values[id(array)] = weakref.ref(array), value


@contextmanager
def calls(
    layers: Mapping[str, gluon.Block],
    called: Callable[[Call], object],
    joined: Callable[[str, Addition], object] = lambda end, addition: None,
) -> Iterator[None]:
    """Report every call of the layers that returns an array, inside a `with`, and every addition of a
    branch with the path of the row at the branch's end.
    """
    roles = roles_of(layers)
    sources = Known()
    entering: list[nd.NDArray] = []

    def ended(call: Followed) -> None:
        output = call.returned
        if not isinstance(output, nd.NDArray):
            return
        given = next((one for one in call.arguments[:1] if isinstance(one, nd.NDArray)), None)
        if given is not None and not entering:
            entering.append(given)
        source = sources.get(given)
        sources.set(output, call.path)
        first = bool(entering) and given is entering[0]
        called(Call(call.path, roles[call.path], given, output, call.before, source, first))

    def added(addition: Addition) -> None:
        end = branch_end(addition.path, addition.block, addition.end, layers)
        if end is not None:
            joined(end, addition)

    with following(layers, ended, added):
        yield


class Table:
    """The rows of the table of layers, made from calls and additions."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self._known = Known()

    def call(self, call: Call) -> Row:
        """Append and return the row of a call."""
        found = self.moments_of(call.output)
        row: Row = {
            "path": call.path,
            **call.role.columns(),
            "input": call.source,
            "shape": list(call.output.shape),
            **found,
            "pre_rms": None if call.before is None else self.moments_of(call.before)["rms"],
            **dict.fromkeys((*INPUT_COLUMNS, *BRANCH_COLUMNS)),
        }
        if call.input is not None and np.dtype(call.input.dtype).kind not in "iu":
            given = self.moments_of(call.input)
            row |= {f"in_{name}": given[name] for name in ("mean", "variance", "rms")}
            row["rms_ratio"] = None if call.first else ratio(row["rms"], given["rms"])
        self.rows.append(row)
        return row

    def join(self, end: str, addition: Addition) -> None:
        """Write into the last row of a branch's end how large the branch is, against its stream."""
        row = next((r for r in reversed(self.rows) if r["path"] == end), None)
        if row is not None:
            row["stream_rms"] = self.moments_of(addition.stream)["rms"]
            row["branch_ratio"] = ratio(self.moments_of(addition.branch)["rms"], row["stream_rms"])

    def moments_of(self, array: nd.NDArray) -> dict[str, float]:
        """Return the moments of an array, computed once."""
        found: dict[str, float] | None = self._known.get(array)
        if found is None:
            found = moments(array.asnumpy())
            self._known.set(array, found)
        return found


def ratio(value: float, by: float) -> float | None:
    """Return value / by, or None if `by` is not positive."""
    return value / by if by > 0 else None


@contextmanager
def watch(layers: Mapping[str, gluon.Block], rows: list[Row]) -> Iterator[None]:
    """Append a row to `rows` for every call of a layer, inside a `with`.

    The row has the layer's role, the `moments` of its output, and those of what enters it (`in_…`).
    `pre_rms` is the rms before a layer's own activation. `rms_ratio` is the rms divided by that of
    what enters; it is null where the network's own input enters. `input` is the path of the row
    whose output enters. At the end of a branch, `stream_rms` is the rms of the stream before the
    addition, and `branch_ratio` the branch's rms divided by it.
    """
    table = Table(rows)
    with calls(layers, table.call, table.join):
        yield
