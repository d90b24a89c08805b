"""A file of options that cannot be used is one line with the file, and the line in it."""

from __future__ import annotations

import time

import pytest

from initlab.runner.config.hydra_internals import quick_yaml_loader, yaml_loader
from initlab.runner.config.option_files import conf_dir
from initlab.runner.config.option_reader import FileError, read


@pytest.fixture
def write(tmp_path):
    """`write(option, content)` writes an option of one's own and returns its file."""

    def call(option: str, content: str | bytes):
        file = tmp_path / "own" / f"{option}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    return call


DEEP = "has more than 100 values within one another, which is the limit"
CONTENTS = {
    "latin-1": (b"kind: normal\n# caf\xe9\n", ", line 2, column 6: is not UTF-8: byte 0xe9 - save"),
    "utf-16": ("kind: normal\n".encode("utf-16"), ": is UTF-16, not UTF-8 - save it as UTF-8"),
    "lists": ("kind: normal\nsigma: " + "[" * 3000 + "]" * 3000, f", line 2, column 108: {DEEP}"),
    "mappings": ("sigma: " + "{a: " * 300 + "1" + "}" * 300, f", line 1, column 408: {DEEP}"),
    "nul": ("kind: normal\nsigma: \x00\n", ", line 2, column 8: is not YAML: the character"),
    "a text for defaults": (
        "kind: normal\ndefaults: nope\n",
        ", line 2, column 11: defaults must be a list, like [/schema/init/normal@_here_, _self_]",
    ),
    "a number in defaults": (
        "defaults:\n  - 3\n",
        ", line 2, column 5: an entry of defaults must be an option or group: option, got '3'",
    ),
    "two keys in defaults": (
        "defaults:\n  - {a: b, c: d}\n",
        ", line 2, column 5: an entry of defaults must have one group, got a, c",
    ),
    "a mapping as an option": (
        "defaults:\n  - /init: {a: 1}\n",
        ", line 2, column 12: /init must be the name of an option, or a list of names, got a mapping",
    ),
    "numbers as options": (
        "defaults:\n  - /init: [he, 2]\n",
        ", line 2, column 17: /init must be the name of an option, or a list of names, got '2'",
    ),
    "a long header": (
        "# @package a b c\nkind: normal\n",
        ", line 1: '# @package a b c' must name one package, like _global_ or init",
    ),
    "a header without a name": (
        "# @package\nkind: normal\n",
        ", line 1: '# @package' must name one",
    ),
    "a package of dots": (
        "# @package ..\nkind: normal\n",
        ", line 1: '# @package ..' must name one",
    ),
    "a header below": (
        "# Mine.\n\n# @package _global_\nseed: 3\n",
        ", line 3: '# @package _global_' has no effect here - move it to the first line",
    ),
    "a header misspelled": (
        "# @pakage _global_\nseed: 3\n",
        ", line 1: '# @pakage _global_' has no effect - write # @package _global_",
    ),
    "an interpolation not closed": (
        "kind: normal\nsigma: ${oops\n",
        ", line 2, column 8: '${oops' is no interpolation - write ${key}, or \\${ for the text itself",
    ),
    "nothing": ("# Later.\n", ": has no keys - write them, like 'kind: …'"),
    "a list": ("- kind: normal\n", ", line 1, column 1: must be keys and values, got a list"),
    "a text": ("just text\n", ", line 1, column 1: must be keys and values, got 'just text'"),
    "a number": ("3\n", ", line 1, column 1: must be keys and values, got '3'"),
    "a key that is a number": (
        "kind: normal\n3: 4\n",
        ", line 2, column 1: the key '3' is no text - put it in quotes",
    ),
    "a key that is true": (
        "sigma: {on: 1}\n",
        ", line 1, column 9: the key 'on' is no text - put it",
    ),
    "bytes": (
        "sigma: !!binary aGk=\n",
        ", line 1, column 8: a value of the type !!binary is refused",
    ),
    "a set": ("sigma: !!set {a, b}\n", ", line 1, column 8: a value of the type !!set is refused"),
    "a path": (
        "sigma: !!python/object/apply:pathlib.Path [a]\n",
        ", line 1, column 8: a value of the type !!python/object/apply:pathlib.Path is refused",
    ),
    "no number": ("sigma: !!int abc\n", ", line 1, column 8: 'abc' is no !!int"),
    "a number to the base 8": (
        "sigma: 010\n",
        ", line 1, column 8: YAML would read 010 as 8 - write 8",
    ),
    "a number to the base 60": (
        "sigma: 1:30\n",
        ", line 1, column 8: YAML would read 1:30 as 90 - write 90, or '1:30' if it is a text",
    ),
    "a long number": ("sigma: " + "9" * 5000, ", line 1, column 8: '999"),
}


