"""What `initlab run` refuses of Hydra's own flags, and what it leaves to Hydra."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--experimental-rerun", "x"], "--experimental-rerun: is refused: it unpickles a file"),
        (["--config-path", "x"], "--config-path: is refused: there is one root config"),
        (["--config-name", "x"], "--config-name: is refused: there is one root config"),
    ],
)
def test_flags_that_would_load_something_else_are_refused(words, said, command):
    done = command(*words)
    assert (done.code, done.err.startswith(f"error: {said}")) == (2, True)


def test_the_composed_config_is_printed_by_hydra(command):
    done = command("--cfg", "job", "init=he")
    assert (done.code, "kind: he" in done.out) == (0, True)
