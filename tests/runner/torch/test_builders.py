"""A function that builds a module, as a model: runs, sweeps, locks and refusals like a declared one's."""

from __future__ import annotations

import json
import textwrap

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'initlab[torch]'")

import initlab  # noqa: E402
import initlab.torch as it  # noqa: E402
from initlab.runner import cli  # noqa: E402
from initlab.runner.config import plugins  # noqa: E402

PLUGIN = """
    import torch
    from torch import nn
    import initlab.torch

    @initlab.torch.model(input=(64,))
    def pytest_mlp(hidden: int = 32):
        return nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))

    @initlab.torch.model(input=(64,))
    def pytest_frozen():
        net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        net[0].requires_grad_(False)
        return net

    class Block(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.norm, self.inner, self.act = nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU()
            self.outer = nn.Linear(2 * width, width)

        def forward(self, x):
            return x + self.outer(self.act(self.inner(self.norm(x))))

    class Words(nn.Module):
        def __init__(self, rows, width, depth):
            super().__init__()
            self.table = nn.Embedding(rows, width)
            self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
            self.head = nn.Linear(width, rows, bias=False)
            self.register_buffer("mask", torch.ones(3), persistent=False)

        def forward(self, x):
            x = self.table(x)
            for block in self.blocks:
                x = block(x)
            return self.head(x)

    @initlab.torch.model(input=(12,), tokens=True)
    def pytest_words(rows: int = 20, width: int = 16, depth: int = 2):
        return Words(rows, width, depth)

    @initlab.torch.model(input=(4,))
    def pytest_nothing():
        return 3

    class Tagger(nn.Module):
        def __init__(self, rows, width, answer):
            super().__init__()
            self.table = nn.Embedding(rows, width, padding_idx=0)
            self.lstm = nn.LSTM(width, width, 2, batch_first=True)
            self.out = nn.Linear(width, rows)
            self.answer = answer

        def forward(self, x):
            y, state = self.lstm(self.table(x))
            given = {"tuple": (self.out(y), None, state), "alone": self.out(y), "no": ("no", None)}
            return given[self.answer]

    @initlab.torch.model(input=(12,), tokens=True)
    def pytest_tagger(rows: int = 20, width: int = 16, answer: str = "tuple"):
        return Tagger(rows, width, answer)
"""


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    path = tmp_path_factory.mktemp("plugin") / "my_net.py"
    path.write_text(textwrap.dedent(PLUGIN))
    plugins.load(str(path))
    return path