@pytest.mark.parametrize("mode", [(), ("-m", "dry_run=true")], ids=["run", "sweep"])
@pytest.mark.parametrize(("content", "said"), CONTENTS.values(), ids=CONTENTS)
def test_a_file_that_cannot_be_used_is_one_line_with_its_place(command, write, content, said, mode):
    file = write("init/mine", content)
    done = command(*mode, f"--config-dir={file.parents[1]}", "init=mine")
    assert (done.code, len(done.err.splitlines())) == (2, 1), done.err
    assert done.err.startswith(f"error: {file}{said}") and len(done.err) < 400, done.err


def test_a_file_that_is_included_names_the_word_that_includes_it(command, write):
    broken = write("init/broken", "kind: [normal\n")
    write("experiment/mine", "# @package _global_\ndefaults:\n  - override /init: broken\n")
    done = command(f"--config-dir={broken.parents[1]}", "experiment=mine", "sed=3")
    second, first = done.err.splitlines()
    assert first.startswith("error: sed: no such key") and second.startswith(f"error: {broken}, ")
    assert second.endswith("(in experiment=mine)")


@pytest.mark.parametrize("place", ["link", "loop", "folder", "yml"])
def test_what_is_no_file_of_options_says_so_when_it_is_chosen(command, write, place):
    mine = write("init/other", "kind: zero\n").with_name("mine.yaml")
    said = {
        "link": "is a link to nowhere.yaml, where no file is",
        "loop": "is a link to mine.yaml, where no file is",
        "folder": "is a folder, not a file of options",
        "yml": "is not read: files of options end in .yaml - rename it",
    }[place]
    if place == "folder":
        mine.mkdir()
    elif place == "yml":
        mine = mine.with_suffix(".yml")
        mine.write_text("kind: zero\n")
    else:
        mine.symlink_to("nowhere.yaml" if place == "link" else "mine.yaml")
    folder = f"--config-dir={mine.parents[1]}"
    done = command(folder, "init=mine")
    assert (done.code, done.err) == (2, f"error: {mine}: {said}\n")
    assert command(folder, "init=other", "dry_run=true").code == 0


def test_a_file_with_a_byte_order_mark_is_read_as_one_without(command, write):
    text = "# @package _global_\nseed: 3\n"
    folder = f"--config-dir={write('experiment/mine', text.encode('utf-8-sig')).parents[1]}"
    write("experiment/plain", text)
    marked, plain = (
        command(folder, f"experiment={one}", "dry_run=true") for one in ("mine", "plain")
    )
    assert (marked.code, marked.out) == (0, plain.out) and "seed3" in marked.out


TEXTS = [
    ("experiment/mine", "# @package _global_\nname: 1e5\n", "name", "1e5", "100000.0"),
    ("experiment/mine", "# @package _global_\nname: 007\n", "name", "007", "7"),
    ("experiment/mine", "# @package _global_\nname: 1_000\n", "name", "1_000", "1000"),
    ("experiment/mine", "# @package _global_\nname: yes\n", "name", "yes", "True"),
    ("experiment/mine", "# @package _global_\nname: 12:30\n", "name", "12:30", "750"),
    ("experiment/mine", "# @package _global_\ntracker: {kind: mlflow, experiment: 1e5}\n", "tracker.experiment", "1e5", "100000.0"),
    ("model/mine", "input: [3]\nlayers: [{kind: dense, units: 3, name: 007}]\n", "model.layers.*.name", "007", "7"),
    ("model/mine", "input: [3]\nlayers: [{kind: flatten}]\nshare: {t: ['0', 01]}\n", "model.share.t.*", "01", "1"),
    ("sweep/mine", "# @package _global_\nsweep: {exclude: [{name: [a, 007]}]}\n", "name", "007", "7"),
    ("tracker/mine", "kind: mlflow\nexperiment: 007\n", "tracker.experiment", "007", "7"),
    ("sweep/mine", "# @package _global_\nsweep: {grid: {name: [a, 1e5]}}\n", "name", "1e5", "100000.0"),
    ("sweep/mine", "# @package _global_\nsweep: {cases: [{name: 1e5}]}\n", "name", "1e5", "100000.0"),
    ("sweep/mine", "# @package _global_\nsweep: {union: [{grid: {tracker.project: [007]}}]}\n", "tracker.project", "007", "7"),
    ("sweep/mine", "# @package _global_\nhydra: {sweeper: {params: {name: 007}}}\n", "name", "007", "7"),
]  # fmt: skip


