"""Tables of lines for a terminal: no number, name, id or heading is ever broken.

A table that is wider than the screen is printed in the first of these forms that fits: headings of
several words in several lines; several tables, each with the first columns again, or where that
takes fewer lines with the first column of each row on a line of its own; a block of lines for each
row.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from rich.console import Console
from rich.text import Text

COLOURED = 500
"""Rows of a table that is printed in colours at most; of a longer one, that takes seconds."""
GAP = "  "

Cells = Sequence[str | Text]


class Listing:
    """A table with headings. The first `keys` columns say what a row is about."""

    def __init__(self, *columns: tuple[str, str], keys: int = 1) -> None:
        self._names = [name for name, _ in columns]
        self._right = [side == "right" for _, side in columns]
        self._keys = list(range(keys))
        self._rows: list[Cells] = []
        self._widest = [0] * len(columns)

    def add_row(self, *cells: str | Text) -> None:
        """Add a row, with a cell for each column."""
        self._rows.append(cells)
        self._widest = [
            max(most, len(cell)) for most, cell in zip(self._widest, cells, strict=True)
        ]

    def fits(self, width: int, above: bool = False) -> bool:
        """Return whether a row is one line of at most this width; with `above`, whether it is without
        its first cell, which then stands on a line of its own.
        """
        columns = list(range(int(above), len(self._names)))
        return self._width(columns, self._stacked()) <= width - len(GAP) * above

    def _stacked(self) -> list[list[str]]:
        return [name.split() or [""] for name in self._names]

    def print(self, out: Console, above: bool = False) -> None:
        """Print all rows in lines of at most `out.width` characters, if their cells allow it; with
        `above`, the first cell of each row on a line of its own.
        """
        if out.quiet:
            return
        coloured = out.color_system is not None and len(self._rows) <= COLOURED
        columns = list(range(1, len(self._names)))
        lines = self._under_keys(columns, self._stacked()) if above else self._lines(out.width)
        for line in lines:
            if coloured:
                out.print(line, soft_wrap=True)
            else:
                out.file.write(f"{line.plain}\n")

    def _lines(self, width: int) -> Iterator[Text]:
        whole = [[name] for name in self._names]
        stacked = self._stacked()
        everything = list(range(len(self._names)))
        fits = self._width(everything, whole) <= width
        parts = [everything] if fits else self._parts(stacked, width)
        if any(self._width(part, stacked) > width for part in parts):
            yield from self._blocks(width)
            return
        above = self._parts(stacked, width - len(GAP), above=True) if len(parts) > 2 else parts
        if self._lines_of(above, 2) < self._lines_of(parts, 1):
            for number, part in enumerate(above):
                fits = self._width(part, whole) <= width - len(GAP)
                yield from [Text()] * bool(number)
                yield from self._under_keys(part, whole if fits else stacked)
            return
        for number, part in enumerate(parts):
            if number:
                yield Text()
            yield from self._table(part, whole if self._width(part, whole) <= width else stacked)

    def _column(self, at: int, heads: list[list[str]]) -> int:
        """Return the width of a column."""
        return max(self._widest[at], *map(len, heads[at]))

    def _width(self, columns: list[int], heads: list[list[str]]) -> int:
        return sum(self._column(at, heads) + len(GAP) for at in columns) - len(GAP)

    def _parts(self, heads: list[list[str]], width: int, above: bool = False) -> list[list[int]]:
        """Return the columns of as few tables as the width allows, each with the key columns; with
        `above` without the first of them.

        The last table has as many columns as fit: the first columns declare, the last ones compare.
        """
        keys = self._keys[1:] if above else self._keys
        parts: list[list[int]] = [[]]
        for at in reversed(range(len(self._keys), len(self._names))):
            if parts[0] and self._width([*keys, at, *parts[0]], heads) > width:
                parts.insert(0, [])
            parts[0].insert(0, at)
        return [[*keys, *part] for part in parts]

    def _lines_of(self, parts: list[list[int]], of_a_row: int) -> int:
        """Return about how many lines tables take, if each row takes `of_a_row`."""
        return len(parts) * (1 + of_a_row * (1 + len(self._rows)))

    def _under_keys(self, part: list[int], heads: list[list[str]]) -> Iterator[Text]:
        """Yield a table whose rows stand below their first column, which is as long as it likes."""
        yield Text(self._names[0], "bold")
        lines = self._table(part, heads, every=True)
        for _ in range(max(len(heads[at]) for at in part)):
            yield Text(GAP).append_text(next(lines))
        for row, line in zip(self._rows, lines, strict=True):
            yield Text.assemble(row[0])
            yield Text(GAP).append_text(line)

    def _table(
        self, columns: list[int], heads: list[list[str]], every: bool = False
    ) -> Iterator[Text]:
        widths = {at: self._column(at, heads) for at in columns}
        upwards = [list(reversed(heads[at])) for at in columns]
        for words in reversed(list(zip_longest(*upwards, fillvalue=""))):
            yield self._line([Text(word, "bold") for word in words], columns, widths)
        for row in self._rows:
            if every or any(
                row[at] for at in columns
            ):  # a row that goes on with another may be empty here
                yield self._line([row[at] for at in columns], columns, widths)

    def _line(self, cells: Cells, columns: list[int], widths: dict[int, int]) -> Text:
        line = Text()
        for at, cell in zip(columns, cells, strict=True):
            room = " " * (widths[at] - len(cell))
            line.append(room if self._right[at] else "").append(cell)
            line.append(GAP if self._right[at] else room + GAP)
        line.rstrip()
        return line

    def _blocks(self, width: int) -> Iterator[Text]:
        """Yield a line for each cell that is not empty; sentences are broken between words."""
        left = max(map(len, self._names)) + len(GAP)
        for number, row in enumerate(self._rows):
            if number:
                yield Text()
            for name, cell in zip(self._names, row, strict=True):
                first = name.ljust(left)
                for part in _broken(cell, max(1, width - left)):
                    yield Text(first, "bold").append(part)
                    first = " " * left


def print_line(out: Console, text: str, style: str = "") -> None:
    """Print sentences in lines of at most `out.width` characters, broken between words only."""
    for sentence in text.split("\n"):
        for line in _broken(Text(sentence, style), out.width, GAP * 2) or [Text()]:
            out.print(line, highlight=False, soft_wrap=True)


def _broken(cell: str | Text, width: int, indent: str = "") -> list[Text]:
    """Return the lines of a text, broken between words only; all but the first are indented."""
    text = cell if isinstance(cell, Text) else Text(cell)
    if len(text) <= width:
        return [text] if text else []
    lines = textwrap.wrap(
        text.plain,
        width,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [Text(line, text.style) for line in lines]
