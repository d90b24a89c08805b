"""Write `mxnet-nd.npz`: the results of MXNet 1.9.1 for `tests/nd_cases.py`.

Run it with a Python that has MXNet: `python tests/vectors/record_nd.py`. Every call runs in its own
process, since some of MXNet's operators write outside their memory.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np

np.bool = bool  # MXNet 1.9.1 still writes numpy.bool
import mxnet as mx  # noqa: E402

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
import nd_cases  # noqa: E402


def apart(ask, *arguments):
    """Return the result of `ask` ({name: array}) from another process; {} if that process dies
    twice.
    """
    for _ in range(2):
        path = Path(tempfile.mkdtemp()) / "answer.npz"
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            np.savez(path, **ask(*arguments))
            os._exit(0)
        os.waitpid(child, 0)
        if path.exists():
            with np.load(path, allow_pickle=False) as answer:
                return dict(answer)
    print("NO ANSWER:", *(str(a)[:200] for a in arguments))
    return {}


def convert(value):
    if isinstance(value, tuple):
        return tuple(convert(v) for v in value)
    return mx.nd.array(value, dtype=value.dtype) if isinstance(value, np.ndarray) else value


def computed(function, arguments, options):
    return nd_cases.run(mx.nd, mx.autograd, function, arguments, options)


def taken(key):
    x = mx.nd.array(nd_cases.CUBE)
    x.attach_grad()
    with mx.autograd.record():
        y = x[convert(key)]
    if not y.size:
        return {"out": y.asnumpy()}
    y.backward(mx.nd.array(nd_cases.head(y.shape, "float32")))
    return {"out": y.asnumpy(), "grad": x.grad.asnumpy()}


def written(key, value):
    x = mx.nd.array(nd_cases.A)
    x[convert(key)] = value if isinstance(value, (tuple, list)) else convert(value)
    return {"out": x.asnumpy()}


def fails(call, kind, piece):
    """Report the calls that do not fail in MXNet although the table says so."""
    try:
        call()
        mx.nd.waitall()
    except Exception as error:  # noqa: BLE001
        if type(error).__name__ != kind or piece not in str(error):
            print(
                "FAILS OTHERWISE:",
                kind,
                piece,
                "|",
                type(error).__name__,
                str(error)[-300:],
                flush=True,
            )
    else:
        print("DOES NOT FAIL:", kind, piece, flush=True)
    return {}


def main():
    recorded = {}
    for i, case in enumerate(nd_cases.CASES):
        recorded |= {f"{i}/{name}": values for name, values in apart(computed, *case).items()}
    for i, key in enumerate(nd_cases.KEYS):
        recorded |= {f"key{i}/{name}": values for name, values in apart(taken, key).items()}
    for i, (key, value) in enumerate(nd_cases.ASSIGNMENTS):
        recorded |= {
            f"set{i}/{name}": values for name, values in apart(written, key, value).items()
        }
    for function, arguments, options, kind, piece in nd_cases.FAILURES:

        def call(function=function, arguments=arguments, options=options):
            given = [
                a
                if function == "exp"
                else [convert(v) for v in a]
                if isinstance(a, list)
                else convert(a)
                for a in arguments
            ]
            return getattr(mx.nd, function)(*given, **options)

        apart(fails, call, kind, piece)
    for key, kind, piece in nd_cases.BAD_KEYS:
        apart(fails, lambda key=key: mx.nd.array(nd_cases.CUBE)[key], kind, piece)
    np.savez_compressed(HERE / "mxnet-nd.npz", **recorded)


main()
