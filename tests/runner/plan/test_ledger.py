"""What was drawn is held against the plan."""

from __future__ import annotations


def test_parameters_are_checked_against_the_plan(only_run, command, monkeypatch):
    from initlab.engine.gluon.parameter import Parameter

    original = Parameter.initialize

    def twice(self, *args, **options):
        original(self, *args, **options)
        original(self, *args, **(options | {"force_reinit": True}))

    monkeypatch.setattr(Parameter, "initialize", twice)
    done = command("init=normal", "init_mode=eager")
    assert done.code == 1
    assert done.err == "error: parameter '0.weight' was initialized 2 times, planned once\n"