@pytest.mark.parametrize(("option", "text", "key", "typed", "read"), TEXTS)
def test_a_text_that_yaml_reads_as_something_else_is_to_be_quoted(
    command, write, option, text, key, typed, read
):
    file = write(option, text)
    group, name = option.split("/")
    folder = f"--config-dir={file.parents[1]}"
    done = command(*(["-m"] if group == "sweep" else []), folder, f"{group}={name}", "dry_run=true")
    assert (done.code, len(done.err.splitlines())) == (2, 1), done.err
    assert done.err.startswith(f"error: {file}, line ")
    said = f"{key} is a text, which YAML would read as {read} - put it in quotes: '{typed}'\n"
    assert done.err.endswith(said), done.err
    file.write_text(text.replace(typed, f"'{typed}'"))
    done = command(*(["-m"] if group == "sweep" else []), folder, f"{group}={name}", "dry_run=true")
    assert "in quotes" not in done.err


def test_a_number_may_be_written_in_any_way_and_a_text_that_is_one_too(command, write):
    file = write(
        "experiment/mine",
        "# @package _global_\nname: 2024\nseed: 1_0\nvars: {a: 00, b: -07}\ninit: {scale: 1e-1}\n",
    )
    done = command(f"--config-dir={file.parents[1]}", "experiment=mine", "--cfg", "job")
    assert done.code == 0 and "name: '2024'" in done.out and "seed: 10\n" in done.out


def test_every_file_that_is_shipped_is_read(command):
    from initlab.runner.config.option_files import conf_dir

    for file in sorted(conf_dir().rglob("*.yaml")):
        option = file.relative_to(conf_dir()).with_suffix("").as_posix()
        read(file, option)


def test_a_file_that_cannot_be_opened_is_named(write, monkeypatch):
    file = write("init/mine", "kind: zero\n")

    def closed(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(file), "read_bytes", closed)
    with pytest.raises(FileError, match="cannot be read .Permission denied."):
        read(file, "init/mine")


def laughing(depth: int) -> str:
    """A mapping of lists, each of ten of the one before."""
    lines = ["a0: &a0 [" + ", ".join("x" * 10) + "]"]
    for number in range(1, depth):
        lines.append(f"a{number}: &a{number} [" + ", ".join([f"*a{number - 1}"] * 10) + "]")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (laughing(9), "has 1,234,567,909 values with its aliases, more than 100,000 - use fewer"),
        ("x: &x [*x]\n", "is nested too deep, or an alias stands for something that holds it"),
    ],
)
def test_aliases_that_multiply_are_refused_before_they_are_copied(text, said, command, write):
    file = write("model/laughing", text)
    started = time.perf_counter()
    done = command(f"--config-dir={file.parents[1]}", "model=laughing")
    assert (done.code, done.err.startswith(f"error: {file}: {said}")) == (2, True)
    assert time.perf_counter() - started < 5


def test_aliases_of_which_there_are_few_are_read(write):
    assert len(read(write("model/few", laughing(4)), "model/few").content["a3"]) == 10


def test_the_quick_loader_reads_the_files_of_conf_as_the_other_one_does():
    files = sorted(conf_dir().rglob("*.yaml"))
    assert len(files) > 100
    for file in files:
        text = file.read_text(encoding="utf-8")
        quick, slow = (loader(text) for loader in (quick_yaml_loader(), yaml_loader()))
        nodes = [loader.get_single_node() for loader in (quick, slow)]
        if nodes[1] is None:  # nothing but comments
            assert nodes[0] is None
            continue
        assert nodes[0].start_mark.line == nodes[1].start_mark.line
        read_by = [
            loader.construct_document(node)
            for loader, node in zip((quick, slow), nodes, strict=True)
        ]
        assert repr(read_by[0]) == repr(read_by[1]), file
