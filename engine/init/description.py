"""The description of a parameter for an initializer: its names, shape, dtype, and the role of each
axis.

    role       the axis runs over                                     counts for
    out        output units                                           fan_out
    in         input units                                            fan_in
    spatial    positions of a kernel                                  both
    group      independent blocks: groups, gates, words               neither
    out*3      output units of 3 blocks, stacked: one block counts

For example, a dense weight is (out, in), a convolution in 4 groups (out*4, in, spatial, spatial),
packed queries, keys and values (out*3, in), and an embedding (group, out), which has one input, the
given word.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from initlab.engine.init.site import Site
from initlab.engine.registry import advice

ROLES = ("out", "in", "spatial", "group")


@dataclass(frozen=True)
class Fans:
    """`fan_in`: inputs that feed one output unit; `fan_out`: outputs that one input unit feeds."""

    fan_in: int
    fan_out: int

    @property
    def avg(self) -> float:
        """The arithmetic mean of both."""
        return (self.fan_in + self.fan_out) / 2

    @property
    def geo(self) -> float:
        """The geometric mean of both."""
        return math.sqrt(self.fan_in * self.fan_out)


@dataclass(frozen=True)
class Description:
    """A parameter before it has values. `path` names it within its network, `name` is its Gluon
    name.

    `shuffle` has the factors of the pixel shuffle that its layer's output goes into, () for none;
    None where the network is not known. `aliases` has its other structural paths, if it is tied.
    `site` says where it stands in the network; None where that is not known. `zero_rows` are rows of
    axis 0 that are 0 in any case.
    """

    name: str
    path: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    roles: tuple[str, ...] | None = None
    shuffle: tuple[int, ...] | None = None
    aliases: tuple[str, ...] = ()
    site: Site | None = None
    zero_rows: tuple[int, ...] = ()

    @property
    def structural_path(self) -> str:
        """The path without the root's name before the slash: `0.weight` of `sequential0_/0.weight`."""
        return self.path.rpartition("/")[2]

    @property
    def fans(self) -> Fans:
        """Return the fans of the axis roles, or of the shape if there are no roles.

        Raises ValueError for a vector and for wrong roles.
        """
        self._require_matrix()
        if self.roles is None:
            return self.shape_fans
        if len(self.roles) != len(self.shape):
            raise ValueError(
                f"{self.name}: {len(self.roles)} axis roles {self.roles} for shape {self.shape}"
            )
        extents = dict.fromkeys(ROLES, 1)
        for role, size in zip(self.roles, self.shape, strict=True):
            name, count = self._units(role, size)
            extents[name] *= count
        return Fans(extents["in"] * extents["spatial"], extents["out"] * extents["spatial"])

    @property
    def shape_fans(self) -> Fans:
        """MXNet's rule, which looks at the shape alone: axis 0 is out, axis 1 is in, all others are
        spatial.
        """
        self._require_matrix()
        field = math.prod(self.shape[2:])
        return Fans(self.shape[1] * field, self.shape[0] * field)

    @property
    def channels(self) -> tuple[tuple[int, int], int]:
        """The two axes that are channels, and the number of blocks (groups, gates) of axis 0.

        Without roles, or with roles that do not name both channels, MXNet's layout (out, in,
        *kernel): axes 0 and 1.
        """
        names = [role.partition("*")[0] for role in self.roles or ()]
        if names.count("out") != 1 or names.count("in") != 1:
            return (0, 1), 1
        first, second = sorted((names.index("out"), names.index("in")))
        return (first, second), self.blocks

    @property
    def blocks(self) -> int:
        """The number of equal blocks (groups, gates) that are stacked along axis 0; 1 without roles."""
        return int((self.roles or ("",))[0].partition("*")[2] or 1)

    def _require_matrix(self) -> None:
        if len(self.shape) < 2:
            raise ValueError(f"{self.name} has shape {self.shape}: a fan needs at least 2 axes")

    def _units(self, role: str, size: int) -> tuple[str, int]:
        """(role, how many units of one block the axis has)."""
        name, star, blocks = role.partition("*")
        if name not in ROLES:
            raise ValueError(f"{self.name}: no axis role '{name}' - {advice(name, ROLES)}")
        if not star:
            return name, size
        if not blocks.isdecimal() or int(blocks) == 0 or size % int(blocks):
            raise ValueError(
                f"{self.name}: role '{role}' must divide its axis of {size} into equal blocks"
            )
        return name, size // int(blocks)
