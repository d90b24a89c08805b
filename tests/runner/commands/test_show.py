"""`initlab show`."""

from __future__ import annotations


def test_a_path_of_the_list_is_shown(command):
    first = command("init=he", "name=my study")
    path = command("ls").out.splitlines()[1].split("  ")[0]
    assert path.startswith("my study/he-seed0-")
    shown = command("show", path)
    assert (shown.code, shown.out.splitlines()) == (0, first.out.splitlines())
    assert command("show").code == 2
