"""`initlab rerun`, as a command line."""

from __future__ import annotations


def test_it_needs_a_folder(command):
    done = command("rerun")
    assert (done.code, done.err) == (
        2,
        "error: initlab rerun: the following arguments are required: DIR - initlab rerun --help lists "
        "what it takes\n",
    )


def test_the_worst_code_counts_and_every_run_has_a_line(command, only_run):
    folder = only_run("init=normal")
    done = command("rerun", "nothing", str(folder), "--into", "new")
    assert (done.code, len(done.out.splitlines()), len(done.err.splitlines())) == (2, 1, 1)


def test_a_path_that_ls_prints_will_do_and_a_name_stands_for_its_runs(command, tmp_path):
    command("run", "-m", "init=he", "seed=0,1", "name=mine")
    [one, _] = sorted(path.name for path in (tmp_path / "outputs/mine").glob("he-*"))
    (tmp_path / "outputs" / "mine" / one / "manifest.json").unlink()
    done = command("rerun", "mine")
    assert done.code == 2 and done.out.count("made again") == 1
    assert command("verify", f"mine/{one}").code == 2
    listed = command("ls", "name == 'mine' and state == 'finished'", "--columns", "path").out
    assert "reruns" not in listed and "1 of 3" in listed


def test_a_folder_without_permission_is_one_line(command, tmp_path, monkeypatch):
    def denied(*_, **__):
        raise PermissionError(13, "Permission denied", "outputs/runs/he/manifest.json")

    monkeypatch.setattr("initlab.runner.check.rerun.rerun_all", denied)
    done = command("rerun", "outputs/runs/he")
    assert done.code == 2 and done.err.count("\n") == 1 and "permissions" in done.err
