"""Bad input: one clear line that names the place, what was found and what to do; exit code 2;
nothing left that looks finished.
"""

from __future__ import annotations

from pathlib import Path

import pytest


def refused(command, *words: str) -> list[str]:
    """The error lines of a command that must be refused and leave no run behind."""
    done = command(*words)
    assert done.code == 2, done.out + done.err
    assert not list(Path(".").rglob("manifest.json"))
    assert not list(Path(".").rglob("snapshot.*"))
    lines = done.err.splitlines()
    assert lines and all(line.startswith("error: ") for line in lines), done.err
    assert "Traceback" not in done.err
    return [line.removeprefix("error: ") for line in lines]


LAYERS = "model.layers=[{kind: dense, units: 8, activation: relu}, {kind: dense, units: 8}]"

CASES = {
    "group": (["inti=normal"], ["inti: no such key - did you mean 'init'?"]),
    "option": (
        ["init=norml"],
        ["init: no option 'norml' - did you mean 'normal'? Known: bilinear, constant,"],
    ),
    "model": (["model=mpl"], ["model: no option 'mpl' - did you mean 'mlp'?"]),
    "experiment": (
        ["experiment=artcle"],
        ["experiment: no option 'artcle' - did you mean 'article'?"],
    ),
    "stats": (["stats=[moment]"], ["stats: no option 'moment' - did you mean 'moments'?"]),
    "key": (["sed=3"], ["sed: no such key - did you mean 'seed'?"]),
    "added key": (["+sed=3"], ["sed: no such key - did you mean 'seed'?"]),
    "group key": (
        ["init=normal", "init.sigmaa=1"],
        ["init.sigmaa: no such key - did you mean 'sigma'?"],
    ),
    "added group key": (
        ["init=normal", "+init.sigmaa=1"],
        ["init.sigmaa: normal takes no such option - did you mean 'sigma'?"],
    ),
    "added model key": (["+model.layer=[]"], ["model.layer: no such key - did you mean 'layers'?"]),
    "added device key": (["+device.indx=1"], ["device.indx: no such key - did you mean 'index'?"]),
    "added snapshot key": (
        ["+snapshot.x=1"],
        ["snapshot.x: snapshot safetensors takes no such option - Known: none."],
    ),
    "layer kind": (
        ["model.layers=[{kind: dens, units: 3}]"],
        ["model.layers.0.kind: no layer kind 'dens' - did you mean 'dense'?"],
    ),
    "key that is no text": (
        ["model.share={1: [0, 1]}"],
        ["model.share: the names of keys must be texts, got 1"],
    ),
    "layer named by no text": (
        ["model.layers=[{kind: dense, units: 3, name: true}]"],
        ["model.layers.0.name: must be text, got True - put it in quotes, or leave it out"],
    ),
    "no kind": (
        ["model.layers=[{units: 3}]"],
        ["model.layers.0.kind: has no kind - Known: activation,"],
    ),
    "layer option": (
        ["model.layers=[{kind: dense, unitz: 3, units: 2}]"],
        ["model.layers.0.unitz: dense takes no such option - did you mean 'units'?"],
    ),
    "nested layer option": (
        [
            "model.layers=[{kind: repeat, times: 2, layers: [{kind: dense, units: 3, activation: rleu}]}]"
        ],
        ["model.layers.0.layers.0.activation: cannot be 'rleu' - did you mean 'relu'?"],
    ),
    "activation": (
        ["model.layers=[{kind: activation, activation: tahn}]"],
        ["model.layers.0.activation: cannot be 'tahn' - did you mean 'tanh'?"],
    ),
    "missing units": (
        ["model.layers=[{kind: dense}]"],
        ["model.layers.0.units: is missing - dense needs it"],
    ),
    "zero units": (
        ["model.layers.0.units=0"],
        ["model.layers.0.units: must be a whole number of at least 1, got 0"],
    ),
    "negative units": (
        ["model.layers.0.units=-3"],
        ["model.layers.0.units: must be a whole number of at least 1, got -3"],
    ),
    "text units": (
        ["model.layers.0.units=many"],
        ["model.layers.0.units: must be a whole number of at least 1, got 'many'"],
    ),
    "no layers": (
        ["model.layers=[]"],
        ["model.layers: must be a list of at least one layer, got []"],
    ),
    "layer no mapping": (
        ["model.layers=[dense]"],
        ["model.layers.0: must be a mapping like {kind: dense, units: 10}, got 'dense'"],
    ),
    "two layers of a name": (
        ["model.layers=[{kind: dense, name: a, units: 3}, {kind: dense, name: a, units: 3}]"],
        ["model.layers.1.name: 'a' is also the name of model.layers.0"],
    ),
    "dotted name": (
        ["model.layers=[{kind: dense, name: a.b, units: 3}]"],
        ["model.layers.0.name: 'a.b' must be text without dots"],
    ),
    "dropout": (
        ["model.layers=[{kind: dropout, rate: 1}]"],
        ["model.layers.0.rate: must lie in [0, 1), got 1"],
    ),
    "repeat": (
        ["model.layers=[{kind: repeat, times: 0, layers: [{kind: flatten}]}]"],
        ["model.layers.0.times: must be a whole number"],
    ),
    "residual": (
        ["model.layers=[{kind: residual, layers: [{kind: dense, units: 3}]}]"],
        [
            "model.layers.0: layer '0' cannot take its input: residual: its layers turn shape (2, 20) into (2, 3)"
        ],
    ),
    "in_units": (
        ["model.layers=[{kind: dense, units: 3, in_units: 7}]"],
        ["model.layers.0: layer '0' cannot take its input"],
    ),
    "unused initializer": (
        ["model.layers=[{kind: dense, units: 3, use_bias: false, bias_initializer: zeros}]"],
        ["model.layers.0.bias_initializer: is given, but use_bias is false"],
    ),
    "layer initializer": (
        ["model.layers=[{kind: dense, units: 3, weight_initializer: xaver}]"],
        ["model.layers.0.weight_initializer.kind: no initializer 'xaver' - did you mean 'xavier'?"],
    ),
    "layer initializer option": (
        ["model.layers=[{kind: dense, units: 3, weight_initializer: {kind: normal, sgma: 1}}]"],
        [
            "model.layers.0.weight_initializer.sgma: normal takes no such option - did you mean 'sigma'?"
        ],
    ),
    "input": (
        ["model.input=[0]"],
        ["model.input: must be a list of positive whole numbers, got [0]"],
    ),
    "wrong type": (
        ["init=normal", "init.sigma=wide"],
        ["init.sigma: Value 'wide' of type 'str' could not be converted to Float"],
    ),
    "negative sigma": (
        ["init=normal", "init.sigma=-1"],
        ["init.sigma: must be a positive number, got -1.0"],
    ),
    "nan": (["init=normal", "init.sigma=nan"], ["init.sigma: must be a positive number, got nan"]),
    "choice": (
        ["init=xavier", "init.rnd_type=gausian"],
        ["init.rnd_type: ", "did you mean 'gaussian'?"],
    ),
    "missing value": (["init=constant"], ["init.value: is missing - constant needs it"]),
    "load nothing": (["init=load", "init.param=nothing.npz"], ["init.param: ", "nothing.npz"]),
    "seed negative": (["seed=-1"], ["seed: must be a whole number from 0 to 2^64-1, got -1"]),
    "seed large": (
        ["seed=18446744073709551616"],
        ["seed: must be a whole number from 0 to 2^64-1, got 18446744073709551616"],
    ),
    "seed text": (["seed=one"], ["seed: must be a whole number from 0 to 2^64-1, got 'one'"]),
    "dtype": (["dtype=float31"], ["dtype: cannot be 'float31' - did you mean 'float32'?"]),
    "bfloat16": (
        ["dtype=bfloat16", "stream=mxnet-1.9.1"],
        [
            "dtype: bfloat16 is not specified in stream mxnet-1.9.1 - use float32, float64 or float16"
        ],
    ),
    "init_mode": (
        ["init_mode=lazy"],
        ["init_mode: cannot be 'lazy' - Known: deferred, eager, streamed."],
    ),
    "task": (["task=pln"], ["task: cannot be 'pln' - did you mean 'plan'?"]),
    "name": (["name=a/b"], ["name: must be one path component, got 'a/b'"]),
    "resume": (["resume=maybe"], ["resume: Value 'maybe' is not a valid bool"]),
    "eager without input": (
        ["init_mode=eager", "model.input=null"],
        ["model.input: is not declared - eager mode infers all shapes from it"],
    ),
    "no input at all": (
        ["model.input=null"],
        ["model.input: is not declared, and data 'uniform' has no shape of its own"],
    ),
    "gpu": (["device=gpu"], ["device: no gpu(0): "]),
    "a delta-orthogonal kernel that narrows": (
        [
            "model.input=[3, 8, 8]",
            "model.layers=[{kind: conv2d, name: c, channels: 2, kernel_size: 3}]",
            "init=delta_orthogonal",
        ],
        [
            "init: cannot initialize 'c.weight' of shape (2, 3, 3, 3): a delta-orthogonal kernel cannot have shape (2, 3, 3, 3): 2 outputs "
            "cannot hold 3 inputs without loss of length - give the layer at least 3 outputs, or use `orthogonal` for it"
        ],
    ),
    "haar on a vector": (
        ["model.layers=[{kind: dense, units: 3, bias_initializer: orthogonal}]"],
        [
            "model.layers.0.bias_initializer: cannot initialize '0.bias' of shape (3,): Orthogonal initializer cannot be applied to vector 0.bias"
        ],
    ),
    "fan of a vector": (
        ["model.layers=[{kind: dense, units: 3, bias_initializer: xavier}]"],
        [
            "model.layers.0.bias_initializer: cannot initialize '0.bias' of shape (3,): Xavier initializer cannot be applied to vector 0.bias"
        ],
    ),
    "rule that matches nothing": (
        [
            "init=mixed",
            "init.rules=[{match: 'head.*', init: {kind: one}}, {match: '.*', init: {kind: normal}}]",
        ],
        ["init.rules.0: ", "'head.*'"],
    ),
    "rule that is shadowed": (
        [
            "init=mixed",
            "init.rules=[{match: '.*', init: {kind: normal}}, {match: '0.*', init: {kind: one}}]",
        ],
        ["init.rules.1: ", "shadowed"],
    ),
    "rule that is no expression": (
        ["init=mixed", "init.rules=[{match: '(', init: {kind: normal}}]"],
        ["init.rules"],
    ),
    "rule with a wrong initializer": (
        ["init=mixed", "init.rules=[{match: '.*', init: {kind: nrmal}}]"],
        ["init.rules.0.init.kind: no initializer 'nrmal'"],
    ),
    "digits shape": (
        ["data=digits"],
        ["data: digits gives samples of [64], [8, 8] or [1, 8, 8], but model.input is [20]"],
    ),
    "digits batch": (
        ["experiment=digits", "data.batch=2000"],
        ["data.batch: must be at most 1797"],
    ),
    "batch": (["data.batch=0"], ["data.batch: must be a whole number of at least 1, got 0"]),
    "data bounds": (["data.low=2"], ["data.low: must be less than high (1.0), got 2.0"]),
    "classes": (
        ["experiment=digits", "model.layers.1.units=5"],
        ["probe: the data has 10 classes, but the network gives 5 scores"],
    ),
    "backward shape": (
        [
            "probe=backward",
            "model.input=[3,20]",
            "model.layers=[{kind: dense, units: 1, flatten: false}]",
        ],
        [
            "probe: backward needs an output of shape (batch, classes) or (batch, positions, classes), but the network gives (2, 3, 1)"
        ],
    ),
    "share member": (
        ["model=shared", "model.share.trunk=['1','22']"],
        ["model.share.trunk: '22' is no layer and no parameter"],
    ),
    "share parameter": (
        ["model=shared", "model.share.trunk=['1.weight','2.wieght']"],
        ["'2.wieght' is no layer and no parameter - did you mean '2.weight'?"],
    ),
    "share one": (
        ["model=shared", "model.share.trunk=['1']"],
        ["model.share.trunk: must list at least two layers or parameters, got ['1']"],
    ),
    "share twice": (
        ["model=shared", "model.share.trunk=['1','1']"],
        ["model.share.trunk: lists '1' twice"],
    ),
    "share shapes": (
        ["model=shared", "model.share.trunk=['0','1']"],
        [
            "model.share.trunk: '0.weight' has shape (8, 20), but '1.weight' has shape (8, 8): tied parameters need one shape"
        ],
    ),
    "share cycle": (
        ["model=shared", "+model.share.again=['2','1']"],
        ["model.share.again: share cycle with 'trunk': "],
    ),
    "share cycle of groups": (
        ["model=shared", "model.share.trunk=['1',b]", "+model.share.b=['2',trunk]"],
        ["model.share: share cycle: trunk -> b -> trunk"],
    ),
    "share overlap": (
        ["model=shared", "+model.share.b=['0','1']"],
        ["model.share.b: '1' is in group 'trunk' too - join the two groups"],
    ),
    "share own part": (
        ["model=deep_mlp", "+model.share={x: [body, body.0.fc]}"],
        ["share cycle: 'body.0.fc' is part of 'body'"],
    ),
    "share kinds": (
        [
            "model.layers=[{kind: dense, units: 20}, {kind: dense, units: 20, use_bias: false}]",
            "+model.share={x: ['0','1']}",
        ],
        ["'0' has weight, bias but '1' has weight: they cannot be tied"],
    ),
    "share unused": (
        [
            "model.layers=[{kind: dense, units: 20}, {kind: dense, units: 20, weight_initializer: ones}]",
            "+model.share={x: ['0','1']}",
        ],
        ["model.layers.1.weight_initializer: is never used: '1.weight' is tied to '0.weight'"],
    ),
    "word": (["normal"], ["normal: is neither a command nor a word like key=value"]),
    "word after another": (["init=he", "normal"], ["normal: is no override - write key=value"]),
    "grammar": (
        ["model.layers=[{kind"],
        ["model.layers=[{kind: is no override - it has 1 '[' and 0 ']'"],
    ),
    "brackets": (
        ["model.layers[0].units=3"],
        ["is no override - write places in a list with dots: model.layers.0.units=3"],
    ),
    "quotes": (
        ["objective=layers[-1].rms"],
        ["and all in quotes for the shell: 'objective=\"layers[-1].rms\"'"],
    ),
    "group set to nothing": (
        ["init=null"],
        ["init: must be the name of an option, got None - Known: bilinear, constant,"],
    ),
    "group set to a number": (
        ["model=3"],
        ["model: must be the name of an option, got 3 - Known: deep_mlp,"],
    ),
    "group made by an interpolation": (
        ["init='${oc.create:{_target_:os.system}}'"],
        ["init: must be the name of an option, got '${oc.create:"],
    ),
    "option with a slash": (
        ["init=schema/normal"],
        ["init: no option 'schema/normal' - did you mean 'normal'?"],
    ),
    "option elsewhere": (
        ["model=/etc/passwd"],
        ["model: no option '/etc/passwd' - Known: deep_mlp,"],
    ),
    "no key": (["=3"], ["=3: has no key - write key=value"]),
    "layer that is no number": (
        ["model.layers.x.units=3"],
        ["model.layers.x.units: 'x' is no place in a list - write its number, from 0"],
    ),
    "package": (["+init@init2=normal"], ["init2: no such key - did you mean 'init'?"]),
    "sweep without -m": (
        ["init=normal,xavier"],
        ["init: 'init=normal,xavier' has several values - give -m for a run of each"],
    ),
    "range without -m": (
        ["seed=range(0,3)"],
        ["seed: 'seed=range(0,3)' has several values - give -m for a run of each"],
    ),
    "list of activations": (
        ["model.layers.0.activation=[relu]"],
        ["model.layers.0.activation: cannot be ['relu'] - did you mean 'relu'?"],
    ),
    "number beyond all floats": (
        ["init=normal", f"init.sigma={10**400}"],
        ["init.sigma: int too large to convert to float"],
    ),
    "circle": (["seed='${seed}'"], ["seed: Recursive interpolation detected"]),
    "model too large": (
        ["model.layers=[{kind: dense, units: 1000000000000000000000, use_bias: false}]"],
        ["'0.weight' of shape (1000000000000000000000, 20) has more bytes than any array can hold"],
    ),
    "batch too large": (
        ["data.batch=10000000000000000000"],
        ["data.batch: 10000000000000000000 samples have more bytes than any array can hold"],
    ),
    "root elsewhere": (
        ["--config-path", "elsewhere"],
        ["--config-path: is refused: there is one root config - add groups with --config-dir"],
    ),
    "root of another name": (
        ["-m", "--config-name", "mine"],
        ["--config-name: is refused: there is one root config"],
    ),
    "search path": (
        ["--config-dir", ".", "hydra.searchpath=[x]"],
        [
            "hydra.searchpath: is refused: it can name a package to import - give --config-dir FOLDER"
        ],
    ),
    "plugin by environment": (
        ["-m", "+hydra.job.env_set.INITLAB_PLUGINS=mine.py"],
        [
            "hydra.job.env_set: INITLAB_PLUGINS is refused: a config cannot name a plugin - use --plugin FILE"
        ],
    ),
    "rerun": (
        ["--experimental-rerun", "x.pickle"],
        ["--experimental-rerun: is refused: it unpickles a file"],
    ),
    "plugin missing": (
        ["--plugin", "nothing.py"],
        ["--plugin nothing.py: cannot be read (No such file or directory)"],
    ),
    "plugin nameless": (["--plugin"], ["--plugin: needs the path of a Python file"]),
    "interpolation": (["name='${nothing.there}'"], ["nothing"]),
}


