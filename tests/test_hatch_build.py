"""The build hook compiles the C text where there is a compiler, and does without where not."""

from __future__ import annotations

import errno
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from initlab.engine.native import library

ROOT = Path(__file__).parents[1]
needs_a_compiler = pytest.mark.skipif(
    shutil.which("cc") is None, reason="there is no C compiler here"
)

DRAWN = """
import sys
from pathlib import Path
import numpy as np
from initlab.engine import streams
from initlab.engine.native import library
from initlab.runner.stats.onepass import summarize

library.LIBRARY = Path(sys.argv[1])

def drawn(name):
    streams.implementation(name)
    return streams.normal(streams.Key(0, "x"), 0, 5000, 0.5, 0.01)

tiny = np.full(5000, 5e-324)
print(
    np.array_equal(drawn("numpy"), drawn("baseline")),
    summarize(tiny, implementation="baseline") == summarize(tiny, implementation="numpy")
    and (tiny > 0).all(),
)
"""
"""Whether a library draws NumPy's bits, and whether it measures like NumPy and leaves subnormals."""


@pytest.fixture
def build(tmp_path, monkeypatch):
    """`hatch_build` for a copy of the C text."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for path in module.SOURCES.glob("*.[ch]"):
        shutil.copy(path, tmp_path)
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(module, "SOURCES", tmp_path)
    monkeypatch.setattr(module, "LIBRARY", tmp_path / "kernels.native.so")
    return module


@needs_a_compiler
def test_the_same_text_makes_the_same_bytes(build, tmp_path):
    build.compile_library(tmp_path / "one.so")
    build.compile_library(tmp_path / "two.so")
    assert (tmp_path / "one.so").read_bytes() == (tmp_path / "two.so").read_bytes()
    assert not list(tmp_path.glob("*.partial"))


def test_the_hook_and_the_engine_compute_the_same_digest(build):
    assert build.digest() == library.source_digest()


@pytest.mark.parametrize(
    ("compiler", "said"),
    [
        ("no-such-compiler", "there is no C compiler 'no-such-compiler'"),
        ("false", "'false' failed: nothing was said"),
        ("cc '", "CC cannot be divided into words: No closing quotation"),
        (f"{sys.executable} -c 'import sys; sys.exit(sys.argv[0])'", "failed: -c"),
    ],
)
def test_without_a_compiler_there_is_no_library_and_the_wheel_is_pure(
    build, tmp_path, monkeypatch, compiler, said
):
    monkeypatch.setenv("CC", compiler)
    (tmp_path / "kernels.native.so").write_bytes(b"of an earlier build")
    warned: list[str] = []
    hook = build.Kernels.__new__(build.Kernels)
    app = SimpleNamespace(display_warning=warned.append)
    monkeypatch.setattr(build.Kernels, "app", app, raising=False)
    data = {"artifacts": [], "pure_python": True}
    hook.initialize("standard", data)
    assert data == {"artifacts": [], "pure_python": True}
    assert not (tmp_path / "kernels.native.so").exists()
    assert len(warned) == 1 and said in warned[0]


@needs_a_compiler
def test_a_folder_that_cannot_be_written_is_no_error_of_the_installation(
    build, tmp_path, monkeypatch
):
    def refuse(*args, **kwargs):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(build.NotCompiled, match="cannot be written: Read-only file system"):
        build.compile_library(tmp_path / "kernels.native.so")


@needs_a_compiler
@pytest.mark.parametrize(
    "options", ["-ffast-math", "-Ofast", "-funsafe-math-optimizations -ffinite-math-only"]
)
def test_no_option_of_the_compiler_changes_bits(build, tmp_path, monkeypatch, options):
    monkeypatch.setenv("CC", f"cc {options}")
    build.compile_library(tmp_path / "fast.so")
    found = subprocess.run(
        [sys.executable, "-c", DRAWN, tmp_path / "fast.so"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert found.stdout == "True True\n"


@needs_a_compiler
def test_a_wheel_names_its_platform_and_any_python(build, tmp_path):
    hook = build.Kernels.__new__(build.Kernels)
    data = {"artifacts": [], "pure_python": True}
    hook.initialize("standard", data)
    assert data["artifacts"] == ["kernels.native.so"] and not data["pure_python"]
    assert data["tag"].startswith("py3-none-")
    assert (tmp_path / "kernels.native.so").exists()


def test_as_a_script_it_says_what_is_missing(tmp_path):
    shutil.copy(ROOT / "hatch_build.py", tmp_path)
    (tmp_path / "initlab" / "engine" / "native").mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "hatch_build.py"],
        cwd=tmp_path,
        env={"CC": "no-such-compiler", "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: there is no C compiler 'no-such-compiler'")
