"""The label of a run: short, safe in any file system, and no part of what the run is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from altered import change_manifest
from hypothesis import given
from hypothesis import strategies as st

from initlab.runner.config import label
from initlab.runner.config.compose import read_option
from initlab.runner.config.label import DEFAULT_MODEL, LONGEST, label_of
from initlab.runner.config.option_files import conf_dir
from initlab.runner.declare import declare
from initlab.runner.evidence.run_ids import digest_in

SMALL = ("probe=none",)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "uniform"),
        (["init=normal"], "normal"),
        (["model=mlp", "init=he"], "he"),
        (["model=deep_mlp", "init=he"], "deep_mlp-he"),
        (["init=he", "init.mode=out"], "he_out"),
        (["init=he_fan_out", "init.mode=out"], "he_fan_out"),
        (["init=normal", "init.sigma=0.10"], "normal_sigma0.1"),
        (["init=normal", "init.sigma=1e-7"], "normal_sigma1e_07"),
        (["init=normal", "init.sigma=0.11009618149591344"], "normal_sigma0.1101"),
        (["semantics=torch"], "default"),
    ],
)
def test_the_label_names_what_was_chosen(words, expected):
    run_id = declare(*SMALL, *words).run_id
    assert run_id.rpartition("-seed")[0] == expected


def test_the_default_model_is_the_one_of_the_root_config():
    defaults = read_option(Path(conf_dir()) / "config.yaml")["defaults"]
    assert {"model": DEFAULT_MODEL} in defaults and {"init": label.ALONE} in defaults


def test_an_option_that_a_file_replaced_is_not_named():
    chosen = {"model": "mine", "init": "normal"}
    assert label_of({"init": {"kind": "he"}}, chosen) == "mine-he"
    assert label_of({"init": {"kind": "he"}}, {"init": "my_he"}) == "my_he"
    assert label_of({}, {}) == "None"


def test_what_does_not_fit_into_a_name_is_left_out():
    init = {"kind": "load", "file": "weights/of/mine.pt", "map": {"a": "b"}, "exact": False}
    words = ["init.file=weights/of/mine.pt", "+init.map={a: b}", "init.exact=false", "init=load"]
    assert label_of({"init": init}, {"init": "load"}, words) == "load_no_exact"


@given(
    st.text(),
    st.text(),
    st.dictionaries(st.from_regex("[a-z]{1,12}", fullmatch=True), st.floats() | st.text()),
)
def test_every_label_is_short_and_safe(model, kind, options):
    words = [f"init.{key}=…" for key in options]
    chosen = {"model": model, "init": kind}
    made = label_of({"init": {"kind": kind, **options}}, chosen, words)
    assert re.fullmatch(r"[A-Za-z0-9_.-]*", made) and len(made) <= LONGEST
    assert digest_in(f"x{made}-seed0-046dba22b31ff360") is not None


def test_the_digits_do_not_depend_on_the_words_and_one_run_has_one_folder(command, only_run):
    plain = only_run(*SMALL, "init=he")
    assert plain.name.startswith("he-seed0-")
    other = declare(*SMALL, "init=he", "init.mode=in")
    assert other.run_id.startswith("he_in-seed0-")
    assert digest_in(other.run_id) == digest_in(plain.name)
    assert other.folder.resolve() == plain.resolve()
    done = command(*SMALL, "init=he", "init.mode=in", "resume=true")
    assert (done.code, "finished before" in done.out) == (0, True)
    done = command("-m", *SMALL, "init=he", "init.mode=in", "resume=true")
    assert (done.code, "finished before" in done.out, plain.name in done.out) == (0, True, True)
    assert command(*SMALL, "init=he", "init.mode=in").code == 0, "made again in its folder"
    assert [path.name for path in Path("outputs/runs").glob("he*")] == [plain.name]
    assert command("verify", str(plain)).code == 0


def test_a_folder_of_an_older_version_is_resumed_and_verified(command, only_run):
    new = only_run(*SMALL, "model=deep_mlp", "init=he")
    assert new.name.startswith("deep_mlp-he-seed0-")
    old = new.with_name(new.name.removeprefix("deep_mlp-"))
    new.rename(old)
    assert command("verify", str(old)).code == 0
    done = command(*SMALL, "model=deep_mlp", "init=he", "resume=true")
    assert (done.code, old.name in done.out, new.exists()) == (0, True, False)


def test_two_spellings_of_one_run_in_a_sweep_are_made_once(command):
    done = command("-m", *SMALL, "sweep.cases=[{init: he},{init: he,init.mode: in}]")
    assert done.out.splitlines()[-1].startswith("1 of 1 runs completed")
    assert len(list(Path("outputs/runs").glob("he*"))) == 1


def test_the_manifest_names_the_chosen_options_and_verify_checks_them(command, only_run):
    run = only_run(*SMALL, "init=he", "data=uniform")
    change_manifest(run, lambda m: m["choices"].update(init="normal"))
    done = command("verify", str(run))
    assert (done.code, "its overrides another init" in done.err) == (1, True)
    change_manifest(run, lambda m: m["choices"].update(init="he", model="gpt2"))
    assert "its choices and overrides give gpt2-he-seed0-" in command("verify", str(run)).err
    change_manifest(run, lambda m: m["choices"].update(model="mlp", data="normal"))
    assert "its overrides another data" in command("verify", str(run)).err
