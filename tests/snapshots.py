"""Snapshots to write and read, and comparisons of them."""

from __future__ import annotations

import io
import random

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from initlab.engine import dtypes, formats
from initlab.engine.formats import Snapshot

DTYPES = ["float16", "float32", "float64", "bfloat16", "uint8", "int8", "int32", "int64", "bool"]


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def sample() -> Snapshot:
    tensors = {
        f"t.{name}": (np.arange(6).reshape(2, 3) % 2).astype(dtypes.resolve(name))
        for name in DTYPES
    }
    tensors |= {
        "empty": np.zeros((0, 3), np.float32),
        "scalar": np.array(3.5, np.float32),
        "ключ": np.ones(2, np.float32),
    }
    return Snapshot(tensors, {"alias": "scalar"}, {"root-v1": "ab", "n": 1})


NAME = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8
).filter(lambda n: n != "__metadata__")


SHAPE = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


@st.composite
def snapshots(draw) -> Snapshot:
    tensors = {}
    for name in draw(st.lists(NAME, unique=True, max_size=4)):
        dtype = dtypes.resolve(draw(st.sampled_from(DTYPES)))
        shape = draw(SHAPE)
        size = int(np.prod(shape)) * dtype.itemsize
        raw = np.frombuffer(draw(st.binary(min_size=size, max_size=size)), np.uint8)
        tensors[name] = (raw & 1 if dtype == np.bool_ else raw).copy().view(dtype).reshape(shape)
    free = (
        [name for name in draw(st.lists(NAME, unique=True, max_size=2)) if name not in tensors]
        if tensors
        else []
    )
    aliases = {name: draw(st.sampled_from(sorted(tensors))) for name in free}
    return Snapshot(
        tensors,
        aliases,
        draw(
            st.dictionaries(
                NAME, st.none() | st.integers() | st.text('ab"\n', max_size=3), max_size=2
            )
        ),
    )


def round_trip(name: str, snapshot: Snapshot) -> Snapshot:
    file = io.BytesIO()
    formats.get(name).dump(file, snapshot)
    return formats.get(name).parse(file.getvalue())


def flipped(whole: bytes) -> list[bytes]:
    """The file with each bit turned over, and with bytes changed, taken out and put in at random."""
    files = []
    for place in range(len(whole)):
        bit = 1 << place % 8
        files.append(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
    chance = random.Random(0)
    for _ in range(1500):
        start, count = chance.randrange(len(whole)), chance.randint(0, 9)
        files.append(
            whole[:start] + chance.randbytes(chance.randint(0, 9)) + whole[start + count :]
        )
    return files
