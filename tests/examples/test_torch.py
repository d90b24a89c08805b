"""The example of a GPT: it is as declared, and its planted fault is found by watch, by audit and by the lock."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'initlab[torch]'")

import initlab.torch  # noqa: E402
from initlab.runner import cli  # noqa: E402
from initlab.runner.errors import Contradicted  # noqa: E402

FOLDER = Path(__file__).parents[2] / "examples" / "torch"
SPEC = FOLDER / "spec.yaml"


@pytest.fixture(scope="module")
def gpt():
    spec = importlib.util.spec_from_file_location("gpt", FOLDER / "gpt.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["gpt"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["gpt"]


def test_the_file_to_copy_passes():
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "test_initialization.py",
    ]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_watch_finds_the_missing_scaling_and_says_which_line_wrote_instead(gpt):
    torch.manual_seed(0)
    with initlab.torch.watch() as w:
        model = gpt.GPT(gpt.Config(faulty=True))
    with pytest.raises(Contradicted) as error:
        w.check(SPEC, model=model)
    said = " ".join(str(error.value).split())
    assert "blocks.*.contract.weight (4)" in said
    assert "the scaling by 1/sqrt(2L), L=4, is missing [residual-scaling]" in said
    assert "normal_(mean=0, std=0.02) at gpt.py:" in said


def test_the_audit_finds_it_in_the_file(gpt, tmp_path, capsys):
    torch.manual_seed(0)
    for name, faulty in (("good", False), ("bad", True)):
        torch.save(gpt.GPT(gpt.Config(faulty=faulty)).state_dict(), tmp_path / f"{name}.pth")
    assert cli.run_command(["audit", str(tmp_path / "good.pth"), "--against", str(SPEC)]) == 0
    assert cli.run_command(["audit", str(tmp_path / "bad.pth"), "--against", str(SPEC)]) == 1
    assert "the scaling by 1/sqrt(2L), L=4, is missing" in capsys.readouterr().out


def test_the_lock_finds_it_as_a_changed_law(gpt):
    laws = initlab.torch.lock_of(lambda: gpt.GPT(gpt.Config(faulty=True)))
    with pytest.raises(
        Contradicted,
        match=r"contract.weight: law: was Normal\(0, 0.00707107\), is Normal\(0, 0.02\)",
    ):
        laws.check(FOLDER / "gpt.laws")


def test_it_is_a_model_of_configs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["model=small_gpt", "init=gpt2", "data=tokens", "data.vocabulary=256", "probe=backward"]
    assert cli.run_command(["--plugin", str(FOLDER / "plugin.py"), *words]) == 0
    out = capsys.readouterr().out
    assert "blocks.0…3.contract.weight" in out and "diagnosis: " in out
