"""A plan: rows by path, what it prints, its digest."""

from __future__ import annotations

import hashlib
import json

import pytest

from initlab.engine.errors import StreamError
from initlab.runner.declare import declare
from initlab.runner.errors import ConfigError


def test_what_cannot_be_drawn_alone_says_why():
    with pytest.raises(
        StreamError,
        match=r"'0.weight' cannot be drawn alone: stream mxnet-1.9.1 is drawn from in order - use initlab-1",
    ):
        declare("init=normal", "stream=mxnet-1.9.1").plan["0.weight"].draw()
    with pytest.raises(ConfigError, match="did you mean 'normal'"):
        declare("init=norml")


def test_a_plan_is_a_mapping_of_paths_to_rows():
    planned = plan_of("shared")
    assert len(planned) == len(planned.rows) == len(list(planned))
    assert list(planned) == [row.path for row in planned.rows]
    assert "0.weight" in planned and "0.weigth" not in planned
    assert planned["2.weight"].alias_of == "1.weight"
    with pytest.raises(KeyError, match="no parameter '0.weigth' - did you mean '0.weight'"):
        planned["0.weigth"]


def test_a_plan_fits_a_screen():
    lines = repr(plan_of("deep_mlp")).splitlines()
    assert lines[0].startswith("Plan of ") and lines[1].split() == [
        "path", "shape", "dtype", "law", "chosen", "by",
    ]  # fmt: skip
    assert len(lines) <= 23 and max(map(len, lines)) <= 80
    assert lines[-1] == f"… {len(plan_of('deep_mlp')) - 20} more"
    assert "<table>" in plan_of("mlp")._repr_html_()
    assert repr(plan_of("shared")).startswith("Plan of 4 parameters and 2 aliases: ")


def test_the_digest_of_a_plan_is_of_what_decides_the_values_and_of_nothing_else():
    planned = plan_of("shared")
    text = {
        "format": "plan-v1",
        "rows": [
            {
                "path": row.path,
                "shape": list(row.shape),
                "dtype": row.dtype,
                "law": row.law.describe(),
                "stream": row.describe()["stream"],
                "alias_of": row.alias_of,
            }
            for row in planned.rows
        ],
    }
    canonical = json.dumps(text, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert planned.digest == hashlib.sha256(canonical.encode()).hexdigest()
    assert planned.digest == plan_of("shared", "name=other", "probe=none").digest
    assert planned.digest != plan_of("shared", "seed=1").digest
    assert planned.digest != plan_of("shared", "init=xavier").digest


def plan_of(model, *words):
    return declare(f"model={model}", *words).plan
