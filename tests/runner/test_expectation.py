"""Claims on the command line: verdicts, exit codes, what is written, and what is refused before
anything runs.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SMALL = [
    "model.input=[16]",
    "model.layers=[{kind: repeat, name: body, times: 6, layers: [{kind: dense, name: fc, units: 16, activation: relu, use_bias: false}]}]",
    "data=normal",
    "data.batch=1",
    "init=he",
    "probe=none",
    "measure=[layers]",
    "stats=[]",
    "snapshot=none",
]
DRAWN = [word for word in SMALL if not word.startswith("init=")]
RATIO = {
    "id": "ratio",
    "cite": "He 2015",
    "quantity": "layers.*.rms_ratio.mean_square",
    "predicted": 1.0,
    "error": "elements",
    "within": 0.5,
}


def written_out(value: object) -> str:
    """A value in the grammar of Hydra's overrides."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {written_out(part)}" for key, part in value.items()) + "}"
    if isinstance(value, str):
        return "'" + value.replace("'", "\\'") + "'"
    return str(value)


def word(*claims: dict) -> str:
    return f"expect=[{', '.join(map(written_out, claims))}]"


def test_a_sweep_whose_claims_are_reproduced_ends_with_0_and_says_so(command):
    done = command("-m", *SMALL, "seed=range(0,100)", word(RATIO))
    assert done.code == 0, done.out + done.err
    assert "ratio" in done.out and "1 claim: 1 reproduced, 0 refuted, 0 inconclusive" in done.out
    written = json.loads(Path("outputs/runs/claims.json").read_text())
    assert written["format"] == "initlab-claims-1" and written["alpha"] == 1e-6
    assert [claim["verdict"] for claim in written["claims"]] == ["reproduced"]
    assert written["claims"][0]["samples"] == 500 and written["claims"][0]["cite"] == "He 2015"


def test_a_refuted_claim_ends_with_1(command):
    done = command("-m", *SMALL, "seed=range(0,60)", word(RATIO | {"predicted": 3.0}))
    assert done.code == 1
    assert "1 refuted" in done.out and "measured" in done.out


def test_an_inconclusive_claim_ends_with_3_and_says_how_many_runs_would_do(command):
    done = command("-m", *SMALL, "seed=range(0,3)", word(RATIO | {"within": 0.05}))
    assert done.code == 3
    assert "too few samples to tell" in done.out and "would do" in done.out


def test_a_refuted_claim_beside_an_inconclusive_one_ends_with_1(command):
    done = command(
        "-m",
        *SMALL,
        "seed=range(0,60)",
        word(RATIO | {"predicted": 3.0}, RATIO | {"id": "b", "within": 0.01}),
    )
    assert done.code == 1


def test_a_single_run_has_claims_too(command):
    loss = {
        "id": "loss",
        "cite": "counting",
        "quantity": "figures.output_rms",
        "predicted": 0,
        "error": 0,
        "floor": 100,
        "within": 100,
    }
    done = command("probe=forward", word(loss))
    assert done.code == 0, done.err
    (written,) = Path("outputs/runs").glob("*/claims.json")
    assert json.loads(written.read_text())["claims"][0]["id"] == "loss"


def test_claims_are_no_part_of_a_runs_id_but_declared_numbers_are(command):
    ids = [
        command("dry_run=true", *words).out.split()[2]
        for words in ([], [word(RATIO), "measure=[layers]"], ["measure=[layers]"], ["+vars.a=1"])
    ]
    assert ids[1] == ids[2] and ids[0] not in ids[1:] and ids[3] not in ids[:3]


def test_a_measurement_that_is_not_finite_refutes_and_names_the_layer(command):
    claim = RATIO | {"quantity": "layers.*.rms.log_mean"}
    done = command("-m", *DRAWN, "init=constant", "init.value=0", "seed=range(0,3)", word(claim))
    assert done.code == 1
    assert "not finite: layers['body.0.fc'] of run constant_value0-seed0" in done.out.replace(
        "\n", " "
    )


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        (
            {"quantity": "layer.*.rms.mean"},
            "'layer.*.rms.mean': no section of stats.json nor key of the config is called 'layer' - "
            "did you mean 'layers'?",
        ),
        ({"quantity": "layers.*.rsm.mean"}, "layers has no column 'rsm' - did you mean 'rms'?"),
        (
            {"quantity": "layers['body.9.fc'].rms", "error": "runs"},
            "layers has no 'body.9.fc' - did you mean 'body.",
        ),
        (
            {"quantity": "parameters['body.0.fc.bias'].std", "error": "runs"},
            "parameters has no 'body.0.fc.bias' - did you mean 'body.0.fc.weight'?",
        ),
        (
            {"quantity": "gradients.*.rms.mean"},
            "nothing measures gradients - choose what does: probe=",
        ),
        ({"quantity": "figures.loss", "error": "runs"}, "nothing measures figures"),
        ({"quantity": "spectrum.*.mean.mean"}, "nor key of the config is called 'spectrum'"),
        (
            {"quantity": "slope(log layers[-1].rms, log width)", "error": "runs"},
            "'width', which is no key of the config - sweep over one, like sweep.grid.vars.width",
        ),
        (
            {"quantity": "slope(log layers[-1].rms, log data.batch)", "error": "runs"},
            "'data.batch', which is the same in all runs - sweep over it: sweep.grid.data.batch",
        ),
        (
            {"quantity": "layers.*.rms - layers.*.mean", "error": "runs"},
            "expect.0 (ratio): gives 6 values for each run - reduce them to one, with .mean",
        ),
        (
            {"quantity": "layers.*.rms_ratio", "error": "runs"},
            "expect.0 (ratio): gives several values for each run - reduce them to one",
        ),
        (
            {"quantity": "mean(layers.*.rms * layers[0:1].rms)"},
            "expect.0 (ratio): 6 and 1 values cannot be joined by '*'",
        ),
        (
            {"quantity": "slope(log layers.*.rms, layers[1:].rms)", "error": "runs"},
            "6 and 5 values cannot be joined by 'slope'",
        ),
        (
            {"quantity": "slope(layers[0].rms, index)", "error": "runs"},
            "no section of stats.json nor key of the config is called 'index'",
        ),
        ({"quantity": "parameters[0].law", "error": "runs"}, "is a text, which is no number"),
        ({"quantity": "parameters.*.law.mean"}, "'parameters.*.law' is a text, which is no number"),
        (
            {"quantity": "parameters.*.law + 1", "error": "runs"},
            "'parameters.*.law' is a text, which is no number",
        ),
        ({"where": {"init": "lecun"}}, "zero samples: none of the 2 runs has init=lecun"),
        ({"where": {"inti": "he"}}, "where.inti: no run has such a key"),
        ({"predicted": {"form": "gian"}}, "no closed form 'gian' - did you mean 'gain'?"),
        (
            {"predicted": "${seed}"},
            "takes ${seed} from the config, which is swept over - write the number out",
        ),
    ],
)
def test_what_no_result_could_have_is_refused_before_anything_runs(claim, said, command):
    done = command("-m", *SMALL, "seed=0,1", word(RATIO | claim))
    assert done.code == 2
    assert said in done.err, done.err
    assert all(line.startswith("error: ") for line in done.err.splitlines())
    assert not Path("outputs").exists()


