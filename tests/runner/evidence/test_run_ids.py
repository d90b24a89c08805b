"""Run ids: the digits say which run it is, whatever the label."""

from __future__ import annotations

from pathlib import Path

from kept_runs import keep

from initlab.runner.evidence.run_ids import digest_in, folder_in, folders_in, same_run

DIGITS = "046dba22b31ff360"


def test_ids_with_the_same_digits_are_of_one_run():
    assert digest_in(f"gpt2-he_slope0.1-seed0-{DIGITS}") == DIGITS
    assert same_run(f"gpt2-he-seed0-{DIGITS}", f"residual_scaled-seed0-{DIGITS}")
    assert not same_run(f"he-seed0-{DIGITS}", f"he-seed0-{DIGITS[::-1]}")
    assert digest_in("notes") is None and digest_in(f"{DIGITS}") is None
    assert same_run("notes", "notes") and not same_run("notes", "other")


def test_a_run_has_the_folder_with_its_digits(tmp_path):
    new, old = f"gpt2-he-seed0-{DIGITS}", f"residual_scaled-seed0-{DIGITS}"
    assert folder_in(tmp_path, new) == tmp_path / new
    assert folder_in(tmp_path / "none", new) == tmp_path / "none" / new
    keep(tmp_path / old)
    assert folder_in(tmp_path, new) == tmp_path / old
    assert folders_in(tmp_path) == {DIGITS: old}
    (tmp_path / f"x-seed0-{DIGITS}").mkdir()
    (tmp_path / f"a-seed0-{DIGITS}").mkdir()
    assert folder_in(tmp_path, new).name == old, "of several the finished one"
    keep(tmp_path / new)
    assert folder_in(tmp_path, new).name == new
    assert folder_in(Path(tmp_path), new, {DIGITS: "known"}).name == "known"


def test_a_file_with_such_a_name_is_no_folder(tmp_path):
    (tmp_path / f"he-seed0-{DIGITS}").write_text("")
    assert folders_in(tmp_path) == {}
