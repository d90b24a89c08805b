"""Run code blocks (JSON on stdin) as one session with `engine` in place of `mxnet`. Prints the
output of each block as JSON.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import io
import json
import sys
import warnings

PRELUDE = """import warnings, sys, os, io, logging
import mxnet as mx, numpy as np
from mxnet import nd, init, gluon, autograd
from mxnet.gluon import nn, Parameter, ParameterDict, Constant
"""


class Alias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """`import mxnet…` imports `engine…`."""

    def find_spec(self, name, path=None, target=None):
        if name == "mxnet" or name.startswith("mxnet."):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return importlib.import_module("initlab.engine" + spec.name[len("mxnet") :])

    def exec_module(self, module):
        pass


def show(function):
    """Print `repr` of a result, or the class and message of an exception."""
    try:
        result = function()
    except BaseException as error:
        kind = type(error)
        name = (
            kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
        )
        print(f"{name}: {error}")
    else:
        print(repr(result))


def say_warning(message, category, filename, lineno, file=None, line=None):
    if category in (UserWarning, DeprecationWarning, RuntimeWarning):
        print(f"!! {category.__name__}: {message}")


def main():
    sys.meta_path.insert(0, Alias())
    warnings.showwarning = say_warning
    warnings.simplefilter("always")
    names = {"E": show, "__name__": "__main__"}
    exec(PRELUDE, names)
    printed = []
    for code in json.load(sys.stdin):
        text = io.StringIO()
        with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
            try:
                exec(compile(code, "<block>", "exec"), names)
            except BaseException as error:
                print(f">>> RAISED {type(error).__name__}: {error}")
        printed.append(text.getvalue())
    json.dump(printed, sys.__stdout__)


main()
