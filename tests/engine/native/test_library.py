"""The library is used only where it is there, fits the C text, and the processor runs it."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from initlab.engine import native
from initlab.engine.native import library

KEPT = (
    library._opened,
    library._python,
    library.cores,
    library.core,
    library.pair_hasher,
)


def forget():
    for function in KEPT:
        function.cache_clear()


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A folder with a copy of the C text and of the library."""
    for path in library.FOLDER.glob("*.[ch]"):
        shutil.copy(path, tmp_path)
    if library.LIBRARY.exists():
        shutil.copy(library.LIBRARY, tmp_path)
    monkeypatch.setattr(library, "FOLDER", tmp_path)
    monkeypatch.setattr(library, "LIBRARY", tmp_path / "kernels.native.so")
    forget()
    yield tmp_path
    forget()


def test_cores_are_listed_from_the_fastest_and_each_can_be_loaded():
    assert [name for name in native.NAMES if name in native.cores()] == list(native.cores())
    for name in native.cores():
        assert native.core(name).name == name
        assert native.why_not(name) == ""


def test_a_package_without_library_says_so(elsewhere):
    (elsewhere / "kernels.native.so").unlink(missing_ok=True)
    assert native.cores() == ()
    assert native.pair_hasher() is None
    assert native.why_not() == "the package was built without a C compiler"
    with pytest.raises(KeyError):
        native.core("baseline")


def test_a_library_of_another_text_is_not_used(elsewhere):
    if not library.LIBRARY.exists():
        pytest.skip("no library here")
    assert native.cores()
    forget()
    with open(elsewhere / "transforms.h", "a", encoding="utf-8") as file:
        file.write("/* changed */")
    assert native.cores() == ()
    assert (
        native.why_not() == "kernels.native.so was made of other C text - run python hatch_build.py"
    )


def test_a_library_that_is_damaged_is_not_used(elsewhere):
    (elsewhere / "kernels.native.so").write_bytes(b"no library")
    assert native.cores() == ()
    assert native.why_not().startswith("kernels.native.so cannot be loaded: ")


def test_a_python_without_the_functions_that_the_library_calls_has_no_cores(monkeypatch):
    if not native.cores():
        pytest.skip(f"no core here: {native.why_not()}")
    monkeypatch.setattr(library, "PYTHON", (*library.PYTHON, "PyNothing_OfThisName"))
    forget()
    try:
        assert native.cores() == ()
        assert native.why_not().startswith("kernels.native.so cannot be loaded: ")
    finally:
        monkeypatch.undo()
        forget()


@pytest.mark.parametrize("name", native.cores())
def test_only_interfaces_of_arrays_are_drawn_into(name):
    draw = native.core(name).draw
    with pytest.raises(ValueError, match="PyCapsule"):
        draw(b"", [object()])
    assert draw(b"", []) == 0


def test_a_core_that_the_processor_lacks_is_not_used(monkeypatch):
    if not native.cores():
        pytest.skip(f"no core here: {native.why_not()}")
    monkeypatch.setattr(library, "cores", lambda: ("baseline",))
    assert library.why_not("avx512") == "this processor does not have these instructions"
    with pytest.raises(KeyError):
        library.core.__wrapped__("avx512")
    monkeypatch.setattr(library, "cores", tuple)
    assert library.why_not() == "this processor does not have these instructions"


def test_where_there_is_a_compiler_there_are_cores_so_that_their_tests_are_not_skipped(tmp_path):
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler here")
    (tmp_path / "some.c").write_text("#include <string.h>\n", encoding="utf-8")
    words = ["cc", "-fPIC", "-shared", "some.c", "-o", "some.so"]
    if subprocess.run(words, cwd=tmp_path, capture_output=True).returncode:
        pytest.skip("this C compiler has no headers")
    assert native.cores(), f"{native.why_not()}: run python hatch_build.py"
