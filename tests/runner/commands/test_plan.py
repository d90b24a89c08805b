"""`initlab plan …` is `initlab … task=plan`."""

from __future__ import annotations

import pytest


def test_it_shows_the_plan_and_writes_nothing(command, tmp_path):
    done = command("plan", "init=he", "model=mlp")
    assert done.code == 0, done.err
    assert done.out == command("init=he", "model=mlp", "task=plan").out
    assert "nothing was allocated" in done.out
    assert not any(tmp_path.iterdir())


def test_an_option_may_end_the_line(command, tmp_path):
    option = tmp_path / "mine" / "init" / "wide.yaml"
    option.parent.mkdir(parents=True)
    option.write_text("# Wide.\ndefaults: [/schema/init/normal@_here_, _self_]\nsigma: 2.0\n")
    done = command("plan", "init=wide", "--config-dir", "mine")
    assert (done.code, "Normal(0, 2)" in done.out) == (0, True), done.err
    assert "task: plan" in command("plan", "init=he", "--cfg", "job").out


@pytest.mark.parametrize("word", ["task=run", "task=plan", "dry_run=true", "++dry_run=false"])
def test_a_word_that_says_what_to_do_is_refused_in_one_line(word, command, tmp_path):
    done = command("plan", "init=he", word)
    key = word.lstrip("+").partition("=")[0]
    said = "has no meaning beside the command plan, which makes no run - leave it out"
    assert (done.code, done.out) == (2, "")
    assert done.err == f"error: {key}: {said}\n"
    assert not any(tmp_path.iterdir())