@pytest.mark.parametrize(("words", "expected"), CASES.values(), ids=CASES)
def test_bad_input_is_refused_in_one_clear_line(words, expected, command):
    lines = refused(command, *words)
    assert len(lines) == 1, lines
    for piece in expected:
        assert piece in lines[0]


def test_everything_wrong_is_said_at_once(command):
    lines = refused(
        command,
        "init=norml",
        "sed=3",
        "+foo=1",
        "model.layers.0.units=0",
        "model.layers.1.activation=rleu",
        "seed=-1",
        "probe=x",
    )
    text = "\n".join(lines)
    for piece in (
        "init: no option",
        "sed: no such key",
        "foo: no such key",
        "layers.0.units",
        "layers.1.activation",
        "seed: must",
        "probe: no option",
    ):
        assert piece in text
    assert len(lines) == 7


TARGETS = [
    "+hydra.callbacks.x._target_=os.system",
    "+hydra.callbacks={x: {_target_: os.system}}",
    "hydra.launcher._target_=os.system",
    "hydra.sweeper._target_=os.system",
    "+model.layers.0._target_=os.system",
    "+init._target_=os.system",
    "+data._target_=os.system",
    "+stats.law._target_=os.system",
    "+foo={bar: [{_target_: builtins.print}]}",
    "hydra.job_logging.handlers.console.class=os.system",
    "+hydra.job_logging.handlers.x={class: os.system}",
    "hydra.callbacks='${oc.create:{x:{_target_:os.system}}}'",
    "hydra.launcher='${foo}'",
    "hydra/sweeper=basic",
    "hydra.job_logging.handlers.console.stream=ext://antigravity.x",
    "hydra.job_logging.formatters.plain.format=ext://antigravity.x",
    "hydra.hydra_logging.handlers.console.stream=ext://antigravity.x",
    "hydra.job_logging.handlers.console.stream='${name}'",
    "+hydra.callbacks.x='${oc.decode:\"{_target_: os.system}\"}'",
    "model.layers='${oc.decode:\"[{kind: dense, units: 3, _target_: x}]\"}'",
]


