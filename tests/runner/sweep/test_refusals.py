"""What refuses a sweep before anything starts: one line each, all at once, exit code 2, and no
folder.
"""

from __future__ import annotations

import pytest

REFUSED = {
    "keys that no run has": (
        ["seed=0,1", "sead=1,2", "init.scael=1", "+sed=4"],
        [
            "sead: no such key - did you mean 'seed'?",
            "init.scael: no such key - did you mean 'scale'?",
        ],
    ),
    "options": (
        ["init=normal,norml", "model=mlp,shraed"],
        [
            "init: no option 'norml' - did you mean 'normal'?",
            "model: no option 'shraed' - did you mean 'shared'?",
        ],
    ),
    "a key that one of the swept options lacks": (
        ["init=normal,xavier", "init.sigma=0.1"],
        [
            "init.sigma: no such key - it is one (with init=normal, init=vgg). Known: factor_type, fans, kind, magnitude, "
            "rnd_type. (in the run init=xavier init.sigma=0.1)"
        ],
    ),
    "an added key": (["+sed=3,4"], ["sed: no such key - did you mean 'seed'?"]),
    "a name in some runs only": (
        ["model.layers.0.activation=relu,reul", "seed=0,1"],
        [
            "model.layers.0.activation: cannot be 'reul' - did you mean 'relu'? Known: elu, erf, gelu, gelu_tanh, leaky, relu, selu, sigmoid, silu, sin, softrelu, "
            "softsign, tanh. (in the run model.layers.0.activation=reul seed=0)"
        ],
    ),
    "values that refuse every run": (
        ["init=normal", "init.sigma=-1,-2"],
        [
            "init.sigma: must be a positive number, got -1.0 (in the run",
            "init.sigma: must be a positive number, got -2.0 (in the run",
        ],
    ),
    "a group without an option": (
        ["init=null,he"],
        ["init: must be the name of an option, got None"],
    ),
    "no override": (["seed=0,1", "foo"], ["foo: is no override"]),
    "no value": (["seed=range(0,0)", "init=he"], ["seed: 'seed=range(0,0)' holds no value"]),
    "no list": (
        ["seed=interval(0,3)"],
        ["seed: 'seed=interval(0,3)' is no list of values - use a,b or choice(a,b)"],
    ),
    "the task": (["task=run,plan"], ["task: cannot be swept over"]),
    "tags": (["tags=[a],[b]"], ["tags: cannot be swept over"]),
    "timeout": (["timeout=1,2"], ["timeout: cannot be swept over"]),
    "resume": (["resume=true,false"], ["resume: cannot be swept over"]),
    "hydra's own": (
        ["hydra.job.chdir=true,false", "seed=0,1"],
        ["hydra.job.chdir: cannot be swept over - give one value"],
    ),
    "a key of hydra": (
        ["hydra.swep.dir=x", "seed=0,1"],
        ["hydra.swep: no such key - did you mean 'sweep'?"],
    ),
    "a folder for each run": (
        ["seed=0,1", "hydra.sweep.subdir='s${seed}'"],
        ["hydra.sweep.subdir: is refused: a run's folder is named by its run id"],
    ),
    "the folder of a single run": (
        ["seed=0,1", "hydra.run.dir=mine"],
        ["hydra.run.dir: is for a single run - give hydra.sweep.dir"],
    ),
    "a folder that names a job": (
        ["seed=0,1", "hydra.sweep.dir='x/${hydra.job.num}'"],
        ["hydra.sweep.dir: MissingMandatoryValue"],
    ),
    "code in one value": (
        ["+init.extra={_target_:os.system},{a:1}"],
        [
            "init.extra._target_: 'os.system' is refused: a config cannot name code to run",
            "init.extra: uniform takes no such option - Known: scale.",
        ],
    ),
    "code in a launcher": (
        ["seed=0,1", "hydra.launcher._target_=os.system"],
        ["hydra.launcher._target_: 'os.system' is refused"],
    ),
    "code in sweep parameters": (
        ["hydra.sweeper.params={+init._target_: 'os.system,os.getcwd'}"],
        ["init._target_: 'os.system' is refused", "init._target_: 'os.getcwd' is refused"],
    ),
    "a launcher": (
        ["seed=0,1", "hydra/launcher=slurmm", "sead=1"],
        ["hydra/launcher: no option 'slurmm'", "sead: no such key"],
    ),
    "a plan": (
        ["task=plan", "init=normal", "init.sigma=0.1,-1"],
        ["init.sigma: must be a positive number, got -1.0 (in the run"],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_sweep_is_refused_before_anything_starts(name, command, tmp_path):
    words, expected = REFUSED[name]
    done = command("-m", *words)
    assert done.code == 2
    lines = done.err.splitlines()
    assert len(lines) == len(expected), done.err
    for part in expected:
        assert sum(line.startswith(f"error: {part}") for line in lines) == 1, done.err
    assert done.out == ""
    assert not list(tmp_path.iterdir())


def test_every_folder_that_cannot_be_written_is_named(command, tmp_path):
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "article").write_text("a file")
    (tmp_path / "outputs" / "digits").write_text("a file")
    done = command("-m", "experiment=article,digits")
    assert done.code == 2
    assert done.err.splitlines() == [
        "error: output folder outputs/article: cannot be written (File exists)",
        "error: output folder outputs/digits: cannot be written (File exists)",
    ]
    assert not (tmp_path / "outputs" / "runs" / "sweep.json").exists()


def test_a_file_in_place_of_one_runs_folder_is_refused_before_the_others_start(command, tmp_path):
    assert command("-m", "seed=0").code == 0
    [folder] = [
        path
        for path in (tmp_path / "outputs" / "runs").iterdir()
        if path.name.startswith("uniform")
    ]
    folder.rename(tmp_path / "moved")
    folder.write_text("a file")
    done = command("-m", "seed=1,0")
    assert done.code == 2
    assert (
        done.err
        == f"error: output folder outputs/runs/{folder.name}: cannot be written (it is no folder)\n"
    )
    assert not [path for path in folder.parent.iterdir() if path.is_dir() and path.name != ".hydra"]
