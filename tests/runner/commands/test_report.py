"""`initlab report`: a folder that is neither run nor sweep does not stop the others."""

from __future__ import annotations


def test_each_folder_without_a_run_or_sweep_is_named(command, tmp_path):
    (tmp_path / "empty").mkdir()
    done = command("report", "empty", "nowhere")
    assert done.code == 2
    assert [line.split(":")[1].strip() for line in done.err.splitlines()] == ["empty", "nowhere"]
