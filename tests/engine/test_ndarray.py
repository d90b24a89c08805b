"""`engine.ndarray` is `engine.nd`, under every way of importing it."""

from __future__ import annotations

import importlib
import subprocess
import sys

import initlab.engine as mx


def test_it_is_the_package_itself():
    assert mx.ndarray is mx.nd
    assert importlib.import_module("initlab.engine.ndarray") is mx.nd


def test_its_modules_are_those_of_the_package():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from initlab.engine.ndarray.ndarray import NDArray\n"
            "from initlab.engine.ndarray import random, zeros\n"
            "import initlab.engine.ndarray as nd, initlab.engine as mx\n"
            "print(NDArray is mx.nd.NDArray, random is mx.nd.random, nd is mx.nd)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["True", "True", "True"]