@pytest.fixture(autouse=True)
def _here(plugin, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def declared(*words):
    return initlab.declare(*words)


LAYERS = (
    "[{kind: dense, units: 32, name: '0'}, {kind: activation, activation: relu, name: '1'},"
    " {kind: dense, units: 10, name: '2'}]"
)
SHARED = (
    "init=he",
    "data=digits",
    "data.batch=16",
    "probe=backward",
    "measure=[layers,spectrum,jacobian,backprop]",
)


def section_of(run, name):
    return run.stats.sections[name] if name in run.stats.sections else getattr(run.stats, name)


def test_the_same_network_by_torch_and_by_the_engine_has_the_same_values_and_equal_figures():
    ours = declared("model=mlp", "model.input=[64]", f"model.layers={LAYERS}", *SHARED).run()
    theirs = declared("model=pytest_mlp", *SHARED).run()
    assert theirs.manifest.digests.root == ours.manifest.digests.root
    for section in ("layers", "gradients", "spectrum", "jacobian"):
        for a, b in zip(section_of(ours, section), section_of(theirs, section), strict=True):
            assert a.keys() == b.keys()
            for name in a.keys() - {"kind", "path"}:
                if isinstance(a[name], float):
                    assert b[name] == pytest.approx(a[name], rel=2e-3, abs=1e-6), (
                        section,
                        a["path"],
                        name,
                    )
                else:
                    assert a[name] == b[name], (section, a["path"], name)
    for name, value in ours.figures.items():
        assert theirs.figures[name] == pytest.approx(value, rel=1e-4), name


def test_training_by_torch_and_by_the_engine_goes_the_same_way():
    words = ("init=he", "data=digits", "probe=train", "probe.epochs=2")
    ours = declared("model=mlp", "model.input=[64]", f"model.layers={LAYERS}", *words).run()
    theirs = declared("model=pytest_mlp", *words).run()
    for name in ("loss", "train_accuracy", "test_accuracy"):
        assert theirs.figures[name] == pytest.approx(ours.figures[name], rel=0.02)


WORDS = ("model=pytest_words", "init=he", "data=tokens", "data.vocabulary=20", "data.batch=4")


def test_layers_inside_a_module_and_its_residual_streams_have_rows():
    run = declared(*WORDS, "probe=backward").run()
    rows = {row["path"]: row for row in run.stats.layers}
    assert list(rows)[:5] == [
        "table",
        "blocks.0.norm",
        "blocks.0.inner",
        "blocks.0.act",
        "blocks.0.outer",
    ]
    assert rows["blocks.0"]["stream"] and rows["blocks.0"]["input"] == "table"
    assert rows["blocks.0.norm"]["inside"] == "blocks.0"
    assert run.diagnosis is not None


def test_initializers_that_go_by_the_structure_of_the_network_work():
    run = declared("model=pytest_words", "init=gpt2", *WORDS[2:], "probe=none").run()
    laws = {row["path"]: row["law"] for row in run.stats.parameters}
    assert laws["blocks.1.outer.weight"] == "Normal(0, 0.0141421)"
    assert laws["blocks.1.inner.weight"] == "Normal(0, 0.02)"


@pytest.mark.parametrize("mode", ["eager", "streamed"])
def test_every_mode_gives_the_same_values(mode):
    ours = declared(*WORDS).run()
    other = declared(*WORDS, f"init_mode={mode}").run()
    assert other.manifest.digests.root == ours.manifest.digests.root


def test_a_runs_snapshot_is_loaded_by_the_module_and_its_plan_is_that_of_the_module(plugin):
    run = declared(*WORDS, "probe=none").run()
    module = __import__("sys").modules["initlab_plugin_my_net"].pytest_words()
    planned = it.plan(module, "he")
    assert planned.digests().root == run.manifest.digests.root
    planned.apply(module)
    assert np.array_equal(module.head.weight.detach().numpy(), run["head.weight"])


@pytest.mark.parametrize("mode", ["deferred", "eager", "streamed"])
def test_the_row_of_a_padding_token_is_zero_in_a_run(mode):
    words = ("model=pytest_tagger", "init=he", *WORDS[2:], f"init_mode={mode}")
    run = declared(*words, "probe=none").run()
    table = run["table.weight"]
    assert not table[0].any() and table[1:].all()


def test_the_first_tensor_that_a_module_returns_is_its_scores():
    words = ("init=he", *WORDS[2:], "probe=backward")
    both = [
        declared("model=pytest_tagger", f"model.layers.0.answer={answer}", *words).run()
        for answer in ("tuple", "alone")
    ]
    assert both[0].figures == both[1].figures
    assert both[0].stats.gradients == both[1].stats.gradients


def test_verify_makes_a_run_of_a_module_again(capsys):
    run = declared(*WORDS, "probe=backward").run()
    assert cli.run_command(["verify", str(run.path)]) == 0
    assert "verified, values, snapshot, figures" in capsys.readouterr().out


def test_options_are_the_functions_parameters(capsys):
    run = declared(
        "model=pytest_mlp", "model.layers.0.hidden=8", "init=he", "data=digits", "probe=none"
    ).run()
    assert run["0.weight"].shape == (8, 64)
    words = ["model=pytest_mlp", "model.layers.0.hiden=8", "init=he"]
    assert cli.run_command(words) == 2
    assert (
        "model.layers.0.hiden: pytest_mlp takes no such option - did you mean 'hidden'?"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["model=pytest_words", "data=uniform"], "layer 'pytest_words' (pytest_words) takes token numbers"),
        (["model=pytest_mlp", "data=uniform", "model.input=[63]"], "layer '0' cannot take its input: mat1 and mat2"),
        (["model=pytest_nothing", "data=uniform"], "pytest_nothing must return a torch.nn.Module, got int"),
        (["model=pytest_mlp", "model.layers.0.hidden=wide"], "model.layers.0.hidden: must be a whole number"),
        (["model=pytest_mlp", "semantics=torch"], "semantics: is for declared layers: pytest_mlp is a PyTorch model"),
        (["model=pytest_mlpp"], "no option 'pytest_mlpp' - did you mean 'pytest_mlp'"),
        (["model=pytest_tagger", "model.layers.0.answer=no", "data=tokens"], "returns ('no', None), in which there is no tensor"),
        (["model=pytest_words", "data=tokens"], "tokens has labels of 256 classes, but the network gives 20 scores"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_in_one_line(words, said, capsys):
    assert cli.run_command(["init=he", *words]) == 2
    captured = capsys.readouterr().err
    assert said in captured
    assert "Traceback" not in captured


def test_a_function_whose_parameters_cannot_be_options_is_refused():
    with pytest.raises(TypeError, match=r"wide: \*sizes can be no option"):

        @it.model(input=(3,))
        def wide(*sizes):
            return None

    with pytest.raises(TypeError, match=r"write @initlab.torch.model\(input=\(…\)\)"):
        it.model(64)
    with pytest.raises(
        TypeError, match="pytest_mlp: initlab_plugin_my_net has a model or layer of this name"
    ):
        it.model(input=(3,), name="pytest_mlp")(lambda: None)
    for name in ("mlp", "dense"):
        with pytest.raises(TypeError, match=f"{name}: InitLab has a model or layer of this name"):
            it.model(input=(3,), name=name)(lambda: None)
    with pytest.raises(TypeError, match="the name of a model is like my_net"):

        @it.model(input=(3,))
        def Wide():  # noqa: N802
            return None


def test_the_canonical_config_has_the_options_and_no_code():
    words = ("model=pytest_mlp", "model.layers.0.hidden=8", "init=he", "data=digits", "probe=none")
    text = json.dumps(declared(*words).run().manifest.canonical["model"])
    assert '"hidden": 8' in text and "_target_" not in text


def test_a_run_names_the_version_of_torch_and_is_not_exported_under_torchs_names(capsys):
    run = declared("model=pytest_mlp", "init=he", "data=digits", "probe=none").run()
    assert run.manifest.versions["torch"] == torch.__version__
    assert cli.run_command(["export", str(run.path), "--as", "torch"]) == 2
    assert "its snapshot has torch's names already" in capsys.readouterr().err


def test_a_file_of_torch_with_counters_of_batches_is_loaded_whole(tmp_path, monkeypatch):
    module = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3))
    torch.save(module.state_dict(), tmp_path / "model.pth")
    planned = it.plan(module, {"kind": "load", "param": str(tmp_path / "model.pth")})
    assert np.array_equal(planned["0.weight"].draw(), module[0].weight.detach().numpy())


def test_a_model_of_torch_is_frozen_by_its_own_code_or_by_the_config():
    words = ("init=he", "data=digits", "probe=train", "probe.epochs=1")
    for chosen in (["model=pytest_frozen"], ["model=pytest_mlp", "model.freeze=['0[.].*']"]):
        run = declared(*chosen, *words).run()
        assert run.manifest.frozen == ["0.weight", "0.bias"]
        assert [row["path"] for row in run.stats.updates] == ["2.weight", "2.bias"]
