"""The plain keys of a resolved config: their values, and what one of them needs of another.

What each may be stands in `runner.config.schema.Config`, as the types of its fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from initlab.engine import dtypes, streams
from initlab.engine.errors import MXNetError
from initlab.engine.options import check_given, checks_of, whole
from initlab.runner.claims.claim import Claim, parse_claims
from initlab.runner.config.objective import parse_objective
from initlab.runner.config.schema import DTYPES, Config, SweepOptions
from initlab.runner.errors import ConfigError, Problems

REQUIRED = ("seed", "name", "stream", "dtype", "init_mode", "task")
"""What a config of any version has; an older one may lack the others."""
LARGEST_MXNET_SEED = 2**32 - 1


def parse_root(resolved: dict[str, Any]) -> list[Claim]:
    """Check the plain keys; gives the claims that the config declares. ConfigError with everything
    wrong.
    """
    problems = Problems()
    known = list(Config.__dataclass_fields__)
    for key in resolved:
        if key not in known:
            problems.unknown(key, "no such key", key, known)
    with problems.under():
        check_given(Config, dict.fromkeys(REQUIRED) | resolved)
    with problems.under("sweep"):
        _check_sweep(resolved.get("sweep"))
    with problems.under("expect"):
        claims = parse_claims(resolved.get("expect"))
    with problems.under("objective"):
        parse_objective(resolved.get("objective"))
    if not problems.concern("seed"):
        with problems.under():
            check_seed(resolved)
    if not problems.concern("dtype"):
        with problems.under("dtype"):
            _check_dtype(resolved["dtype"], str(resolved.get("stream")))
    problems.raise_any()
    return claims


def _check_sweep(options: Any) -> None:
    """How a sweep is to be run; what it varies is checked where it is expanded."""
    if options is None:
        return  # a config of an older manifest
    if not isinstance(options, dict):
        said = f"must be a mapping, got {options!r} - choose an option of the group: sweep=…"
        raise ConfigError.of("", said)
    check_given(SweepOptions, dict.fromkeys(("on_error", "retries")) | options)


def check_seed(resolved: dict[str, Any]) -> None:
    """OptionError for a seed that is none, or that the stream version cannot take."""
    seed, stream = resolved.get("seed"), resolved.get("stream")
    checks_of(Config)["seed"]("seed", seed)
    if stream in streams.VERSIONS and stream != streams.VERSION:
        whole(0, LARGEST_MXNET_SEED, f" from 0 to 2^32-1 with stream {stream}")("seed", seed)


def _check_dtype(dtype: str, stream: str) -> None:
    drawn = streams.DTYPES.get(stream, DTYPES)
    if dtype not in drawn:
        raise ConfigError.of("", f"{dtype} is not specified in stream {stream} - use {_or(drawn)}")
    try:
        dtypes.resolve(dtype)
    except MXNetError as error:
        raise ConfigError.of("", str(error)) from error


def _or(words: Sequence[str]) -> str:
    """`a, b or c`."""
    return f"{', '.join(words[:-1])} or {words[-1]}"
