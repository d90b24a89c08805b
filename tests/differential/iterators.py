"""Iterators of `mx.io` on the engine and on MXNet 1.9.1. Like `programs`;
`python -m differential.iterators engine|mxnet OUT.npz FOLDER` runs all.
"""

import sys

import numpy as np
from differential.programs import main

PROGRAMS = {}
EXACT = {"arrays", "shuffled", "names", "resized", "transposed"}


def program(function):
    PROGRAMS[function.__name__] = function
    return function


def epochs(iterator, count=3):
    """Return the batches of some epochs."""
    found = {}
    for epoch in range(count):
        iterator.reset()
        number = 0
        for number, batch in enumerate(iterator):
            place = f"{epoch} {number}"
            for i, array in enumerate(batch.data):
                found[f"{place} data {i}"] = array.asnumpy()
            for i, array in enumerate(batch.label):
                found[f"{place} label {i}"] = array.asnumpy()
            found[f"{place} pad"] = np.array(batch.pad or 0)
        found[f"{epoch} batches"] = np.array(number + 1)
    return found


ROWS, LABELS = np.arange(14).reshape(7, 2), np.arange(7) * 10


@program
def arrays(mx):
    found = {}
    for last in ("pad", "discard", "roll_over"):
        for size in (1, 2, 3, 5, 7):
            made = mx.io.NDArrayIter(ROWS, LABELS, size, last_batch_handle=last)
            found.update({f"{last} {size} {k}": v for k, v in epochs(made).items()})
    few = mx.io.NDArrayIter(ROWS[:2], LABELS[:2], 7)
    found.update({"few " + k: v for k, v in epochs(few, 1).items()})
    bare = mx.io.NDArrayIter(mx.nd.array(ROWS, dtype="int32"), batch_size=4)
    found.update({"bare " + k: v for k, v in epochs(bare, 1).items()})
    return found


@program
def shuffled(mx):
    found = {}
    for last in ("pad", "discard", "roll_over"):
        np.random.seed(4)
        made = mx.io.NDArrayIter(ROWS, LABELS, 3, shuffle=True, last_batch_handle=last)
        found.update({f"{last} {k}": v for k, v in epochs(made).items()})
    return found


@program
def names(mx):
    made = mx.io.NDArrayIter({"b": ROWS, "a": LABELS}, [LABELS, ROWS], batch_size=3, label_name="y")
    found = epochs(made, 1)
    for label, described in {"data": made.provide_data, "label": made.provide_label}.items():
        found[label] = np.array(str(described))
    found["batch"] = np.array(str(next(iter(mx.io.NDArrayIter(ROWS, LABELS, 3)))))
    found["axis"] = np.array([mx.io.DataDesc.get_batch_axis(x) for x in ("TNC", "NCHW", None)])
    name, shape = mx.io.DataDesc("x", (2, 3), layout="NC")
    found["pair"] = np.array(f"{name} {shape}")
    return found


@program
def resized(mx):
    made = mx.io.ResizeIter(mx.io.NDArrayIter(ROWS, LABELS, 3, last_batch_handle="discard"), 5)
    return epochs(made, 2)


@program
def transposed(mx):
    made = mx.io.NDArrayIter(ROWS.T.copy().reshape(2, 7, 1), batch_size=3, layout="TNC",
                             last_batch_handle="discard")  # fmt: skip
    return {"shapes": np.array(str([d.shape for d in made.provide_data]))}


if __name__ == "__main__":
    main(*sys.argv[1:], programs=PROGRAMS)
