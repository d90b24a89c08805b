"""`initlab lock`: the file is written where `-o` says, and nowhere after a stop."""

from __future__ import annotations

from initlab.runner.check import lock


def test_the_lock_is_written_where_it_is_wanted(command, tmp_path):
    assert command("lock", "init=zero", "probe=none", "-o", "mine.lock").code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["mine.lock"]


def test_a_stop_from_the_keyboard_writes_nothing(command, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(lock, "draw", stop)
    done = command("lock", "init=zero", "probe=none")
    assert (done.code, done.err) == (130, "error: stopped from the keyboard, nothing was written\n")
    assert not any(tmp_path.iterdir())


def test_the_flag_of_a_sweep_may_be_given(command, tmp_path):
    done = command("lock", "-m", "seed=0,1")
    assert (done.code, "2 runs" in done.out) == (0, True), done.err


def test_a_lock_of_an_option_of_ones_own_says_that_its_folder_is_missing(command, tmp_path):
    (tmp_path / "own" / "init").mkdir(parents=True)
    (tmp_path / "own" / "init" / "mine.yaml").write_text("kind: zero\n")
    assert command("lock", "--config-dir", "own", "init=mine").code == 0
    done = command("verify", "--lock", "initlab.lock")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert done.err.startswith("error: initlab.lock: init: no option 'mine'")
    assert done.err.endswith(". If it is an option of your own, give --config-dir DIR\n")
    assert command("verify", "--lock", "initlab.lock", "--config-dir", "own").code == 0
