"""`initlab report`: a folder that is neither run nor sweep does not stop the others."""

from __future__ import annotations


def test_each_folder_without_a_run_or_sweep_is_named(command, tmp_path):
    (tmp_path / "empty").mkdir()
    done = command("report", "empty", "nowhere")
    assert done.code == 2
    assert [line.split(":")[1].strip() for line in done.err.splitlines()] == ["empty", "nowhere"]


def test_charts_are_written_as_svg_files_for_a_run_and_for_a_name(command, tmp_path):
    command("run", "-m", "model=deep_mlp", "init=he,normal")
    [run, _] = sorted(path.parent for path in tmp_path.glob("outputs/runs/*/manifest.json"))
    for folder in (run, run.parent):
        into = tmp_path / "charts" / folder.name
        done = command("report", str(folder), "--charts", str(into))
        assert done.code == 0
        made = sorted(into.iterdir())
        assert made and sorted(done.out.split()) == [str(path) for path in made]
        for path in made:
            assert path.read_text(encoding="utf-8").startswith("<?xml")
            assert "#010203" not in path.read_text(encoding="utf-8")
    done = command("report", str(run), str(run), "--charts", "charts")
    assert done.code == 2 and "--charts" in done.err
