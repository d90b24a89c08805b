"""Updater: an optimizer with the states of the weights on one device (MXNet: `get_updater`)."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np

from initlab.engine import nd
from initlab.engine.errors import FormatError
from initlab.engine.optimizer.base import Optimizer, State, arrays_of


class Updater:
    """Call it with (number, gradient, weight) to update a weight; it makes states when needed.

    `place` is the number of the device, whose steps are counted apart.
    """

    def __init__(self, optimizer: Optimizer, place: int = 0) -> None:
        self.optimizer = optimizer
        self.states: dict[int, State] = {}
        self._place = place
        self._read: dict[int, list[np.ndarray]] = {}

    def __call__(
        self,
        index: int | Sequence[int],
        grad: nd.NDArray | Sequence[nd.NDArray],
        weight: nd.NDArray | Sequence[nd.NDArray],
    ) -> None:
        if not isinstance(index, int):
            for one in zip(index, grad, weight, strict=True):
                self(*one)
            return
        assert isinstance(grad, nd.NDArray)
        assert isinstance(weight, nd.NDArray)
        self.optimizer._set_current_context(self._place)
        if index not in self.states:
            self.states[index] = self._made(index, weight)
        self.optimizer.update_multi_precision(index, weight, grad, self.states[index])

    def _made(self, index: int, weight: nd.NDArray) -> State:
        """Return a new state, with the values that were read for it."""
        state = self.optimizer.create_state_multi_precision(index, weight)
        if index in self._read:
            values, arrays = self._read.pop(index), arrays_of(state)
            found, wanted = [v.shape for v in values], [a.shape for a in arrays]
            if found != wanted:
                raise FormatError(
                    f"the state of weight {index} has arrays of shapes {found}, but "
                    f"{type(self.optimizer).__name__} needs {wanted}"
                )
            for array, value in zip(arrays, values, strict=True):
                array[:] = nd.array(value, ctx=array.context, dtype=array.dtype)
        return state

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays of all states, by `number of the weight.number of the array`."""
        unused = [(f"{index}.{i}", v) for index, vs in self._read.items() for i, v in enumerate(vs)]
        return dict(unused) | {
            f"{index}.{i}": array.asnumpy()
            for index, state in self.states.items()
            for i, array in enumerate(arrays_of(state))
        }

    def set_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take over what `arrays` gave. Values go into the states when these are made."""
        read: dict[int, dict[int, np.ndarray]] = {}
        for name, values in arrays.items():
            index, i = (int(part) for part in name.split("."))
            read.setdefault(index, {})[i] = values
        self.states = {}
        self._read = {index: [by[i] for i in sorted(by)] for index, by in read.items()}

    def get_states(self, dump_optimizer: bool = False) -> bytes:
        """Return all states as the bytes of an npz file (not pickled, unlike MXNet).

        Raises ValueError for `dump_optimizer`: an optimizer would have to be pickled.
        """
        if dump_optimizer:
            raise ValueError(
                "dump_optimizer must be False: nothing is pickled here - make it again"
            )
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, **self.arrays())
        return file.getvalue()

    def set_states(self, states: bytes) -> None:
        """Take over what `get_states` gave. Raises FormatError for other bytes."""
        try:
            with np.load(io.BytesIO(states), allow_pickle=False) as file:
                self.set_arrays(dict(file))
        except (ValueError, OSError, EOFError, KeyError) as error:
            raise FormatError(
                f"these bytes are no states of get_states ({type(error).__name__}); pickled ones of "
                "MXNet are not read"
            ) from error


def get_updater(optimizer: Optimizer) -> Updater:
    """Return a function of (number, gradient, weight) that updates a weight in place."""
    return Updater(optimizer)
