"""Checks of the plain keys of a resolved config, and of their dependence on each other.

The types of the fields in `runner.config.schema.Config` say which values a key may have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from initlab.engine import dtypes, streams
from initlab.engine.errors import MXNetError
from initlab.engine.options import check_given, checks_of, whole
from initlab.runner.config.homes import no_key
from initlab.runner.config.schema import (
    DTYPES,
    LATER,
    PRINTED,
    SECTIONS,
    SEMANTICS,
    Config,
    SweepOptions,
)
from initlab.runner.errors import ConfigError, Problems
from initlab.runner.excerpt import shortened

if TYPE_CHECKING:
    from initlab.runner.claims.claim import Claim

REQUIRED = ("seed", "name", "stream", "dtype", "init_mode", "task")
"""Keys that a config of any version has; an older config may lack the others."""
UNSWEPT: dict[str, object] = {"grid": {}, "cases": [], "exclude": [], "union": []}
"""What `sweep` holds in the config of one run. What an axis leaves out says nothing without one."""
LARGEST_SEED_IN_ORDER = 2**32 - 1


@dataclass(frozen=True)
class Root:
    """The plain keys of a config, checked. `claims` are those of `expect`."""

    seed: int
    stream: str
    semantics: str
    name: str
    dtype: str
    init_mode: str
    task: str
    resume: bool
    threads: int | None
    diagnose: bool
    claims: list[Claim]
    show: tuple[str, ...]
    fold: bool
    timeout: float | None


def parse_root(resolved: Mapping[str, Any]) -> Root:
    """Return the plain keys. Raises ConfigError with all problems."""
    problems = Problems()
    known = list(Config.__dataclass_fields__)
    for key in resolved:
        if key not in known:
            problems.found.append(no_key(key, key, known))
    with problems.under():
        check_given(Config, {**dict.fromkeys(REQUIRED), **resolved})
    with problems.under("sweep"):
        _check_sweep(resolved.get("sweep"))
    with problems.under("expect"):
        claims = _claims(resolved.get("expect"))
    with problems.under("objective"):
        _check_objective(resolved.get("objective"))
    if not problems.concern("seed"):
        with problems.under():
            check_seed(resolved)
    if not problems.concern("dtype"):
        with problems.under("dtype"):
            _check_dtype(resolved["dtype"], str(resolved.get("stream")))
    problems.raise_any()
    return Root(
        **{key: resolved[key] for key in REQUIRED},
        semantics=resolved.get("semantics", SEMANTICS[0]),
        resume=resolved.get("resume", False),
        threads=resolved.get("threads"),
        diagnose=resolved.get("diagnose", True),
        claims=claims,
        show=tuple(resolved.get("show", SECTIONS)),
        fold=resolved.get("fold", True),
        timeout=resolved.get("timeout"),
    )


def _claims(expected: object) -> list[Claim]:
    """Return the claims. Their parser, a dozen modules, is imported where there are any."""
    if expected in (None, []):
        return []
    from initlab.runner.claims.claim import parse_claims

    return parse_claims(expected)


def _check_objective(objective: object) -> None:
    if objective is not None:
        from initlab.runner.config.objective import parse_objective

        parse_objective(objective)


def _check_sweep(options: object) -> None:
    """Check how a sweep is to be run; its axes are checked where they are expanded."""
    if options is None:
        return  # a config of an older manifest
    if not isinstance(options, dict):
        said = f"must be a mapping, got {options!r} - choose an option of the group: sweep=…"
        raise ConfigError.of("", said)
    check_given(SweepOptions, dict.fromkeys(("on_error", "retries")) | options)


def check_made(config: Mapping[str, object]) -> None:
    """Check that a run can have been made from a config: every key that says something about the
    values is there, and none says that nothing is made. Raises ConfigError with all problems.
    """
    problems = Problems()
    for key in Config.__dataclass_fields__:
        if key not in config and key not in (*PRINTED, *LATER):
            problems.add(key, "is missing")
    if config.get("task", "run") != "run" or config.get("dry_run"):
        key = "dry_run" if config.get("dry_run") else "task"
        problems.add(key, f"is {config[key]!r}, with which no run is made")
    sweep = config.get("sweep", UNSWEPT)
    if not isinstance(sweep, dict):
        problems.add("sweep", f"must be a mapping, got {sweep!r}")
        sweep = UNSWEPT
    for key, empty in UNSWEPT.items():
        found = sweep.get(key)
        if found != empty and not (key == "exclude" and isinstance(found, list)):
            problems.add(
                f"sweep.{key}", f"is {shortened(repr(found))}, and a single run has {empty}"
            )
    problems.raise_any()


def check_seed(resolved: Mapping[str, object]) -> None:
    """Raise OptionError if the seed is invalid or not supported by the stream version."""
    seed, stream = resolved.get("seed"), resolved.get("stream")
    checks_of(Config)["seed"]("seed", seed)
    if stream in streams.VERSIONS and stream != streams.VERSION:
        whole(0, LARGEST_SEED_IN_ORDER, f" from 0 to 2^32-1 with stream {stream}")("seed", seed)


def _check_dtype(dtype: str, stream: str) -> None:
    drawn = streams.DTYPES.get(stream, DTYPES)
    if dtype not in drawn:
        raise ConfigError.of("", f"{dtype} is not specified in stream {stream} - use {_or(drawn)}")
    try:
        dtypes.resolve(dtype)
    except MXNetError as error:
        raise ConfigError.of("", str(error)) from error


def _or(words: Sequence[str]) -> str:
    """Return `a, b or c`."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last
