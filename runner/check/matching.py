"""Compare more than two runs (`initlab compare A B C …`), and two names run by run
(`initlab compare outputs/a outputs/b`).

Several runs or snapshots are each compared with the first one, tensor by tensor. The runs of two
names are paired by the digits of their ids, then by their words, then by the values of the keys that
vary in both. Of a pair the root digests are compared, which are of all first values, so no tensor is
read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from initlab.runner.check.compare import IDENTICAL, Comparison, compare, counts, open_sides
from initlab.runner.errors import ConfigError, EvidenceError
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.members import given_values
from initlab.runner.evidence.named import OF_COMMAND, Named, NamedRun, is_named, named, varied
from initlab.runner.evidence.run_ids import digest_in

SEVERAL_FORMAT, NAMES_FORMAT = "initlab-comparisons-1", "initlab-names-comparison-1"
SAME, OTHER, ONLY_A, ONLY_B = "same root", "other root", "only in A", "only in B"
UNREAD = "not comparable"
ASIDE = {*OF_COMMAND, "name", "tags", "note", "timeout"}
"""Keys of words that do not say which run it is."""


@dataclass(frozen=True)
class Match:
    """A pair of runs of two names, or a run that only one of them has.

    `ids` are the names of their folders, `roots` their root digests; None where there is none. `why`
    says which side cannot be compared.
    """

    result: str
    words: str
    ids: tuple[str | None, str | None]
    roots: tuple[str | None, str | None] = (None, None)
    why: str = ""


@dataclass(frozen=True)
class Matched:
    """The runs of two names, paired."""

    folders: tuple[Path, Path]
    pairs: list[Match]

    @property
    def identical(self) -> bool:
        """Whether each run of one name is in the other, with the same root digest."""
        return bool(self.pairs) and all(pair.result == SAME for pair in self.pairs)

    @property
    def counts(self) -> dict[str, int]:
        """How many pairs have each result."""
        results = [pair.result for pair in self.pairs]
        return {r: results.count(r) for r in (SAME, OTHER, ONLY_A, ONLY_B, UNREAD) if r in results}


def are_names(paths: Sequence[Path]) -> bool:
    """Return whether two folders of names are given, not runs or snapshots.

    Raises ConfigError if both are given, or three names.
    """
    names = [path for path in paths if is_named(path)]
    others = [path for path in paths if path not in names]
    if names and others:
        said = (
            f"holds several runs, and {others[0]} does not - give two folders of runs, or runs only"
        )
        raise ConfigError.of(str(names[0]), said)
    if len(names) > 2:
        raise ConfigError.of(str(names[2]), "is a third folder of runs - give two")
    return bool(names)


def compare_all(paths: Sequence[Path]) -> list[Comparison]:
    """Compare the first run or snapshot with each of the others. Raises EvidenceError."""
    first, *others = open_sides(*paths)
    return [compare(first, other) for other in others]


def match(a: Path, b: Path) -> Matched:
    """Pair the runs of two names. Raises EvidenceError if one of them cannot be read."""
    sides = named(a), named(b)
    left, right = ({_digits(run): run for run in side.runs} for side in sides)
    pairs = [(left.pop(key), right.pop(key)) for key in list(left) if key in right]
    pairs += _paired(left, right, _words)
    told = _varied_in_both(*sides)
    pairs += _paired(left, right, lambda run: told[run.folder])
    shared = frozenset.intersection(*map(_words, [*sides[0].runs, *sides[1].runs]))
    found = [_match(one, other, _said(one, shared)) for one, other in pairs]
    found += [Match(ONLY_A, _said(run, shared), (run.member.run_id, None)) for run in left.values()]
    found += [
        Match(ONLY_B, _said(run, shared), (None, run.member.run_id)) for run in right.values()
    ]
    return Matched((a, b), found)


def _paired(
    left: dict[str, NamedRun],
    right: dict[str, NamedRun],
    words: Callable[[NamedRun], frozenset[tuple[str, str]]],
) -> list[tuple[NamedRun, NamedRun]]:
    """Remove the runs of both sides of which these words are the same, and those of no other run of
    their side; return them as pairs.
    """
    ours, theirs = Counter(map(words, left.values())), Counter(map(words, right.values()))
    known = {words(run): key for key, run in right.items()}
    said = [(key, words(run)) for key, run in left.items() if words(run)]
    once = [(key, one) for key, one in said if ours[one] == theirs[one] == 1]
    return [(left.pop(key), right.pop(known[one])) for key, one in once]


def _varied_in_both(a: Named, b: Named) -> dict[Path, frozenset[tuple[str, str]]]:
    """Return, of each run, the values of the keys that vary in both names."""
    found = [(side.runs, *varied(side)) for side in (a, b)]
    keys = set(found[0][1]) & set(found[1][1]) - ASIDE
    return {
        run.folder: frozenset((key, text) for key, text in one.items() if key in keys)
        for runs, _, values in found
        for run, one in zip(runs, values, strict=True)
    }


def _digits(run: NamedRun) -> str:
    return digest_in(run.member.run_id) or run.member.run_id


def _words(run: NamedRun) -> frozenset[tuple[str, str]]:
    """Return what the words of a run say about it."""
    return frozenset(_given(run).items())


def _said(run: NamedRun, shared: frozenset[tuple[str, str]]) -> str:
    """Return the words of a run without those that all runs of both names share."""
    told = [item for item in _given(run).items() if item not in shared]
    return " ".join(f"{key}={text}" for key, text in told)


def _given(run: NamedRun) -> dict[str, str]:
    given = given_values(run.member)
    return {key: text for key, text in given.items() if key.partition(".")[0] not in ASIDE}


def _match(a: NamedRun, b: NamedRun, said: str) -> Match:
    ids = a.member.run_id, b.member.run_id
    states = [run.status(RunFolder(run.folder), over=False) for run in (a, b)]
    unread = [
        f"{side} is {state.state}"
        for side, state, run in zip("AB", states, (a, b), strict=True)
        if _root(run) is None
    ]
    if unread:
        return Match(UNREAD, said, ids, why=" and ".join(unread))
    roots = _root(a), _root(b)
    return Match(SAME if roots[0] == roots[1] else OTHER, said, ids, roots)


def _root(run: NamedRun) -> str | None:
    try:
        return RunFolder(run.folder).manifest.digests.root
    except EvidenceError:
        return None


def describe_all(paths: Sequence[Path], found: Sequence[Comparison]) -> dict[str, object]:
    """Return comparisons with the first run or snapshot as JSON types; see docs/ci.md."""
    return {
        "format": SEVERAL_FORMAT,
        "identical": all(one.identical for one in found),
        "a": str(paths[0]),
        "others": [
            {"place": str(path), "identical": one.identical, "counts": counts(one)}
            for path, one in zip(paths[1:], found, strict=True)
        ],
    }


def describe_matched(found: Matched) -> dict[str, object]:
    """Return the runs of two names, paired, as JSON types; see docs/ci.md."""
    a, b = map(str, found.folders)
    return {
        "format": NAMES_FORMAT,
        "identical": found.identical,
        "a": a,
        "b": b,
        "counts": found.counts,
        "runs": [
            {
                "result": pair.result,
                "words": pair.words,
                "a": {"run_id": pair.ids[0], "root": pair.roots[0]},
                "b": {"run_id": pair.ids[1], "root": pair.roots[1]},
            }
            for pair in found.pairs
        ],
    }


def summed(found: Comparison) -> str:
    """Return what a comparison comes to: `identical`, or how many tensors differ and how."""
    if found.identical:
        return IDENTICAL
    said = [f"{n} {result}" for result, n in counts(found).items() if n]
    return ", ".join([*said, *([f"{len(found.ties)} tied otherwise"] if found.ties else [])])
