"""What a refusal of Hydra, OmegaConf or YAML means."""

from __future__ import annotations

import shlex

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from initlab.runner.config.explain import how_to_write, key_of


@pytest.mark.parametrize(
    ("word", "key"),
    [("seed=1", "seed"), ("+a.b=c=d", "a.b"), ("~init", "init"), ("++x@y=1", "x")],
)
def test_the_key_of_a_word_has_no_sign_value_or_package(word, key):
    assert key_of(word) == key


def test_a_word_with_a_place_in_a_list_is_shown_with_dots():
    said = how_to_write("model.layers[0].units=3", ValueError())
    assert said == ("is no override - write places in a list with dots: model.layers.0.units=3")


@pytest.mark.parametrize("value", ['my "first" try', "it's (new)", 'a: "b', "x, y"])
def test_what_to_type_instead_is_taken_and_has_the_same_text(value):
    said = how_to_write(f"note={value}", ValueError())
    [word] = shlex.split(said.rpartition("quotes for the shell: ")[2])
    parsed = OverridesParser.create().parse_override(word)
    assert parsed.value() == value


@pytest.fixture
def own(tmp_path):
    """`own(option, text)` writes an option of one's own and returns the folder's flag."""

    def write(option: str, text: str) -> str:
        file = tmp_path / "own" / f"{option}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return f"--config-dir={tmp_path / 'own'}"

    return write


PACKAGE = "# @package _global_\n"
FILES = [
    (
        "sweep/mine",
        "sweep: {grid: {seed: [0]}}\n",
        ["sweep=mine"],
        "sweep=mine: the keys of this file",
    ),
    (
        "experiment/mine",
        "seed: 3\n",
        [],
        "go below 'experiment', which has no such keys - write '# @pa",
    ),
    (
        "experiment/mine",
        f"{PACKAGE}init: {{scale: 1.3}}\n",
        ["init=he"],
        "init.scale: no such key - it is one (with init=default, init=delta_orthogonal,"
        " init=gluon_orthogonal, init=mup and 3 more). Known: distribution, fans, kind, mode, slope. "
        "(in experiment=mine, beside init=he)",
    ),
    ("experiment/mine", f"{PACKAGE}sed: 3\n", [], "sed: no such key - did you mean 'seed'?"),
    ("experiment/mine", f"{PACKAGE}sed: 3\n", [], "vars. (in experiment=mine)"),
    (
        "experiment/mine",
        f"{PACKAGE}init: {{scale: a}}\n",
        [],
        "init.scale: Value 'a' of type 'str'",
    ),
    (
        "experiment/mine",
        f"{PACKAGE}defaults: [/init: he]\n",
        [],
        "experiment: chooses init a second time - write 'override /init: he'",
    ),
    (
        "experiment/mine",
        f"{PACKAGE}defaults: [override /innit: he]\n",
        [],
        "experiment=mine: cannot override 'innit' - did you mean 'init'?",
    ),
    (
        "experiment/mine",
        f"{PACKAGE}defaults: [override init: he]\n",
        [],
        "experiment=mine: cannot override 'init' - write 'override /init: …', with a slash",
    ),
    (
        "experiment/mine",
        f"{PACKAGE}defaults: [override /init: hee]\n",
        [],
        "init: no option 'hee' - did you mean 'he'?",
    ),
]


@pytest.mark.parametrize("sweep", [(), ("-m", "dry_run=true")])
@pytest.mark.parametrize(("option", "text", "words", "said"), FILES)
def test_a_file_that_does_not_fit_is_named_with_the_cause(
    command, own, option, text, words, said, sweep
):
    chosen = [] if words and words[0].startswith("sweep=") else ["experiment=mine"]
    done = command(*sweep, own(option, text), *chosen, *words)
    assert done.code == 2
    assert said in done.err
    assert len(done.err.splitlines()) == 1, done.err


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("+init=he", "init: an option of it is chosen already - write init=he, without +"),
        ("init@x=he", "init@x=he: cannot override 'init@x' - did you mean 'init'?"),
        ("model.input=64", "model.input: must be a list, got 64 - write model.input=[64]"),
        ("vars.width=64", "vars.width: no such key - Known: none - write +vars.width=64 to add it"),
        (
            "model.layers.0.use_bias=false",
            "model.layers.0.use_bias: is not set here yet - write +model.layers.0.use_bias=false to",
        ),
        (
            "model.layers.0.use_bais=false",
            "model.layers.0.use_bais: dense takes no such option - did you mean 'use_bias'?",
        ),
        (
            "model.layers.9.units=3",
            "model.layers.9: there is no such place: the list has 2 parts, from 0 to 1",
        ),
        ("sweep.grid=3", "sweep.grid: must be a mapping of keys to values, got 3"),
        ("expect.x=3", "expect.x: 'x' is no place in a list - write its number, from 0"),
        ("~inti", "inti: is not there, so that '~inti' cannot remove it - did you mean 'init'?"),
        (
            "~init.scal",
            "init.scal: is not there, so that '~init.scal' cannot remove it - did you mean 'scale'?",
        ),
        ("~vars.x", "vars.x: is not there, so that '~vars.x' cannot remove it - leave it out"),
        ("~init=he", "init: is not 'he', so that '~init=he' cannot remove it - write ~init"),
        (
            "init.epochs=3",
            "init.epochs: no such key - did you mean 'probe.epochs' (with probe=train)? Known: kind, scale.",
        ),
        (
            "probe.epoch=3",
            "probe.epoch: no such key - did you mean 'probe.epochs' (with probe=train)",
        ),
        (
            "init.sigma=3",
            "init.sigma: no such key - it is one (with init=normal, init=vgg). Known: kind, scale.",
        ),
        (
            "seed=0,1",
            "seed: 'seed=0,1' has several values - give -m for a run of each (in Python, declare each run)"
            "\n",
        ),
        (
            "measure=cosine,jacobian",
            "measure: 'measure=cosine,jacobian' has several values - give -m for a run of each (in Python, "
            "declare each run), or write 'measure=[cosine,jacobian]' for a run with all of them",
        ),
        (
            "name=a,b",
            "name: 'name=a,b' has several values - give -m for a run of each (in Python, declare each run),"
            " or write 'name=\"a,b\"' if it is one text",
        ),
        (
            "hydra.callbacks.x=3",
            "hydra.callbacks.x: cannot be set: a config cannot name code to run\n",
        ),
        (
            "hydra.job.env_set.X=3",
            "hydra.job.env_set.X: no such key - Known: none - write +hydra.job",
        ),
    ],
)
def test_a_word_that_hydra_refuses_says_what_to_write(command, word, said):
    done = command(word)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert done.err.startswith(f"error: {said}")


def test_a_folder_is_no_word(command, tmp_path):
    done = command("diagnose", str(tmp_path))
    said = "is no override: it is a file or folder - this command takes words like key=value"
    assert (done.code, done.err) == (2, f"error: {tmp_path}: {said}\n")


def test_what_is_added_as_the_message_says_is_taken(command):
    words = ["+model.layers.0.use_bias=false", "+vars.width=64", "model.input=[64]"]
    assert command("task=plan", *words).code == 0
