"""Compile `initlab/engine/native` into a shared library when the package is built or installed.

Hatch calls `Kernels` for wheels and editable installs; `python hatch_build.py` does the same in a
checkout whose C text was changed. The compiler is `$CC`, else `cc`. Without one, or if it fails, the
package is pure Python, and NumPy draws. The same compiler makes the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run as a script
    BuildHookInterface = object

SOURCES = Path(__file__).parent / "initlab" / "engine" / "native"
LIBRARY = SOURCES / "kernels.native.so"
FLAGS = (
    *("-std=c11", "-O3", "-fPIC", "-fvisibility=hidden", "-fno-strict-aliasing", "-g0"),
    # These keep the bits, whatever $CC says besides the compiler's name.
    *("-ffp-contract=off", "-fno-fast-math", "-fno-unsafe-math-optimizations"),
    *("-fno-associative-math", "-fno-reciprocal-math", "-fno-finite-math-only", "-fsigned-zeros"),
    # These change flags of errors only, which nobody reads.
    *("-fno-math-errno", "-fno-trapping-math"),
)
SETS = {
    "baseline": ("-msse4.1",),
    "avx2": ("-mavx2", "-mbmi2"),
    "avx512": (
        *("-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx512ifma"),
        *("-mavx2", "-mbmi2", "-mprefer-vector-width=512"),
    ),
}
"""Instruction set -> flags on x86-64; other processors have a baseline without flags."""


class NotCompiled(Exception):
    """Why there is no library."""


def digest() -> str:
    """Return the SHA-256 of all C text, in hex. `engine.native` compares it with the library's."""
    found = hashlib.sha256()
    for path in sorted(SOURCES.glob("*.[ch]")):
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def compile_library(to: Path) -> None:
    """Compile every instruction set of this processor's family into one library.

    Raises NotCompiled if there is no compiler, if it fails, or if the folder cannot be written. A
    library that is there already is removed then, where it can be.
    """
    try:
        _compile(to)
    except NotCompiled:
        with suppress(OSError):  # a stale library that stays is not loaded
            to.unlink(missing_ok=True)
        raise


def _compile(to: Path) -> None:
    compiler = _compiler()
    on_x86 = platform.machine().lower() in ("x86_64", "amd64")
    wanted = SETS if on_x86 else {"baseline": ()}
    with tempfile.TemporaryDirectory() as folder:
        jobs = {"cores": ["cores.c", f'-DSOURCE="{digest()}"']}
        jobs |= {name: ["host.c", f"-DCORE={name}", *flags] for name, flags in wanted.items()}
        if on_x86:
            jobs["sha256"] = ["sha256.c", "-msha", "-mssse3", "-msse4.1"]
        objects = [str(Path(folder) / f"{name}.o") for name in jobs]
        _run(
            [
                [*compiler, *FLAGS, "-c", *words, "-o", made]
                for words, made in zip(jobs.values(), objects, strict=True)
            ]
        )
        last = ["-Wl,--build-id=none", "-s"] if sys.platform == "linux" else []
        made = Path(folder) / to.name
        # The flags again: linked for fast math, a library makes its process round subnormals to 0.
        _run([[*compiler, *FLAGS, "-shared", *objects, *last, "-o", str(made)]])
        partial = to.with_name(f"{to.name}.{os.getpid()}.partial")
        try:
            partial.write_bytes(made.read_bytes())
            partial.replace(to)
        except OSError as error:
            raise NotCompiled(f"'{to}' cannot be written: {error.strerror}") from None


def _compiler() -> list[str]:
    """Return the words of `$CC`, the compiler and its options, else `cc`."""
    try:
        return shlex.split(os.environ.get("CC", "")) or ["cc"]
    except ValueError as error:
        raise NotCompiled(f"CC cannot be divided into words: {error}") from None


def _run(commands: list[list[str]]) -> None:
    """Run the commands side by side, in the folder of the sources."""
    try:
        running = [
            subprocess.Popen(words, cwd=SOURCES, stderr=subprocess.PIPE, text=True)
            for words in commands
        ]
    except OSError as error:
        raise NotCompiled(f"there is no C compiler '{commands[0][0]}': {error.strerror}") from None
    said = [process.communicate()[1] for process in running]
    for words, process, text in zip(commands, running, said, strict=True):
        if process.returncode:
            first = (text.strip().splitlines() or ["nothing was said"])[0]
            raise NotCompiled(f"'{words[0]}' failed: {first}")


class Kernels(BuildHookInterface):  # type: ignore[misc]
    """Hatch's build hook."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the library and add it to the wheel, whose tag then names the platform."""
        try:
            compile_library(LIBRARY)
        except NotCompiled as error:
            self.app.display_warning(f"the kernels were not compiled, NumPy will draw: {error}")
            return
        build_data["artifacts"].append(LIBRARY.name)
        build_data["pure_python"] = False
        tag = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{tag}"


if __name__ == "__main__":
    try:
        compile_library(LIBRARY)
    except NotCompiled as failed:
        sys.exit(f"error: {failed}")
