"""Names of networks in the paths of their streams.

A path begins with the name of its network, as in `sequential0_/0.weight`. The name is the prefix
that was given to the network; without one, it is the kind of the network and the first number that
is free. Names become free again when `seed` is called, so the same code draws the same values after
the same seed, however often a process runs it, and two networks have different names after one
seed. Gluon's own names of blocks do not serve for this, because their numbers count through the
whole life of a process.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from initlab.engine.streams.stream import epoch, taken


class StreamName:
    """The name of one network, or of a parameter that is initialized alone. It is claimed by the
    first `claimed` after each `seed`, among the names of this thread.

    own        what was given to it: a prefix, the full name of a parameter, or, if `numbered`, the
               kind of the network
    above      the network in whose name scope it was made: its name comes first
    parameter  whether it belongs to a parameter, whose name ends its path
    """

    def __init__(
        self,
        own: str,
        above: StreamName | None = None,
        *,
        numbered: bool = False,
        parameter: bool = False,
    ) -> None:
        self.own, self.above = own, above
        self.numbered, self.parameter = numbered, parameter
        self._claim: tuple[int, str] | None = None

    def __getstate__(self) -> dict[str, object]:
        """Leave out the claim: a copy is another network."""
        return self.__dict__ | {"_claim": None}

    def first(self) -> str:
        """Return the name that it has if no other network claimed one."""
        return self._variant(self.above.first() if self.above else "", 0)

    def claimed(self) -> str:
        """Return the name, the same until `seed` is called again."""
        if self._claim is None or self._claim[0] != epoch():
            above = self.above.claimed() if self.above else ""
            names = (self._variant(above, number) for number in count())
            name = next(name for name in names if (name, self.parameter) not in taken())
            taken().add((name, self.parameter))
            self._claim = epoch(), name
        return self._claim[1]

    def _variant(self, above: str, number: int) -> str:
        if self.numbered:
            return f"{above}{self.own}{number}_"
        if number == 0:
            return above + self.own
        return f"#{number}/{above}{self.own}" if self.parameter else f"{above}{self.own}#{number}_"


class Place:
    """A parameter's place in a network: the start of its path, and the rest. `aliases` has its
    other paths, without the start, if it is tied.
    """

    def __init__(self, root: StreamName | str, path: str, aliases: Sequence[str] = ()) -> None:
        self.root, self.path, self.aliases = root, path, tuple(aliases)

    def __str__(self) -> str:
        """Return the path of the parameter's stream. It claims the name of the network."""
        start = self.root if isinstance(self.root, str) else f"{self.root.claimed()}/"
        return start + self.path
