r"""A plan as a declaration for `initlab audit --against` (`initlab plan … --write-spec FILE`).

Each rule is as wide as the plan allows: every parameter of a name (`.*\.gamma`), the same parameter of
every copy of a block (`blocks\.\d+\.fc\.weight`), or one parameter. A law is written as the initializer
that gives it, `{kind: normal, sigma: 0.02}`, or as `law`, like plan.json has it, where fans or several
laws at once give no such initializer.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml

from initlab.engine import init, laws
from initlab.runner.audit.spec import parse_spec
from initlab.runner.errors import ConfigError
from initlab.runner.files import check_target, storage_errors, write_text
from initlab.runner.json_values import JSON
from initlab.runner.plan.network import Network, build_twin
from initlab.runner.plan.row import Row
from initlab.runner.plan.validate import RunConfig

DIGITS = re.compile(r"(?<![^.])\d+(?![^.])")
"""A part of a path that is a number."""
Rule = dict[str, JSON]


def check(path: Path) -> None:
    """Raise ConfigError or StorageError unless a declaration can be written at `path`."""
    if path.exists() or path.is_symlink():
        raise ConfigError.of("--write-spec", f"{path} exists - remove it, or give another name")
    check_target(path)


def write(path: Path, text: str) -> None:
    """Write the text of a declaration. Raises StorageError."""
    with storage_errors(path.parent):
        write_text(path, text)


def text_of(config: RunConfig) -> str:
    """Return the declaration of a run's values as YAML. Raises ConfigError if one of its laws says
    nothing to judge by.
    """
    head = f"# The values of {config.run_id}, for initlab audit FILE --against.\n"
    text: str = yaml.safe_dump(
        declaration_of(config),
        sort_keys=False,
        allow_unicode=True,
        width=120,
        default_flow_style=None,
    )
    return head + text


def declaration_of(config: RunConfig) -> dict[str, JSON]:
    """Return the declaration of a run's values, in JSON types. Raises ConfigError like `text_of`."""
    plan = config.plan
    groups: dict[str, list[str]] = defaultdict(list)
    for alias, owner in plan.aliases.items():
        groups[owner].append(alias)
    found: dict[str, JSON] = {"rules": list(rules_of(plan.owners))}
    facts = _facts(config)
    if facts:
        found["facts"] = facts
    if groups:
        found["tied"] = [[owner, *aliases] for owner, aliases in groups.items()]
    padded: dict[str, JSON] = {
        re.escape(row.path): list(row.law.rows)
        for row in plan.owners
        if isinstance(row.law, laws.ZeroRows)
    }
    if padded:
        found["zero_rows"] = padded
    parse_spec(found)
    return found


def rules_of(rows: Sequence[Row]) -> list[Rule]:
    """Return the rules that decide each of the rows, narrow ones first. Raises ConfigError."""
    chosen = {row.path: _chosen(row) for row in rows}
    said = {path: yaml.safe_dump(one) for path, one in chosen.items()}
    left = [row.path for row in rows]
    layers: list[list[Rule]] = []
    for pattern_of in (_of_the_name, _of_every_copy, re.escape):
        groups: dict[str, list[str]] = defaultdict(list)
        for path in left:
            groups[pattern_of(path)].append(path)
        whole = [
            pattern
            for pattern, paths in groups.items()
            if len({said[path] for path in paths}) == 1
            and (pattern_of is re.escape or _fitting(pattern, said) == set(paths))
        ]
        layers.append([{"match": one, **chosen[groups[one][0]]} for one in whole])
        left = [path for path in left if pattern_of(path) not in whole]
    return [rule for layer in reversed(layers) for rule in layer]


def _fitting(pattern: str, paths: Iterable[str]) -> set[str]:
    return {path for path in paths if re.fullmatch(pattern, path)}


def _of_the_name(path: str) -> str:
    return rf".*\.{re.escape(path.rpartition('.')[2])}" if "." in path else re.escape(path)


def _of_every_copy(path: str) -> str:
    return r"\.".join(
        r"\d+" if DIGITS.fullmatch(part) else re.escape(part) for part in path.split(".")
    )


def _chosen(row: Row) -> Rule:
    """Return `init` or `law` for a row. Raises ConfigError if its law says nothing to judge by."""
    law = row.law.law if isinstance(row.law, laws.ZeroRows) else row.law
    if isinstance(law, (laws.Custom, laws.Loaded)):
        said = f"'{row.path}' is {law}, which says nothing to judge a file by"
        raise ConfigError.of("--write-spec", f"{said} - compare the files: initlab compare A B")
    described = init.Description(row.path, row.path, row.shape, row.dtype)
    for kind, options in _plain(law):
        if init.create(kind, **options).law(described) == law:
            return {"init": {"kind": kind, **options} if options else kind}
    return {"law": law.describe()}


def _plain(law: laws.Law) -> list[tuple[str, dict[str, float]]]:
    """Return the initializers that may give the law, with their options."""
    match law:
        case laws.Normal():
            return [("normal", {"sigma": law.std})]
        case laws.Uniform():
            return [("uniform", {"scale": law.high})]
        case laws.Constant() if isinstance(law.value, (int, float)):
            return [("zero", {}), ("one", {}), ("constant", {"value": law.value})]
    return []


def _facts(config: RunConfig) -> dict[str, JSON]:
    """Return the layers, width and std of a network of residual blocks, if it is one."""
    network = build_twin(config.model, config.dtype, (config.data.batch, *config.sample_shape))[0]
    ends = [path for path in network.owners if _ends(network, path)]
    widths = {network.owners[path].shape[0] for path in ends}
    found: dict[str, JSON] = {}
    if ends and len(ends) % 2 == 0 and len(widths) == 1:
        found = {"layers": len(ends) // 2, "hidden": widths.pop()}
    stds = [
        law.std
        for row in config.plan.owners
        if row.path not in ends and len(row.shape) > 1 and isinstance(law := row.law, laws.Normal)
    ]
    common = Counter(stds).most_common(1)
    if found and common and common[0][1] > len(stds) / 2:
        found["std"] = common[0][0]
    return found


def _ends(network: Network, path: str) -> bool:
    """Return whether a parameter is the weight of a layer that ends a branch."""
    parameter = network.owners[path]
    return bool(parameter.site and parameter.site.ends and len(parameter.shape) > 1)