@pytest.mark.parametrize(
    "quantity",
    [
        "max(layers.*.rms * layers[:].mean)",
        "max(layers.*.rms_ratio * layers[1:].rms)",
        "slope(log layers.*.rms, index)",
        "slope(log layers.*.rms, log(index + 1))",
        "slope(layers.*.rms, layers.*.mean)",
        "slope(layers[1:].rms, layers[:-1].rms) * 2 - layers[0].rms",
        "layers[0].rms - layers[body.1.fc].mean",
        "parameters[0].shape[0] * seed",
    ],
)
def test_a_quantity_that_is_one_number_is_judged(quantity, command):
    done = command(*SMALL, word(RATIO | {"quantity": quantity, "error": 1, "within": 100}))
    assert done.code in (0, 1, 3), done.err
    assert done.err == "" and "1 claim: " in done.out


def test_a_slope_over_runs_needs_one_number_of_each_before_they_are_made(command):
    words = ("-m", *SMALL, "+vars.width=1,2")
    claim = RATIO | {"error": "runs"}
    for quantity, said in {
        "slope(layers.*.rms, width)": "a slope over runs needs one number of each run",
        "slope(layers[0].rms, width) + layers[0].rms": "'layers[0].rms' gives one number for each run",
    }.items():
        done = command(*words, word(claim | {"quantity": quantity}))
        assert (done.code, said in done.err) == (2, True), done.err
        assert not Path("outputs").exists()


def test_a_dry_run_checks_claims_too(command):
    assert command("-m", *SMALL, "seed=0,1", "dry_run=true", word(RATIO)).code == 0
    done = command(
        "-m", *SMALL, "seed=0,1", "dry_run=true", word(RATIO | {"quantity": "layer.*.rms.mean"})
    )
    assert (done.code, "did you mean 'layers'?" in done.err) == (2, True)


def test_runs_that_differ_in_more_than_their_seed_are_not_mixed(command):
    done = command("-m", *SMALL, "init.slope=0,0.1", word(RATIO))
    assert (
        done.code,
        "its runs differ in init.slope, which the claim does not mention - choose runs with 'where'"
        in done.err,
    ) == (
        2,
        True,
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("control=x", "control: must be a list of words"),
        ("expect=3", "expect: must be a list of claims"),
        ("vars=3", "vars: "),
    ],
)
def test_other_keys_of_an_experiment_are_checked(given, said, command):
    done = command(given)
    assert done.code == 2 and said in done.err


def test_an_older_judgement_does_not_speak_for_new_runs(command):
    assert command("-m", *SMALL, "seed=range(0,100)", word(RATIO)).code == 0
    judged = Path("outputs/runs/claims.json")
    assert judged.exists()
    assert command("-m", *SMALL, "seed=0,1").code == 0
    assert not judged.exists()
    loss = {
        "id": "loss",
        "cite": "counting",
        "quantity": "figures.output_rms",
        "predicted": 0,
        "error": 0,
        "floor": 100,
        "within": 100,
    }
    assert command("probe=forward", word(loss)).code == 0
    (of_run,) = Path("outputs/runs").glob("*/claims.json")
    assert command("probe=forward").code == 0
    assert not of_run.exists()


def test_claims_of_a_sweep_with_a_failing_run_are_not_judged(command):
    plugin = Path("failing.py")
    plugin.write_text(
        "from dataclasses import dataclass\nfrom engine import init, laws\n\n@init.register\n@dataclass(eq=False, repr=False)\n"
        "class Failing(init.Initializer):\n    def _init_weight(self, name, arr):\n        raise RuntimeError('no')\n"
    )
    done = command("--plugin", str(plugin), "-m", *DRAWN, "init=failing", "seed=0,1", word(RATIO))
    assert done.code == 1
    assert not Path("outputs/runs/claims.json").exists()
