"""Memory that nobody wrote."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import torch

from initlab.runner.torch.watch.checks.base import Check, register
from initlab.runner.torch.watch.record.found import Examined, Finding, Held
from initlab.runner.torch.watch.record.recording import Event, unset_value, view_of
from initlab.runner.torch.watch.record.views import covered
from initlab.runner.torch.watch.record.writelaws import from_unset


@register
class NeverWritten(Check):
    """Which elements still hold what memory was filled with, and which were computed from such."""

    id: ClassVar[str] = "never-written"
    says: ClassVar[str] = "a parameter or buffer still holds what was unset"

    def look(self, given: Examined) -> Iterator[Finding]:
        """Yield tensors with NaN, and integers that no write reached."""
        for held in given.own:
            said = _said(held, given.recording.last(held.tensor))
            if said:
                yield self.of(held, said)


def _said(held: Held, last: Event | None) -> str | None:
    tensor = held.tensor.detach()
    try:
        if tensor.dtype.is_floating_point or tensor.dtype.is_complex:
            unset = torch.isnan(tensor)
        elif held.history.made_unset:
            unset = tensor == unset_value(tensor.dtype)
        else:
            return None
    except (RuntimeError, TypeError, NotImplementedError):
        return None  # a type or a layout without comparisons
    count = int(unset.sum())
    if not count:
        return None
    missed = _missed(held, unset)
    total = f"{tensor.numel():,}"
    if missed is not None and missed[0]:
        first = "" if missed[0] == tensor.numel() else f", the first at {list(missed[1])}"
        made = "" if last is None else f" since it was made at {list(last.past)[-1].place}"
        return f"{missed[0]:,} of {total} elements were never written{first}{made}"
    if not (tensor.dtype.is_floating_point or tensor.dtype.is_complex):
        return None
    if last is not None and from_unset(last):
        return f"{count:,} of {total} elements are NaN: {last.op} at {last.place} read unset memory"
    where = "" if last is None else f": last written by {last.op} at {last.place}"
    return f"{count:,} of {total} elements are NaN{where}"


def _missed(held: Held, unset: Any) -> tuple[int, tuple[int, ...]] | None:
    """Return (number of unset elements that no write covers, where the first is)."""
    if not held.history.made_unset:
        return None
    views = held.history.views
    if any(view is None for view in views):
        return 0, ()
    view = view_of(held.tensor)
    missed = unset.cpu().numpy() & ~covered([one for one in views if one is not None], view)
    where = np.argwhere(missed)
    return int(missed.sum()), tuple(where[0].tolist()) if len(where) else ()
