"""The first rows of a table, for showing an object in a shell (80 columns) or a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 80
MOST = 20
"""Rows that are shown."""
GAP = "  "


@dataclass(frozen=True)
class Excerpt:
    """A title, columns, and the cells of the first rows of `total`.

    The last `optional` columns are left out of the text if they do not fit; HTML has them all.
    """

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    total: int
    optional: int = 0

    @property
    def rest(self) -> str:
        """The text about the rows that are not shown; '' if all are shown."""
        left = self.total - len(self._shown)
        return f"… {left} more" if left else ""

    @property
    def _shown(self) -> Sequence[tuple[str, ...]]:
        return [tuple(map(on_one_line, row)) for row in self.rows[:MOST]]

    def _fitting(self) -> list[int]:
        """Return the columns of the text: the first ones, and the optional ones that fit."""
        widths = [max(map(len, column)) for column in zip(self.columns, *self._shown, strict=True)]
        first = len(widths) - self.optional
        found = list(range(first))
        room = WIDTH - sum(widths[:first]) - len(GAP) * (first - 1)
        for at in range(first, len(widths)):
            if len(GAP) + widths[at] <= room:
                room -= len(GAP) + widths[at]
                found.append(at)
        return found

    def text(self) -> str:
        """Return lines of at most 80 characters; long cells are shortened in the middle."""
        lines = [self.columns, *self._shown] if self._shown else []
        lines = [tuple(line[at] for at in self._fitting()) for line in lines]
        widths = _narrowed([max(map(len, column)) for column in zip(*lines, strict=True)])
        table = [
            GAP.join(
                shortened(cell, width).ljust(width)
                for cell, width in zip(line, widths, strict=True)
            )
            for line in lines
        ]
        return "\n".join(
            line.rstrip() for line in [shortened(self.title), *table, self.rest] if line
        )

    def html(self) -> str:
        """Return the table as HTML with every cell escaped."""
        from html import escape

        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self._shown
        )
        rest = f"<p>{self.rest}</p>" if self.rest else ""
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f"<div><p>{escape(on_one_line(self.title))}</p>{table}{rest}</div>"


def _narrowed(widths: list[int]) -> list[int]:
    """Return column widths that fit a line; the widest columns are narrowed first."""
    room = WIDTH - len(GAP) * (len(widths) - 1)
    while sum(widths) > room:
        widest = max(range(len(widths)), key=widths.__getitem__)
        others = [width for at, width in enumerate(widths) if at != widest]
        least = max(max(others, default=0) - 1, widths[widest] - (sum(widths) - room))
        widths[widest] = max(1, least)
    return widths


def counted(number: int, what: str) -> str:
    """Return `1 run` or `2 runs`."""
    return f"{number} {what}{'s' * (number != 1)}"


def on_one_line(text: str) -> str:
    """Return a text with what cannot be printed, like a newline, as Python writes it: `\\n`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shortened(text: str, width: int = WIDTH) -> str:
    """Return a text of at most `width` characters on one line, shortened in the middle."""
    text = on_one_line(text)
    if len(text) <= width:
        return text
    front = (width - 1) // 2
    return text[:front] + "…" + text[len(text) - (width - 1 - front) :]
