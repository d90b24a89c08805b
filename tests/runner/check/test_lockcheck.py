"""What changed since a lock was written is said, and why."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from altered import Bent
from locks import SMALL, change

from initlab.engine import laws
from initlab.runner.check import lock


def rows(out: str) -> list[list[str]]:
    """The cells of the table's rows."""
    return [re.split(r"\s{2,}", line.strip()) for line in out.split("\n\n")[0].splitlines()[1:]]


def test_a_config_that_changed_is_said_key_by_key(locked, said):
    path = locked("init=normal", *SMALL)

    def alter(content):
        content["base"]["init.sigma"] = 0.5
        content["base"]["data.batch"] = 7
        content["runs"][0]["run_id"] = "normal-seed0-0123456789abcdef"

    change(path, alter)
    code, out, err = said("verify", "--lock", path)
    assert (code, err) == (1, "")
    [[run, overrides, why, what]] = rows(out)
    assert (run, overrides.split()[0], why) == (
        "normal-seed0-0123456789abcdef",
        "init=normal",
        "config",
    )
    assert what == "data.batch: 7 -> 2; init.sigma: 0.5 -> 0.01 (all values are the same)"
    advice = "if that is meant, write the lock again with initlab lock and have the change reviewed"
    assert out.splitlines()[-1] == f"{path}: 0 of 1 runs as locked, 1 changed - {advice}"


def test_a_lock_of_before_the_mode_could_be_chosen_holds_first_values_alike(locked, said):
    layers = "model.layers=[{kind: dense, units: 4}, {kind: batch_norm}]"
    path = locked("init=normal", layers, "model.input=[3]", "probe=forward")

    def alter(content):
        assert content["base"].pop("probe.mode") == "train"
        assert content["base"].pop("probe.dropout") is False
        content["runs"][0]["run_id"] = "normal-seed0-0123456789abcdef"

    change(path, alter)
    code, out, err = said("verify", "--lock", path)
    assert (code, err) == (0, ""), out


def overlay(folder: Path, sigma: float) -> None:
    """A folder of options with an initializer of its own."""
    (folder / "init").mkdir(parents=True, exist_ok=True)
    text = f"# @package _global_.init\nkind: normal\nsigma: {sigma}\n"
    (folder / "init" / "ours.yaml").write_text(text)


def test_an_edited_option_changes_config_law_and_values(locked, said, here):
    overlay(here / "conf", 0.1)
    path = locked("--config-dir", "conf", "init=ours", *SMALL)
    assert said("verify", "--lock", path, "--config-dir", "conf")[0] == 0
    overlay(here / "conf", 0.2)
    code, out, _ = said("verify", "--lock", path, "--config-dir", "conf")
    assert code == 1
    assert [row[-2:] for row in rows(out)] == [
        ["config", "init.sigma: 0.1 -> 0.2"],
        ["law", "'0.weight', '1.weight': Normal(0, 0.1) -> Normal(0, 0.2)"],
        ["values", "2 of 4 tensors: '0.weight', '1.weight'"],
    ]


def test_a_refactored_initializer_is_a_changed_law_without_a_changed_config(
    locked, said, monkeypatch
):
    from initlab.engine.init import random

    path = locked("init=normal", *SMALL)
    monkeypatch.setattr(random.Normal, "law", lambda self, description: laws.Normal(0.0, 0.02))
    code, out, _ = said("verify", "--lock", path)
    assert (code, [row[-2:] for row in rows(out)]) == (
        1,
        [
            ["law", "'0.weight', '1.weight': Normal(0, 0.01) -> Normal(0, 0.02)"],
            ["values", "2 of 4 tensors: '0.weight', '1.weight'"],
        ],
    )


def test_a_refactored_stream_is_changed_values_alone(locked, said, monkeypatch):
    path = locked("init=normal", *SMALL)
    fill = laws.Law.fill

    def changed(self, key, shape, start, out):
        fill(self, key, shape, start, out)
        out[0] += self.random

    monkeypatch.setattr(laws.Law, "fill", changed)
    from initlab.engine.gluon import parameter  # noqa: F401

    again = lock.Recomputed
    monkeypatch.setattr(lock, "Recomputed", lambda config: Bent(again(config)))
    code, out, _ = said("verify", "--lock", path)
    assert (code, [row[-2:] for row in rows(out)]) == (
        1,
        [["values", "1 of 4 tensors: '1.weight'"]],
    )


@pytest.mark.parametrize(
    ("by", "code", "said_"),
    [
        (1e-7, 0, ""),
        (0.01, 1, "'1.weight': "),
        (0.5, 1, "distance of the Gram matrix from gain^2 I"),
    ],
)
def test_orthogonal_matrices_are_locked_to_a_tolerance(by, code, said_, locked, said, monkeypatch):
    path = locked("init=orthogonal", *SMALL)
    content = json.loads(path.read_text())["runs"][0]
    assert (sorted(content["bits"]), sorted(content["tolerance"])) == (
        ["0.bias", "1.bias"],
        ["0.weight", "1.weight"],
    )
    again = lock.Recomputed
    monkeypatch.setattr(lock, "Recomputed", lambda config: Bent(again(config), by))
    found = said("verify", "--lock", path)
    assert (found[0], said_ in found[1]) == (code, True), found


def test_another_stream_version_is_said(locked, said, monkeypatch):
    monkeypatch.delenv("ENGINE_STREAM", raising=False)
    path = locked("init=normal", *SMALL)
    monkeypatch.setenv("ENGINE_STREAM", "mxnet-1.9.1")
    code, out, _ = said("verify", "--lock", path)
    assert (code, rows(out)[0][-2:]) == (1, ["stream version", "initlab-1 -> mxnet-1.9.1"])
    assert [row[-2] for row in rows(out)] == ["stream version", "values"]


def test_a_run_that_is_gone_and_one_that_is_new_are_said(locked, said):
    path = locked("init=normal", "seed=1,2", *SMALL)

    def alter(content):
        content["words"][1] = "seed=2,3"

    change(path, alter)
    code, out, _ = said("verify", "--lock", path)
    assert (code, [row[-2:] for row in rows(out)]) == (
        1,
        [
            ["new run", "the lock does not hold it"],
            ["missing run", "the lock's words declare it no longer"],
        ],
    )
    assert out.splitlines()[-1].startswith(f"{path}: 1 of 3 runs as locked, 2 changed")


def test_ties_and_parameters_that_come_and_go_are_said(locked, said):
    path = locked("init=normal", "model=shared")

    def alter(content):
        [run] = content["runs"]
        run["ties"]["2.bias"] = "0.bias"
        run["bits"]["9.weight"] = run["bits"].pop("0.weight")

    change(path, alter)
    code, out, _ = said("verify", "--lock", path)
    assert code == 1
    assert [row[-2:] for row in rows(out)] == [
        ["values", "gone: '9.weight'; new: '0.weight'"],
        ["ties", "2.bias: 0.bias -> 1.bias"],
    ]


def test_a_run_that_is_refused_now_is_a_finding_and_the_others_are_checked(locked, said, here):
    overlay(here / "conf", 0.1)
    path = locked("--config-dir", "conf", "init=ours,normal", *SMALL)
    overlay(here / "conf", -1)
    code, out, _ = said("verify", "--lock", path, "--config-dir", "conf")
    assert (code, rows(out)[0][-2:]) == (
        1,
        ["config", "is refused now: init.sigma: must be a positive number, got -1.0"],
    )
    assert "1 of 2 runs as locked" in out
