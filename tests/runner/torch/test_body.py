"""The module behind a tree of blocks: made when values are needed, and where token numbers enter it."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'initlab[torch]'")
from torch import nn  # noqa: E402

from initlab.runner.torch.body import Body, is_sequence  # noqa: E402


def test_a_module_on_meta_is_made_for_real_once():
    made = []

    def build():
        made.append(nn.Linear(2, 2))
        return made[-1]

    body = Body(nn.Linear(2, 2, device="meta"), build)
    body.make()
    body.make()
    assert body.module is made[0] and len(made) == 1


def test_token_numbers_enter_the_first_module_of_a_sequence_and_every_table():
    module = nn.Sequential(nn.Sequential(nn.Identity(), nn.Embedding(3, 2)), nn.Linear(2, 2))
    body = Body(module, tokens=True)
    assert [path for path, _ in module.named_modules() if body.gives_tokens(path)] == [
        "",
        "0.0",
        "0.1",
    ]
    assert not Body(nn.Linear(2, 2)).gives_tokens("")


def test_a_sequence_with_a_forward_of_its_own_is_none():
    class Mine(nn.Sequential):
        def forward(self, x):
            return x

    assert (
        is_sequence(nn.Sequential())
        and not is_sequence(Mine())
        and not is_sequence(nn.ModuleList())
    )


def test_the_whole_returns_what_the_last_of_a_sequence_returns():
    module = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.ReLU(), nn.LSTM(2, 2)))
    body = Body(module)
    assert [path for path, _ in module.named_modules() if body.is_last(path)] == ["", "1.1"]
