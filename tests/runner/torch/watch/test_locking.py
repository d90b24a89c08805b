"""A lock of laws: the same for every seed, and a difference that says what changed."""

from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402
from torch_models import GPT, Language, ResNet  # noqa: E402

from initlab.runner.errors import ConfigError, Contradicted, EvidenceError  # noqa: E402
from initlab.runner.torch.watch.locking import (  # noqa: E402
    differences,
    lock,
    lock_of,
    read_laws,
)
from initlab.runner.torch.watch.watching import watch  # noqa: E402


class Rescaled(GPT):
    def scale_residuals(self):
        pass


def test_a_lock_has_a_line_for_each_pattern():
    locked = lock_of(GPT)
    (one,) = locked.tensors["h.*.c_proj.weight"]
    assert (one.tensors, one.law, one.writes) == (3, "Normal(0, 0.00816497)", 3)
    assert one.writer == "torch_models.py scale_residuals"
    assert locked.ties == {"head.weight": "wte.weight"}
    assert locked.text.count("\n") == 7 + len(locked.tensors) + 2
    assert json.loads(locked.text)["model"] == "GPT"
    assert "/" not in locked.text.replace("torch/nn/modules/", "")


@pytest.mark.parametrize("build", [GPT, ResNet, Language])
def test_another_seed_gives_the_same_text(build):
    texts = set()
    for seed in range(3):
        torch.manual_seed(seed)
        with watch() as w:
            model = build()
        texts.add(lock(model, w).text)
    assert len(texts) == 1
    assert lock_of(build).text in texts


def test_a_lock_is_read_as_it_was_written(tmp_path):
    locked = lock_of(GPT)
    locked.save(tmp_path / "gpt.laws")
    assert read_laws(tmp_path / "gpt.laws") == locked
    locked.check(tmp_path / "gpt.laws")


def test_the_difference_says_what_changed(tmp_path):
    lock_of(GPT).save(tmp_path / "gpt.laws")
    with pytest.raises(Contradicted) as error:
        lock_of(Rescaled).check(tmp_path / "gpt.laws")
    lines = str(error.value).splitlines()
    assert "h.*.c_proj.weight: law: was Normal(0, 0.00816497), is Normal(0, 0.02)" in lines
    assert (
        "h.*.c_proj.weight: writer: was torch_models.py scale_residuals, is torch_models.py "
        "_init_weights"
    ) in lines
    assert "h.*.c_proj.weight: writes: was 3, is 2" in lines


def test_ties_and_tensors_that_come_and_go_are_said():
    class Untied(GPT):
        def tie(self):
            pass

    class More(GPT):
        def tie(self):
            super().tie()
            self.value = nn.Linear(32, 1, bias=False)

    said = differences(lock_of(GPT), lock_of(Untied))
    assert "head.weight: was tied to wte.weight, is not tied" in said
    assert any(line.startswith("head.weight: is new: Normal(0, 0.02)") for line in said)
    said = differences(lock_of(More), lock_of(GPT))
    assert any(line.startswith("value.weight: is gone: Normal(0, 0.02)") for line in said)


def test_one_layer_with_another_law_is_said_as_such():
    class Other(GPT):
        def scale_residuals(self):
            super().scale_residuals()
            nn.init.normal_(self.h[1].fc.weight, std=0.5)

    said = [line for line in differences(lock_of(GPT), lock_of(Other)) if "h.*.fc.weight" in line]
    assert len(said) == 3
    assert any(line.startswith("h.*.fc.weight: now Normal(0, 0.5) (1 x 3 writes") for line in said)


def test_without_a_watch_the_values_say_the_kind_of_law():
    locked = lock(GPT())
    assert locked.tensors["h.*.fc.weight"][0].law == "by its values: normal"
    assert locked.tensors["h.*.fc.bias"][0].law == "by its values: zeros"


def test_values_without_chance_are_locked_exactly():
    class Rotary(nn.Module):
        def __init__(self, base=10_000.0):
            super().__init__()
            self.register_buffer("frequency", 1 / base ** (torch.arange(0, 16, 2) / 16))

    (one,) = lock_of(Rotary).tensors["frequency"]
    assert one.law.startswith("pattern: first 1, ratio 0.31623")
    assert len(differences(lock_of(Rotary), lock_of(lambda: Rotary(500.0)))) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file"),
        ("<html>", "it is no JSON"),
        ("{}", "is no lock of laws"),
        ('{"format": "initlab-laws-1", "model": "x"}', "the lock is damaged"),
        ('{"format": "initlab-laws-1", "model": "x", "tensors": {"a": [1]}}', "is damaged"),
    ],
)
def test_a_file_that_is_no_lock_is_one_clear_error(tmp_path, content, said):
    if content is not None:
        (tmp_path / "x.laws").write_text(content)
    with pytest.raises(EvidenceError, match=said):
        lock_of(GPT).check(tmp_path / "x.laws")


def test_what_is_no_module_cannot_be_locked():
    with pytest.raises(ConfigError, match="build: must return a module, got int"):
        lock_of(lambda: 3)
