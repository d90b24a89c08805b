"""Locks of laws of models that words declare: `initlab lock --laws WORD …`, `initlab verify --lock FILE`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from initlab.runner.check import junit
from initlab.runner.check.lock import runs_of
from initlab.runner.config import plugins
from initlab.runner.errors import ConfigError, EvidenceError, RunnerError, StorageError
from initlab.runner.excerpt import counted
from initlab.runner.files import check_target
from initlab.runner.listing import print_line
from initlab.runner.plan.model import LayerSpec
from initlab.runner.terminal.tables import console
from initlab.runner.torch.builders import TorchModel
from initlab.runner.torch.watch.locking import Laws, differences, lock, read_laws
from initlab.runner.torch.watch.watching import watch


def laws_of(words: list[str], config_dir: str | None = None) -> Laws:
    """Build the model that the words declare, and return its lock. Raises ConfigError if they declare
    several runs, or a model that is no PyTorch module.
    """
    runs = list(runs_of(words, config_dir))
    if len(runs) > 1:
        said = f"the words declare {len(runs)} runs, a lock of laws is of one model - give one value each"
        raise ConfigError.of("--laws", said)
    config = runs[0].config
    found = [one for one in _layers(config.model.layers) if isinstance(one, TorchModel)]
    if len(found) != 1:
        said = (
            "is for a model that @initlab.torch.model makes: its module is built, and who writes what is "
            f"locked; this one has {len(found)} such modules"
        )
        raise ConfigError.of("--laws", said)
    with watch() as w:
        module = found[0].make(str(config.dtype))
    names = tuple(plugin.file for plugin in plugins.loaded())
    return replace(lock(module, w), words=tuple(words), plugins=names)


def _layers(specs: list[LayerSpec]) -> Iterator[object]:
    for spec in specs:
        yield spec.layer
        for children in spec.children.values():
            yield from _layers(children)


def write_laws(words: list[str], path: Path, config_dir: str | None = None) -> None:
    """Write the lock of the model that the words declare, and say so. If anything is wrong, nothing is
    written.
    """
    check_target(path)
    found = laws_of(words, config_dir)
    same = path.is_file() and path.read_bytes() == found.text.encode("utf-8")
    if not same:
        try:
            found.save(path)
        except OSError as error:
            said = f"{path}: cannot be written ({error.strerror}) - give another file with -o"
            raise StorageError(said) from error
    tensors = sum(one.tensors for each in found.tensors.values() for one in each)
    count = f"{counted(len(found.tensors), 'pattern')} of {counted(tensors, 'tensor')}"
    print_line(console(), f"{path}: {found.model}, {count}; {'unchanged' if same else 'written'}")


def changes_of(path: Path, config_dir: str | None = None) -> list[str]:
    """Build the model of a lock again and return what changed, a line each. Raises EvidenceError if the
    file cannot be used, and ConfigError if its words declare no such model any more.
    """
    locked = read_laws(path)
    if not locked.words:
        said = "has no words to build the model by - it is checked in Python: lock_of(build).check(file)"
        raise EvidenceError(f"{path}: {said}")
    loaded = {plugin.file for plugin in plugins.loaded()}
    for name in locked.plugins:
        if name not in loaded:
            said = f"the lock was made with the plugin {name} - give it with --plugin {name}"
            raise EvidenceError(f"{path}: {said}")
    return differences(locked, laws_of(list(locked.words), config_dir))


def verify_laws(path: Path, config_dir: str | None = None, report: Path | None = None) -> int:
    """Check a lock of laws, print what changed, and return the exit code. `report` is the path of a JUnit
    report to write.
    """
    try:
        found = changes_of(path, config_dir)
    except RunnerError as error:
        if report is not None:
            junit.write(report, str(path), [junit.Case(str(path), error=str(error))])
        raise
    if report is not None:
        cases = [junit.Case(str(path), 0.0, [("changed law", line) for line in found])]
        junit.write(report, str(path), cases)
    for line in found:
        print_line(console(), line, "red")
    said = f"{counted(len(found), 'difference')}" if found else "the model is as it is locked"
    print_line(console(), f"{path}: {said}")
    return 1 if found else 0
