"""A run with `device=gpu`, on stand-ins for a GPU: the CUDA kernels compiled for the processor, and
arrays that refuse NumPy, or that have what CuPy has and no more."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import host_kernels
import numpy as np
import pytest
import standin

from initlab.engine import device as devices
from initlab.engine import gluon, init, laws, nd, streams
from initlab.engine.device import Namespace, cpu, gpu
from initlab.engine.errors import DeviceError, LawError
from initlab.engine.gluon import nn
from initlab.engine.streams import Key
from initlab.runner.cli import run_command
from initlab.runner.plan import parts
from initlab.runner.stats import onepass

pytestmark = pytest.mark.skipif(
    host_kernels.compiler() is None,
    reason="there is no C++ compiler here to compile the kernels' text with",
)


class OutOfMemoryError(MemoryError):
    """As CuPy's."""


OutOfMemoryError.__module__ = "cupy.cuda.memory"


class CUDARuntimeError(RuntimeError):
    """As CuPy's, of which only the message says what happened."""


CUDARuntimeError.__module__ = "cupy_backends.cuda.api.runtime"


def compiler(opened, said=None):
    """A compiler for the processor, of kernels that write into `opened(array)`."""

    def compiled(text: str):
        launch = host_kernels.launching(text, said=said)
        return lambda name, blocks, threads, arguments: launch(
            name, blocks, threads, [opened(a) for a in arguments]
        )

    return lambda device: compiled


@pytest.fixture
def launched(monkeypatch):
    """The names of the kernels that the stand-in ran."""
    said: list[str] = []
    calls: Counter[str] = Counter()
    provider = Namespace(
        lambda device: standin.Counting(calls),
        lambda raw: np.array(raw._values),
        lambda array, device: standin.Opaque(np.array(array)),
        compiler(standin._open, said),
    )
    monkeypatch.setattr(parts, "check_gpu", lambda number: None)
    with devices.namespace("gpu", provider):
        yield said


def digests(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text())["digests"]


