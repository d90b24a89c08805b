"""Packages whose parts are imported when they are first asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import initlab.engine as mx
from initlab.engine import gluon

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("package", [mx, gluon], ids=lambda package: package.__name__)
def test_every_public_name_is_there_and_listed(package):
    for name in package.__all__:
        assert getattr(package, name) is not None
        assert name in dir(package)


def test_another_name_is_an_attribute_error_that_names_the_package():
    with pytest.raises(AttributeError, match=r"module 'initlab.engine' has no attribute 'nosuch'"):
        mx.nosuch  # noqa: B018


def test_importing_the_engine_imports_no_part_of_it():
    script = "import sys, initlab.engine; print([m for m in sys.modules if m.startswith('initlab.engine.') or m == 'numpy'])"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
