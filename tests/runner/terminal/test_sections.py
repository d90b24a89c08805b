"""What a run prints is chosen by `show`, which is no part of the run."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from initlab.runner.config import schema
from initlab.runner.evidence.statistics import Statistics
from initlab.runner.terminal.sections import SECTIONS, Results, print_results

BLOCKS = (
    "model.layers=[{kind: dense, name: stem, units: 8},"
    "{kind: repeat, name: blocks, times: 24, layers: [{kind: dense, name: fc, units: 8}]},"
    "{kind: dense, name: head, units: 4}]"
)
HEADS = {
    "parameters": "path ",
    "layers": "layer ",
    "gradients": "gradient ",
    "training": "epoch ",
    "figures": "loss ",
    "measures": "spectrum ",
}


def shown(text: str) -> list[str]:
    """The sections that were printed."""
    lines = text.splitlines()
    found = {
        number: name
        for name, head in HEADS.items()
        for number, line in enumerate(lines)
        if line.strip().startswith(head)
    }
    return [found[number] for number in sorted(found)]


def test_each_word_of_show_has_something_that_prints_it():
    assert tuple(SECTIONS) == schema.SECTIONS


def test_everything_is_shown_unless_something_is_chosen(command):
    done = command("probe=backward", "measure=[spectrum]")
    assert shown(done.out) == ["parameters", "layers", "gradients", "figures", "measures"]


@pytest.mark.parametrize("names", [["layers"], ["figures", "gradients"], ["measures"]])
def test_only_what_is_chosen_is_shown_in_the_order_that_is_given(command, names):
    done = command("probe=backward", "measure=[spectrum]", f"show=[{','.join(names)}]")
    assert shown(done.out) == names


def test_a_run_that_shows_nothing_prints_its_root_and_folder_and_is_the_same_run(command):
    first = command("init=normal").out.splitlines()
    assert command("init=normal", "show=[]", "fold=false").out.splitlines()[0] == first[-2]
    folder = first[-1].split()[0]
    assert command("verify", folder).code == 0


def test_what_must_be_read_is_printed_even_if_no_parameters_are_shown():
    paths = [*(f"{number}.weight" for number in range(7)), "head.weight"]
    rows = [{"path": at, "verdict": "ok" if at == "head.weight" else "off"} for at in paths]
    results = Results([], ["a remark"], Statistics(rows, figures={"loss": 2.0}))
    out = Console(file=io.StringIO(), width=80)
    print_results(out, results, ["figures"], True)
    assert out.file.getvalue().splitlines() == [
        "loss 2",
        "",
        "a remark",
        "not as declared: 0.weight, 1.weight, 2.weight, 3.weight, 4.weight and 2 more",
        "",
    ]


def test_repeated_blocks_are_one_row_and_the_way_to_each_is_said(command):
    done = command(BLOCKS, "init=he", "probe=backward")
    lines = done.out.splitlines()
    assert sum(line.startswith("blocks.0…23.fc") for line in lines) == 5
    assert not any(line.startswith("blocks.7.") for line in lines)
    assert "fold=false lists each block" in done.out
    each = command(BLOCKS, "init=he", "probe=backward", "fold=false")
    assert sum(line.startswith("blocks.7.fc") for line in each.out.splitlines()) == 5
    assert "…" not in each.out and "fold=false" not in each.out
    assert each.out.splitlines()[-2:] != [] and each.out.splitlines()[-2] == lines[-2]


def test_the_plan_is_folded_too(command):
    lines = command("plan", BLOCKS).out.splitlines()
    [row] = [line for line in lines if line.startswith("blocks.0…23.fc.weight")]
    assert "24 keys" in row and row.endswith("24 x 256 B")
    assert len(command("plan", BLOCKS, "fold=false").out.splitlines()) == len(lines) + 2 * 23 - 1


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("show=[layer]", "show.0: cannot be 'layer' - did you mean 'layers'?"),
        ("show=layers", "show: must be a list, got layers - write show=[layers]"),
        ("fold=some", "fold: Value 'some' is not a valid bool"),
    ],
)
def test_a_wrong_word_is_refused_with_the_nearest_name(command, word, said):
    done = command(word)
    assert done.code == 2 and said in done.err


@pytest.mark.parametrize("word", ["show=[layers],[figures]", "fold=true,false"])
def test_what_is_printed_cannot_be_swept_over(command, word):
    done = command("-m", word)
    assert done.code == 2 and "cannot be swept over" in done.err


def test_the_table_of_layers_says_what_is_a_stream_and_what_a_branch(command):
    words = "model=residual_mlp", "init=he", "data=normal", "data.batch=2", "show=[layers]"
    head, *rows = (line.split() for line in command(*words, "fold=false").out.splitlines())
    assert " ".join(head) == ("layer role output pre-act rms rms rms ratio branch / stream zeros")
    roles = {row[0]: row[1] for row in rows if row and row[0].startswith("body.")}
    assert roles["body.3.block"] == "stream" and roles["body.3.block.fc2"] == "branch"
    assert set(roles.values()) == {"stream", "branch", "2x256"}
    folded = command(*words).out
    assert "body.0…5.block      stream" in folded and "body.0…5.block.fc2  branch" in folded


def test_a_network_without_containers_has_no_roles(command):
    assert command("show=[layers]").out.splitlines()[0].split()[1] == "output"
