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