@pytest.mark.parametrize(
    ("words", "kernels"),
    [
        (["init=normal"], {"draw_normal32"}),
        (["init=uniform", "init_mode=eager"], {"draw_uniform32"}),
        (["init=truncated_normal", "dtype=float64"], {"draw_truncated64"}),
        (["init=xavier", "dtype=float16", "model=shared"], {"draw_uniform32"}),
        (["init=mixed", "model=residual_mlp"], None),
        (["init=orthogonal"], set()),
        (["init=normal", "dtype=bfloat16"], set()),
        (["init=he", "model=lenet", "model.input=[1,8,8]"], {"draw_normal32"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_values_are_drawn_on_the_device_and_have_the_digests_of_the_cpu(
    words, kernels, only_run, launched, capsys
):
    here = only_run(*words)
    assert not launched
    there = only_run(*words, "device=gpu")
    assert digests(there) == digests(here)
    assert kernels is None or set(launched) == kernels
    assert run_command(["verify", str(there)]) == 0


LARGE = ["model.input=[1100]", "model.layers.0.units=1000"]
"""A tensor of more than 2^20 elements, of which statistics need a summary only."""


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_large_tensors_are_measured_on_the_device_with_the_figures_of_the_cpu(
    dtype, only_run, launched
):
    words = ["init=truncated_normal", f"dtype={dtype}", "stats=[moments,law,histogram]", *LARGE]
    tables = [
        json.loads((only_run(*words, *more) / "stats.json").read_text())["parameters"]
        for more in ([], ["device=gpu"])
    ]
    assert tables[0] == tables[1]
    assert launched.count(f"measure_{dtype}") == 1


def test_large_tensors_whose_elements_are_declared_are_measured_on_the_host(only_run, launched):
    only_run("init=constant", "init.value=0.5", "device=gpu", *LARGE)
    assert not launched


def test_kernels_that_count_wrong_end_the_run(command, launched, monkeypatch):
    monkeypatch.setattr(onepass.cuda, "launcher", lambda device: lambda text: lambda *given: None)
    done = command("init=normal", "device=gpu", *LARGE)
    assert done.code == 1
    (line,) = done.err.splitlines()
    assert line.startswith("error: gpu(0) measured 0 of 1100000 elements of float32")
    assert not list(Path("outputs").rglob("manifest.json"))


TINY = {
    "convolution": ["model=lenet", "model.input=[1,8,8]", "probe=backward"],
    "training": [
        "model=lenet",
        "model.input=[1,8,8]",
        "data=digits",
        "probe=train",
        "probe.epochs=1",
        "probe.optimizer=adam",
    ],
    "attention": [
        "model=gpt2",
        "data=tokens",
        "data.vocabulary=97",
        "model.layers.0.input_dim=97",
        "model.layers.0.output_dim=32",
        "model.layers.2.times=2",
        "model.layers.2.layers.0.heads=4",
        "model.input=[16]",
        "probe=backward",
    ],
    "recurrence": [
        "model=lstm_lm",
        "data=tokens",
        "data.vocabulary=97",
        "model.layers.0.input_dim=97",
        "model.layers.2.units=97",
        "model.input=[5]",
        "probe=backward",
    ],
    "normalization": ["model=resnet18", "model.input=[3,32,32]", "data.batch=2", "probe=forward"],
}


@pytest.mark.parametrize("name", TINY)
def test_a_whole_run_asks_for_nothing_but_what_cupy_has(name, only_run, monkeypatch):
    pytest.importorskip("array_api_strict")
    import strict

    said: list[str] = []
    opened = compiler(lambda a: strict.values(a) if isinstance(a, strict.Array) else a, said)
    here = only_run("init=xavier", *TINY[name])
    monkeypatch.setattr(parts, "check_gpu", lambda number: None)
    with devices.namespace("gpu", strict.provider(opened)):
        there = only_run("init=xavier", *TINY[name], "device=gpu")
    large = {"measure_float32"} if name == "normalization" else set()
    assert set(said) == {"draw_uniform32"} | large
    assert digests(there) == digests(here)
    figures = [
        json.loads((folder / "stats.json").read_text())["figures"] for folder in (here, there)
    ]
    known = [
        {name: value for name, value in found.items() if value is not None} for found in figures
    ]
    assert known[0] and known[0] == pytest.approx(known[1], rel=1e-4)
    assert figures[0].keys() == figures[1].keys()


def test_a_streamed_run_is_drawn_on_the_host_and_probed_on_the_device(only_run, launched):
    here, there = (
        only_run("init=normal", "init_mode=streamed"),
        only_run("init=normal", "init_mode=streamed", "device=gpu"),
    )
    assert (here / "snapshot.safetensors").read_bytes() == (
        there / "snapshot.safetensors"
    ).read_bytes()
    figures = [
        json.loads((folder / "stats.json").read_text())["figures"]["output_rms"]
        for folder in (here, there)
    ]
    assert figures[0] == pytest.approx(figures[1], rel=1e-6)


SHORTAGES = [
    OutOfMemoryError("Out of memory allocating 20,480 bytes (allocated so far: 0 bytes)."),
    CUDARuntimeError("cudaErrorMemoryAllocation: out of memory"),
    CUDARuntimeError("CUDA_ERROR_OUT_OF_MEMORY: out of memory"),
    CUDARuntimeError("CUBLAS_STATUS_ALLOC_FAILED"),
]


@pytest.mark.parametrize("shortage", SHORTAGES, ids=lambda e: str(e).split()[0])
@pytest.mark.parametrize("where", ["drawing", "measuring", "probing"])
def test_a_gpu_without_enough_memory_is_said_in_one_line(
    where, shortage, command, launched, monkeypatch
):
    def full(*rest, **options):
        raise type(shortage)(*shortage.args)

    if where == "drawing":
        monkeypatch.setattr(streams.cuda, "fill", full)
    elif where == "measuring":
        monkeypatch.setattr(onepass.cuda, "launcher", full)
    else:
        monkeypatch.setattr("initlab.runner.run.stages.probe", full)
    done = command("init=normal", "device=gpu", *(LARGE if where == "measuring" else []))
    assert done.code == 2
    (line,) = done.err.splitlines()
    when = (
        ", filling parameter '0.weight' of shape (256, 20), 20,480 bytes"
        if where == "drawing"
        else ""
    )
    assert line == (
        f"error: gpu(0) has less memory than the run needs: {str(shortage).rstrip('.')}{when} - use a smaller data.batch, dtype=float16, "
        "or device=cpu"
    )
    assert not list(Path("outputs").rglob("manifest.json"))


def test_another_error_of_a_gpu_is_not_taken_for_a_lack_of_memory(command, launched, monkeypatch):
    def broken(*rest, **options):
        raise CUDARuntimeError("cudaErrorIllegalAddress: an illegal memory access was encountered")

    monkeypatch.setattr(streams.cuda, "fill", broken)
    with pytest.raises(CUDARuntimeError, match="illegal memory access"):
        command("init=normal", "device=gpu")


def test_a_dtype_that_the_gpus_arrays_lack_is_refused(command, launched, monkeypatch):
    def check_dtype(dtype):
        if dtype == "bfloat16":
            raise DeviceError(f"no {dtype} here")

    monkeypatch.setattr(devices._NAMESPACES["gpu"], "check_dtype", check_dtype)
    done = command("init=normal", "device=gpu", "dtype=bfloat16", "data.batch=0")
    assert done.code == 2
    assert "error: dtype: no bfloat16 here" in done.err and "data" in done.err
    assert command("init=normal", "device=gpu", "dtype=float16").code == 0


def test_replicas_on_several_devices_hold_the_same_bits(launched):
    streams.seed(0)
    net = nn.Dense(5, in_units=7)
    net.initialize(init.Normal(0.1), ctx=[gpu(0), gpu(1), cpu()])
    one, two, three = (net.weight.data(device).asnumpy() for device in (gpu(0), gpu(1), cpu()))
    assert launched == ["draw_normal32"]
    assert one.tobytes() == two.tobytes() == three.tobytes()
    net.weight.data(gpu(0))[:] = 0
    assert (net.weight.data(gpu(1)).asnumpy() == two).all()


def test_a_deferred_parameter_is_drawn_on_the_device_when_its_shape_is_known(launched):
    streams.seed(0)
    net = nn.Dense(5)
    net.initialize(init.Uniform(0.1), ctx=gpu(0))
    assert not launched
    net(nd.ones((2, 7), ctx=gpu(0)))
    assert launched == ["draw_uniform32"]


def test_a_users_own_initializer_draws_on_the_host(launched):
    class Mine(init.Initializer):
        def _init_weight(self, name, data):
            data[:] = nd.random.uniform(shape=data.shape)

    parameter = gluon.Parameter("w", shape=(3,), init=Mine())
    parameter.initialize(ctx=gpu(0))
    assert not launched and parameter.data().ctx == gpu(0)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "bfloat16"])
@pytest.mark.parametrize("draw", ["uniform", "normal"])
def test_draws_in_order_have_the_bits_of_the_cpu_wherever_they_are_made(draw, dtype, launched):
    def drawn(devices):
        streams.seed(9)
        arguments = (-0.5, 0.25) if draw == "uniform" else (0.5, 0.25)
        made = [
            getattr(nd.random, draw)(*arguments, shape=shape, dtype=dtype, ctx=ctx)
            for shape, ctx in zip([(3,), (5, 7)], devices[:2], strict=True)
        ]
        into = nd.zeros((2, 2), ctx=devices[2], dtype=dtype)
        getattr(nd.random, draw)(*arguments, out=into)
        return [a.asnumpy().tobytes() for a in (*made, into)]

    here = drawn([cpu(), cpu(), cpu()])
    assert not launched
    assert drawn([gpu(0), gpu(0), gpu(0)]) == drawn([gpu(0), cpu(), gpu(1)]) == here
    assert launched == [f"draw_{draw}{64 if dtype == 'float64' else 32}"] * (
        0 if dtype == "bfloat16" else 5
    )


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_dropout_drops_on_the_device_what_it_drops_on_the_host(dtype, launched):
    def dropped(device):
        streams.seed(2)
        x = nd.ones((7, 9), ctx=device, dtype=dtype)
        return [
            nd.Dropout(x, p=0.3, axes=axes, mode="always").asnumpy().tobytes()
            for axes in ((), (1,))
        ]

    here = dropped(cpu())
    assert dropped(gpu(0)) == here and here[0] != here[1]
    assert launched == ["draw_uniform32"] * 2


def test_a_law_that_the_device_cannot_draw_gives_nothing_and_one_out_of_range_says_so(launched):
    assert laws.Haar(1.0).draw_on(gpu(0), Key(0, "w"), (3, 3), "float32") is None
    assert laws.Normal(0, 1).draw_on(cpu(), Key(0, "w"), (3, 3), "float32") is None
    with pytest.raises(LawError, match="beyond the range of float16 - use a wider dtype"):
        laws.Normal(0, 1e6).draw_on(gpu(0), Key(0, "w"), (300,), "float16")
