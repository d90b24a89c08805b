"""The base of initializers that go by the structure of a network: which layers end a residual
branch, how many branches there are, which layers come first and last.

What an option does not say follows from the network (`engine.init.site`). What is given by hand must
agree with it. A scheme that finds nothing of what it is for is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from initlab.engine.errors import OptionError, OptionErrors
from initlab.engine.init.base import Initializer
from initlab.engine.init.description import Description
from initlab.engine.init.patterns import fits
from initlab.engine.init.site import Site
from initlab.engine.registry import snake_case

LEAVE_OUT = "leave it out: it follows from the network"
UNKNOWN = "the network is not known here"
ADVISE = "initlab advise says what suits this network"


@dataclass(eq=False, repr=False)
class Structural(Initializer):
    """Base class. A subclass says in `problems` what does not suit the network."""

    def needs_network(self) -> bool:
        """Return true."""
        return True

    def site(self, description: Description, *needing: str) -> Site | None:
        """Return where a parameter stands, None if that is not known.

        Raises ValueError if it is not known, and one of the options that then must be given is not.
        """
        found = description.site
        if found is not None and not found.layout.unknown:
            return found
        lacking = [name for name in needing if getattr(self, name) is None]
        if lacking:
            raise ValueError(f"{lacking[0]} {_not_given(found)}")
        return None

    def problems(self, parameters: Sequence[Description]) -> Iterator[OptionError]:
        """Yield what is wrong for these parameters, whose sites are known."""
        yield from ()

    def finds(self, parameters: Sequence[Description]) -> str:
        """Return '' if there is something among these parameters that the scheme is for, else what
        is not there and what to do.
        """
        return ""

    def needed(self) -> tuple[str, ...]:
        """Return the options that follow from the network if they are not given."""
        return ()

    def check_parameters(self, parameters: Sequence[Description]) -> list[str]:
        """Check the options against the network. Raises OptionErrors with all that is wrong."""
        return self.check_network(parameters)

    def check_network(self, parameters: Sequence[Description]) -> list[str]:
        """Check the options against the network. Raises OptionErrors with all that is wrong."""
        known = [one for one in parameters if self.known(one)]
        if not parameters:
            return []
        if len(known) < len(parameters):
            site = next(one.site for one in parameters if not self.known(one))
            lacking = [name for name in self.needed() if getattr(self, name) is None]
            OptionErrors.raise_any([OptionError(name, _not_given(site)) for name in lacking])
            return []
        said = self.finds(known)
        if said:
            kind = snake_case(type(self).__name__)
            raise OptionError("kind", f"is {kind}, but {said}")
        OptionErrors.raise_any(list(self.problems(known)))
        return self.remarks(known)

    def remarks(self, parameters: Sequence[Description]) -> list[str]:
        """Return what a user should read about these parameters, whose sites are known."""
        return []

    def check_own(self, parameter: Description) -> None:
        """Check the options against the network, for one parameter. Raises ValueError."""
        if self.known(parameter):
            for problem in self.problems([parameter]):
                raise ValueError(str(problem))

    @staticmethod
    def known(description: Description) -> bool:
        """Return whether it is known where a parameter stands."""
        return description.site is not None and not description.site.layout.unknown


def site_of(description: Description) -> Site:
    """Return the site of a parameter that has one."""
    assert description.site is not None
    return description.site


def is_weight(description: Description) -> bool:
    """Return whether a parameter has fans: at least two axes."""
    return len(description.shape) > 1


def contradicted(
    option: str,
    chosen: Iterable[str] | None,
    parameters: Sequence[Description],
    belongs: Callable[[Description], bool],
    what: str,
) -> Iterator[OptionError]:
    """Yield an error if the patterns of an option fit other weights than those that belong to it.

    `what` says of a weight that it belongs: "ends a residual branch". A pattern that fits nothing is
    an error of its own (`check_fit`).
    """
    if chosen is None or not all(
        any(fits([pattern], one.path) for one in parameters) for pattern in chosen
    ):
        return
    for one in filter(is_weight, parameters):
        fitting = fits(chosen, one.path)
        if fitting != belongs(one):
            does = (
                f"fits '{one.structural_path}', of which is not true that it"
                if fitting
                else f"does not fit '{one.structural_path}', which"
            )
            yield OptionError(option, f"contradicts the network: it {does} {what} - {LEAVE_OUT}")
            return


def miscounted(
    option: str, given: float | None, counted: float, what: str
) -> Iterator[OptionError]:
    """Yield an error if a number that was given is not the network's; `what` says what it counts."""
    if given is not None and given != counted:
        yield OptionError(
            option, f"is {given:g}, but the network has {counted:g} {what} - {LEAVE_OUT}"
        )


def _not_given(site: Site | None) -> str:
    """Return the end of a sentence about an option that must be given here."""
    if site is None:
        return f"is not given, and {UNKNOWN} - give it, or initialize the whole network, or plan it"
    return (
        f"is not given, and {site.layout.unknown} does not say how its layers follow each other - "
        "give it, or define data_flow in that class (engine.gluon.flow)"
    )
