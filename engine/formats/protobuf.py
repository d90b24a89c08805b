"""Messages of Protocol Buffers, taken apart into fields without a schema and without copying.

A field is a number and a value: a whole number, or the place of its bytes. Source: the page "Encoding"
of protobuf.dev.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from initlab.engine.errors import FormatError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
LONGEST_VARINT = 10
LONGEST_TEXT = 4096


@dataclass(frozen=True)
class Span:
    """Bytes start … stop - 1 of a file."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        """The number of bytes."""
        return self.stop - self.start


def fields(raw: np.ndarray, span: Span) -> Iterator[tuple[int, int | Span]]:
    """Yield (number, value) of each field of the message in `span`, in order.

    Raises FormatError where the message is damaged or cut short.
    """
    at = span.start
    while at < span.stop:
        tag, at = varint(raw, at, span.stop)
        number, wire = tag >> 3, tag & 7
        if number == 0:
            raise FormatError(f"is damaged at byte {at}: a field has no number")
        if wire == VARINT:
            value, at = varint(raw, at, span.stop)
            yield number, value
            continue
        if wire not in (BYTES, FIXED32, FIXED64):
            raise FormatError(f"is damaged at byte {at}: a field is of the unknown type {wire}")
        size = 4 if wire == FIXED32 else 8
        if wire == BYTES:
            size, at = varint(raw, at, span.stop)
        if size > span.stop - at:
            raise FormatError(
                f"is damaged or cut short at byte {at}: {size} bytes announced, {span.stop - at} there"
            )
        yield number, Span(at, at + size)
        at += size


def varint(raw: np.ndarray, at: int, stop: int) -> tuple[int, int]:
    """Return (the number at byte `at`, the place behind it)."""
    found = 0
    for place in range(LONGEST_VARINT):
        if at + place >= stop:
            raise FormatError("is cut short within a number")
        byte = int(raw[at + place])
        found |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return found & (1 << 64) - 1, at + place + 1
    raise FormatError(f"is damaged at byte {at}: a number has no end")


def varints(raw: np.ndarray, span: Span) -> np.ndarray:
    """Return the numbers that fill a span, as uint64."""
    data = np.ascontiguousarray(raw[span.start : span.stop])
    ends = np.flatnonzero(data < 0x80)
    if not data.size:
        return np.zeros(0, np.uint64)
    starts = np.concatenate([[0], ends[:-1] + 1]) if ends.size else ends
    lengths = ends - starts + 1
    if not ends.size or ends[-1] != data.size - 1 or lengths.max() > LONGEST_VARINT:
        raise FormatError(f"is damaged at byte {span.start}: a number has no end")
    found = np.zeros(ends.size, np.uint64)
    for place in range(int(lengths.max())):
        there = lengths > place
        part = data[starts[there] + place].astype(np.uint64) & np.uint64(0x7F)
        found[there] |= part << np.uint64(7 * place)
    return found


def text(raw: np.ndarray, span: Span) -> str:
    """Return the text in a span."""
    if span.size > LONGEST_TEXT:
        raise FormatError(f"is damaged at byte {span.start}: a name has {span.size} bytes")
    try:
        return raw[span.start : span.stop].tobytes().decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError(f"is damaged at byte {span.start}: a name is no text") from None