@pytest.mark.parametrize("word", TARGETS)
def test_a_config_cannot_name_code(word, command):
    done = command(word)
    assert done.code == 2, done.out
    assert "Traceback" not in done.err
    assert not list(Path(".").rglob("*"))


@pytest.mark.parametrize("flags", [["--cfg", "job"], ["--info", "all"], ["-m"]], ids=" ".join)
def test_no_flag_is_a_way_around_the_search_for_code(flags, command, tmp_path):
    marker = tmp_path / "called"
    done = command(*flags, f"+hydra.callbacks.x={{_target_: pathlib.Path.mkdir, self: {marker}}}")
    assert done.code == 2
    assert "hydra.callbacks.x._target_: 'pathlib.Path.mkdir' is refused" in done.err
    assert not marker.exists()


MODULE = "open('imported', 'w').close()\nimport sys\nstream = sys.stderr\n"


@pytest.mark.parametrize(
    "flags", [[], ["-m"], ["--cfg", "hydra"]], ids=lambda flags: " ".join(flags) or "run"
)
@pytest.mark.parametrize("node", ["job_logging", "hydra_logging"])
def test_no_logging_config_imports_a_module(flags, node, command, tmp_path, monkeypatch):
    (tmp_path / "mischief.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    place = f"hydra.{node}.handlers.console.stream"
    done = command(*flags, f"{place}=ext://mischief.stream")
    assert done.code == 2
    assert (
        f"error: {place}: 'ext://mischief.stream' is refused: a config cannot name code to import"
        in done.err
    )
    assert not (tmp_path / "imported").exists()


def test_hydras_own_choices_of_logging_still_work(command):
    for word in (
        "hydra/job_logging=default",
        "hydra/job_logging=disabled",
        "+hydra.job.env_set.SOME=1",
    ):
        assert command(word).code == 0


def test_the_refusal_of_code_says_what_to_do_instead(command):
    [line] = refused(command, "+init._target_=os.system")
    assert (
        line
        == "init._target_: 'os.system' is refused: a config cannot name code to run - use --plugin FILE"
    )


def test_a_folder_that_cannot_be_written_is_refused(command, tmp_path):
    (tmp_path / "outputs").write_text("a file")
    [line] = refused(command, "init=normal")
    assert line.startswith("output folder outputs/runs/normal-seed0-")
    assert "cannot be written" in line


def test_a_run_that_needs_more_memory_than_there_is_is_refused_in_one_line(command, tmp_path):
    done = command("init=zero", "model.layers.0.units=50000000000000000")
    assert done.code == 2
    assert done.err.startswith(
        "error: the run needs more memory than there is: Unable to allocate "
    )
    assert len(done.err.splitlines()) == 1
    assert not list(tmp_path.rglob("manifest.json"))


def test_an_unknown_flag_is_refused(command):
    done = command("--multirn")
    assert (done.code, "--multirn" in done.err) == (2, True)


def test_a_plugin_that_fails_is_refused_with_its_error(command, tmp_path):
    (tmp_path / "bad.py").write_text("import nothing_of_that_name\n")
    [line] = refused(command, "--plugin", "bad.py", "init=normal")
    assert line.startswith(
        "--plugin bad.py: failed while it was imported: ModuleNotFoundError: No module named 'nothing_of_that_name'"
    )


def wide(folder: Path, *names: str) -> Path:
    """A folder of options with init=<name>: N(0, 5)."""
    (folder / "init").mkdir(parents=True)
    for name in names:
        (folder / "init" / f"{name}.yaml").write_text(
            "defaults:\n  - /schema/init/normal@_here_\n  - _self_\nsigma: 5.0\n"
        )
    return folder


@pytest.mark.parametrize("before", [(), ("-m",)])
def test_an_option_of_ones_own_that_ours_hides_refuses_the_command(command, tmp_path, before):
    folder = wide(tmp_path / "mine", "normal", "wide")
    [line] = refused(command, *before, "--config-dir", "mine", "init=normal")
    assert line == (
        "mine/init/normal.yaml: is hidden by init=normal of initlab itself - give it another name"
    )
    (folder / "init" / "normal.yaml").unlink()
    done = command("--config-dir", "mine", "init=wide")
    assert (done.code, done.err) == (0, "")
    assert "Normal(0, 5)" in done.out


@pytest.mark.parametrize("character", list("é#'()~;&!{}\",[]$=%:@? "))
def test_a_folder_of_options_may_have_any_name(command, tmp_path, character):
    folder = wide(tmp_path / f"a{character}b", "wide")
    done = command("--config-dir", str(folder), "init=wide", "task=plan")
    assert (done.code, done.err) == (0, "")
    [line] = refused(command, "--config-dir", str(folder), "init=wid", "task=plan")
    assert line.startswith("init: no option 'wid' - did you mean 'wide'? Known: bilinear, ")
    assert command("-m", "--config-dir", str(folder), "init=wide,he", "dry_run=true").code == 0


def test_a_refused_config_leaves_no_folder(command):
    refused(command, "init=normal", "init.sigma=-1")
    assert not Path("outputs").exists()
